// The inner loops of a matrix product: tiles of the result whose sums stay in registers, and stripes of such tiles.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/prefetch.hpp"

// Eigen's packets are vectors with attributes, which g++ remarks that it leaves out of a template's name.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

// Room for 24 sums beside what is multiplied; else for 12.
inline constexpr bool many_registers = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32;

// A block: at most this much of the contraction, and of a convolution this many rows (of a product `block_rows`). A
// stripe of A comes from the second cache, what a tile needs of B from the nearest. With 16 registers, where a tile has
// half as many sums, a block is the deeper for it: what a tile costs beside its sums is then spread over more of them.
inline constexpr Index product_depth = many_registers ? 256 : 512, product_rows = 48;

// The same of a B in rows: in columns a cache line holds many values that follow each other, in rows a line is read for
// each, and fewer have room.
inline constexpr Index product_depth_in_rows = 128;

// How many packets of rows are worked at once, and how many columns the widest tile of `Height` packets has: as many
// as there is room for their sums.
inline constexpr std::size_t tallest = many_registers ? 3 : 2;
template <std::size_t Height>
inline constexpr std::size_t tile_columns = Height == 1      ? 12
                                            : many_registers ? (Height == 3 ? 8 : 12)
                                                             : 6;

// The shortest contraction that asks for where its sums will go: asking cost shorter ones up to a tenth.
inline constexpr Index shortest_asking = 64;

// Whether a stripe's last packet may reach beyond the last row: what is not C's is then masked. (AVX has masked stores
// too, but some processors take dozens of steps for one.)
template <class Packet>
inline constexpr bool may_reach_beyond =
    Eigen::internal::unpacket_traits<Packet>::masked_store_available&& Eigen::internal::unpacket_traits<Packet>::size ==
    16;

/// A factor's values wherever they lie: B(k, j) = values[k·down + j·across], k running along the contraction. `down` is
/// 1 for a matrix in columns, `across` for one in rows.
template <class T>
struct Factor {
    const T* values;
    Index down, across;

    Factor from(Index k, Index j) const { return {values + k * down + j * across, down, across}; }
};

// One block of a product: C = F + A B, F being what it is added to (C itself, or another column for all). With
// `Segments` the contraction goes on in further segments of `depth` values each: B's begin `b_segment` values apart,
// A's columns follow each other. Products that have one segment are compiled without that loop: it costs them a few
// percent.
template <class T, bool Segments = false>
struct Block {
    Index depth;
    const T* a;
    Index a_step;
    Factor<T> b;
    const T* from;
    Index from_step;
    T* c;
    Index c_step;
    Index segments = 1, b_segment = 0;
    Index a_stripe = 0;  // how far apart A's stripes begin, where each lies by itself; 0 where they share columns
    // A bit for each row of a stripe's last packet that C has, where it `may_reach_beyond`: others than all ones are
    // for one stripe alone.
    std::uint16_t kept = 0xffff;

    // The same from row `row` on.
    Block below(Index row) const {
        Block block = *this;
        block.a += row;
        block.from += row;
        block.c += row;
        return block;
    }
};

// c[r, j] = from[r, j] + Σₖ a[r + k·a_step] · B(k, j) over all segments, for Height packets of rows, from number `row`
// of the block on, where `a` is A's value, and as many columns from column `j0` on as J has numbers. Columns before
// `first` of them are computed and dropped. The folds unroll at any optimisation level, so that the sums live in
// registers.
template <class Packet, std::size_t Height, class T, bool Segments, std::size_t... J>
void add_tile(std::index_sequence<J...>, const Block<T, Segments>& p, const T* a, Index row, Index j0,
              std::size_t first) {
    namespace packets = Eigen::internal;
    constexpr Index lanes = packets::unpacket_traits<Packet>::size;
    constexpr std::make_index_sequence<Height> packets_of_rows;
    const Index a_step = p.a_step, b_step = p.b.down, b_column = p.b.across, depth = p.depth;
    Packet sum[sizeof...(J)][Height];
    const auto at = [](std::size_t i) { return static_cast<Index>(i); };
    const auto zero = [&]<std::size_t... R>(std::size_t j, std::index_sequence<R...>) {
        ((sum[j][R] = packets::pset1<Packet>(T(0))), ...);
    };
    (zero(J, packets_of_rows), ...);
    // A pointer to every third column: with the other two one and two strides away, all of them stay in registers. They
    // go in by value: captured, some compilers keep them in memory. Of its three places g++ makes calls at -O2, and
    // each of them would load and store all sums.
    const auto multiply =
        [&sum, b_column, at ]<std::size_t... R>(const T* left, const T* zeroth, const T* third, const T* sixth,
                                                const T* ninth, std::index_sequence<R...>) HOURGLASS_INLINE {
        const Packet rows[Height] = {packets::ploadu<Packet>(left + at(R) * lanes)...};
        const auto column = [&](std::size_t j, const Packet& factor) {
            ((sum[j][R] = packets::pmadd(rows[R], factor, sum[j][R])), ...);
        };
        const auto from = [&](std::size_t j) { return j < 3 ? zeroth : j < 6 ? third : j < 9 ? sixth : ninth; };
        (column(J, packets::pset1<Packet>(from(J)[at(J % 3) * b_column])), ...);
    };
    const T* const b = p.b.from(0, j0).values;
    const auto column_at = [&](std::size_t j) { return j < sizeof...(J) ? b + at(j) * b_column : b; };
    const T *b0 = b, *b3 = column_at(3), *b6 = column_at(6), *b9 = column_at(9);
    Index k = 0;
    // Where the sums will go is asked for meanwhile, a cache line a step: all at once would hold up what is multiplied.
    // A short contraction is over before it comes.
    if constexpr (Height == tallest && sizeof...(J) == tile_columns<Height>) {
        constexpr Index line = core::line_values<T>, tall = at(Height) * lanes;
        constexpr std::size_t lines = static_cast<std::size_t>(tall / line) + 1;
        static_assert(at(lines * sizeof...(J)) <= shortest_asking, "these steps are not beyond the contraction");
        for (const Index asked = depth < shortest_asking ? 0 : at(lines * sizeof...(J)); k < asked;
             ++k, b0 += b_step, b3 += b_step, b6 += b_step, b9 += b_step) {
            const auto step = static_cast<std::size_t>(k);
            packets::prefetch(p.c + row + (j0 + at(step / lines)) * p.c_step +
                              std::min(at(step % lines) * line, tall - 1));
            multiply(a + k * a_step, b0, b3, b6, b9, packets_of_rows);
        }
    }
    if constexpr (Segments) {
        const Index next = p.b_segment - depth * b_step;
        const T* left = a;
        for (Index segment = 0;; k = 0) {
            for (; k < depth; ++k, b0 += b_step, b3 += b_step, b6 += b_step, b9 += b_step)
                multiply(left + k * a_step, b0, b3, b6, b9, packets_of_rows);
            if (++segment == p.segments) break;
            left += depth * a_step, b0 += next, b3 += next, b6 += next, b9 += next;
        }
    } else {
        for (; k < depth; ++k, b0 += b_step, b3 += b_step, b6 += b_step, b9 += b_step)
            multiply(a + k * a_step, b0, b3, b6, b9, packets_of_rows);
    }
    // What the product is added to comes last: added first, everything would wait for it to come from memory.
    const auto store = [&]<std::size_t... R>(std::size_t j, const T* from, T* to, std::index_sequence<R...>) {
        if (j < first) return;
        const auto one = [&](std::size_t r) {
            const T* const before = from + at(r) * lanes;
            T* const after = to + at(r) * lanes;
            if constexpr (may_reach_beyond<Packet>)
                if (r + 1 == Height)
                    return packets::pstoreu(after, packets::padd(packets::ploadu<Packet>(before, p.kept), sum[j][r]),
                                            p.kept);
            packets::pstoreu(after, packets::padd(packets::ploadu<Packet>(before), sum[j][r]));
        };
        (one(R), ...);
    };
    (store(J, p.from + row + (j0 + at(J)) * p.from_step, p.c + row + (j0 + at(J)) * p.c_step, packets_of_rows), ...);
}

// So many stripes of Height packets of rows each, all columns. A tile's columns of B are used for all stripes before
// the next ones: they then lie in the nearest cache, and A, which is read in one run, comes from the second. What is
// left beside the widest tiles is covered by a tile that reaches back over columns already done: a narrow tile has too
// few sums to keep the processor busy.
template <class Packet, std::size_t Height, class T, bool Segments>
void add_stripes_of(Index stripes, Index columns, const Block<T, Segments>& block, Prefetch<T>& prefetch) {
    constexpr Index tall = static_cast<Index>(Height) * Eigen::internal::unpacket_traits<Packet>::size;
    const Index rows = stripes * tall, apart = block.a_stripe > 0 ? block.a_stripe : tall;
    Index j = 0;
    const auto tile = [&]<std::size_t... J>(std::index_sequence<J...> width, Index from) {
        const T* a = block.a;
        for (Index row = 0; row < rows; row += tall, a += apart)
            add_tile<Packet, Height>(width, block, a, row, from, static_cast<std::size_t>(j - from));
        j = from + static_cast<Index>(sizeof...(J));
        prefetch.fetch(static_cast<Index>(sizeof...(J)), columns);
    };
    constexpr std::size_t third = Height == 3 ? 3 : tile_columns<Height> / 3;
    constexpr std::make_index_sequence<tile_columns<Height>> wide;
    constexpr std::make_index_sequence<2 * third> middle;
    constexpr std::make_index_sequence<third> narrow;
    constexpr std::make_index_sequence<1> single;
    constexpr auto size = [](auto width) { return static_cast<Index>(width.size()); };
    // Of a single packet's rows a narrow tile costs as much as a middle one: two of these do what it and a wide one do.
    const auto is_left_a_narrow_one = [&] {
        return Height == 1 && columns - j > size(wide) && columns - j <= size(wide) + size(narrow);
    };
    while (j + size(wide) <= columns && !is_left_a_narrow_one()) tile(wide, j);
    if (is_left_a_narrow_one()) tile(middle, j);
    while (j < columns) {
        const Index rest = columns - j;
        if (rest > size(middle) && columns >= size(wide))
            tile(wide, columns - size(wide));
        else if (rest > size(narrow) && columns >= size(middle))
            tile(middle, std::min(j, columns - size(middle)));
        else if (columns >= size(narrow))
            tile(narrow, std::min(j, columns - size(narrow)));
        else
            tile(single, j);
    }
}

// The rows from `row` on in stripes of Packet and then of packets half as long; returns the first row that is left.
template <class Packet, class T, bool Segments>
Index add_stripes(Index row, Index rows, Index columns, const Block<T, Segments>& block, Prefetch<T>& prefetch) {
    using Traits = Eigen::internal::unpacket_traits<Packet>;
    constexpr Index lanes = Traits::size;
    if (columns == 1)  // one column alone needs more rows to keep the processor busy
        for (; row + 8 * lanes <= rows; row += 8 * lanes)
            add_tile<Packet, 8>(std::index_sequence<0>{}, block, block.a + row, row, 0, 0);
    if constexpr (many_registers && std::is_same_v<Packet, typename Eigen::internal::packet_traits<T>::type>)
        if (const Index stripes = (rows - row) / (3 * lanes); stripes > 0) {
            add_stripes_of<Packet, 3>(stripes, columns, block.below(row), prefetch);
            row += stripes * 3 * lanes;
        }
    if (const Index stripes = (rows - row) / (2 * lanes); stripes > 0) {
        add_stripes_of<Packet, 2>(stripes, columns, block.below(row), prefetch);
        row += stripes * 2 * lanes;
    }
    if (const Index stripes = (rows - row) / lanes; stripes > 0) {
        add_stripes_of<Packet, 1>(stripes, columns, block.below(row), prefetch);
        row += stripes * lanes;
    }
    if constexpr (constexpr Index half = Eigen::internal::unpacket_traits<typename Traits::half>::size;
                  half < lanes && half >= 4)
        return add_stripes<typename Traits::half>(row, rows, columns, block, prefetch);
    return row;
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma GCC diagnostic pop
