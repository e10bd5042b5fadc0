// One sample at a time, through a model and through the same one frozen: the mean of a call, and of a million calls the
// median, the 99.9th percentile and the worst, which holds what the system did meanwhile. As the time of one call is
// that of two looks at the clock, a look's own time is printed as well. Of a series that is still coming: the newest
// position through a stream, and beside it through the frozen network over the window that its output depends on.
#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <chrono>
#include <hourglass/freeze.hpp>
#include <hourglass/hourglass.hpp>
#include <hourglass/streaming.hpp>
#include <vector>

namespace hg = hourglass;

namespace {

using Ecg = hg::Chain<hg::Shape{140}, hg::Dense<32>, hg::ReLU, hg::Dense<16>, hg::ReLU, hg::Dense<8>, hg::ReLU>;
using EcgBack = hg::Chain<Ecg::output, hg::Dense<16>, hg::ReLU, hg::Dense<32>, hg::ReLU, hg::Dense<140>, hg::Sigmoid>;
using Picture = hg::Chain<hg::Shape{784}, hg::Dense<32>, hg::ReLU>;
using PictureBack = hg::Chain<Picture::output, hg::Dense<784>, hg::Sigmoid>;
using Series = hg::Chain<hg::Shape{1, 288}, hg::Conv1D<32, 7, 2, hg::Padding::Same>, hg::ReLU,
                         hg::Conv1D<16, 7, 2, hg::Padding::Same>, hg::ReLU>;
using SeriesBack =
    hg::Chain<Series::output, hg::Conv1DTranspose<16, 7, 2, hg::Padding::Same>, hg::ReLU,
              hg::Conv1DTranspose<32, 7, 2, hg::Padding::Same>, hg::ReLU, hg::Conv1D<1, 7, 1, hg::Padding::Same>>;

// Dilated causal convolutions that see 61 positions.
template <hg::Index Filters, hg::Index Dilation>
using Causal = hg::Conv1D<Filters, 3, 1, hg::Padding::Causal, Dilation>;
using Window = hg::Chain<hg::Shape{1, 61}, Causal<16, 1>, hg::ReLU, Causal<16, 2>, hg::ReLU, Causal<16, 4>, hg::ReLU,
                         Causal<16, 8>, hg::ReLU, Causal<16, 15>, hg::ReLU, hg::Dense<1>>;

template <class Call>
void measure(benchmark::State& state, Call call) {
    using Clock = std::chrono::steady_clock;
    for (auto _ : state) call();
    std::vector<double> times(1'000'000);
    const auto timed = [](auto work) {
        const auto begin = Clock::now();
        work();
        return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
    };
    for (double& time : times) time = timed(call);
    std::sort(times.begin(), times.end());
    state.counters["p50_us"] = times[times.size() / 2];
    state.counters["p99.9_us"] = times[times.size() / 1000 * 999];
    state.counters["worst_us"] = times.back();
    for (double& time : times) time = timed([] {});
    state.counters["clock_us"] = *std::min_element(times.begin(), times.end());
}

template <class Encoder, class Decoder>
void of_model(benchmark::State& state) {
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    const Eigen::MatrixXf x = Eigen::MatrixXf::Random(Encoder::input.size(), 1).cwiseAbs();
    measure(state, [&] { benchmark::DoNotOptimize(model.reconstruct(x, tape).data()); });
}
template <class Encoder, class Decoder>
void of_frozen(benchmark::State& state) {
    hg::Rng rng{1};
    const auto frozen = hg::freeze(hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}));
    constexpr std::size_t size = frozen.input_size;
    const Eigen::VectorXf x = Eigen::VectorXf::Random(size).cwiseAbs();
    Eigen::VectorXf y(size);
    measure(state, [&] {
        frozen.reconstruct(std::span<const float, size>(x.data(), size), std::span<float, size>(y.data(), size));
        benchmark::DoNotOptimize(y.data());
    });
}

template <class Net>
void of_stream(benchmark::State& state) {
    hg::Rng rng{1};
    auto stream = hg::streaming(hg::network<Net>(rng));
    std::array<float, stream.input_size> x{.5f};
    std::array<float, stream.output_size> y{};
    measure(state, [&] {
        stream.push(x, y);
        benchmark::DoNotOptimize(y.data());
    });
}
template <class Net>
void of_window(benchmark::State& state) {
    hg::Rng rng{1};
    const auto frozen = hg::freeze(hg::network<Net>(rng));
    const Eigen::VectorXf x = Eigen::VectorXf::Constant(frozen.input_size, .5f);
    Eigen::VectorXf y(frozen.output_size);
    measure(state, [&] {
        frozen.evaluate(x, y);
        benchmark::DoNotOptimize(y.data());
    });
}

}  // namespace

BENCHMARK(of_model<Ecg, EcgBack>)->Name("140-32-16-8 and back, model");
BENCHMARK(of_frozen<Ecg, EcgBack>)->Name("140-32-16-8 and back, frozen");
BENCHMARK(of_model<Picture, PictureBack>)->Name("784-32-784, model");
BENCHMARK(of_frozen<Picture, PictureBack>)->Name("784-32-784, frozen");
BENCHMARK(of_model<Series, SeriesBack>)->Name("series of 288, model");
BENCHMARK(of_frozen<Series, SeriesBack>)->Name("series of 288, frozen");
BENCHMARK(of_window<Window>)->Name("newest of 61 positions, the window again");
BENCHMARK(of_stream<Window>)->Name("newest of 61 positions, streamed");
BENCHMARK_MAIN();
