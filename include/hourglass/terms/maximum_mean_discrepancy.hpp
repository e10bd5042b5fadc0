// A penalty that gives the codes of a batch, all together, the shape of a standard normal distribution.
#pragma once

#include <cmath>
#include <string_view>

#include "hourglass/core/term.hpp"

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
    double weight = 1;
    double bandwidth = 0;

    constexpr void check() const {
        if (!(weight >= 0 && weight <= 1e30))
            fail("MaximumMeanDiscrepancy: the weight must be finite and at least 0, got ", weight);
        if (!(bandwidth == 0 || (bandwidth >= 1e-15 && bandwidth <= 1e15)))
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
    T value(ConstView<T> code) const {
        return discrepancy<T>(code, nullptr);
    }
    template <class T>
    T gradient(ConstView<T> code, View<T> dcode) const {
        return discrepancy<T>(code, dcode.data());
    }

  private:
    // One copy for both, so that they round alike.
    template <class T>
    EIGEN_DONT_INLINE T discrepancy(ConstView<T> code, T* d) const {
        using std::exp;
        const Index size = code.rows(), n = code.cols();
        const double dimension = static_cast<double>(size), count = static_cast<double>(n);
        const double width = bandwidth > 0 ? bandwidth * bandwidth : dimension;
        const auto scaled = [&](double more) { return std::pow(width / (width + more), dimension / 2); };
        const double each = -2 * scaled(1) / count, pair = n > 1 ? 2 / (count * (count - 1)) : 0;
        core::Accumulator<T> sum(scaled(2));
        for (Index j = 0; j < n; ++j) {
            const T* const z = code.data() + j * size;
            core::Accumulator<T> norm(0);
            for (Index i = 0; i < size; ++i) norm += core::Accumulator<T>(z[i]) * core::Accumulator<T>(z[i]);
            const core::Accumulator<T> term =
                core::Accumulator<T>(each) * exp(core::Accumulator<T>(norm * core::Accumulator<T>(-0.5 / (width + 1))));
            sum += term;
            if (d)
                for (Index i = 0; i < size; ++i)
                    d[j * size + i] += T(term * core::Accumulator<T>(-weight / (width + 1))) * z[i];
            for (Index l = 0; l < j; ++l) {
                const T* const other = code.data() + l * size;
                core::Accumulator<T> distance(0);
                for (Index i = 0; i < size; ++i) {
                    const core::Accumulator<T> apart(z[i] - other[i]);
                    distance += apart * apart;
                }
                const core::Accumulator<T> kernel =
                    core::Accumulator<T>(pair) *
                    exp(core::Accumulator<T>(distance * core::Accumulator<T>(-0.5 / width)));
                sum += kernel;
                if (!d) continue;
                const T derivative = T(kernel * core::Accumulator<T>(-weight / width));
                for (Index i = 0; i < size; ++i) {
                    const T push = derivative * T(z[i] - other[i]);
                    d[j * size + i] += push;
                    d[l * size + i] -= push;
                }
            }
        }
        return T(sum * core::Accumulator<T>(weight));
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
