// Adagrad: every parameter's rate falls with the squares of its gradients so far.
#pragma once

#include <algorithm>
#include <cmath>

#include "hourglass/optim/optimizer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Adagrad (Duchi, Hazan and Singer 2011): G ← G + g², θ ← θ − η g / √(G + ε), with G starting as
/// `initial_accumulator_value`.
///
/// Names, defaults and formula are Keras's: ε is inside the root and 1e-7. PyTorch adds ε = 1e-10 outside, √G + ε, and
/// starts with G = 0 and η = 0.01. Moment G.
class Adagrad : public Optimizer, public optim::StepsModels<Adagrad> {
  public:
    struct Options {
        double learning_rate = 1e-3;              ///< η, at least 0
        double initial_accumulator_value = 0.1;   ///< G before the first step, at least 0
        double epsilon = 1e-7;                    ///< ε, larger than 0
        double weight_decay = 0;                  ///< λ: before the step θ ← θ − η λ θ
        NonFinite non_finite = NonFinite::Throw;  ///< what to do when it would not stay finite

        template <class Self, class Use>
        static void each_hyperparameter(Self& self, Use use) {
            use("learning_rate", self.learning_rate);
            use("initial_accumulator_value", self.initial_accumulator_value);
            use("epsilon", self.epsilon);
            use("weight_decay", self.weight_decay);
        }
    };

    Adagrad() : Adagrad(Options{}) {}
    /// `Error` for an option out of range.
    explicit Adagrad(const Options& options)
        : Optimizer("Adagrad", options.learning_rate, options.weight_decay, options.non_finite), options_(options) {
        optim::require_not_negative(name(), "initial_accumulator_value", options.initial_accumulator_value);
        optim::require_positive(name(), "epsilon", options.epsilon);
        keeps({"G", true});
        starts_from(options.initial_accumulator_value);
    }

    /// Changes the parameters `theta` by one step along their `gradient`, contiguous vectors or maps of the same size;
    /// `theta` may be a temporary map. Returns false if the step was skipped. `Error` for sizes or scalar types that do
    /// not match each other or the first step, and as `NonFinite` says.
    template <class Parameters, class Gradient>
    bool step(Parameters&& theta, const Gradient& gradient) {
        const double rate = learning_rate(), epsilon = options_.epsilon;
        const auto reach = [=](double g, double) { return rate * g * std::max(1.0, 1 / std::sqrt(epsilon)); };
        return advance<1>(theta, gradient, {.rate = rate, .epsilon = epsilon}, reach,
                          [=]<class T>(kernels::Pack<T>& x, const kernels::Pack<T>& g, kernels::Pack<T>& squares) {
                              squares += square(g);
                              x -= rate * g / sqrt(squares + epsilon);
                          });
    }

    using optim::StepsModels<Adagrad>::step;

    /// The options as they are now: with the learning rate of the next step.
    Options options() const { return as_now(options_); }

  private:
    Options options_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
