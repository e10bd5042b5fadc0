// Optimisers at the size of a 784-32-784 autoencoder: nanoseconds per parameter, and what Adam's step costs when its
// moments have decayed to where denormal numbers begin, over a step with ordinary moments (1 is the goal).
#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <chrono>
#include <cmath>
#include <limits>

#include "hourglass/optim/adadelta.hpp"
#include "hourglass/optim/adagrad.hpp"
#include "hourglass/optim/adam.hpp"
#include "hourglass/optim/adamw.hpp"
#include "hourglass/optim/clip.hpp"
#include "hourglass/optim/rmsprop.hpp"
#include "hourglass/optim/sgd.hpp"

namespace hg = hourglass;

namespace {

constexpr Eigen::Index parameters = 784 * 32 + 32 + 32 * 784 + 784;

Eigen::VectorXf ordinary_gradient() { return Eigen::ArrayXf::LinSpaced(parameters, 0.0f, 1e3f).sin() * 1e-2f; }

void per_parameter(benchmark::State& state) {
    using benchmark::Counter;
    state.counters["s/parameter"] =
        Counter(static_cast<double>(parameters), Counter::kIsIterationInvariantRate | Counter::kInvert);
}

template <class Optimizer>
void step(benchmark::State& state, Optimizer optimizer) {
    Eigen::VectorXf theta = Eigen::VectorXf::Ones(parameters);
    const Eigen::VectorXf gradient = ordinary_gradient();
    for (auto _ : state) optimizer.step(theta, gradient);
    per_parameter(state);
}

void clip(benchmark::State& state) {
    Eigen::VectorXf gradient = ordinary_gradient();
    for (auto _ : state) benchmark::DoNotOptimize(hg::clip_by_norm(gradient, 1e-3));
    per_parameter(state);
}

// Both are stepped in turn, so that whatever else the machine does touches both.
void decayed_over_live(benchmark::State& state) {
    using Clock = std::chrono::steady_clock;
    hg::Adam live, decayed;
    Eigen::VectorXf live_theta = Eigen::VectorXf::Ones(parameters), decayed_theta = live_theta;
    const Eigen::VectorXf gradient = ordinary_gradient(), none = Eigen::VectorXf::Zero(parameters);
    const float smallest = std::numeric_limits<float>::min();
    const Eigen::VectorXf last = Eigen::VectorXf::Constant(parameters, std::sqrt(smallest));
    decayed.step(decayed_theta, last);
    for (int t = 0; t < 1000; ++t) decayed.step(decayed_theta, none);

    Clock::duration live_time{}, decayed_time{};
    for (auto _ : state) {
        const auto start = Clock::now();
        live.step(live_theta, gradient);
        const auto middle = Clock::now();
        decayed.step(decayed_theta, none);
        live_time += middle - start;
        decayed_time += Clock::now() - middle;
    }
    state.counters["ratio"] = static_cast<double>(decayed_time.count()) / static_cast<double>(live_time.count());
}

}  // namespace

BENCHMARK_CAPTURE(step, Sgd, hg::Sgd{});
BENCHMARK_CAPTURE(step, Sgd_momentum, hg::Sgd{{.momentum = 0.9}});
BENCHMARK_CAPTURE(step, Adam, hg::Adam{});
BENCHMARK_CAPTURE(step, AdamW, hg::AdamW{});
BENCHMARK_CAPTURE(step, Adadelta, hg::Adadelta{});
BENCHMARK_CAPTURE(step, RMSprop, hg::RMSprop{});
BENCHMARK_CAPTURE(step, RMSprop_centered_momentum, hg::RMSprop{{.momentum = 0.9, .centered = true}});
BENCHMARK_CAPTURE(step, Adagrad, hg::Adagrad{});
BENCHMARK(clip)->Name("clip_by_norm");
BENCHMARK(decayed_over_live)->Name("Adam/decayed_over_live");

BENCHMARK_MAIN();
