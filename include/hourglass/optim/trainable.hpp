// A step of a training loop as one call.
#pragma once

#include <type_traits>

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
    /// model takes the batch's statistics into its running values, those that are finite: `model.fold(tape)`. On the
    /// tape's workers. Returns whether a step was taken. `Error`, before anything changes, for another model's tape,
    /// and for a model that has been moved from.
    template <class Model, class Tape>
        requires Trainable<Model, Tape>
    bool step(Model& model, const Tape& tape) {
        if constexpr (requires { model.fits(tape); })
            if (!model.fits(tape))
                fail(static_cast<Derived&>(*this).name(), "::step: the tape holds ", tape.gradient().size(),
                     " parameters and ", tape.statistics().size(), " statistics, the model has ",
                     model.parameters().size(), " and ", model.state().size(), ", or has been moved from");
        Derived& optimizer = static_cast<Derived&>(*this);
        if constexpr (requires { tape.team(); }) {
            const auto scope = optimizer.on_team(tape.team(), tape.gradient_on_team());
            if (!optimizer.step(model.parameters(), tape.gradient())) return false;
        } else if (!optimizer.step(model.parameters(), tape.gradient())) {
            return false;
        }
        model.fold(tape);
        return true;
    }
    // Where the tape was forgotten: a sentence instead of a list of candidates.
    template <class Model>
        requires requires(Model& model) { model.tape(); }
    bool step(Model&) {
        static_assert(std::is_void_v<Model>,
                      "hourglass: step(model, tape) takes the tape, too: the gradient of model.gradient(x, tape, rng) "
                      "lies there");
        return false;
    }
};

}  // namespace optim
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
