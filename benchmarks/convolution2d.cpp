// 2-D convolutions of 3 × 3 taps by minimal filtering beside the plain sums: channels, filters and the side of a
// layer's pictures, same padding. Both count the multiplications of the plain sum, so that minimal filtering can come
// out above what the processor multiplies in the same time. `error` is the root of the mean squared rounding error,
// relative to the root of the mean square of the plain sum in double.
#include <benchmark/benchmark.h>

#include <hourglass/kernels/convolution2d.hpp>
#include <utility>

namespace hg = hourglass;

namespace {

constexpr hg::Index samples = 16;

enum class Product { Forward, Gradient };

template <Product P, bool Filtered, class T>
void multiply(const hg::kernels::Convolution2D& c, const hg::Vector<T>& w, const hg::Vector<T>& x,
              const hg::Vector<T>& y, hg::Vector<T>& result) {
    using namespace hg::kernels;
    const hg::kernels::PictureFrames frames = c.frames();
    if constexpr (P == Product::Forward && Filtered)
        add_filtered_convolution(frames, c.filters, w.data(), x.data(), result.data(), samples, Initial<T>{false});
    else if constexpr (P == Product::Forward)
        add_direct_convolution(frames, c.filters, w.data(), x.data(), result.data(), samples, Initial<T>{false});
    else if constexpr (Filtered)
        add_filtered_kernel_gradient(frames, c.filters, y.data(), x.data(), result.data(), samples);
    else
        add_direct_kernel_gradient(frames, c.filters, y.data(), x.data(), result.data(), samples);
}

template <Product P, bool Filtered>
void convolution(benchmark::State& state) {
    const hg::Index channels = state.range(0), filters = state.range(1), side = state.range(2);
    const hg::kernels::Convolution2D c{channels, {side, side}, filters, {side, side}, {3, 3}, {1, 1}, {1, 1}, {1, 1}};
    const hg::Vector<float> x = hg::Vector<float>::Random(c.long_size() * samples),
                            y = hg::Vector<float>::Random(c.short_size() * samples),
                            w = hg::Vector<float>::Random(filters * c.depth());
    hg::Vector<float> result = hg::Vector<float>::Zero(P == Product::Forward ? y.size() : w.size());
    hg::Vector<double> exact = hg::Vector<double>::Zero(result.size());
    multiply<P, Filtered, float>(c, w, x, y, result);
    multiply<P, false, double>(c, w.cast<double>(), x.cast<double>(), y.cast<double>(), exact);
    state.counters["error"] = (result.cast<double>() - exact).norm() / exact.norm();

    for (auto _ : state) {
        multiply<P, Filtered, float>(c, w, x, y, result);
        benchmark::DoNotOptimize(result.data());
        benchmark::ClobberMemory();
    }
    const double operations = 2.0 * static_cast<double>(c.depth() * c.short_size() * samples);
    state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

// Of 128 channels the plain sums in double take no row of 28.
void sizes(benchmark::internal::Benchmark* b) {
    for (const auto& [channels, filters] : {std::pair{16, 16}, {16, 32}, {32, 32}, {64, 64}, {128, 128}})
        for (const int side : {7, 14, 28})
            if (channels < 128 || side < 28) b->Args({channels, filters, side});
}

}  // namespace

BENCHMARK(convolution<Product::Forward, true>)->Name("forward, filtered")->Apply(sizes);
BENCHMARK(convolution<Product::Forward, false>)->Name("forward, plain")->Apply(sizes);
BENCHMARK(convolution<Product::Gradient, true>)->Name("gradient, filtered")->Apply(sizes);
BENCHMARK(convolution<Product::Gradient, false>)->Name("gradient, plain")->Apply(sizes);

BENCHMARK_MAIN();
