// Convolutions by minimal filtering beside the plain sums: channels, filters, kernel and stride of a layer over 256
// positions. Both count the multiplications of the plain sum, so that minimal filtering can come out above what the
// processor multiplies in the same time.
#include <benchmark/benchmark.h>

#include <hourglass/layers/convolution.hpp>

namespace hg = hourglass;

namespace {

enum class Product { Forward, Backward, Gradient };

template <Product P, bool Filtered>
void convolution(benchmark::State& state) {
    const hg::Index channels = state.range(0), filters = state.range(1), kernel = state.range(2),
                    stride = state.range(3), length = 256, samples = 16, positions = length / stride;
    const hg::Convolution c{channels, length, filters, positions, kernel, stride, 1, (kernel - stride) / 2};
    Eigen::MatrixXf x = Eigen::MatrixXf::Constant(channels * length, samples, 1e-3f),
                    y = Eigen::MatrixXf::Constant(filters * positions, samples, 1e-3f),
                    w = Eigen::MatrixXf::Constant(filters, channels * kernel, 1e-3f);
    const hg::Start<float> nothing{false};
    for (auto _ : state) {
        if constexpr (P == Product::Forward && Filtered)
            hg::add_filtered_convolution<float>(c, w.data(), x.data(), y.data(), samples, nothing);
        else if constexpr (P == Product::Forward)
            hg::add_plain_convolution<float>(c, w.data(), x.data(), y.data(), samples, nothing);
        else if constexpr (P == Product::Backward && Filtered)
            hg::add_filtered_transposed_convolution<float>(c, w.data(), y.data(), x.data(), samples, nothing);
        else if constexpr (P == Product::Backward)
            hg::add_plain_transposed_convolution<float>(c, w.data(), y.data(), x.data(), samples, nothing);
        else if constexpr (Filtered)
            hg::add_filtered_kernel_gradient<float>(c, y.data(), x.data(), w.data(), samples);
        else
            hg::add_plain_kernel_gradient<float>(c, y.data(), x.data(), w.data(), samples);
        benchmark::DoNotOptimize(x.data());
        benchmark::DoNotOptimize(y.data());
        benchmark::DoNotOptimize(w.data());
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
