// How a weight such as the β of a variational autoencoder changes with the steps of training.
#pragma once

#include "hourglass/core/shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// From `from` to `to` in equal parts over the first `steps` steps, then `to` (Bowman et al. 2016 warm up the
/// divergence so). `Error` for less than one step.
///
///     model.template term<hg::GaussianLatent>().beta = warm_up(adam.steps());
struct LinearAnnealing {
    Index steps;
    double from = 0, to = 1;

    double operator()(Index step) const {
        if (steps < 1) fail("LinearAnnealing: steps must be at least 1, got ", steps);
        return step >= steps ? to : from + (to - from) * static_cast<double>(step) / static_cast<double>(steps);
    }
};

/// Again and again, every `period` steps, from `from` to `to` over the first `ramp` of the period (a part of 1), and
/// `to` for the rest of it (Fu et al. 2019, whose ramp is a half). `Error` for a period below 1 or a ramp outside
/// (0, 1].
struct CyclicalAnnealing {
    Index period;
    double ramp = 0.5;
    double from = 0, to = 1;

    double operator()(Index step) const {
        if (period < 1) fail("CyclicalAnnealing: the period must be at least 1, got ", period);
        if (!(ramp > 0 && ramp <= 1)) fail("CyclicalAnnealing: the ramp must be in (0, 1], got ", ramp);
        const double part = static_cast<double>(step % period) / (static_cast<double>(period) * ramp);
        return part >= 1 ? to : from + (to - from) * part;
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
