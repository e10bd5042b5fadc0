// A penalty that gives the codes of a batch, all together, the shape of a standard normal distribution.
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "hourglass/core/flush_denormals.hpp"
#include "hourglass/core/term.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// weight · MMD²(codes of the batch, N(0, 1)) with the kernel k(a, b) = exp(−‖a − b‖²/(2γ²)): the Wasserstein
/// autoencoder's penalty (Tolstikhin et al. 2018; InfoVAE: Zhao, Song and Ermon 2019). Unlike a divergence of each
/// sample's own code it only asks that all codes together look like draws from N(0, 1), so a model of it can be sampled
/// from. For d values a code and n samples,
///
///     1/(n(n−1)) Σ_{i≠j} k(zᵢ, zⱼ) − 2/n Σᵢ (γ²/(γ²+1))^{d/2} exp(−‖zᵢ‖²/(2(γ²+1))) + (γ²/(γ²+2))^{d/2}
///
/// is unbiased: what is drawn from the prior elsewhere is its expectation here (Rustamov 2021). So it may be below 0. A
/// batch of one sample has no pairs, and their sum is left out. Value and gradient look across the whole batch that is
/// given, at every pair of its samples: a batch cut in two has another value, and the cost is n²·d. γ is `bandwidth`,
/// or √d where that is 0. `Error` unless the weight is in [0, 1e30], the bandwidth is 0 or in [1e-15, 1e15], so that γ²
/// and what is divided by it stay finite and larger than 0 in float too, and weight/γ² is at most 1e30.
struct MaximumMeanDiscrepancy {
    static constexpr std::string_view name = "MaximumMeanDiscrepancy";
    static constexpr Slot slot = Slot::Code;
    static constexpr bool takes_team = true;
    double weight = 1;     ///< at least 0
    double bandwidth = 0;  ///< γ of the kernel; 0: √d

    constexpr void check() const {
        if (!(is_finite(weight) && weight >= 0 && weight <= 1e30))
            fail("MaximumMeanDiscrepancy: the weight must be finite and at least 0, got ", weight);
        if (!(is_finite(bandwidth) && (bandwidth == 0 || (bandwidth >= 1e-15 && bandwidth <= 1e15))))
            fail("MaximumMeanDiscrepancy: the bandwidth must be 0 or from 1e-15 to 1e15, got ", bandwidth);
        if (bandwidth > 0 && !(weight / (bandwidth * bandwidth) <= 1e30))
            fail("MaximumMeanDiscrepancy: the weight divided by the squared bandwidth must be at most 1e30, got ",
                 weight, " and bandwidth ", bandwidth);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("weight", self.weight);
        use("bandwidth", self.bandwidth);
    }

    template <class T>
    T value(ConstView<T> code, core::Team* team = nullptr) const {
        const core::FlushDenormals scope;  // kernels of codes that lie far apart
        return discrepancy<T>(code, nullptr, team);
    }
    template <class T>
    T gradient(ConstView<T> code, View<T> dcode, core::Team* team = nullptr) const {
        const core::FlushDenormals scope;
        return discrepancy<T>(code, dcode.data(), team);
    }

  private:
    // One copy for both, so that they round alike. Each sample is compared with all others, so that its gradient is
    // summed by one thread: kernels are computed twice, but whole registers of them.
    template <class T>
    EIGEN_DONT_INLINE T discrepancy(ConstView<T> code, T* d, core::Team* team) const {
        using std::exp;
        using Sum = core::Accumulator<T>;
        const Index size = code.rows(), n = code.cols();
        const double dimension = static_cast<double>(size), count = static_cast<double>(n);
        const double width = bandwidth > 0 ? bandwidth * bandwidth : dimension;
        const auto scaled = [&](double more) { return std::pow(width / (width + more), dimension / 2); };
        const double each = -2 * scaled(1) / count, pair = n > 1 ? 1 / (count * (count - 1)) : 0;
        const Sum sum = core::sum_of_shards<Sum>(team, n, [&](const Slice& some) {
            Sum share(0);
            for (Index j = some.begin; j < some.end(); ++j) {
                const T* const z = code.data() + j * size;
                Sum norm(0);
                for (Index i = 0; i < size; ++i) norm += Sum(z[i]) * Sum(z[i]);
                const Sum term = Sum(each) * exp(Sum(norm * Sum(-0.5 / (width + 1))));
                T* const dz = d ? d + j * size : nullptr;
                for (Index i = 0; d && i < size; ++i) dz[i] += T(term * Sum(-weight / (width + 1))) * z[i];
                share += term + Sum(pair) * kernels_with<T>(code, j, width, T(-2 * weight * pair / width), dz);
            }
            return share;
        });
        return T((sum + Sum(scaled(2))) * Sum(weight));
    }
    // Σ k(z, other) of sample j's code z over all others; with dz, dz += factor · Σ k(z, other) (z − other).
    template <class T>
    static core::Accumulator<T> kernels_with(ConstView<T> code, Index j, double width, const T& factor, T* dz) {
        using Sum = core::Accumulator<T>;
        using Pack = kernels::Pack<T>;
        constexpr Index block = 64;
        const Index size = code.rows(), n = code.cols();
        const T* const z = code.data() + j * size;
        Sum sum(0);
        for (Index first = 0; first < n; first += block) {
            const Index some = std::min(block, n - first);
            const T* const others = code.data() + first * size;
            T kernel[block];
            for (Index l = 0; l < some; ++l) kernel[l] = squared_distance(size, z, others + l * size);
            kernels::each_pack(
                some, [scale = -0.5 / width](Pack& value) { value = exp(value * Pack(scale)); }, kernel);
            if (j >= first && j < first + some) kernel[j - first] = T(0);  // not with itself
            for (Index l = 0; l < some; ++l) sum += Sum(kernel[l]);
            for (Index l = 0; dz && l < some; ++l) {
                const T push = factor * kernel[l];
                const T* const other = others + l * size;
                if (size < Pack::lanes)
                    for (Index i = 0; i < size; ++i) dz[i] += push * T(z[i] - other[i]);
                else
                    kernels::each_pack(
                        size, [&](Pack& to, const Pack& a, const Pack& b) { to += Pack(push) * (a - b); }, dz, z,
                        other);
            }
        }
        return sum;
    }
    template <class T>
    static T squared_distance(Index size, const T* a, const T* b) {
        using Pack = kernels::Pack<T>;
        if (size >= Pack::lanes)
            return kernels::sum_packs<T>(
                size, [](const Pack& x, const Pack& y) { return square(x - y); }, a, b);
        T sum(0);
        for (Index i = 0; i < size; ++i) sum += T(a[i] - b[i]) * T(a[i] - b[i]);
        return sum;
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
