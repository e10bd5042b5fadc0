// Whether a validation metric has become better.
#pragma once

#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace train {

/// Whether `metric` is better than the best so far, if there is `any`, by more than `min_delta`; one that is not finite
/// never is. `options` say which way is better.
template <class Options>
bool improves(double metric, bool any, double best, const Options& options) {
    if (!is_finite(metric)) return false;
    if (!any) return true;
    return options.maximise ? metric - options.min_delta > best : metric + options.min_delta < best;
}

}  // namespace train
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
