// A bias on every column of a batch, and its gradient.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/core/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

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
/// for that are taken for parts of longer ones first.
template <class T>
EIGEN_DONT_INLINE void add_columns(Index rows, Index columns, const T* dy, T* db) {
    constexpr Index longer = 64;
    if (const Index parts = longer / rows; parts > 1 && columns >= 16 * parts) {
        T sums[longer];
        std::fill_n(sums, longer, T(0));  // a scalar type's own default may be no value
        const Index whole = columns / parts;
        add_columns(rows * parts, whole, dy, sums);
        for (Index part = 0; part < parts; ++part)
            for (Index i = 0; i < rows; ++i) db[i] += sums[part * rows + i];
        dy += whole * parts * rows;
        columns -= whole * parts;
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

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
