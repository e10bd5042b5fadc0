// What is done about gradients and losses that are infinite or not a number.
#pragma once

#include "hourglass/core/error.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// What `step` does when the gradient holds an infinity or a NaN. It looks at the bits, so `-ffast-math` hides nothing.
/// The same choice on a tape is about objectives and losses: thrown, or else returned as they are.
enum class NonFinite {
    Throw,    ///< throws `Error` naming the first such position; parameters and optimiser stay as they were
    Skip,     ///< does nothing and returns false; parameters, moments and step count stay as they were
    Continue  ///< does not look; the values spread into parameters and moments
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
