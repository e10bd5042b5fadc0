// What windows see of a picture, and where their outputs lie.
#pragma once

#include "hourglass/core/shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

/// Windows that slide over a picture (channels × columns × rows): window (p, q) sees positions
/// (p·step − before + i, q·step − before + k), i and k over its rows and columns of taps. Outside the picture is zero.
struct PictureFrames {
    Index channels;
    Extent size, count, step, taps, before;

    /// Values of one row of taps.
    constexpr Index run() const { return taps.columns * channels; }
    /// Rows and columns that `rows` rows of windows see.
    constexpr Index rows_seen(Index rows) const { return (rows - 1) * step.rows + taps.rows; }
    constexpr Index columns_seen() const { return (count.columns - 1) * step.columns + taps.columns; }
    constexpr bool inside() const {
        return before.rows <= 0 && before.columns <= 0 && rows_seen(count.rows) - before.rows <= size.rows &&
               columns_seen() - before.columns <= size.columns;
    }
};

// Where the outputs of windows lie: values from one row of windows to the next, and from one column.
template <class T>
struct Outputs {
    T* values;
    Index row_step, column_step;
};

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
