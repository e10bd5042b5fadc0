// Columns of a batch without gaps between them, where they lie or copied onto a tape.
#pragma once

#include <algorithm>

#include "hourglass/core/arena.hpp"
#include "hourglass/core/batch.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

// Columns first … first + n − 1 of a batch, copied one after the other.
template <class T>
void copy_columns(const Input<T>& from, Index first, Index n, T* to) {
    for (Index j = 0; j < n; ++j)
        std::copy_n(from.data() + (first + j) * from.outerStride(), from.rows(), to + j * from.rows());
}
template <class T>
bool is_packed(const Input<T>& x) {
    return x.outerStride() == x.rows() || x.cols() == 1;
}
// The same columns without gaps: the batch's own memory, or a copy in the arena, for which there is `room_for`.
template <class T>
const T* packed(const Input<T>& x, Index first, Index n, Arena<T>& arena) {
    if (is_packed(x)) return x.data() + first * x.rows();
    T* const columns = arena.take(x.rows() * n);
    copy_columns(x, first, n, columns);
    return columns;
}
template <class T>
Index room_for(const Input<T>& x, Index n) {
    return is_packed(x) ? 0 : whole_lines<T>(x.rows() * n);
}
template <class T>
Index room_for(const Batch<T>& x, Index n) {
    return room_for(x.x, n) + room_for(x.condition, n);
}
// Gives dx these values. Eigen frees before it asks for memory: where that fails, dx is empty.
template <class T>
void assign_columns(Matrix<T>& dx, const T* values, Index rows, Index columns) {
    if (dx.rows() != rows || dx.cols() != columns) {
        dx.resize(0, 0);
        dx.resize(rows, columns);
    }
    std::copy_n(values, rows * columns, dx.data());
}

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
