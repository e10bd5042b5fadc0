// Codes of which only the largest values are kept.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

#include "hourglass/core/term.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace terms {

// Values of which a count takes longer than to wake a thread.
inline constexpr Index least_for_threads = Index{1} << 17;

// How many of the values are not less than `bound`; NaN is one of them.
template <class T>
Index count_from(const T* x, Index count, const T& bound, core::Team* team = nullptr) {
    return core::sum_of_shards<Index>(count < least_for_threads ? nullptr : team, count, [&](const Slice& some) {
        Index found = 0;
        if constexpr (std::floating_point<T>) {
            constexpr Index block = Index{1} << 20;  // as far as a float counts
            for (Index i = some.begin; i < some.end(); i += block)
                found += static_cast<Index>(kernels::sum_packs<T>(
                    std::min(block, some.end() - i),
                    [&](const kernels::Pack<T>& in) { return kernels::where_greater<T>(bound, in, 0, 1); }, x + i));
        } else {
            for (Index i = some.begin; i < some.end(); ++i) found += x[i] < bound ? 0 : 1;
        }
        return found;
    });
}

// A bound that exactly k of the values are not less than or, where the k-th largest occurs more than once, that value.
// NaN counts as largest. `scratch` has room for all values.
template <class T>
T bound_of_largest(const T* x, Index count, Index k, [[maybe_unused]] T* scratch, [[maybe_unused]] core::Team* team) {
    if constexpr (std::floating_point<T>) {
        // By halving the range of all numbers: as integers, their bits stand in the numbers' order, up to the sign.
        // Each step is one pass of comparisons that no NaN can lead astray; in the middle of a sort it could.
        using Key = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
        constexpr Key infinity = std::bit_cast<Key>(std::numeric_limits<T>::infinity());
        const auto number = [](Key key) { return key < 0 ? -std::bit_cast<T>(-key) : std::bit_cast<T>(key); };
        Key low = -infinity, high = infinity + 1;  // low always has k values from it on, high has not
        while (low + 1 < high) {
            const Key middle = (low & high) + ((low ^ high) >> 1);  // their mean, without overflow
            const Index found = count_from(x, count, number(middle), team);
            (found >= k ? low : high) = middle;
            if (found == k) break;
        }
        return number(low);
    } else {
        std::copy_n(x, count, scratch);
        std::nth_element(scratch, scratch + (k - 1), scratch + count, [](const T& a, const T& b) { return a > b; });
        return scratch[k - 1];
    }
}

// y = x where x is one of the k largest values, of equal ones the first; else 0. NaN counts as largest and always
// stays.
template <class T>
void keep_largest(const T* x, Index count, Index k, T* y, core::Team* team = nullptr) {
    const T bound = bound_of_largest(x, count, k, y, team);
    kernels::map_packs(
        count, y, [&](const kernels::Pack<T>& in) { return kernels::where_greater<T>(bound, in, 0, in); }, x);
    Index surplus = count_from(x, count, bound, team) - k;
    for (Index i = count; surplus > 0 && i-- > 0;)
        if (x[i] == bound) {
            y[i] = T(0);
            --surplus;
        }
}

// dx += dy at the k values of x that keep_largest has kept in y.
template <class T>
void pass_to_largest(const T* x, const T* y, const T* dy, Index count, Index k, T* dx) {
    Index zeros = k;  // that were kept: what y does not show
    for (Index i = 0; i < count; ++i) zeros -= y[i] == T(0) ? 0 : 1;
    kernels::each_pack(
        count,
        [](kernels::Pack<T>& d, const kernels::Pack<T>& out, const kernels::Pack<T>& up) {
            d += kernels::where_greater<T>(abs(out), 0, up, 0);
        },
        dx, y, dy);
    for (Index i = 0; zeros > 0 && i < count; ++i)
        if (x[i] == T(0)) {
            dx[i] += dy[i];
            --zeros;
        }
}

}  // namespace terms

/// Keeps the K largest values of each sample's code and sets the others to 0 (k-sparse autoencoder: Makhzani and Frey
/// 2013; Gao et al. 2024), in training and in evaluation. Values and not magnitudes are compared; of equal ones the one
/// at the lower index is kept. K counts over the whole sample, all positions of a sequence together. NaN always
/// stays (but under `-ffast-math`). The gradient passes to what was kept. A K below 1 or above the code's size does not
/// compile.
template <Index K>
struct TopK {
    static constexpr std::string_view name = "TopK";
    static constexpr Slot slot = Slot::Code;
    static constexpr Traits traits{.by_sample = true, .by_channel = true};

    constexpr void check() const {}
    std::string hyperparameters() const { return "k " + text(K); }

    static constexpr Shape output(Shape in) {
        if (K < 1) fail("TopK: K must be at least 1, got ", K);
        if (K > in.size()) fail("TopK: K = ", K, " values are to be kept, but the code has only ", in.size());
        return in;
    }
    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>&) const {
        for (Index at = 0; at < x.size(); at += In.size())
            terms::keep_largest<T>(x.data() + at, In.size(), K, y.data() + at);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        for (Index at = 0; at < x.size(); at += In.size())
            terms::pass_to_largest<T>(x.data() + at, y.data() + at, dy.data() + at, In.size(), K, dx.data() + at);
    }
};

/// In training keeps the K·n largest values of a batch of n samples, so that a sample may have more values than another
/// (Bussmann, Leask and Nanda 2024). In evaluation no sample depends on those beside it: what is kept are the values
/// above `threshold` or, as long as that is not set, the K largest of each sample. The threshold is estimated from
/// training data once the model is trained:
///
///     auto& top = model.term<hg::BatchTopK<32>>();
///     top.threshold = -1e30;  // keeps everything: `encode` gives what the encoder gives
///     top.threshold = hg::BatchTopK<32>::estimate_threshold(model.encode(images), 256);
///
/// Of equal values the first in the batch is kept; NaN always stays. A K below 1 or above the code's size does not
/// compile. `check()`, which models call: `Error` for a threshold that is not finite.
template <Index K>
struct BatchTopK {
    static constexpr std::string_view name = "BatchTopK";
    static constexpr Slot slot = Slot::Code;
    static constexpr Traits traits{.by_channel = true};

    std::optional<double> threshold = std::nullopt;  ///< in evaluation the values above it are kept

    constexpr void check() const {
        if (threshold && !is_finite(*threshold)) fail("BatchTopK: the threshold must be finite, got ", *threshold);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("threshold", self.threshold);
    }
    std::string hyperparameters() const { return "k " + text(K); }

    static constexpr Shape output(Shape in) {
        if (K < 1) fail("BatchTopK: K must be at least 1, got ", K);
        if (K > in.size()) fail("BatchTopK: K = ", K, " values are to be kept, but the code has only ", in.size());
        return in;
    }

    template <Shape In, class T>
    void forward(std::span<const T, 0> w, ConstView<T> x, View<T> y, const Context<T>& context) const {
        if (context.training) return terms::keep_largest<T>(x.data(), x.size(), K * x.cols(), y.data(), context.team);
        if (!threshold) return TopK<K>{}.template forward<In, T>(w, x, y, context);
        kernels::map_packs(
            x.size(), y.data(),
            // A product, so that NaN stays; the sum makes −0 a plain 0.
            [bound = T(*threshold)](const kernels::Pack<T>& in) {
                return in * kernels::where_greater<T>(in, bound, 1, 0) + 0;
            },
            x.data());
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        terms::pass_to_largest<T>(x.data(), y.data(), dy.data(), x.size(), K * x.cols(), dx.data());
    }

    /// The threshold for evaluation: the smallest positive value that training keeps of a batch, mean over the batches
    /// of `batch` samples that `codes` (code × n, as the encoder gives them) falls into.
    /// Errors: no codes, fewer than K values a sample, a batch size below 1, a value that is not finite, no positive
    /// value kept in any batch.
    template <class Codes>
    static double estimate_threshold(const Codes& codes, Index batch) {
        using T = typename Codes::Scalar;
        const Input<T> all(codes);
        const Index size = all.rows(), n = all.cols();
        if (n == 0 || size < K)
            fail("BatchTopK::estimate_threshold: expected codes of at least ", K, " values, got ", size, " x ", n);
        if (batch < 1) fail("BatchTopK::estimate_threshold: the batch size must be at least 1, got ", batch);
        Matrix<T> x, kept;
        double sum = 0;
        Index batches = 0;
        for (Index first = 0; first < n; first += batch) {
            x = all.middleCols(first, std::min(batch, n - first));
            if (const Index wrong = first_non_finite(x.data(), x.size()); wrong >= 0)
                fail("BatchTopK::estimate_threshold: the code of sample ", first + wrong / size, " is not finite");
            kept.resize(size, x.cols());
            terms::keep_largest<T>(x.data(), x.size(), K * x.cols(), kept.data());
            T smallest(0);
            for (Index i = 0; i < kept.size(); ++i)
                if (const T y = kept.data()[i]; y > T(0) && !(smallest > T(0) && smallest <= y)) smallest = y;
            if (!(smallest > T(0))) continue;
            sum += static_cast<double>(smallest);
            ++batches;
        }
        if (batches == 0) fail("BatchTopK::estimate_threshold: no value of the codes is positive");
        return sum / static_cast<double>(batches);
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
