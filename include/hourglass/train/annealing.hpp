// How a weight such as the β of a variational autoencoder changes with the steps of training.
#pragma once

#include "hourglass/core/error.hpp"
#include "hourglass/core/shape.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// What is not for users.
namespace train {

/// `Error` if `step`, counted from 0, is negative.
inline void require_step(const char* who, Index step) {
    if (step < 0) fail(who, ": the step must be at least 0, got ", step);
}

}  // namespace train

/// From `from` to `to` in equal changes over the first `steps` steps, then `to` (Bowman et al. 2016 warm up the
/// divergence so). `Error` for less than one step in all, and for a negative one.
///
///     const hg::LinearAnnealing annealing{.steps = 1000};
///     …
///     model.term<hg::GaussianLatent>().beta = annealing(adam.steps());    // before each gradient
struct LinearAnnealing {
    Index steps;      ///< at least 1
    double from = 0;  ///< the value at step 0
    double to = 1;    ///< the value from step `steps` on

    /// The value at a step, from 0.
    double operator()(Index step) const {
        if (steps < 1) fail("LinearAnnealing: steps must be at least 1, got ", steps);
        train::require_step("LinearAnnealing", step);
        return step >= steps ? to : from + (to - from) * static_cast<double>(step) / static_cast<double>(steps);
    }
};

/// Again and again, every `period` steps, from `from` to `to` over the first `ramp` of the period (a fraction of it),
/// and `to` for the rest of it (Fu et al. 2019, whose ramp is a half). `Error` for a period below 1, a ramp outside
/// (0, 1], and a negative step.
struct CyclicalAnnealing {
    Index period;       ///< steps, at least 1
    double ramp = 0.5;  ///< fraction of the period that rises, in (0, 1]
    double from = 0;    ///< the value at the start of a period
    double to = 1;      ///< the value behind the ramp

    /// The value at a step, from 0.
    double operator()(Index step) const {
        if (period < 1) fail("CyclicalAnnealing: the period must be at least 1, got ", period);
        if (!(is_finite(ramp) && ramp > 0 && ramp <= 1))
            fail("CyclicalAnnealing: the ramp must be in (0, 1], got ", ramp);
        train::require_step("CyclicalAnnealing", step);
        const double risen = static_cast<double>(step % period) / (static_cast<double>(period) * ramp);
        return risen >= 1 ? to : from + (to - from) * risen;
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
