// A contiguous range of a flat vector.
#pragma once

#include "hourglass/core/shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The values begin, begin + 1, …, begin + size - 1 of a flat vector: one layer's bias, for example.
struct Slice {
    Index begin = 0;  ///< the first of them
    Index size = 0;   ///< how many

    /// One past the last value.
    constexpr Index end() const { return begin + size; }
    friend constexpr bool operator==(const Slice&, const Slice&) = default;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
