// The likelihood of real values, with a variance that is given or learned.
#pragma once

#include <array>
#include <cmath>
#include <span>
#include <string_view>

#include "hourglass/losses/elementwise_loss.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace losses {

// −ln N(t; p, variance) for each value, sum over features, mean over the batch.
template <class T>
struct NormalNats : ElementwiseLoss<NormalNats<T>> {
    static constexpr bool is_likelihood = true;
    T variance;

    kernels::Pack<T> each(const kernels::Pack<T>& p, const kernels::Pack<T>& t) const {
        using std::log;
        return 0.5 * (square(p - t) / variance + T(log(T(6.283185307179586477) * variance)));
    }
    kernels::Pack<T> derivative(const kernels::Pack<T>& p, const kernels::Pack<T>& t) const {
        return (p - t) / variance;
    }
};

}  // namespace losses

/// −ln p(t | x̂) = Σ ½ ((t − x̂)²/σ² + ln 2πσ²), sum over features, mean over the batch, in nats. σ² is the same for
/// every value and fixed; 1 makes half the squared error of it. `Error` unless σ² is finite and positive.
struct GaussianLikelihood : AdditiveLoss<GaussianLikelihood> {
    static constexpr std::string_view name = "GaussianLikelihood";
    static constexpr bool is_likelihood = true;
    static constexpr Index values_per_term(Index) { return 1; }
    double variance;  ///< σ²

    constexpr explicit GaussianLikelihood(double variance_ = 1) : variance(variance_) { check(); }
    constexpr void check() const {
        if (!(is_finite(variance) && variance > 0 && variance <= 1e30))
            fail("GaussianLikelihood: the variance must be finite and positive, got ", variance);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("variance", self.variance);
    }

    template <class T>
    core::Accumulator<T> sum(ConstView<T> prediction, ConstView<T> target, T* d, T scale,
                             const losses::Place& place) const {
        return losses::NormalNats<T>{{}, T(variance)}.template sum<T>(prediction, target, d, scale, place);
    }
};

/// The same with σ² learned: one more parameter of the model, ln σ², which starts at 0 (Rybkin, Daniilidis and Levine
/// 2021, "Simple and effective VAE training with calibrated decoders"). It balances reconstruction and divergence
/// without a β.
struct LearnedGaussianLikelihood {
    static constexpr std::string_view name = "LearnedGaussianLikelihood";
    static constexpr Slot slot = Slot::Loss;
    static constexpr bool is_likelihood = true;
    static constexpr auto weights() { return std::array{Weight{"log_variance", 1, false}}; }

    constexpr void check() const {}

    /// The likelihood with ln σ² at `w`, which adds its gradient with respect to it at `dw`.
    template <class T_>
    struct Bound {
        const T_* w;
        T_* dw;

        template <class T>
        T value(ConstView<T> prediction, ConstView<T> target) const {
            return nats().value(prediction, target);
        }
        template <class T>
        T gradient(ConstView<T> prediction, ConstView<T> target, View<T> d) const {
            using std::log;
            const losses::NormalNats<T> formula = nats();
            const T value = formula.gradient(prediction, target, d);
            // ½ Σ (1 − e²/σ²), the mean over the batch: the value holds the same squares.
            const T half = T(0.5 * static_cast<double>(target.rows()));
            *dw += half - (value - half * log(T(T(6.283185307179586477) * formula.variance)));
            return value;
        }
        template <class T>
        void samples(ConstView<T> prediction, ConstView<T> target, Eigen::Map<Vector<T>> each) const {
            nats().samples(prediction, target, each);
        }

      private:
        losses::NormalNats<T_> nats() const {
            using std::exp;
            return {{}, T_(exp(*w))};
        }
    };
    template <class T>
    Bound<T> bind(const T* w, T* dw) const {
        return {w, dw};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
