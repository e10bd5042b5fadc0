// What binary cross-entropy and the Bernoulli likelihood have in common: the formula, from probabilities or from the
// logits of a final Sigmoid.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <concepts>
#include <string_view>

#include "hourglass/losses/elementwise_loss.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace losses {

// For a target at this place that lies outside [0, 1].
template <class T>
[[noreturn]] void fail_target(const core::Caller& caller, std::string_view loss, ConstView<T> target, Index at,
                              const Place& place) {
    double value = 0;
    if constexpr (std::floating_point<T>) value = static_cast<double>(target.data()[at]);
    fail(caller.prefix(), loss, ": targets must lie in [0, 1]; feature ", place.feature + at % target.rows(),
         " of sample ", caller.sample(place.sample + at / target.rows()), " is ", value);
}

/// Σ over all values of −t ln σ(z) − (1 − t) ln(1 − σ(z)) = max(z, 0) − z t − ln max(p, 1 − p), p = σ(z). With `d`,
/// writes d = scale · (p − t), the gradient with respect to z; d may be the memory of z. `Error`, naming `who` and the
/// place, when a target lies outside [0, 1].
template <class T>
T sum_cross_entropy_from_logits(const core::Caller& caller, std::string_view who, ConstView<T> logits,
                                ConstView<T> target, T* d, T scale, const Place& place) {
    // The logarithm is taken once per lane of a product of 32 factors in [1/2, 1].
    using P = kernels::Pack<T>;
    constexpr Index lanes = P::lanes, block = 32 * lanes;
    const Index size = logits.size();
    core::Accumulator<T> sum(0);
    P worst = T(0);
    for (Index from = 0; from < size; from += block) {
        const Index end = std::min(size, from + block);
        P linear = T(0), product = T(1);
        const auto round = [&](const P& z, const P& t) {
            const P p = 1 / (1 + exp(-z));
            product *= max(p, 1 - p);
            linear += max(z, P(0)) - z * t;
            worst = max(worst, abs(t - 0.5));
            return scale * (p - t);
        };
        Index i = from;
        for (; i + lanes <= end; i += lanes) {
            const P derivative = round(P::load(logits.data() + i), P::load(target.data() + i));
            if (d) derivative.store(d + i);
        }
        if (i < end) {  // the last few values, padded with a logit and a target that cost nothing
            T z[static_cast<std::size_t>(lanes)], t[static_cast<std::size_t>(lanes)];
            for (Index j = 0; j < lanes; ++j) {
                z[j] = i + j < end ? logits.data()[i + j] : T(-40);
                t[j] = i + j < end ? target.data()[i + j] : T(0);
            }
            round(P::load(z), P::load(t)).store(z);
            for (Index j = 0; d && j < lanes && i + j < end; ++j) d[i + j] = z[j];
        }
        sum += core::Accumulator<T>((linear - log(product)).sum());
    }
    // Compared without a branch on each value; a target that is NaN is left to the check of the objective.
    if (kernels::where_greater(worst, P(0.5), P(1), P(0)).sum() > T(0))
        for (Index i = 0; i < size; ++i)
            if (target.data()[i] < T(0) || target.data()[i] > T(1)) fail_target(caller, who, target, i, place);
    return T(sum);
}

}  // namespace losses

/// ℓ = −t ln p − (1 − t) ln(1 − p), reduced as `ElementwiseLoss` says. Under a decoder that ends in `Sigmoid` it is
/// computed from the logits; any other prediction in (0, 1) is first kept within [ε, 1 − ε], ε = 1e-7, beyond which its
/// gradient is 0, as in Keras. `Error` when a target lies outside [0, 1].
template <class Derived>
struct CrossEntropy {
    static constexpr Slot slot = Slot::Loss;
    static constexpr bool needs_unit_range = true;
    static constexpr Link link = Link::Logistic;

    constexpr void check() const {}

    /// The loss of probabilities.
    struct FromProbabilities : ElementwiseLoss<FromProbabilities> {
        static constexpr bool is_likelihood = core::is_likelihood<Derived>;
        core::Caller caller;

        template <class T>
        core::Accumulator<T> sum(ConstView<T> p, ConstView<T> target, T* d, T scale, const losses::Place& place) const {
            for (Index i = 0; i < target.size(); ++i)
                if (target.data()[i] < T(0) || target.data()[i] > T(1))
                    losses::fail_target(caller, Derived::name, target, i, place);
            return ElementwiseLoss<FromProbabilities>::template sum<T>(p, target, d, scale, place);
        }

        template <class T>
        kernels::Pack<T> each(const kernels::Pack<T>& p, const kernels::Pack<T>& t) const {
            const kernels::Pack<T> inside = min(max(p, kernels::Pack<T>(epsilon)), kernels::Pack<T>(1 - epsilon));
            return -(t * log(inside)) - (1 - t) * log(1 - inside);
        }
        template <class T>
        kernels::Pack<T> derivative(const kernels::Pack<T>& p, const kernels::Pack<T>& t) const {
            const kernels::Pack<T> inside = min(max(p, kernels::Pack<T>(epsilon)), kernels::Pack<T>(1 - epsilon));
            // ½ − ε from ½: within the bounds on both sides.
            return kernels::where_greater<T>(abs(p - 0.5), 0.5 - epsilon, 0, (inside - t) / (inside * (1 - inside)));
        }

      private:
        static constexpr double epsilon = 1e-7;
    };
    /// The loss with z, x̂ = σ(z), in the prediction's place.
    struct FromLogits : AdditiveLoss<FromLogits> {
        static constexpr bool is_likelihood = core::is_likelihood<Derived>;
        static constexpr Index values_per_term(Index) { return 1; }
        core::Caller caller;

        template <class T>
        core::Accumulator<T> sum(ConstView<T> logits, ConstView<T> target, T* d, T scale,
                                 const losses::Place& place) const {
            return core::Accumulator<T>(
                losses::sum_cross_entropy_from_logits<T>(caller, Derived::name, logits, target, d, scale, place));
        }
    };
    template <Shape Output = Shape{}>
    static constexpr FromLogits from_logits(const core::Caller& caller = {}) {
        return {{}, caller};
    }
    template <Shape Output = Shape{}>
    static constexpr FromProbabilities from_output(const core::Caller& caller = {}) {
        return {{}, caller};
    }

    template <class T>
    T value(ConstView<T> p, ConstView<T> target) const {
        return from_output().value(p, target);
    }
    template <class T>
    T gradient(ConstView<T> p, ConstView<T> target, View<T> d) const {
        return from_output().gradient(p, target, d);
    }
    template <class T>
    void samples(ConstView<T> p, ConstView<T> target, Eigen::Map<Vector<T>> each) const {
        from_output().samples(p, target, each);
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
