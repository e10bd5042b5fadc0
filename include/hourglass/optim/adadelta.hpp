// Adadelta: steps measured in the size of earlier steps.
#pragma once

#include <algorithm>
#include <cmath>

#include "hourglass/optim/optimizer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Adadelta (Zeiler 2012), with G and D the running averages of squared gradients and squared steps:
///
///     G ← ρ G + (1 − ρ) g²,   δ = √(D + ε) / √(G + ε) · g,   D ← ρ D + (1 − ρ) δ²,   θ ← θ − η δ
///
/// Names, defaults and formula are Keras's. ε is inside both roots, as in the paper and in PyTorch, whose defaults are
/// η = 1, ρ = 0.9, ε = 1e-6; Keras's η is 0.001, with which this optimiser is slow: give 1 for the paper's. Moments G,
/// D.
class Adadelta : public Optimizer, public optim::StepsModels<Adadelta> {
  public:
    struct Options {
        double learning_rate = 1e-3;              ///< η, at least 0
        double rho = 0.95;                        ///< ρ in [0, 1): memory of both averages
        double epsilon = 1e-7;                    ///< ε, larger than 0
        double weight_decay = 0;                  ///< λ: before the step θ ← θ − η λ θ
        NonFinite non_finite = NonFinite::Throw;  ///< what to do when it would not stay finite

        template <class Self, class Use>
        static void each_hyperparameter(Self& self, Use use) {
            use("learning_rate", self.learning_rate);
            use("rho", self.rho);
            use("epsilon", self.epsilon);
            use("weight_decay", self.weight_decay);
        }
    };

    Adadelta() : Adadelta(Options{}) {}
    /// `Error` for an option out of range.
    explicit Adadelta(const Options& options)
        : Optimizer("Adadelta", options.learning_rate, options.weight_decay, options.non_finite), options_(options) {
        optim::require_below_one(name(), "rho", options.rho);
        optim::require_positive(name(), "epsilon", options.epsilon);
        keeps({"G", true});
        keeps({"D", true});
    }

    /// Changes the parameters `theta` by one step along their `gradient`, contiguous vectors or maps of the same size;
    /// `theta` may be a temporary map. Returns false if the step was skipped. `Error` for sizes or scalar types that do
    /// not match each other or the first step, and as `NonFinite` says.
    template <class Parameters, class Gradient>
    bool step(Parameters&& theta, const Gradient& gradient) {
        const double rate = learning_rate(), rho = options_.rho, epsilon = options_.epsilon;
        // D + ε at most doubles in a step, since (1 − ρ) δ² ≤ D + ε.
        const auto reach = [=](double g, double steps) {
            const double most = std::ldexp(steps + epsilon, optim::trusted_steps);
            return std::max(most / std::min(1 - rho, epsilon), rate * std::sqrt(most / epsilon) * g);
        };
        return advance<2>(theta, gradient, {.rate = rate, .epsilon = epsilon}, reach,
                          [=]<class T>(kernels::Pack<T>& x, const kernels::Pack<T>& g, kernels::Pack<T>& squares,
                                       kernels::Pack<T>& steps) {
                              squares = rho * squares + (1 - rho) * square(g);
                              const kernels::Pack<T> delta = sqrt((steps + epsilon) / (squares + epsilon)) * g;
                              steps = rho * steps + (1 - rho) * square(delta);
                              x -= rate * delta;
                          });
    }

    using optim::StepsModels<Adadelta>::step;

    /// The options as they are now: with the learning rate of the next step.
    Options options() const { return as_now(options_); }

  private:
    Options options_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
