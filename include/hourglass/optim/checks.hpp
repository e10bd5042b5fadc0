// Sentences for hyperparameters that are out of range, shared by optimisers, schedules and clipping.
#pragma once

#include <limits>
#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace optim {

// Each looks for NaN and infinity by bit pattern first: under -ffast-math a comparison with NaN may say anything.

/// `Error` unless `value` is finite and not negative. `who` is the type, `what` its hyperparameter.
inline void require_not_negative(std::string_view who, std::string_view what, double value) {
    if (!is_finite(value) || value < 0) fail(who, ": ", what, " must be finite and at least 0, got ", value);
}

/// `Error` unless `value` is finite and larger than 0, also after rounding to float.
inline void require_positive(std::string_view who, std::string_view what, double value) {
    if (!is_finite(value) || value < double{std::numeric_limits<float>::min()})
        fail(who, ": ", what, " must be finite and larger than 0, got ", value);
}

/// `Error` unless `value` is in [0, 1).
inline void require_below_one(std::string_view who, std::string_view what, double value) {
    if (!is_finite(value) || value < 0 || value >= 1) fail(who, ": ", what, " must be in [0, 1), got ", value);
}

/// Whether `value` is finite in T: a double may be too large for a float.
template <class T>
bool finite_in(double value) {
    constexpr double largest{std::numeric_limits<T>::max()};
    return is_finite(value) && value >= -largest && value <= largest;
}

/// `Error` unless `value` is finite in T.
template <class T>
void require_finite_in(std::string_view who, std::string_view what, double value) {
    if (!finite_in<T>(value))
        fail(who, ": ", what, " is ", value, ", not a finite number in ", sizeof(T) == 4 ? "float" : "double");
}

}  // namespace optim
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
