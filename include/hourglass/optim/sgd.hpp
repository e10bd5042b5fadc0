// Gradient descent, with momentum if wanted.
#pragma once

#include "hourglass/optim/optimizer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Stochastic gradient descent: θ ← θ − η g. With momentum μ (Polyak 1964): m ← μ m − η g, θ ← θ + m; with Nesterov's
/// momentum (Sutskever et al. 2013): θ ← θ + μ m − η g, m being the new one.
///
/// Names, defaults and formulas are Keras's. The learning rate is part of m here; PyTorch keeps it outside
/// (m ← μ m + g, θ ← θ − η m), which is the same as long as the rate does not change. One moment, m, and only with
/// momentum.
class Sgd : public Optimizer, public optim::StepsModels<Sgd> {
  public:
    struct Options {
        double learning_rate = 0.01;              ///< η, at least 0
        double momentum = 0;                      ///< μ in [0, 1)
        bool nesterov = false;                    ///< look ahead; changes nothing without momentum
        double weight_decay = 0;                  ///< λ: before the step θ ← θ − η λ θ
        NonFinite non_finite = NonFinite::Throw;  ///< what to do when it would not stay finite

        template <class Self, class Use>
        static void each_hyperparameter(Self& self, Use use) {
            use("learning_rate", self.learning_rate);
            use("momentum", self.momentum);
            use("nesterov", self.nesterov);
            use("weight_decay", self.weight_decay);
        }
    };

    Sgd() : Sgd(Options{}) {}
    /// `Error` for an option out of range.
    explicit Sgd(const Options& options)
        : Optimizer("Sgd", options.learning_rate, options.weight_decay, options.non_finite), options_(options) {
        optim::require_below_one(name(), "momentum", options.momentum);
        if (options.momentum > 0) keeps({"m"});
    }

    /// Changes the parameters `theta` by one step along their `gradient`, contiguous vectors or maps of the same size;
    /// `theta` may be a temporary map. Returns false if the step was skipped. `Error` for sizes or scalar types that do
    /// not match each other or the first step, and as `NonFinite` says.
    template <class Parameters, class Gradient>
    bool step(Parameters&& theta, const Gradient& gradient) {
        const double rate = learning_rate(), momentum = options_.momentum;
        if (momentum == 0)
            return advance<0>(
                theta, gradient, {.rate = rate}, [=](double g, double) { return rate * g; },
                [=]<class T>(kernels::Pack<T>& x, const kernels::Pack<T>& g) { x -= rate * g; });
        const bool nesterov = options_.nesterov;
        const auto reach = [=](double g, double m) { return m + (optim::trusted_steps + 1) * rate * g; };
        return advance<1>(theta, gradient, {.rate = rate}, reach,
                          [=]<class T>(kernels::Pack<T>& x, const kernels::Pack<T>& g, kernels::Pack<T>& m) {
                              m = momentum * m - rate * g;
                              x += nesterov ? momentum * m - rate * g : m;
                          });
    }

    using optim::StepsModels<Sgd>::step;

    /// The options as they are now: with the learning rate of the next step.
    Options options() const { return as_now(options_); }

  private:
    Options options_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
