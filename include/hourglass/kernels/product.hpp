// Matrix products, added to their result or written over it, on the calling thread and without memory of their own.
//
// The tile of the result that is worked on stays in registers. A is read in place where it has few columns of B to
// serve or its own lie close together; else, where it is transposed, and where that fills up a last packet of rows, a
// block of it is laid out on the stack first, stripe by stripe (Goto and van de Geijn 2008). B is read where it lies,
// unless its rows lie about 4 KiB apart: then some columns of it are laid out instead, and A is read in place.
// That needs no allocation at any size, lets B be overlapping windows of a series, and gives a column the same bits
// whichever batch it stands in. Only Eigen's packets are used: its vector registers.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/prefetch.hpp"
#include "hourglass/kernels/product_last_rows.hpp"
#include "hourglass/kernels/product_tile.hpp"
#include "hourglass/kernels/transpose.hpp"
#include "hourglass/kernels/transposed_column.hpp"

// Eigen's packets are vectors with attributes, which g++ remarks that it leaves out of a template's name.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

// From how many values on A is prefetched: a smaller one stays in a cache near enough that asking costs more than
// it saves. A layer's weights, read for the first time since the last step and used for many columns, are worth it much
// sooner than a gradient written a moment ago.
inline constexpr Index prefetched_from = 1 << 19, weights_prefetched_from = 1 << 16, many_columns = 192;

// How deep the blocks of a contraction are: alike, as each walks over all of C.
template <class T>
Index even_depth(Index depth, const Factor<T>& b) {
    const Index most = b.down == 1 ? product_depth : product_depth_in_rows, blocks = (depth + most - 1) / most;
    return blocks == 0 ? 0 : (depth + 16 * blocks - 1) / (16 * blocks) * 16;
}

/// What a product is added to. With `accumulate` it is what C holds (BLAS's β = 1); else the product is assigned (β =
/// 0), on top of the same `column` everywhere unless that is null, and what C held is not read.
template <class T>
struct Initial {
    bool accumulate = true;
    const T* column = nullptr;
};

// A block's rows, those that fill packets (of at least four values, where the processor has such) first.
template <class T, bool Segments>
void add_block(Index rows, Index columns, const Block<T, Segments>& block, Prefetch<T>& prefetch) {
    Index done = 0;
    if (rows >= std::min<Index>(4, Eigen::internal::packet_traits<T>::size))
        done = add_stripes<typename Eigen::internal::packet_traits<T>::type>(0, rows, columns, block, prefetch);
    if (done < rows) add_last_rows(rows - done, columns, block.below(done));
}

// A stripe's rows.
template <class T>
inline constexpr Index stripe_rows = static_cast<Index>(tallest) * Eigen::internal::packet_traits<T>::size;

// The rows of the deepest blocks of A, laid out or not: as many as lie in 96 KiB of the stack.
template <class T>
inline constexpr Index block_rows =
    std::max<Index>(1, (96 << 10) / (product_depth * static_cast<Index>(sizeof(T)) * stripe_rows<T>)) * stripe_rows<T>;

// Shallow blocks have more rows, in the same memory: what is read of B then serves more of them.
inline constexpr Index most_times_rows = 8;
template <class T>
Index rows_of_blocks(Index depth) {
    return depth == 0 ? block_rows<T> : block_rows<T> * std::clamp<Index>(product_depth / depth, 1, most_times_rows);
}

// The same of an A that is read in place from copies of B: few blocks, as each copies all of B, and alike, as all must
// be worth that.
template <class T>
Index even_rows(Index rows) {
    constexpr Index most = most_times_rows * block_rows<T>, tall = stripe_rows<T>;
    const Index blocks = (rows + most - 1) / most;
    return (rows + tall * blocks - 1) / (tall * blocks) * tall;
}

// A mask of the last packet of a stripe: the lanes that are among its first `rows`.
inline std::uint16_t rows_kept(Index rows, Index stripe) {
    return static_cast<std::uint16_t>(0xffff >> (stripe - rows));
}

/// The left factor, A(i, k) = values[i + k·step], or values[k + i·step] where it is transposed.
template <class T>
struct Left {
    const T* values;
    Index step;
    bool transposed;

    // to = that block of A, `rows` values a column.
    EIGEN_DONT_INLINE void lay_out(Index row, Index rows, Index k, Index depth, T* to) const {
        if (transposed)
            transpose(rows, depth, values + k + row * step, step, to);
        else
            for (Index j = 0; j < depth; ++j) std::copy_n(values + row + (k + j) * step, rows, to + j * rows);
    }
    // to = those stripes of A, one behind the other.
    EIGEN_DONT_INLINE void lay_out_stripes(Index row, Index stripes, Index k, Index depth, T* to) const {
        using Packet = typename Eigen::internal::packet_traits<T>::type;
        constexpr Index tall = stripe_rows<T>, lanes = Eigen::internal::packet_traits<T>::size;
        if (transposed) {
            for (Index i = 0; i < stripes; ++i, to += tall * depth)
                transpose_squares<Packet>(0, tall, depth, values + k + (row + i * tall) * step, step, to, tall);
            return;
        }
        for (Index i = 0; i < stripes; ++i) {
            const T* from = values + row + i * tall + k * step;
            for (Index j = 0; j < depth; ++j, from += step)
                for (std::size_t r = 0; r < tallest; ++r, to += lanes)  // std::copy_n would be a call
                    Eigen::internal::pstoreu(to, Eigen::internal::ploadu<Packet>(from + static_cast<Index>(r) * lanes));
        }
    }
    // to = those rows of A as a stripe of so many packets, the last of which reaches beyond them.
    EIGEN_DONT_INLINE void lay_out_last_stripe(Index row, Index rows, Index height, Index k, Index depth, T* to) const {
        using Packet = typename Eigen::internal::packet_traits<T>::type;
        constexpr Index lanes = Eigen::internal::packet_traits<T>::size;
        if (transposed) {
            transpose_squares<Packet>(0, height * lanes, depth, values + k + row * step, step, to, rows);
            return;
        }
        const std::uint16_t kept = rows_kept(rows, height * lanes);
        const T* from = values + row + k * step;
        for (Index j = 0; j < depth; ++j, from += step - (height - 1) * lanes, to += lanes) {
            for (Index r = 1; r < height; ++r, from += lanes, to += lanes)
                Eigen::internal::pstoreu(to, Eigen::internal::ploadu<Packet>(from));
            Eigen::internal::pstoreu(to, Eigen::internal::ploadu<Packet>(from, kept));
        }
    }
    Prefetch<T> prefetch(Index row, Index rows, Index k, Index depth) const {
        return transposed ? Prefetch<T>{values + k + row * step, step, rows, depth}
                          : Prefetch<T>{values + row + k * step, step, depth, rows};
    }
};

// How many of a block's rows are worked in packets, the contraction's terms one after the other: all but those that are
// dot products.
template <class T>
Index rows_in_order(Index rows, Index depth, const Factor<T>& b) {
    return are_dots(depth, b) ? rows / 4 * 4 : rows;
}

// Whether the rows beside whole packets are worth a copy of A, which costs about as much as eight columns, to be worked
// as another packet: in place they would be two or three stripes of halves and quarters, each of which takes as long.
// With few columns the copy of all rows costs more than that.
template <class T>
bool is_worth_a_packet(Index rows, Index columns, Index depth, const Factor<T>& b) {
    using Packet = typename Eigen::internal::packet_traits<T>::type;
    const Index rest = rows_in_order(rows, depth, b) % Eigen::internal::packet_traits<T>::size;
    return may_reach_beyond<Packet> && rest > 4 && rest != 8 && 2 * columns > rows;
}

// How many columns of B make a copy of an A with scattered columns worth it. Stripes that read three cache lines of
// each column lose little in place (measured up to A of 4 MiB; of larger ones, more).
template <class T>
Index columns_worth_a_copy(Index values) {
    constexpr Index bytes = static_cast<Index>(sizeof(T));
    if (stripe_rows<T> * bytes < 192) return 32;
    return values * bytes > 4 << 20 ? 96 : 160;
}

// Which factor is read from a copy.
enum class Copied { Neither, Left, Right };

// How many columns of the right factor are copied at a time: 24 KiB, which the nearest cache has room for.
template <class T>
inline constexpr Index right_columns = std::max<Index>(1, (24 << 10) /
                                                              (product_depth_in_rows * static_cast<Index>(sizeof(T))));

// Whether a right factor in rows is worth a copy: where the rows of a block are spread over 432 KiB, which rows 4 KiB
// apart or more count as, and enough rows of A are served by it. Not where A's last rows are worth a packet, for which
// A is copied instead: that is worth more. All of it is measured, with floats: with rows 4000 bytes apart and 500 to
// 1000 rows of A, 9 to 18 % more with AVX-512, 3 to 5 % with AVX2; with rows further apart up to a quarter; below 3400
// bytes little, and with fewer rows, or a contraction of 64, often a loss. On pages of 2 MiB it is the same: that many
// pages are touched is not the cause.
template <class T>
bool is_right_worth_a_copy(Index rows, Index columns, Index depth, const Factor<T>& b) {
    const Index apart = std::min<Index>(b.down * static_cast<Index>(sizeof(T)), 4 << 10);
    return Eigen::internal::packet_traits<T>::size > 1 && b.across == 1 && even_depth(depth, b) * apart >= 432 << 10 &&
           rows >= 192 && columns >= 2 * right_columns<T> && !is_worth_a_packet(rows, columns, depth, b);
}

// The rows beside whole stripes as one more stripe.
template <class T>
void add_last_stripe(const Left<T>& a, Index row, Index rows, Index k, Index columns, Block<T> block, T* copy,
                     Prefetch<T>& prefetch) {
    using Packet = typename Eigen::internal::packet_traits<T>::type;
    constexpr Index lanes = Eigen::internal::packet_traits<T>::size;
    const Index height = (rows + lanes - 1) / lanes;
    a.lay_out_last_stripe(row, rows, height, k, block.depth, copy);
    block.a = copy, block.a_step = height * lanes, block.kept = rows_kept(rows, height * lanes);
    if (height == 3)
        add_stripes_of<Packet, 3>(1, columns, block, prefetch);
    else if (height == 2)
        add_stripes_of<Packet, 2>(1, columns, block, prefetch);
    else
        add_stripes_of<Packet, 1>(1, columns, block, prefetch);
}

// A block's product from a copy of A, stripe after stripe, so that each is read from one run of memory.
template <class T>
void add_laid_out(const Left<T>& a, Index row, Index rows, Index k, Index columns, Block<T> block, T* copy,
                  Prefetch<T>& prefetch) {
    using Packet = typename Eigen::internal::packet_traits<T>::type;
    constexpr Index tall = stripe_rows<T>;
    const Index stripes = rows / tall;
    block.a = copy;
    Index done = stripes * tall;
    if (stripes > 0) {
        a.lay_out_stripes(row, stripes, k, block.depth, copy);
        block.a_step = tall, block.a_stripe = tall * block.depth;
        add_stripes_of<Packet, tallest>(stripes, columns, block, prefetch);
    }
    block.a_stripe = 0;
    if constexpr (may_reach_beyond<Packet>) {
        const Index more = rows_in_order(rows - done, block.depth, block.b);
        if (more > 0) add_last_stripe(a, row + done, more, k, columns, block.below(done), copy, prefetch);
        done += more;
    }
    if (done == rows) return;
    a.lay_out(row + done, rows - done, k, block.depth, copy);
    block = block.below(done);
    block.a = copy, block.a_step = rows - done;
    add_block(rows - done, columns, block, prefetch);
}

// C = initial + A B, a block of A at a time: laid out on the stack first, or read in place, from B or a copy of some of
// its columns. The next block of A is asked for ahead if A has at least `least_prefetched` values, but not where B is
// copied.
template <class T>
EIGEN_DONT_INLINE void add_by_blocks(Index rows, Index columns, Index depth, const Left<T>& a, Copied copied,
                                     const Factor<T>& b, T* c, Index c_step, Initial<T> initial,
                                     Index least_prefetched) {
    // On a cache line: values that straddle two of them are read at half the speed.
    alignas(64) T copy[block_rows<T> * product_depth];
    T zero[most_times_rows * block_rows<T>];
    static_assert(right_columns<T> * product_depth_in_rows <= block_rows<T> * product_depth);
    const bool right = copied == Copied::Right;
    const Index block_depth = even_depth(depth, b), at_once = right ? right_columns<T> : columns,
                most = right ? even_rows<T>(rows) : rows_of_blocks<T>(block_depth);
    if (!initial.accumulate && !initial.column)
        std::fill_n(zero, std::min(most, rows), T(0));  // a scalar type's own default may be no value
    for (Index k = 0; k < depth; k += block_depth) {
        const Index deep = std::min(block_depth, depth - k);
        const bool accumulate = initial.accumulate || k > 0;
        for (Index row = 0; row < rows; row += most) {
            const Index tall = std::min(most, rows - row), rest = std::min(most, rows - row - tall);
            Prefetch<T> prefetch = !right && rest > 0 && rows * depth >= least_prefetched
                                       ? a.prefetch(row + tall, rest, k, deep)
                                       : Prefetch<T>{};
            Block<T> block{deep,
                           copied == Copied::Left ? nullptr : a.values + row + k * a.step,
                           a.step,
                           b.from(k, 0),
                           accumulate       ? c + row
                           : initial.column ? initial.column + row
                                            : zero,
                           accumulate ? c_step : 0,
                           c + row,
                           c_step};
            if (copied == Copied::Left) {
                add_laid_out(a, row, tall, k, columns, block, copy, prefetch);
                continue;
            }
            for (Index j = 0; j < columns; j += at_once) {
                const Index some = std::min(at_once, columns - j);
                if (right) {
                    for (Index i = 0; i < deep; ++i) std::copy_n(b.from(k + i, j).values, some, copy + i * at_once);
                    block.b = {copy, at_once, 1};
                }
                Block<T> part = block;
                part.from += j * block.from_step, part.c += j * c_step;
                add_block(tall, some, part, prefetch);
            }
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
        const Index block_depth = even_depth(depth, b);
        Prefetch<T> nothing;
        for (Index k = 0; k < depth; k += block_depth) {
            const Block<T> block{
                std::min(block_depth, depth - k), a + k * a_step, a_step, b.from(k, 0), c, c_step, c, c_step};
            add_block(rows, columns, block, nothing);
        }
        return;
    }
    // An A of few rows, whose columns follow each other, gains little by a copy, unless that fills up a last packet.
    const bool scattered = a_step >= 128 && columns >= columns_worth_a_copy<T>(rows * depth);
    const bool left = scattered || (columns >= 32 && is_worth_a_packet(rows, columns, depth, b));
    const Copied copied = is_right_worth_a_copy(rows, columns, depth, b) ? Copied::Right
                          : left                                         ? Copied::Left
                                                                         : Copied::Neither;
    const Index least_prefetched = b.down == 1 && columns >= many_columns ? weights_prefetched_from : prefetched_from;
    add_by_blocks<T>(rows, columns, depth, {a, a_step, false}, copied, b, c, c_step, initial, least_prefetched);
}

/// C += Aᵀ B for A of depth × rows (`a[k + i·a_step]`), B of depth × columns in columns and C of rows × columns;
/// `initial` as in `add_product`.
template <class T>
void add_transposed_product(Index rows, Index columns, Index depth, const T* a, Index a_step, const T* b, Index stride,
                            T* c, Index c_step, Initial<T> initial = {}) {
    if (columns == 1 || depth == 0) {  // every value of A is used only once: no copy of it
        store_initial(rows, columns, c, c_step, initial);
        if (depth > 0) add_transposed_column(rows, depth, even_depth<T>(depth, {b, 1, stride}), a, a_step, b, c);
        return;
    }
    add_by_blocks<T>(rows, columns, depth, {a, a_step, true}, Copied::Left, {b, 1, stride}, c, c_step, initial,
                     prefetched_from);
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma GCC diagnostic pop
