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

/// A step along the tape's gradient; then, unless it was skipped, the batch's statistics enter the model's running
/// values. Returns whether a step was taken.
template <class Optimizer, class Model, class Tape>
bool step_and_fold(Optimizer& optimizer, Model& model, const Tape& tape) {
    if constexpr (requires { tape.statistics().size() != model.state().size(); })
        if (tape.statistics().size() != model.state().size())
            fail("step: the tape holds ", tape.statistics().size(), " statistics, the model has ", model.state().size(),
                 " running values");
    if (!optimizer.step(model.parameters(), tape.gradient())) return false;
    model.fold(tape);
    return true;
}

}  // namespace optim
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
