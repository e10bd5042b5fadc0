// RMSprop: gradient descent scaled by the gradient's running root mean square.
#pragma once

#include <algorithm>
#include <cmath>

#include "hourglass/optim/optimizer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// RMSprop (Tieleman and Hinton 2012):
///
///     v ← ρ v + (1 − ρ) g²,   s = η g / √(v + ε),   θ ← θ − s
///
/// `centered` keeps the running mean a ← ρ a + (1 − ρ) g too and divides by √(v − a² + ε), the standard deviation
/// (Graves 2013); v − a² is held at 0 where rounding would take it below. With momentum μ: m ← μ m + s, θ ← θ − m.
///
/// Names, defaults and formula are Keras's: ε is inside the root and 1e-7. PyTorch adds ε = 1e-8 outside, √v + ε, its ρ
/// ("alpha") is 0.99 and its learning rate 0.01, which it also keeps outside of m. Moments v, then a if centered, then
/// m with momentum.
class RMSprop : public Optimizer, public optim::StepsModels<RMSprop> {
  public:
    struct Options {
        double learning_rate = 1e-3;              ///< η, at least 0
        double rho = 0.9;                         ///< ρ in [0, 1): memory of the averages
        double momentum = 0;                      ///< μ in [0, 1)
        double epsilon = 1e-7;                    ///< ε, larger than 0
        bool centered = false;                    ///< divide by the standard deviation
        double weight_decay = 0;                  ///< λ: before the step θ ← θ − η λ θ
        NonFinite non_finite = NonFinite::Throw;  ///< what to do when it would not stay finite

        template <class Self, class Use>
        static void each_hyperparameter(Self& self, Use use) {
            use("learning_rate", self.learning_rate);
            use("rho", self.rho);
            use("momentum", self.momentum);
            use("epsilon", self.epsilon);
            use("centered", self.centered);
            use("weight_decay", self.weight_decay);
        }
    };

    RMSprop() : RMSprop(Options{}) {}
    /// `Error` for an option out of range.
    explicit RMSprop(const Options& options)
        : Optimizer("RMSprop", options.learning_rate, options.weight_decay, options.non_finite), options_(options) {
        optim::require_below_one(name(), "rho", options.rho);
        optim::require_below_one(name(), "momentum", options.momentum);
        optim::require_positive(name(), "epsilon", options.epsilon);
        keeps({"v", true});
        if (options.centered) keeps({"a"});
        if (options.momentum > 0) keeps({"m"});
    }

    /// Changes the parameters `theta` by one step along their `gradient`, contiguous vectors or maps of the same size;
    /// `theta` may be a temporary map. Returns false if the step was skipped. `Error` for sizes or scalar types that do
    /// not match each other or the first step, and as `NonFinite` says.
    template <class Parameters, class Gradient>
    bool step(Parameters&& theta, const Gradient& gradient) {
        const double rate = learning_rate(), rho = options_.rho, epsilon = options_.epsilon,
                     momentum = options_.momentum;
        // s of the formula, with the averages it needs brought up to date.
        const auto scaled = [=]<class T>(const kernels::Pack<T>& g, kernels::Pack<T>& v, auto&... a) {
            v = rho * v + (1 - rho) * square(g);
            ((a = rho * a + (1 - rho) * g), ...);
            return rate * g / sqrt(max((v - ... - square(a)), kernels::Pack<T>(0)) + epsilon);
        };
        const Numbers numbers{.rate = rate, .epsilon = epsilon};
        const auto reach = [=](double g, double m) {
            const double largest = rate * g * std::max(1.0, 1 / std::sqrt(epsilon));
            return momentum > 0 ? m + optim::trusted_steps * largest : largest;
        };
        if (options_.centered && momentum > 0)
            return advance<3>(theta, gradient, numbers, reach,
                              [=]<class T>(kernels::Pack<T>& x, const kernels::Pack<T>& g, kernels::Pack<T>& v,
                                           kernels::Pack<T>& a, kernels::Pack<T>& m) {
                                  m = momentum * m + scaled(g, v, a);
                                  x -= m;
                              });
        if (options_.centered)
            return advance<2>(theta, gradient, numbers, reach,
                              [=]<class T>(kernels::Pack<T>& x, const kernels::Pack<T>& g, kernels::Pack<T>& v,
                                           kernels::Pack<T>& a) { x -= scaled(g, v, a); });
        if (momentum > 0)
            return advance<2>(
                theta, gradient, numbers, reach,
                [=]<class T>(kernels::Pack<T>& x, const kernels::Pack<T>& g, kernels::Pack<T>& v, kernels::Pack<T>& m) {
                    m = momentum * m + scaled(g, v);
                    x -= m;
                });
        return advance<1>(
            theta, gradient, numbers, reach,
            [=]<class T>(kernels::Pack<T>& x, const kernels::Pack<T>& g, kernels::Pack<T>& v) { x -= scaled(g, v); });
    }

    using optim::StepsModels<RMSprop>::step;

    /// The options as they are now: with the learning rate of the next step.
    Options options() const { return as_now(options_); }

  private:
    Options options_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
