// When memory runs out while a run is saved, loaded or trained on, nothing has changed and nothing is lost: the n-th
// request fails, for every n, by an allocator put in the place of the C library's.

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <new>
#include <optional>

#include "../support/failing_allocator.hpp"
#include "../support/files.hpp"

namespace hg = hourglass;
namespace fs = std::filesystem;

static int failures = 0;

static void expect(bool holds, const char* what, long n, const char* that) {
    if (holds) return;
    std::printf("%s: after request %ld failed it does not hold that %s\n", what, n, that);
    ++failures;
}

using Bytes = std::vector<std::byte>;
using Encoder = hg::Chain<hg::Shape{12}, hg::Dense<8>, hg::BatchNormalization, hg::LeakyReLU,
                          hg::Residual<hg::Dense<8>, hg::Tanh>, hg::Dropout, hg::Dense<4>>;
using Decoder = hg::Chain<hg::Shape{2}, hg::Dense<12>, hg::Sigmoid>;

static auto model_of(std::uint64_t seed) {
    hg::Rng rng{seed};
    return hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
}
static const Eigen::MatrixXf& data() {
    static const Eigen::MatrixXf x = (Eigen::MatrixXf::Random(12, 22).array() + 1) / 2;
    return x;
}

/// Everything a run consists of.
struct Run {
    explicit Run(std::uint64_t seed) : rng(seed), model(model_of(seed)), batches(hg::minibatches(data(), 8)) {
        standard.fit(data());
        span.fit(data());
    }

    template <class To>
    void save(To&& to) const {
        hg::save(to, model, standard, span, adam, rng, batches, stopping, history, hg::named("threshold", threshold),
                 hg::named("matrix", matrix));
    }
    template <class From>
    void load(From&& from) {
        hg::load(from, history, stopping, batches, rng, adam, model, standard, span, hg::named("threshold", threshold),
                 hg::named("matrix", matrix));
    }
    Bytes saved() const {
        Bytes bytes;
        save(bytes);
        return bytes;
    }
    bool is(const Run& other) const {
        return saved() == other.saved() && model.parameters() == other.model.parameters() &&
               model.state() == other.model.state();
    }

    void epoch(hg::Tape<float>& tape) {
        for (const auto& batch : batches.rest()) {
            model.gradient(batch, tape, rng);
            adam.step(model, tape);
        }
        batches.shuffle(rng);
        const float loss = model.loss(data(), tape);
        stopping.update(loss, model);
        history.add({{"loss", loss}, {"a name that is too long to lie within a string itself", 2}});
    }

    hg::Rng rng;
    decltype(model_of(1)) model;
    hg::Minibatches<float> batches;
    hg::Adam adam;
    hg::StandardScaler<float> standard;
    hg::MinMaxScaler<float> span;
    hg::EarlyStopping stopping{{.patience = 2}};
    hg::History history;
    double threshold = 0.5;
    Eigen::MatrixXf matrix = Eigen::MatrixXf::Constant(5, 3, 0.25f);
};

// Calls use() after start() with the n-th request failing, for every n until there is none of that number. After each
// failure no memory is lost, intact() holds, and use() then succeeds with what done() expects; that is looked at after
// every so many failures, as a file that is brought to the disk takes its time.
template <class Start, class Use, class Intact, class Done>
static void check(const char* what, Start start, Use use, Intact intact, Done done, long every = 1) {
    for (long n = 1;; ++n) {
        start();
        const long before = live_blocks;
        bool failed = false;
        fail_at(n);
        try {
            use();
        } catch (const std::bad_alloc&) {
            failed = true;
        } catch (const hg::Error&) {
            failed = true;  // where the system says no more than that a file failed
        }
        const bool reached = requests_left == 0;
        fail_never();
        if (failed) {
            expect(live_blocks == before, what, n, "all memory was given back");
            expect(intact(), what, n, "nothing has changed");
            if (n % every == 0) use();
        }
        // A request that fails and is not missed is one that nobody needed.
        if (!failed || n % every == 0) expect(done(), what, n, "the next try succeeds");
        if (!reached) {
            std::printf("%-30s %ld requests\n", what, n - 1);
            return;
        }
    }
}

int main() {
    Run trained(1), fresh(2);
    {
        auto tape = trained.model.tape();
        for (int epoch = 0; epoch < 3; ++epoch) trained.epoch(tape);
    }
    const Bytes bytes = trained.saved(), before = fresh.saved();
    const fs::path folder = fs::temp_directory_path() / ("hourglass_memory_" + std::to_string(::getpid()));
    fs::create_directories(folder);
    const std::string path = folder / "run.safetensors", link = folder / "link";
    fs::create_symlink(path, link);

    Bytes memory;
    check(
        "save to memory", [&] { memory = before; }, [&] { trained.save(memory); }, [&] { return memory == before; },
        [&] { return memory == bytes; });

    const std::string old(reinterpret_cast<const char*>(before.data()), before.size()),
        whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto stands = [&](const std::string& file) {
        return text_of(path) == file && !fs::exists(path + ".partial") && fs::is_symlink(link);
    };
    check(
        "save to a path", [&] { std::ofstream(path, std::ios::binary) << old; }, [&] { trained.save(link); },
        [&] { return stands(old); }, [&] { return stands(whole); }, 50);
    check(
        "save to a new path", [&] { fs::remove(path + ".new"); }, [&] { trained.save(path + ".new"); },
        [&] { return !fs::exists(path + ".new") && !fs::exists(path + ".new.partial"); },
        [&] { return text_of(path + ".new") == whole; }, 50);

    std::optional<Run> run;
    const auto start = [&] { run.emplace(2); };
    const auto unchanged = [&] { return run->saved() == before; };
    const auto loaded = [&] { return run->is(trained); };
    check(
        "load from memory", start, [&] { run->load(bytes); }, unchanged, loaded);
    check(
        "load from a path", start, [&] { run->load(path); }, unchanged, loaded);
    fs::remove_all(folder);

    // An epoch of training, call by call.
    const char* const long_name = "a name that is too long to lie within a string itself";
    std::optional<hg::Tape<float>> tape;
    double loss = 0, seen = 0;
    const std::pair<const char*, std::function<void()>> calls[]{
        {"first batch", [&] { seen = static_cast<double>((*run->batches.begin())(3, 5)); }},
        {"gradient", [&] { run->model.gradient(data().leftCols(8), *tape, run->rng); }},
        {"step", [&] { run->adam.step(run->model, *tape); }},
        {"shuffle", [&] { run->batches.shuffle(run->rng); }},
        {"a batch that is gathered", [&] { seen = static_cast<double>((*run->batches.begin())(3, 5)); }},
        {"loss", [&] { loss = static_cast<double>(run->model.loss(data(), *tape)); }},
        {"first update of EarlyStopping", [&] { run->stopping.update(loss, run->model); }},
        {"first row of History",
         [&] {
             run->history.add({{"loss", loss}, {long_name, seen}});
         }},
        {"next update of EarlyStopping", [&] { run->stopping.update(loss - 1, run->model); }},
        {"next row of History", [&] {
             run->history.add({{long_name, seen}, {"loss", loss}});
         }}};
    for (std::size_t i = 0; i < std::size(calls); ++i) {
        const auto begin = [&] {
            run.emplace(2);
            tape.emplace(run->model.tape());
            for (std::size_t earlier = 0; earlier < i; ++earlier) calls[earlier].second();
        };
        begin();
        const Bytes at_first = run->saved();
        calls[i].second();
        const Bytes at_last = run->saved();
        const Eigen::VectorXf gradient = tape->gradient();
        const double expected_loss = loss, expected_seen = seen;
        check(
            calls[i].first, begin, calls[i].second, [&] { return run->saved() == at_first; },
            [&] {
                return run->saved() == at_last && tape->gradient() == gradient && loss == expected_loss &&
                       seen == expected_seen;
            });
    }
    return failures;
}
