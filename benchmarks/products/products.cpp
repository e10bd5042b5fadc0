// The products of dense layers in training, on one thread: forward Y = W X, backward dX = Wᵀ dY, and the weights'
// gradient dW = dY Xᵀ, in the library, in Eigen, and in a BLAS, in turns; each figure is the best of several rounds.
//
//     hourglass_products [--blas LIBRARY] [BATCH...]
//
// prints for each layer of W1, W2 and W4 (step/step.cpp; outputs x inputs) and each batch, or 128 for W4 and 256 for
// the others, the GFLOP/s of each, and the library's over the better of the others. LIBRARY is a shared one that has
// `cblas_sgemm`: OpenBLAS as Debian installs it, or the one within numpy's package for Python, whose names differ.
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <hourglass/core/huge_pages.hpp>
#include <hourglass/core/view.hpp>
#include <hourglass/kernels/product.hpp>
#include <utility>
#include <vector>

#include "../support/limits.hpp"
#include "../support/timing.hpp"

namespace hg = hourglass;

namespace {

using hg::Index;

enum Transposed { no = 111, yes = 112 };

/// C = op(A) op(B), columns following each other, with a BLAS whose integers have 32 bits or, in numpy's, 64.
struct Blas {
    using Small = void (*)(int order, int a, int b, int m, int n, int k, float alpha, const float* va, int lda,
                           const float* vb, int ldb, float beta, float* c, int ldc);
    using Large = void (*)(int order, int a, int b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
                           const float* va, std::int64_t lda, const float* vb, std::int64_t ldb, float beta, float* c,
                           std::int64_t ldc);
    Small small = nullptr;
    Large large = nullptr;

    explicit Blas(const char* path) {
        if (!path) return;
        setenv("OPENBLAS_NUM_THREADS", "1", 1);
        void* const library = dlopen(path, RTLD_NOW);
        if (!library) {
            std::printf("%s: %s\n", path, dlerror());
            return;
        }
        small = reinterpret_cast<Small>(dlsym(library, "cblas_sgemm"));
        large = reinterpret_cast<Large>(dlsym(library, "scipy_cblas_sgemm64_"));
        if (!small && !large) std::printf("%s has no sgemm that is known here\n", path);
    }
    explicit operator bool() const { return small || large; }

    void multiply(Transposed ta, Transposed tb, Index m, Index n, Index k, const float* a, Index lda, const float* b,
                  Index ldb, float* c) const {
        constexpr int columns = 102;
        const auto i = [](Index value) { return static_cast<int>(value); };
        if (large)
            large(columns, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c, m);
        else
            small(columns, ta, tb, i(m), i(n), i(k), 1, a, i(lda), b, i(ldb), 0, c, i(m));
    }
};

/// GFLOP/s of three ways to do the same, taken in turns.
struct Rates {
    std::array<double, 3> best{};

    template <class... Ways>
    Rates(double operations, const Ways&... ways) {
        constexpr int rounds = 60;
        constexpr double round_seconds = 0.006;  // support::best_seconds says why so many and short ones
        const auto rate = [&](const auto& multiply) {
            const int calls = std::max(1, static_cast<int>(round_seconds * 60e9 / operations));
            const double seconds = support::seconds([&] {
                for (int i = 0; i < calls; ++i) multiply();
            });
            return calls * operations / seconds / 1e9;
        };
        for (int round = 0; round < rounds; ++round) {
            std::size_t i = 0;
            ((best[i] = std::max(best[i], rate(ways)), ++i), ...);
        }
    }
    void print() const {
        const double others = std::max(best[1], best[2]);
        std::printf(" | %6.1f %6.1f %6.1f %5.2f", best[0], best[1], best[2], best[0] / others);
    }
};

void measure(Index out, Index in, Index n, const Blas& blas) {
    // On large pages, as parameters and tapes are: all three read what lies there.
    const Index line = hg::core::line_values<float>;
    const auto room = [&](Index values) { return (values + line - 1) / line * line; };
    hg::Vector<float> memory(2 * (room(out * in) + room(in * n) + room(out * n)));
    hg::prefer_huge_pages(memory.data(), memory.size());
    memory.setRandom();
    float* next = memory.data();
    const auto matrix = [&](Index rows, Index cols) {
        return hg::View<float>(std::exchange(next, next + room(rows * cols)), rows, cols);
    };
    const hg::View<float> w = matrix(out, in), x = matrix(in, n), dy = matrix(out, n);
    hg::View<float> y = matrix(out, n), dx = matrix(in, n), dw = matrix(out, in);
    const double operations = 2.0 * static_cast<double>(out * in * n);
    const hg::kernels::Initial<float> assigned{.accumulate = false};
    std::printf("%4td x %4td, batch %4td", out, in, n);
    // Without a BLAS its place stays empty: a call that does nothing has no rate.
    const auto row = [&](const auto& ours, const auto& eigen, const auto& theirs) {
        (blas ? Rates(operations, ours, eigen, theirs) : Rates(operations, ours, eigen)).print();
    };
    row(
        [&] {
            hg::kernels::add_product(out, n, in, w.data(), out, {x.data(), 1, in}, y.data(), out, assigned);
        },
        [&] { y.noalias() = w * x; },
        [&] { blas.multiply(no, no, out, n, in, w.data(), out, x.data(), in, y.data()); });
    row(
        [&] {
            hg::kernels::add_transposed_product(in, n, out, w.data(), out, dy.data(), out, dx.data(), in, assigned);
        },
        [&] { dx.noalias() = w.transpose() * dy; },
        [&] { blas.multiply(yes, no, in, n, out, w.data(), out, dy.data(), out, dx.data()); });
    row(
        [&] {
            hg::kernels::add_product(out, in, n, dy.data(), out, {x.data(), in, 1}, dw.data(), out, assigned);
        },
        [&] { dw.noalias() = dy * x.transpose(); },
        [&] { blas.multiply(no, yes, out, in, n, dy.data(), out, x.data(), in, dw.data()); });
    std::printf("\n");
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<const char*> arguments(argv + 1, argv + argc);
    const char* library = nullptr;
    if (arguments.size() > 1 && std::strcmp(arguments[0], "--blas") == 0) {
        library = arguments[1];
        arguments.erase(arguments.begin(), arguments.begin() + 2);
    }
    for (const char* batch : arguments)
        if (std::atol(batch) < 1) {
            std::fprintf(stderr, "%s is no batch: hourglass_products [--blas LIBRARY] [BATCH...]\n", batch);
            return 2;
        }
    const Blas blas(library);
    std::printf("FMA %.1f GFLOP/s\n", support::fma_peak() / 1e9);
    std::printf("%22s", "GFLOP/s");
    for (const char* product : {"forward", "dX", "dW"}) std::printf(" | %-7s Eigen   BLAS ratio", product);
    std::printf("\n");
    struct Layer {
        Index out, in, batch;
    };
    for (const Layer& layer : {Layer{32, 784, 256},
                               {784, 32, 256},
                               {1000, 784, 256},
                               {500, 1000, 256},
                               {250, 500, 256},
                               {30, 250, 256},
                               {250, 30, 256},
                               {500, 250, 256},
                               {1000, 500, 256},
                               {784, 1000, 256},
                               {400, 784, 128},
                               {40, 400, 128},
                               {400, 20, 128},
                               {784, 400, 128}}) {
        if (arguments.empty()) measure(layer.out, layer.in, layer.batch, blas);
        for (const char* batch : arguments) measure(layer.out, layer.in, std::atol(batch), blas);
    }
}
