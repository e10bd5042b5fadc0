// The library's products beside Eigen's, at the sizes of dense layers in training: outputs × inputs × batch.
#include <benchmark/benchmark.h>

#include <hourglass/kernels/product.hpp>

namespace hg = hourglass;

namespace {

// Forward (y += W x), backward (x += Wᵀ y) and the weights' gradient (W += y xᵀ), one after the other.
template <bool Ours>
void three_products(benchmark::State& state) {
    const hg::Index out = state.range(0), in = state.range(1), n = state.range(2);
    Eigen::MatrixXf w = Eigen::MatrixXf::Constant(out, in, 1e-3f), x = Eigen::MatrixXf::Constant(in, n, 1e-3f),
                    y = Eigen::MatrixXf::Constant(out, n, 1e-3f);
    Eigen::MatrixXf dw = w, dx = x, dy = y;
    for (auto _ : state) {
        if constexpr (Ours) {
            hg::kernels::add_product(out, n, in, w.data(), out, {x.data(), 1, in}, dy.data(), out);
            hg::kernels::add_transposed_product(in, n, out, w.data(), out, y.data(), out, dx.data(), in);
            hg::kernels::add_product(out, in, n, y.data(), out, {x.data(), in, 1}, dw.data(), out);
        } else {
            dy.noalias() += w * x;
            dx.noalias() += w.transpose() * y;
            dw.noalias() += y * x.transpose();
        }
        benchmark::DoNotOptimize(dy.data());
        benchmark::DoNotOptimize(dx.data());
        benchmark::DoNotOptimize(dw.data());
        benchmark::ClobberMemory();
    }
    const double operations = 6.0 * static_cast<double>(out * in * n);
    state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

void sizes(benchmark::internal::Benchmark* b) {
    b->Args({32, 784, 256})
        ->Args({784, 32, 256})
        ->Args({250, 500, 256})
        ->Args({1000, 784, 256})
        ->Args({1024, 1024, 256});
}

}  // namespace

BENCHMARK(three_products<true>)->Name("hourglass")->Apply(sizes);
BENCHMARK(three_products<false>)->Name("Eigen")->Apply(sizes);

BENCHMARK_MAIN();
