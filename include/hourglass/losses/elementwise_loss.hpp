// What losses that compare value by value have in common.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/core/term.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Mean over features and batch of ℓ(p, t), or, for a likelihood, sum over features and mean over the batch. `Derived`
/// gives two formulas over packs of values, `each(p, t)` = ℓ and `derivative(p, t)` = ∂ℓ/∂p.
template <class Derived>
struct ElementwiseLoss {
    static constexpr Slot slot = Slot::Loss;

    constexpr void check() const {}

    template <class T>
    T value(ConstView<T> prediction, ConstView<T> target) const {
        return blocks<T>(prediction, target, count(prediction), [](Index, Index) {});
    }

    template <class T>
    T gradient(ConstView<T> prediction, ConstView<T> target, View<T> d) const {
        return gradient_of_part<T>(prediction, target, d, prediction.cols());
    }
    /// Of some of a batch's `samples`: their share of its mean, and their columns of its gradient.
    template <class T>
    T gradient_of_part(ConstView<T> prediction, ConstView<T> target, View<T> d, Index samples) const {
        const double values = count<T>({prediction.data(), prediction.rows(), samples});
        const T scale = T(1 / values);
        return blocks<T>(prediction, target, values, [&](Index from, Index size) {
            kernels::map_packs(
                size, d.data() + from,
                [&](const kernels::Pack<T>& p, const kernels::Pack<T>& t) { return scale * self().derivative(p, t); },
                prediction.data() + from, target.data() + from);
        });
    }

    template <class T>
    void samples(ConstView<T> prediction, ConstView<T> target, Eigen::Map<Vector<T>> each) const {
        for (Index j = 0; j < prediction.cols(); ++j)
            each[j] = value<T>({prediction.data() + j * prediction.rows(), prediction.rows(), 1},
                               {target.data() + j * target.rows(), target.rows(), 1});
    }

  private:
    // What the sum over all values is divided by.
    template <class T>
    static double count(ConstView<T> prediction) {
        return static_cast<double>(core::is_likelihood<Derived> ? prediction.cols() : prediction.size());
    }

    constexpr const Derived& self() const { return static_cast<const Derived&>(*this); }

    // Block by block, so that a block is still in the nearest cache when `use` reads it a second time.
    template <class T, class Use>
    T blocks(ConstView<T> prediction, ConstView<T> target, double values, Use use) const {
        constexpr Index block = 1024;
        core::Accumulator<T> sum(0);
        for (Index from = 0; from < prediction.size(); from += block) {
            const Index size = std::min(block, prediction.size() - from);
            sum += core::Accumulator<T>(kernels::sum_packs<T>(
                size, [&](const kernels::Pack<T>& p, const kernels::Pack<T>& t) { return self().each(p, t); },
                prediction.data() + from, target.data() + from));
            use(from, size);
        }
        return T(sum / core::Accumulator<T>(values));
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
