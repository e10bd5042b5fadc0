// What losses that compare value by value have in common.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/kernels/pack.hpp"
#include "hourglass/losses/additive_loss.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Mean over features and batch of ℓ(p, t), or, for a likelihood, sum over features and mean over the batch. `Derived`
/// gives two formulas over packs of values, `each(p, t)` = ℓ and `derivative(p, t)` = ∂ℓ/∂p.
template <class Derived>
struct ElementwiseLoss : AdditiveLoss<Derived> {
    static constexpr Index values_per_term(Index) { return 1; }

    // Block by block, so that a block is still in the nearest cache when it is read a second time.
    template <class T>
    core::Accumulator<T> sum(ConstView<T> prediction, ConstView<T> target, T* d, T scale, const losses::Place&) const {
        constexpr Index block = 1024;
        core::Accumulator<T> sum(0);
        for (Index from = 0; from < prediction.size(); from += block) {
            const Index size = std::min(block, prediction.size() - from);
            const T *const p = prediction.data() + from, *const t = target.data() + from;
            sum += core::Accumulator<T>(kernels::sum_packs<T>(
                size,
                [&](const kernels::Pack<T>& one, const kernels::Pack<T>& wanted) { return self().each(one, wanted); },
                p, t));
            if (d)
                kernels::map_packs(
                    size, d + from,
                    [&](const kernels::Pack<T>& one, const kernels::Pack<T>& wanted) {
                        return scale * self().derivative(one, wanted);
                    },
                    p, t);
        }
        return sum;
    }

  private:
    constexpr const Derived& self() const { return static_cast<const Derived&>(*this); }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
