// Convolutions by minimal filtering beside the plain sums: channels, filters, kernel and stride of a layer over 256
// positions. Both count the multiplications of the plain sum, so that minimal filtering can come out above what the
// processor multiplies in the same time. `error` is the root of the mean squared rounding error, relative to the root
// of the mean square of the plain sum in double.
#include <benchmark/benchmark.h>

#include <hourglass/kernels/convolution.hpp>

namespace hg = hourglass;

namespace {

constexpr hg::Index samples = 16, length = 256;

enum class Product { Forward, Backward, Gradient };

template <Product P, bool Filtered, class T>
void multiply(const hg::kernels::Convolution& c, const hg::Vector<T>& w, const hg::Vector<T>& x, const hg::Vector<T>& y,
              hg::Vector<T>& result) {
    const hg::kernels::Initial<T> assigned{.accumulate = false};
    if constexpr (P == Product::Forward && Filtered)
        hg::kernels::add_filtered_convolution(c, w.data(), x.data(), result.data(), samples, assigned);
    else if constexpr (P == Product::Forward)
        hg::kernels::add_plain_convolution(c, w.data(), x.data(), result.data(), samples, assigned);
    else if constexpr (P == Product::Backward && Filtered)
        hg::kernels::add_filtered_transposed_convolution(c, w.data(), y.data(), result.data(), samples, assigned);
    else if constexpr (P == Product::Backward)
        hg::kernels::add_plain_transposed_convolution(c, w.data(), y.data(), result.data(), samples, assigned);
    else if constexpr (Filtered)
        hg::kernels::add_filtered_kernel_gradient(c, y.data(), x.data(), result.data(), samples);
    else
        hg::kernels::add_plain_kernel_gradient(c, y.data(), x.data(), result.data(), samples);
}

template <Product P, bool Filtered>
void convolution(benchmark::State& state) {
    const hg::Index channels = state.range(0), filters = state.range(1), kernel = state.range(2),
                    stride = state.range(3), positions = length / stride;
    const hg::kernels::Convolution c{channels, length, filters, positions, kernel, stride, 1, (kernel - stride) / 2};
    const hg::Vector<float> x = hg::Vector<float>::Random(channels * length * samples),
                            y = hg::Vector<float>::Random(filters * positions * samples),
                            w = hg::Vector<float>::Random(filters * channels * kernel);
    hg::Vector<float> result = P == Product::Forward ? y : P == Product::Backward ? x : w;
    hg::Vector<double> exact = hg::Vector<double>::Zero(result.size());
    result.setZero();
    multiply<P, Filtered, float>(c, w, x, y, result);
    multiply<P, false, double>(c, w.cast<double>(), x.cast<double>(), y.cast<double>(), exact);
    state.counters["error"] = (result.cast<double>() - exact).norm() / exact.norm();

    for (auto _ : state) {
        multiply<P, Filtered, float>(c, w, x, y, result);
        benchmark::DoNotOptimize(result.data());
        benchmark::ClobberMemory();
    }
    const double operations = 2.0 * static_cast<double>(channels * filters * kernel * positions * samples);
    state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

void sizes(benchmark::internal::Benchmark* b) {
    b->Args({16, 16, 3, 1})
        ->Args({32, 32, 3, 1})
        ->Args({64, 64, 3, 1})
        ->Args({64, 64, 5, 1})
        ->Args({32, 16, 7, 2})
        ->Args({16, 32, 7, 2})
        ->Args({64, 64, 7, 2});
}

}  // namespace

BENCHMARK(convolution<Product::Forward, true>)->Name("forward, filtered")->Apply(sizes);
BENCHMARK(convolution<Product::Forward, false>)->Name("forward, plain")->Apply(sizes);
BENCHMARK(convolution<Product::Backward, true>)->Name("backward, filtered")->Apply(sizes);
BENCHMARK(convolution<Product::Backward, false>)->Name("backward, plain")->Apply(sizes);
BENCHMARK(convolution<Product::Gradient, true>)->Name("gradient, filtered")->Apply(sizes);
BENCHMARK(convolution<Product::Gradient, false>)->Name("gradient, plain")->Apply(sizes);

BENCHMARK_MAIN();
