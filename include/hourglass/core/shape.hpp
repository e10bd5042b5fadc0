// The shape of one sample. Batches are matrices of `size()` rows and one column per sample.
#pragma once

#include <Eigen/Core>
#include <ostream>
#include <string>

#include "hourglass/core/error.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Sizes and positions: a signed number, as in Eigen.
using Index = Eigen::Index;

/// Rows and columns of a window, a stride or a picture. `Extent{3, 2}`; a single number stands for both, so that a
/// layer is `Conv2D<16, 3>` or `Conv2D<16, Extent{3, 2}>`. A structural type, so it can be a template argument.
struct Extent {
    Index rows = 1;     ///< down
    Index columns = 1;  ///< across

    constexpr Extent(Index both) : rows(both), columns(both) {}
    constexpr Extent(Index rows_, Index columns_) : rows(rows_), columns(columns_) {}
    /// rows · columns.
    constexpr Index count() const { return rows * columns; }
    friend constexpr bool operator==(const Extent&, const Extent&) = default;
};

/// Extents of one sample: `channels` values at each position, channels fastest in memory. A plain feature vector of d
/// values is `Shape{d}`, a series of 288 steps of one channel `Shape{1, 288}`, a colour picture `Shape{3, rows,
/// columns}`, whose columns are faster than its rows. A structural type, so it can be a template argument.
struct Shape {
    Index channels = 1;  ///< values at each position, features of a plain vector
    Index length = 1;    ///< positions of a series, or rows of a picture
    Index columns = 1;   ///< of a picture

    /// Positions, each of `channels` values: length · columns.
    constexpr Index positions() const { return length * columns; }
    /// Values in one sample: channels · positions.
    constexpr Index size() const { return channels * positions(); }
    friend constexpr bool operator==(const Shape&, const Shape&) = default;
};

/// "784" for a plain vector, "32 x 144" (channels x length) for a series, "3 x 32 x 32" for a picture.
inline std::string text(const Shape& shape) {
    return shape.positions() == 1 ? core::message_of(shape.channels)
           : shape.columns == 1   ? core::message_of(shape.channels, " x ", shape.length)
                                  : core::message_of(shape.channels, " x ", shape.length, " x ", shape.columns);
}

/// "3" for a square, "3 x 2" (rows x columns) for what is none.
inline std::string text(const Extent& extent) {
    return extent.rows == extent.columns ? text(extent.rows) : core::message_of(extent.rows, " x ", extent.columns);
}

inline std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << text(shape); }

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
