// A step of training with the contractive term over the same step without it: the best of each, run in turns, and their
// ratio.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "hourglass/hourglass.hpp"

namespace hg = hourglass;

namespace {

using hg::Dense, hg::Sigmoid, hg::Tanh;
using Input = hg::Shape;
template <class Activation>
using OneLayer = hg::Chain<Input{784}, Dense<500>, Activation>;
template <class Activation>
using TwoLayers = hg::Chain<Input{784}, Dense<128>, Activation, Dense<32>>;

/// A model that is trained, and the seconds of its fastest step.
template <class Model>
struct Training {
    Model model;
    hg::Adam adam{};
    hg::Rng rng{2};
    hg::Tape<float> tape = model.tape();
    double best = std::numeric_limits<double>::infinity();

    void step(const Eigen::MatrixXf& x) {
        const auto start = std::chrono::steady_clock::now();
        benchmark::DoNotOptimize(model.gradient(x, tape, rng));
        adam.step(model, tape);
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
};

template <class Encoder, class Decoder>
void step(benchmark::State& state, hg::Index probes) {
    const Eigen::MatrixXf x =
        (Eigen::ArrayXXf::Random(Encoder::input.size(), static_cast<hg::Index>(state.range(0))) + 1) / 2;
    const auto training = [](const auto&... terms) {
        hg::Rng rng{1};
        return Training<decltype(hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, terms...))>{
            hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, terms...)};
    };
    auto plain = training();
    auto contractive = training(hg::Contractive{.weight = 0.01, .probes = probes});
    for (auto _ : state) {
        plain.step(x);
        contractive.step(x);
    }
    state.counters["plain_ms"] = 1e3 * plain.best;
    state.counters["contractive_ms"] = 1e3 * contractive.best;
    state.counters["ratio"] = contractive.best / plain.best;
}

}  // namespace

int main(int count, char** arguments) {
    using Layer = OneLayer<Sigmoid>;
    using Deep = TwoLayers<Sigmoid>;
    using DeepTanh = TwoLayers<Tanh>;
    const auto add = [](const char* name, void (*run)(benchmark::State&, hg::Index), hg::Index probes) {
        benchmark::RegisterBenchmark(name, run, probes)->Arg(64)->Arg(256);
    };
    add("784-500 sigmoid, tied", step<Layer, hg::Tied<Layer>>, 0);
    add("784-500 sigmoid", step<Layer, hg::Mirror<Layer>>, 0);
    add("784-128-32 sigmoid", step<Deep, hg::Mirror<Deep>>, 0);
    add("784-128-32 tanh", step<DeepTanh, hg::Mirror<DeepTanh>>, 0);
    add("784-128-32 sigmoid, 4 probes", step<Deep, hg::Mirror<Deep>>, 4);
    benchmark::Initialize(&count, arguments);
    benchmark::RunSpecifiedBenchmarks();
}
