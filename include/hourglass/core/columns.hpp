// A bias on every column of a batch, and its gradient.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/core/pack.hpp"

namespace hourglass::inline HOURGLASS_ABI {

/// y = bias in every column of `rows` values, or 0 without one. Not inlined: one copy serves all layers.
template <class T>
EIGEN_DONT_INLINE void fill_columns(Index rows, Index columns, const T* bias, T* y) {
    for (Index j = 0; j < columns; ++j)
        bias ? std::copy_n(bias, rows, y + j * rows) : std::fill_n(y + j * rows, rows, T(0));
}

/// db += the sum of the columns of dy. Column by column, four at a time, dy is read once, in order.
template <class T>
EIGEN_DONT_INLINE void add_columns(Index rows, Index columns, const T* dy, T* db) {
    Index j = 0;
    for (; j + 4 <= columns; j += 4, dy += 4 * rows)
        each_pack(
            rows,
            [](Pack<T>& sum, const Pack<T>& a, const Pack<T>& b, const Pack<T>& c, const Pack<T>& d) {
                sum += (a + b) + (c + d);
            },
            db, dy, dy + rows, dy + 2 * rows, dy + 3 * rows);
    for (; j < columns; ++j, dy += rows)
        each_pack(
            rows, [](Pack<T>& sum, const Pack<T>& a) { sum += a; }, db, dy);
}

}  // namespace hourglass::inline HOURGLASS_ABI
