// A Aᵀ, of which only what lies on and above the diagonal is multiplied: in blocks of columns, for threads to share.
#pragma once

#include <algorithm>

#include "hourglass/core/workers.hpp"
#include "hourglass/kernels/product.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

inline constexpr Index symmetric_columns = 32;

constexpr Index symmetric_blocks(Index rows) { return (rows + symmetric_columns - 1) / symmetric_columns; }

/// Adds block number `block` of C = A Aᵀ, for A of rows × depth, one column after the other. Larger ones come first, so
/// that threads, which take the next one each, end at about the same time.
template <class T>
void add_symmetric_block(Index block, Index rows, Index depth, const T* a, T* c) {
    const Index begin = (symmetric_blocks(rows) - 1 - block) * symmetric_columns,
                end = std::min(rows, begin + symmetric_columns);
    add_product(end, end - begin, depth, a, rows, {a + begin, rows, 1}, c + begin * rows, rows);
}
/// Gives C, when all blocks have been added, its values below the diagonal.
template <class T>
void mirror_upper(Index rows, T* c) {
    for (Index j = 0; j < rows; ++j)
        for (Index i = j + 1; i < rows; ++i) c[i + j * rows] = c[j + i * rows];
}
/// C = A Aᵀ, on a team's threads.
template <class T>
void symmetric_product(core::Team* team, Index rows, Index depth, const T* a, T* c) {
    std::fill_n(c, rows * rows, T(0));
    core::each_task(team, symmetric_blocks(rows), [&](Index block) { add_symmetric_block(block, rows, depth, a, c); });
    mirror_upper(rows, c);
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
