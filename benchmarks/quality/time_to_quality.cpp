// Time to quality: seconds until 784-1000-500-250-30 and back reaches a test error on Fashion-MNIST. ReLU between, the
// code linear, Sigmoid at the end, mean squared error, Glorot's uniform weights and zero biases, Adam of rate 1e-3,
// batches of 256, no schedule: nothing that the same in PyTorch (peers/time_to_quality.py) does otherwise.
//
//     hourglass_time_to_quality [--target ERROR] [--epochs MOST] [--threads N] [--seed N] [--data DIR]
//
// The error is that of Hinton and Salakhutdinov 2006: the sum of squared differences over a picture's pixels, mean over
// the test pictures. It is looked at five times an epoch, with the clock stopped. Prints lines `name value unit`:
// seconds on the clock, the processor's seconds over all threads, and epochs. Other programs disturb the latter two
// little.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <hourglass/hourglass.hpp>
#include <hourglass/workers.hpp>
#include <string>
#include <string_view>

#include "support/fashion_mnist.hpp"

namespace hg = hourglass;

namespace {

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<1000>, hg::ReLU, hg::Dense<500>, hg::ReLU, hg::Dense<250>, hg::ReLU,
                          hg::Dense<30>>;
using Decoder = hg::Mirror<Encoder, hg::Sigmoid>;

double clock_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int main(int argc, char** argv) {
    double target = 12;
    int threads = 1, most_epochs = 30;
    std::uint64_t seed = 1;
    std::string directory = "/usr/share/datasets/fashion-mnist";
    for (int i = 1; i < argc; i += 2) {
        const std::string_view option = argv[i];
        const std::string value = i + 1 < argc ? argv[i + 1] : "";
        if (option == "--target" && std::atof(value.c_str()) > 0) {
            target = std::atof(value.c_str());
        } else if (option == "--epochs" && std::atoi(value.c_str()) > 0) {
            most_epochs = std::atoi(value.c_str());
        } else if (option == "--threads" && std::atoi(value.c_str()) > 0) {
            threads = std::atoi(value.c_str());
        } else if (option == "--seed" && !value.empty()) {
            seed = std::strtoull(value.c_str(), nullptr, 10);
        } else if (option == "--data" && !value.empty()) {
            directory = value;
        } else {
            std::fprintf(stderr, "usage: %s [--target ERROR] [--epochs MOST] [--threads N] [--seed N] [--data DIR]\n",
                         argv[0]);
            return 2;
        }
    }
    const support::FashionMnist data = support::load_fashion_mnist(directory);

    hg::Rng rng{seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    hg::Workers workers{threads};
    auto tape = model.tape(workers);
    hg::Adam adam{{.learning_rate = 1e-3}};
    auto batches = hg::minibatches(data.train, 256, rng);
    const hg::Index steps_between = batches.size() / 5, most = most_epochs * batches.size();
    double on_clock = 0, on_processor = 0, error = 0;
    for (bool reached = false; !reached && adam.steps() < most; batches.shuffle(rng)) {
        double clock = clock_seconds(), processor = processor_seconds();
        for (const auto& batch : batches) {
            model.gradient(batch, tape, rng);
            adam.step(model, tape);
            if (adam.steps() % steps_between != 0) continue;
            on_clock += clock_seconds() - clock, on_processor += processor_seconds() - processor;
            error = 784.0 * static_cast<double>(model.loss(data.test, tape));
            reached = error <= target;
            if (reached) break;
            clock = clock_seconds(), processor = processor_seconds();
        }
    }
    const double epochs = static_cast<double>(adam.steps()) / static_cast<double>(batches.size());
    std::printf("test_error %.3f a picture%s\n", error, error <= target ? "" : ": NOT REACHED");
    std::printf("time_to_quality %.2f s\nprocessor_time_to_quality %.2f s\nepochs_to_quality %.2f epochs\n", on_clock,
                on_processor, epochs);
    return error <= target ? 0 : 1;
}
