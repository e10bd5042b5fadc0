// The shape of one sample. Batches are matrices of `size()` rows and one column per sample.
#pragma once

#include <Eigen/Core>
#include <ostream>
#include <string>

#include "hourglass/core/error.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

using Index = Eigen::Index;

/// Extents of one sample: `channels` values at each of `length` positions, channels fastest in memory. A plain feature
/// vector of d values is `Shape{d}`; a series of 288 steps of one channel is `Shape{1, 288}`. A structural type, so it
/// can be a template argument.
struct Shape {
    Index channels = 1;
    Index length = 1;

    /// Values in one sample: channels · length.
    constexpr Index size() const { return channels * length; }
    friend constexpr bool operator==(const Shape&, const Shape&) = default;
};

/// "784" for a plain vector, "32 x 144" (channels x length) for a sequence.
inline std::string text(const Shape& shape) {
    return shape.length == 1 ? text(shape.channels) : text(shape.channels) + " x " + text(shape.length);
}

inline std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << text(shape); }

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
