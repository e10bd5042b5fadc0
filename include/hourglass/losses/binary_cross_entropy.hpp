// Binary cross-entropy, from probabilities or from the logits of a final Sigmoid.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <string_view>

#include "hourglass/core/elementwise_loss.hpp"

namespace hourglass::inline HOURGLASS_ABI {

/// Σ over all values of −t ln σ(z) − (1 − t) ln(1 − σ(z)) = max(z, 0) − z t − ln max(p, 1 − p), p = σ(z). With `d`,
/// writes d = scale · (p − t), the gradient with respect to z; d may be the memory of z. `Error`, naming `who` and the
/// place, when a target lies outside [0, 1].
template <class T>
T sum_cross_entropy_from_logits(std::string_view who, ConstView<T> logits, ConstView<T> target, T* d, T scale) {
    // Sixteen lanes, 32 rounds a block: the logarithm is taken once per lane of a product of 32 factors in [1/2, 1].
    // Plain loops over the lanes, which compilers vectorise; only the exponential is Eigen's.
    constexpr Index lanes = 16, block = 32 * lanes;
    using Lanes = Eigen::Array<T, lanes, 1>;
    const Index size = logits.size();
    Accumulator<T> sum(0);
    const Lanes zero = Lanes::Zero(), one = Lanes::Ones(), half = Lanes::Constant(T(0.5)),
                scales = Lanes::Constant(scale);
    Lanes worst = zero;
    for (Index from = 0; from < size; from += block) {
        const Index end = std::min(size, from + block);
        Lanes linear = zero, product = one;
        const auto round = [&](const T* z_, const T* t_, T* out) {
            // One operation a line, on arrays of the same type: few expression types, so that this compiles fast.
            const Lanes z = Eigen::Map<const Lanes>{z_}, t = Eigen::Map<const Lanes>{t_};
            Lanes e = zero - z;
            e = e.exp();
            e = e + one;
            const Lanes p = one / e, q = one - p, larger = p.max(q);
            product = product * larger;
            Lanes positive = z.max(zero);
            const Lanes part = z * t;
            positive = positive - part;
            linear = linear + positive;
            const Lanes off = t - half, below = half - t, far = off.max(below);
            worst = worst.max(far);
            Lanes slope = p - t;
            slope = slope * scales;
            std::copy_n(slope.data(), lanes, out);
        };
        Lanes slope;
        Index i = from;
        for (; i + lanes <= end; i += lanes) {
            round(logits.data() + i, target.data() + i, slope.data());
            if (d) std::copy_n(slope.data(), lanes, d + i);
        }
        if (i < end) {  // the last few values, padded with a logit and a target that cost nothing
            Lanes z = Lanes::Constant(T(-40)), t = Lanes::Zero();
            std::copy_n(logits.data() + i, end - i, z.data());
            std::copy_n(target.data() + i, end - i, t.data());
            round(z.data(), t.data(), slope.data());
            if (d) std::copy_n(slope.data(), end - i, d + i);
        }
        sum += Accumulator<T>(linear.sum() - product.log().sum());
    }
    if (worst.maxCoeff() > T(0.5))
        for (Index i = 0; i < size; ++i)
            if (target.data()[i] < T(0) || target.data()[i] > T(1))
                fail(who, ": targets must lie in [0, 1]; feature ", i % target.rows(), " of sample ", i / target.rows(),
                     " lies outside");
    return T(sum);
}

/// −t ln x̂ − (1 − t) ln(1 − x̂), mean over features, mean over the batch, in nats. Under a decoder that ends in
/// `Sigmoid` it is computed from the logits; any other prediction in (0, 1) is first kept within [ε, 1 − ε], ε = 1e-7
/// as in Keras. `Error` when a target lies outside [0, 1].
struct BinaryCrossEntropy : ElementwiseLoss<BinaryCrossEntropy> {
    static constexpr std::string_view name = "BinaryCrossEntropy";
    static constexpr bool needs_unit_range = true;

    template <class A>
    auto each(const A& p, const A& t) const {
        using T = typename A::Scalar;
        return -(t * p.max(T(epsilon)).min(T(1 - epsilon)).log()) -
               (T(1) - t) * (T(1) - p.max(T(epsilon)).min(T(1 - epsilon))).log();
    }
    template <class A>
    auto slope(const A& p, const A& t) const {
        using T = typename A::Scalar;
        return (p.max(T(epsilon)).min(T(1 - epsilon)) - t) /
               (p.max(T(epsilon)).min(T(1 - epsilon)) * (T(1) - p.max(T(epsilon)).min(T(1 - epsilon))));
    }

    /// The same loss with z, x̂ = σ(z), in the prediction's place.
    struct FromLogits {
        template <class T>
        T value(ConstView<T> logits, ConstView<T> target) const {
            const double size = static_cast<double>(logits.size());
            return sum_cross_entropy_from_logits<T>(name, logits, target, nullptr, T(0)) / T(size);
        }
        template <class T>
        T gradient(ConstView<T> logits, ConstView<T> target, View<T> d) const {
            const double size = static_cast<double>(logits.size());
            return sum_cross_entropy_from_logits<T>(name, logits, target, d.data(), T(1 / size)) / T(size);
        }
        template <class T>
        void samples(ConstView<T> logits, ConstView<T> target, Eigen::Map<Vector<T>> each) const {
            const Index rows = logits.rows();
            for (Index j = 0; j < logits.cols(); ++j)
                each[j] = value<T>({logits.data() + j * rows, rows, 1}, {target.data() + j * rows, rows, 1});
        }
    };
    static constexpr FromLogits from_logits() { return {}; }

  private:
    static constexpr double epsilon = 1e-7;
};

}  // namespace hourglass::inline HOURGLASS_ABI
