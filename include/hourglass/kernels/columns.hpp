// A bias on every column of a batch, and its gradient.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

/// y = bias in every column of `rows` values, or 0 without one. Not inlined: one copy serves all layers.
template <class T>
EIGEN_DONT_INLINE void fill_columns(Index rows, Index columns, const T* bias, T* y) {
    if (!bias || columns == 0) {
        std::fill_n(y, rows * columns, T(0));
        return;
    }
    // Short columns are copied many at a time, of those already there.
    Index done = 1;
    std::copy_n(bias, rows, y);
    while (done < columns) {
        const Index some = std::min({done, columns - done, std::max<Index>(1, 1024 / rows)});
        std::copy_n(y, some * rows, y + done * rows);
        done += some;
    }
}

/// db += the sum of the columns of dy. Column by column, eight at a time, dy is read once, in order; columns too short
/// for that are stacked to longer ones first.
template <class T>
EIGEN_DONT_INLINE void add_columns(Index rows, Index columns, const T* dy, T* db) {
    constexpr Index longer = 64;
    if (const Index stacked = longer / rows; stacked > 1 && columns >= 16 * stacked) {
        T sums[longer];
        std::fill_n(sums, longer, T(0));  // a scalar type's own default may be no value
        const Index whole = columns / stacked;
        add_columns(rows * stacked, whole, dy, sums);
        for (Index k = 0; k < stacked; ++k)
            for (Index i = 0; i < rows; ++i) db[i] += sums[k * rows + i];
        dy += whole * stacked * rows;
        columns -= whole * stacked;
    }
    Index j = 0;
    for (; j + 8 <= columns; j += 8, dy += 8 * rows)
        each_pack(
            rows,
            [](Pack<T>& sum, const Pack<T>& a, const Pack<T>& b, const Pack<T>& c, const Pack<T>& d, const Pack<T>& e,
               const Pack<T>& f, const Pack<T>& g,
               const Pack<T>& h) { sum += ((a + b) + (c + d)) + ((e + f) + (g + h)); },
            db, dy, dy + rows, dy + 2 * rows, dy + 3 * rows, dy + 4 * rows, dy + 5 * rows, dy + 6 * rows,
            dy + 7 * rows);
    for (; j < columns; ++j, dy += rows)
        each_pack(
            rows, [](Pack<T>& sum, const Pack<T>& a) { sum += a; }, db, dy);
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
