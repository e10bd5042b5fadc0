// A run that is killed at any moment, and started again from its file, is bit for bit the run that never was.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <Eigen/Core>
#include <chrono>
#include <filesystem>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/files.hpp"

namespace hg = hourglass;

namespace {

using Encoder = hg::Chain<hg::Shape{10}, hg::Dense<8>, hg::BatchNormalization, hg::Tanh, hg::Dropout, hg::Dense<4>>;
using Decoder = hg::Chain<hg::Shape{2}, hg::Dense<8>, hg::LeakyReLU, hg::Dense<10>>;

constexpr int epochs = 4;

/// Trains from where the file says, or from the beginning, saves after every step, and at the end writes what has come
/// of it beside the file.
void train(const std::string& path) {
    hg::Rng rng{3};
    Eigen::MatrixXf x(10, 40);
    for (hg::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(rng.normal());
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::LearnedGaussianLikelihood{}, hg::GaussianNoise{0.1},
                                                   hg::GaussianLatent{});
    auto tape = model.tape();
    hg::AdamW adam;
    adam.exclude_from_weight_decay(model.biases());
    const hg::CosineDecay schedule{{.initial_learning_rate = 1e-2, .decay_steps = 16}};
    const hg::LinearAnnealing warm_up{.steps = 10};
    auto batches = hg::minibatches(x, 11, rng);
    hg::EarlyStopping stopping{{.patience = 2}};
    hg::History history;
    if (std::filesystem::exists(path)) hg::load(path, model, adam, rng, batches, stopping, history);
    for (; history.rows() < epochs; batches.shuffle(rng)) {
        for (const auto& batch : batches.rest()) {
            model.term<hg::GaussianLatent>().beta = warm_up(adam.steps());
            model.gradient(batch, tape, rng);
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
            hg::save(path, model, adam, rng, batches, stopping, history);
        }
        const float loss = model.loss(x, tape);
        history.add({{"loss", loss}});
        stopping.update(loss, model);
    }
    hg::save(path + ".end", model, adam, rng, batches, stopping, history);
}

/// Starts `train` in a process of its own.
pid_t start(const std::string& path) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    try {
        train(path);
    } catch (...) {
        ::_exit(1);
    }
    ::_exit(0);
}

}  // namespace

TEST_CASE("a run that is killed at any moment and resumed is the run that was never killed") {
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / ("hourglass_resume_" + std::to_string(::getpid()));
    fs::create_directories(folder);
    const std::string whole = folder / "whole", broken = folder / "broken";
    const auto begin = std::chrono::steady_clock::now();
    train(whole);
    const auto needed = std::chrono::steady_clock::now() - begin;
    const std::string expected = text_of(whole + ".end");
    REQUIRE(!expected.empty());

    hg::Rng rng{11};
    int kills = 0, runs = 0, resumed = 0;
    for (int tries = 0; (kills < 50 || runs == 0) && tries < 1000; ++tries) {
        if (fs::exists(broken)) ++resumed;
        const pid_t child = start(broken);
        REQUIRE(child > 0);
        // At first up to half the time of a whole run, so that several kills fall into one; later more, as the machine
        // may have become busier than it was then.
        const double most = 0.5 + tries / 100.0;
        std::this_thread::sleep_for(
            std::chrono::duration_cast<std::chrono::nanoseconds>(needed * rng.uniform(0, most)));
        ::kill(child, SIGKILL);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        if (WIFSIGNALED(status)) {
            ++kills;
            continue;
        }
        REQUIRE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
        ++runs;
        CHECK((text_of(broken + ".end") == expected));
        fs::remove(broken), fs::remove(broken + ".end");
    }
    CHECK(kills >= 50);
    train(broken);  // the last one, to its end
    CHECK((text_of(broken + ".end") == expected));
    CHECK(resumed > 25);
    INFO(runs << " runs came to their end");
    CHECK(runs > 0);
    fs::remove_all(folder);
}
