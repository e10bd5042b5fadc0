// Adam: gradient descent scaled by running averages of the gradient and of its square.
#pragma once

#include <algorithm>
#include <cmath>

#include "hourglass/optim/optimizer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Adam (Kingma and Ba 2015). At step t = 1, 2, …
///
///     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²,
///     θ ← θ − α m / (√v + ε),  α = η √(1 − β₂ᵗ) / (1 − β₁ᵗ)
///
/// Names, defaults and formula are Keras's: ε is the paper's "epsilon hat" (just before its section 2.1), added to √v
/// before the bias is corrected, and 1e-7. PyTorch's and the paper's Algorithm 1 add ε = 1e-8 to the corrected √v̂; that
/// is this ε divided by √(1 − β₂ᵗ), thirty times it in the first step.
///
/// `amsgrad` (Reddi, Kale and Kumar 2018) divides by the largest v so far, v̂ ← max(v̂, v) from 0 on, in v's place: no
/// parameter's rate rises again when its gradients become small. As in Keras, v̂ is of the v before the bias is
/// corrected; PyTorch takes the largest of these too, and places ε as above. Moments m, v, then v̂ with `amsgrad`.
class Adam : public Optimizer, public optim::StepsModels<Adam> {
  public:
    struct Options {
        double learning_rate = 1e-3;              ///< η, at least 0
        double beta_1 = 0.9;                      ///< β₁ in [0, 1): memory of the gradient
        double beta_2 = 0.999;                    ///< β₂ in [0, 1): memory of its square
        double epsilon = 1e-7;                    ///< ε, larger than 0
        bool amsgrad = false;                     ///< divide by the largest v so far
        double weight_decay = 0;                  ///< λ: before the step θ ← θ − η λ θ
        NonFinite non_finite = NonFinite::Throw;  ///< what to do when it would not stay finite

        template <class Self, class Use>
        static void each_hyperparameter(Self& self, Use use) {
            use("learning_rate", self.learning_rate);
            use("beta_1", self.beta_1);
            use("beta_2", self.beta_2);
            use("epsilon", self.epsilon);
            use("amsgrad", self.amsgrad);
            use("weight_decay", self.weight_decay);
        }
    };

    Adam() : Adam(Options{}) {}
    /// `Error` for an option out of range.
    explicit Adam(const Options& options) : Adam("Adam", options) {}

    /// Changes the parameters `theta` by one step along their `gradient`, contiguous vectors or maps of the same size;
    /// `theta` may be a temporary map. Returns false if the step was skipped. `Error` for sizes or scalar types that do
    /// not match each other or the first step, and as `NonFinite` says.
    template <class Parameters, class Gradient>
    bool step(Parameters&& theta, const Gradient& gradient) {
        const auto t = static_cast<double>(steps() + 1);
        const double forget_m = 1 - options_.beta_1, forget_v = 1 - options_.beta_2, epsilon = options_.epsilon;
        const double alpha =
            learning_rate() * std::sqrt(1 - std::pow(options_.beta_2, t)) / (1 - std::pow(options_.beta_1, t));
        const auto reach = [=](double, double m) { return alpha * 2 * m * std::max(1.0, 1 / epsilon); };
        const bool amsgrad = options_.amsgrad;
        return advance<3>(theta, gradient, Numbers{.rate = alpha, .epsilon = epsilon}, reach,
                          [=]<class T>(kernels::Pack<T>& x, const kernels::Pack<T>& g, kernels::Pack<T>& m,
                                       kernels::Pack<T>& v, kernels::Pack<T>& largest) {
                              m += forget_m * (g - m);
                              v += forget_v * (square(g) - v);
                              largest = amsgrad ? max(largest, v) : v;
                              x -= alpha * m / (sqrt(largest) + epsilon);
                          });
    }

    using optim::StepsModels<Adam>::step;

    /// The options as they are now: with the learning rate of the next step.
    Options options() const { return as_now(options_); }

  protected:
    /// For a variant that is called otherwise in messages.
    Adam(const char* name, const Options& options)
        : Optimizer(name, options.learning_rate, options.weight_decay, options.non_finite), options_(options) {
        optim::require_below_one(name, "beta_1", options.beta_1);
        optim::require_below_one(name, "beta_2", options.beta_2);
        optim::require_positive(name, "epsilon", options.epsilon);
        keeps({"m"});
        keeps({"v", true});
        if (options.amsgrad) keeps({"v_hat", true});
    }

  private:
    Options options_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
