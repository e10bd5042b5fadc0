// What losses have in common that are a sum of terms: values, or positions of a sequence.
#pragma once

#include <Eigen/Core>

#include "hourglass/core/term.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace losses {

/// Where in a batch lies what a loss is given, for messages.
struct Place {
    Index feature = 0, sample = 0, position = 0;  // the first ones

    Place from_sample(Index j) const { return {feature, sample + j, position}; }
};

/// The methods of a loss that samples have each by itself. `Derived` gives `mean(p, t, d, samples, place)`: what these
/// columns add to the mean over a batch of `samples` columns, and unless d is null their columns of its gradient there.
template <class Derived>
struct SampleBySample {
    template <class T>
    T value(ConstView<T> p, ConstView<T> target) const {
        return self().template mean<T>(p, target, nullptr, p.cols(), Place{});
    }
    template <class T>
    T gradient(ConstView<T> p, ConstView<T> target, View<T> d) const {
        return self().template mean<T>(p, target, d.data(), p.cols(), Place{});
    }
    /// Of some of a batch's `samples`: their share of its mean, and their columns of its gradient.
    template <class T>
    T gradient_of_part(ConstView<T> p, ConstView<T> target, View<T> d, Index samples) const {
        return self().template mean<T>(p, target, d.data(), samples, Place{});
    }
    template <class T>
    void samples(ConstView<T> p, ConstView<T> target, Eigen::Map<Vector<T>> each) const {
        for (Index j = 0; j < p.cols(); ++j)
            each[j] = self().template mean<T>(core::columns_of(p, {j, 1}), core::columns_of(target, {j, 1}), nullptr,
                                              Index{1}, Place{0, j});
    }

  private:
    constexpr const Derived& self() const { return static_cast<const Derived&>(*this); }
};

/// The values of one sample that a loss reads: `count` runs of `size` values, which begin `stride` apart.
struct Runs {
    Index size, count = 1, stride = 0;
};
/// `weight` times what an additive loss gives of those of one sample: the mean of its terms, or a likelihood's sum; 0
/// where there is none. Unless d is null its gradient is written there.
template <class Loss, class T>
core::Accumulator<T> mean_over_terms(const Loss& loss, const Runs& runs, const T* p, const T* target, T* d,
                                     double weight, const Place& place) {
    Index terms = 0;
    for (Index k = 0; k < runs.count; ++k) terms += loss.template terms<T>({target + k * runs.stride, runs.size, 1});
    const double share = core::is_likelihood<Loss> || terms == 0 ? weight : weight / static_cast<double>(terms);
    core::Accumulator<T> sum(0);
    for (Index k = 0; k < runs.count; ++k) {
        const Index at = k * runs.stride;
        sum += loss.template sum<T>({p + at, runs.size, 1}, {target + at, runs.size, 1}, d ? d + at : nullptr, T(share),
                                    {place.feature + at, place.sample, place.position + k});
    }
    return sum * core::Accumulator<T>(share);
}

}  // namespace losses

/// A sum of terms, mean over terms and batch or, for a likelihood, sum over terms and mean over the batch. `Derived`
/// says how many values of a sample of so many `rows` are one term, and gives the sum of all of them:
///
///     static Index values_per_term(Index rows)
///     sum<T>(prediction, target, T* d, T scale, place) → core::Accumulator<T>
///
/// which unless d is null writes `scale` times its gradient there, perhaps in the prediction's memory.
template <class Derived>
struct AdditiveLoss : losses::SampleBySample<Derived> {
    static constexpr Slot slot = Slot::Loss;

    constexpr void check() const {}

    /// How many terms there are.
    template <class T>
    Index terms(ConstView<T> target) const {
        return target.size() / Derived::values_per_term(target.rows());
    }
    template <class T>
    T mean(ConstView<T> p, ConstView<T> target, T* d, Index samples, const losses::Place& place) const {
        const Index terms = core::is_likelihood<Derived> ? 1 : p.rows() / Derived::values_per_term(p.rows());
        const double count = static_cast<double>(terms * samples);
        const Derived& self = static_cast<const Derived&>(*this);
        return T(self.template sum<T>(p, target, d, T(1 / count), place) / core::Accumulator<T>(count));
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
