// The shape of one sample. Batches are matrices of `size()` rows and one column per sample.
#pragma once

#include <Eigen/Core>
#include <ostream>
#include <string>

#include "hourglass/core/error.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

using Index = Eigen::Index;

/// Extents of one sample: `channels` values at each position, channels fastest in memory. A plain feature vector of d
/// values is `Shape{d}`, a series of 288 steps of one channel `Shape{1, 288}`, a colour picture `Shape{3, rows,
/// columns}`, whose columns are faster than its rows. A structural type, so it can be a template argument.
struct Shape {
    Index channels = 1;
    Index length = 1;   ///< positions of a series, or rows of a picture
    Index columns = 1;  ///< of a picture

    /// Positions, each of `channels` values: length · columns.
    constexpr Index positions() const { return length * columns; }
    /// Values in one sample: channels · positions.
    constexpr Index size() const { return channels * positions(); }
    friend constexpr bool operator==(const Shape&, const Shape&) = default;
};

/// "784" for a plain vector, "32 x 144" (channels x length) for a series, "3 x 32 x 32" for a picture.
inline std::string text(const Shape& shape) {
    std::string shown = text(shape.channels);
    if (shape.positions() != 1) shown += " x " + text(shape.length);
    if (shape.columns != 1) shown += " x " + text(shape.columns);
    return shown;
}

inline std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << text(shape); }

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
