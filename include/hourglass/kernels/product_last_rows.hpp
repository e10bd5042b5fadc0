// The last rows of a matrix product, which fill no packet.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <utility>

#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/product_tile.hpp"

// Eigen's packets are vectors with attributes, which g++ remarks that it leaves out of a template's name.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

// One row of A, `left`, against as many columns of B from column `j0` on as J has numbers: packets run along the
// contraction, and are summed up at the end. What fills no packet is padded with zeros, so that a column's bits do not
// depend on how many are worked at once.
template <class T, bool Segments, std::size_t... J>
void add_dots(std::index_sequence<J...>, const T* left, const Block<T, Segments>& p, Index j0) {
    namespace packets = Eigen::internal;
    using Packet = typename packets::packet_traits<T>::type;
    constexpr Index lanes = packets::unpacket_traits<Packet>::size, count = sizeof...(J);
    const Index depth = p.depth, stride = p.b.across;
    const T* right = p.b.from(0, j0).values;
    Packet sum[] = {((void)J, packets::pset1<Packet>(T(0)))...};
    const auto multiply = [&sum](const T* row, const T* from, Index step) {
        const Packet factor = packets::ploadu<Packet>(row);
        ((sum[J] = packets::pmadd(factor, packets::ploadu<Packet>(from + static_cast<Index>(J) * step), sum[J])), ...);
    };
    const auto one_segment = [&] {
        Index k = 0;
        for (; k + lanes <= depth; k += lanes) multiply(left + k, right + k, stride);
        if (k < depth) {
            T rest[static_cast<std::size_t>(count * lanes)];
            for (Index j = 0; j < count; ++j)
                for (Index i = 0; i < lanes; ++i)
                    rest[j * lanes + i] = k + i < depth ? right[k + i + j * stride] : T(0);
            multiply(left + k, rest, lanes);
        }
    };
    one_segment();
    if constexpr (Segments)
        for (Index segment = 1; segment < p.segments; ++segment) {
            left += depth, right += p.b_segment;
            one_segment();
        }
    const auto store = [&](Index j, const Packet& one) {
        p.c[j * p.c_step] = p.from[j * p.from_step] + partial_sum<T>(packets::predux(partial_sum<T>(one)));
    };
    (store(j0 + static_cast<Index>(J), sum[J]), ...);
}

// One row against columns that lie one value after the other.
template <class T, bool Segments>
EIGEN_DONT_INLINE void add_row_of_dots(Index columns, const Block<T, Segments>& p) {
    constexpr Index lanes = Eigen::internal::packet_traits<T>::size;
    T left[static_cast<std::size_t>(product_depth + lanes)];
    const Index depth = p.depth * p.segments;
    eigen_assert(depth <= product_depth);
    for (Index k = 0; k < depth; ++k) left[k] = p.a[k * p.a_step];
    std::fill_n(left + depth, lanes, T(0));  // to the end of the last packet
    Index j = 0;
    for (; j + 8 <= columns; j += 8) add_dots(std::make_index_sequence<8>{}, left, p, j);
    for (; j < columns; ++j) add_dots(std::make_index_sequence<1>{}, left, p, j);
}

// The shortest contraction that is worth the sums of dot products.
template <class T>
inline constexpr Index shortest_dots = 3 * Eigen::internal::packet_traits<T>::size;

// Whether the last rows of a block are worked as dot products: of another order of sums, so all who ask must ask here.
template <class T>
bool are_dots(Index depth, const Factor<T>& b) {
    return b.down == 1 && depth >= shortest_dots<T>;
}

// One to three rows, as a packet of four in copies on the stack, a few columns at a time.
template <class T, bool Segments>
EIGEN_DONT_INLINE void add_rows_in_copies(Index rows, Index columns, const Block<T, Segments>& p) {
    namespace packets = Eigen::internal;
    using Half = typename packets::unpacket_traits<typename packets::packet_traits<T>::type>::half;
    using Packet = typename packets::unpacket_traits<Half>::half;
    constexpr Index tall = packets::unpacket_traits<Packet>::size, wide = 12;
    Prefetch<T> nothing;
    // Where there are dot products, a single segment's B is in rows, or its contraction too short for them.
    constexpr bool dots = !Segments && packets::packet_traits<T>::size > 1;
    constexpr Index deepest = dots ? std::max(product_depth_in_rows, shortest_dots<T>) : product_depth;
    eigen_assert(p.depth * p.segments <= deepest);
    T left[deepest * tall], sums[wide * tall];
    for (Index row = 0; row < rows; row += tall) {
        const Index real = std::min(tall, rows - row);
        for (Index k = 0; k < p.depth * p.segments; ++k)
            for (Index i = 0; i < tall; ++i) left[k * tall + i] = i < real ? p.a[row + i + k * p.a_step] : T(0);
        for (Index j = 0; j < columns; j += wide) {
            const Index some = std::min(wide, columns - j);
            for (Index l = 0; l < some; ++l)
                for (Index i = 0; i < tall; ++i)
                    sums[l * tall + i] = i < real ? p.from[row + i + (j + l) * p.from_step] : T(0);
            const Block<T, Segments> block{p.depth, left, tall, p.b.from(0, j), sums,
                                           tall,    sums, tall, p.segments,     p.b_segment};
            add_stripes_of<Packet, 1>(1, some, block, nothing);
            for (Index l = 0; l < some; ++l)
                for (Index i = 0; i < real; ++i) p.c[row + i + (j + l) * p.c_step] = sums[l * tall + i];
        }
    }
}

// The last one to three rows of a block, which fill no packet: worked as dot products where these are long enough to be
// worth their sums, else in copies. The block is no deeper than `product_depth`, one with B in rows and a single
// segment no deeper than `product_depth_in_rows`: those are the copies' sizes. Neither is inlined: their copies would
// add up on the stack.
template <class T, bool Segments>
void add_last_rows(Index rows, Index columns, const Block<T, Segments>& p) {
    if constexpr (Eigen::internal::packet_traits<T>::size > 1)
        if (are_dots(p.depth, p.b)) {
            for (Index row = 0; row < rows; ++row) add_row_of_dots(columns, p.below(row));
            return;
        }
    add_rows_in_copies(rows, columns, p);
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma GCC diagnostic pop
