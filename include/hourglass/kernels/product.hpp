// Matrix products, added to their result or written over it, on the calling thread and without memory of their own.
//
// The tile of the result that is worked on stays in registers, and both factors are read where they lie: none is packed
// into a buffer first, as Eigen's product does. With batches of a few hundred columns that is no slower for large
// layers and faster for small ones (benchmarks/product.cpp); it needs no allocation at any size, lets one factor be
// overlapping windows of a series, and gives a column the same bits whichever batch it stands in. Only Eigen's packets
// are used: its vector registers.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <type_traits>
#include <utility>

#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/prefetch.hpp"
#include "hourglass/kernels/product_last_rows.hpp"
#include "hourglass/kernels/product_tile.hpp"
#include "hourglass/kernels/transpose.hpp"

// Eigen's packets are vectors with attributes, which g++ remarks that it leaves out of a template's name.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

// An A of fewer values is not prefetched: it stays in a cache near enough that asking costs more than it saves. A
// layer's weights, read for the first time since the last step and used for many columns, are worth it much sooner than
// a gradient written a moment ago.
inline constexpr Index product_prefetched = 1 << 19, weights_prefetched = 1 << 16, many_columns = 192;

// How deep the blocks of a contraction are: alike, as each walks over all of C.
constexpr Index even_depth(Index depth) {
    const Index blocks = (depth + product_depth - 1) / product_depth;
    return blocks == 0 ? 0 : (depth + 16 * blocks - 1) / (16 * blocks) * 16;
}

/// What a product is added to. With `accumulate` it is what C holds (BLAS's β = 1); else the product is assigned (β =
/// 0), on top of the same `column` everywhere unless that is null, and what C held is not read.
template <class T>
struct Initial {
    bool accumulate = true;
    const T* column = nullptr;
};

// A block's rows, those that fill packets first.
template <class T, bool Segments>
void add_block(Index rows, Index columns, const Block<T, Segments>& block, Prefetch<T>& prefetch) {
    Index done = 0;
    if (rows >= 4)
        done = add_stripes<typename Eigen::internal::packet_traits<T>::type>(0, rows, columns, block, prefetch);
    if (done < rows) add_last_rows(rows - done, columns, block.below(done));
}

// C = initial + A B, where A is shown a stripe at a time: stripe(row, rows, k, depth, copy) returns where that block of
// A lies, `step` apart from column to column, perhaps in `copy`; next(row, rows, k, depth), where it lies untouched,
// for an A of at least `prefetched` values.
template <class T, class Stripe, class Next>
void add_by_stripes(Index rows, Index columns, Index depth, const Factor<T>& b, T* c, Index c_step, Initial<T> initial,
                    Index prefetched, Stripe stripe, Next next) {
    // On a cache line: values that straddle two of them are read at half the speed.
    alignas(64) T copy[product_rows * product_depth];
    T zero[product_rows];
    std::fill_n(zero, product_rows, T(0));  // a scalar type's own default may be no value
    const Index block_depth = even_depth(depth);
    for (Index k = 0; k < depth; k += block_depth) {
        const Index deep = std::min(block_depth, depth - k);
        const bool accumulate = initial.accumulate || k > 0;
        for (Index row = 0; row < rows; row += product_rows) {
            const Index tall = std::min(product_rows, rows - row), rest = std::min(product_rows, rows - row - tall);
            Prefetch<T> prefetch =
                rest > 0 && rows * depth >= prefetched ? next(row + tall, rest, k, deep) : Prefetch<T>{};
            const auto [a, a_step] = stripe(row, tall, k, deep, copy);
            const Block<T> block{deep,
                                 a,
                                 a_step,
                                 b.from(k, 0),
                                 accumulate       ? c + row
                                 : initial.column ? initial.column + row
                                                  : zero,
                                 accumulate ? c_step : 0,
                                 c + row,
                                 c_step};
            add_block(tall, columns, block, prefetch);
        }
    }
}

// Writes what a product is added to into C, for products that are not worked by stripes.
template <class T>
void store_initial(Index rows, Index columns, T* c, Index c_step, Initial<T> initial) {
    for (Index j = 0; j < columns && !initial.accumulate; ++j)
        for (Index i = 0; i < rows; ++i) c[i + j * c_step] = initial.column ? initial.column[i] : T(0);
}

/// C += A B for A of rows × depth (`a[i + k·a_step]`), B of depth × columns and C of rows × columns, `c[i + j·c_step]`;
/// `initial` may have C assigned instead, C = A B, or C = column + A B. Columns of C must not overlap; those of A and B
/// may.
template <class T>
void add_product(Index rows, Index columns, Index depth, const T* a, Index a_step,
                 const std::type_identity_t<Factor<T>>& b, T* c, Index c_step, Initial<T> initial = {}) {
    if (columns == 1 || depth == 0) {  // in the same blocks, to the same bits, but every value of A is used only once
        store_initial(rows, columns, c, c_step, initial);
        const Index block_depth = even_depth(depth);
        Prefetch<T> nothing;
        for (Index k = 0; k < depth; k += block_depth) {
            const Block<T> block{
                std::min(block_depth, depth - k), a + k * a_step, a_step, b.from(k, 0), c, c_step, c, c_step};
            add_block(rows, columns, block, nothing);
        }
        return;
    }
    // Columns of A that lie in a page each are brought together first, where there are too few registers to hide that.
    const bool scattered = !many_registers && columns >= 32 && a_step * static_cast<Index>(sizeof(T)) >= 2048;
    const Index prefetched = b.down == 1 && columns >= many_columns ? weights_prefetched : product_prefetched;
    add_by_stripes(
        rows, columns, depth, b, c, c_step, initial, prefetched,
        [=](Index row, Index tall, Index k, Index deep, T* copy) {
            const T* const block = a + row + k * a_step;
            if (!scattered) return std::pair{block, a_step};
            for (Index j = 0; j < deep; ++j) std::copy_n(block + j * a_step, tall, copy + j * tall);
            return std::pair{static_cast<const T*>(copy), tall};
        },
        [=](Index row, Index tall, Index k, Index deep) {
            return Prefetch<T>{a + row + k * a_step, a_step, deep, tall};
        });
}

/// C += Aᵀ B for A of depth × rows (`a[k + i·a_step]`), B of depth × columns in columns and C of rows × columns;
/// `initial` as in `add_product`.
template <class T>
void add_transposed_product(Index rows, Index columns, Index depth, const T* a, Index a_step, const T* b, Index stride,
                            T* c, Index c_step, Initial<T> initial = {}) {
    if (columns == 1 || depth == 0) {  // columns of A against one vector: transposing A would take longer
        store_initial(rows, columns, c, c_step, initial);
        for (Index i = 0; i < rows && depth > 0; ++i)
            c[i] += sum_packs<T>(
                depth, [](const Pack<T>& left, const Pack<T>& right) { return left * right; }, a + i * a_step, b);
        return;
    }
    add_by_stripes(
        rows, columns, depth, Factor<T>{b, 1, stride}, c, c_step, initial, product_prefetched,
        [=](Index row, Index tall, Index k, Index deep, T* copy) {
            transpose(tall, deep, a + k + row * a_step, a_step, copy);
            return std::pair{static_cast<const T*>(copy), tall};
        },
        [=](Index row, Index tall, Index k, Index deep) {
            return Prefetch<T>{a + k + row * a_step, a_step, tall, deep};
        });
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma GCC diagnostic pop
