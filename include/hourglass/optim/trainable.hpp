// A step of a training loop as one call.
#pragma once

#include "hourglass/core/error.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace optim {

/// A model and the tape of its last `gradient` call.
template <class Model, class Tape>
concept Trainable = requires(Model& model, const Tape& tape) {
    model.parameters();
    model.fold(tape);
    tape.gradient();
};

/// What optimisers derive from beside `Optimizer`: their `step` for a model with its tape.
template <class Derived>
class StepsModels {
  public:
    /// One step of a training loop: `step(model.parameters(), tape.gradient())`; then, unless that was skipped, the
    /// model takes the batch's statistics into its running values, those that are finite: `model.fold(tape)`. Returns
    /// whether a step was taken. `Error`, before anything changes, for another model's tape.
    template <class Model, class Tape>
        requires Trainable<Model, Tape>
    bool step(Model& model, const Tape& tape) {
        if constexpr (requires { tape.statistics().size() != model.state().size(); })
            if (tape.statistics().size() != model.state().size())
                fail("step: the tape holds ", tape.statistics().size(), " statistics, the model has ",
                     model.state().size(), " running values");
        if (!static_cast<Derived&>(*this).step(model.parameters(), tape.gradient())) return false;
        model.fold(tape);
        return true;
    }
};

}  // namespace optim
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
