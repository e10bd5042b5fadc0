// The penalty that asks each unit of the code to be active a given part of the time.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <string_view>

#include "hourglass/core/term.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// weight · Σᵢ KL(ρ ‖ ρ̂ᵢ), ρ̂ᵢ the mean of unit i of the code over the batch (Ng 2011, "Sparse autoencoder"):
///
///     KL(ρ ‖ ρ̂) = ρ ln(ρ/ρ̂) + (1 − ρ) ln((1 − ρ)/(1 − ρ̂)),   ρ = target
///
/// A unit's activation is taken for a probability, so the code must lie in (0, 1): the encoder ends in `Sigmoid`, or
/// the program does not compile. ρ̂ is kept within [10⁻⁶, 1 − 10⁻⁶]; where it would lie beyond, its gradient is that at
/// the bound, so that a unit that is never active is still pushed. The penalty is one of a whole batch and not a mean
/// over samples.
///
///     hg::KlSparsity{.target = 0.05, .weight = 1}
///
/// `check()`, which models call: `Error` unless 0 < target < 1 and the weight is finite and at least 0.
struct KlSparsity {
    static constexpr std::string_view name = "KlSparsity";
    static constexpr Slot slot = Slot::Code;
    static constexpr bool needs_unit_code = true, takes_team = true;
    static constexpr double least_mean = 1e-6;
    static constexpr Index least_for_threads = Index{1} << 15;  // values that take longer than to wake a thread

    double target;  ///< ρ, the mean activation that is wanted, in (0, 1)
    double weight;  ///< at least 0

    constexpr void check() const {
        if (!(is_finite(target) && target > 0 && target < 1))
            fail("KlSparsity: the target is a mean activation and must lie in (0, 1), got ", target);
        if (!(is_finite(weight) && weight >= 0 && weight <= 1e30))
            fail("KlSparsity: the weight must be finite and at least 0, got ", weight);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("target", self.target);
        use("weight", self.weight);
    }

    template <class T>
    T value(ConstView<T> code, core::Team* team = nullptr) const {
        return divergence<T>(code, nullptr, team);
    }
    template <class T>
    T gradient(ConstView<T> code, View<T> dcode, core::Team* team = nullptr) const {
        return divergence<T>(code, dcode.data(), team);
    }

  private:
    // The penalty; with d, adds the gradient. A unit is one thread's, over all samples.
    template <class T>
    T divergence(ConstView<T> code, T* d, core::Team* team) const {
        using std::log;
        using Sum = core::Accumulator<T>;
        constexpr Index block = 64;  // units at a time, so that their means need no memory but the stack
        const Index size = code.rows(), n = code.cols();
        const double samples = static_cast<double>(n);
        const double entropy = target * std::log(target) + (1 - target) * std::log(1 - target);
        const Sum sum =
            core::sum_of_shards<Sum>(code.size() < least_for_threads ? nullptr : team, size, [&](const Slice& some) {
                Sum share(0);
                for (Index from = some.begin; from < some.end(); from += block) {
                    const Index units = std::min(block, some.end() - from);
                    const T* const first = code.data() + from;
                    Sum mean[block];
                    T derivative[block];
                    for (Index i = 0; i < units; ++i) mean[i] = Sum(0);
                    for (Index j = 0; j < n; ++j)
                        for (Index i = 0; i < units; ++i) mean[i] += Sum(first[j * size + i]);
                    for (Index i = 0; i < units; ++i) {
                        const Sum on = bounded(Sum(mean[i] / Sum(samples))), off = Sum(1) - on;
                        share += Sum(entropy) - Sum(target) * log(on) - Sum(1 - target) * log(off);
                        derivative[i] = T(Sum(weight / samples) * (Sum(1 - target) / off - Sum(target) / on));
                    }
                    for (Index j = 0; d && j < n; ++j)
                        for (Index i = 0; i < units; ++i) d[j * size + from + i] += derivative[i];
                }
                return share;
            });
        return T(sum * Sum(weight));
    }
    template <class Sum>
    static Sum bounded(const Sum& mean) {
        if constexpr (std::floating_point<Sum>)
            if (!is_finite(mean)) return mean;
        return mean < Sum(least_mean) ? Sum(least_mean) : mean > Sum(1 - least_mean) ? Sum(1 - least_mean) : mean;
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
