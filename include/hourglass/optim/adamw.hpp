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
        NonFinite non_finite = NonFinite::Throw;  ///< what to do when it would not stay finite
    };

    AdamW() : AdamW(Options{}) {}
    /// `Error` for an option out of range.
    explicit AdamW(const Options& options)
        : Adam("AdamW", {.learning_rate = options.learning_rate,
                         .beta_1 = options.beta_1,
                         .beta_2 = options.beta_2,
                         .epsilon = options.epsilon,
                         .weight_decay = options.weight_decay,
                         .non_finite = options.non_finite}) {}
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
