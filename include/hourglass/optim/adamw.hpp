// Adam with weight decay switched on.
#pragma once

#include "hourglass/optim/adam.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// AdamW (Loshchilov and Hutter 2019): θ ← θ − η λ θ, then a step of `Adam`. The decay is decoupled: it does not pass
/// through the moments. Names and defaults are Keras's, ε as in `Adam`; PyTorch's λ is 0.01. Biases are decayed too
/// unless `exclude_from_weight_decay` leaves them out.
class AdamW : public Adam {
  public:
    struct Options {
        double learning_rate = 1e-3;              ///< η, at least 0
        double weight_decay = 0.004;              ///< λ, at least 0
        double beta_1 = 0.9;                      ///< β₁ in [0, 1): memory of the gradient
        double beta_2 = 0.999;                    ///< β₂ in [0, 1): memory of its square
        double epsilon = 1e-7;                    ///< ε, larger than 0
        bool amsgrad = false;                     ///< divide by the largest v so far
        NonFinite non_finite = NonFinite::Throw;  ///< what to do when it would not stay finite

        template <class Self, class Use>
        static void each_hyperparameter(Self& self, Use use) {
            use("learning_rate", self.learning_rate);
            use("weight_decay", self.weight_decay);
            use("beta_1", self.beta_1);
            use("beta_2", self.beta_2);
            use("epsilon", self.epsilon);
            use("amsgrad", self.amsgrad);
        }
    };

    AdamW() : AdamW(Options{}) {}
    /// `Error` for an option out of range.
    explicit AdamW(const Options& options)
        : Adam("AdamW", {.learning_rate = options.learning_rate,
                         .beta_1 = options.beta_1,
                         .beta_2 = options.beta_2,
                         .epsilon = options.epsilon,
                         .amsgrad = options.amsgrad,
                         .weight_decay = options.weight_decay,
                         .non_finite = options.non_finite}) {}

    /// The options as they are now: with the learning rate of the next step.
    Options options() const {
        const Adam::Options now = Adam::options();
        return {.learning_rate = now.learning_rate,
                .weight_decay = now.weight_decay,
                .beta_1 = now.beta_1,
                .beta_2 = now.beta_2,
                .epsilon = now.epsilon,
                .amsgrad = now.amsgrad,
                .non_finite = now.non_finite};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
