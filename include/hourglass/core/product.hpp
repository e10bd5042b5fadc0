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

#include "hourglass/core/pack.hpp"

// Eigen's packets are vectors with attributes, which g++ remarks that it leaves out of a template's name.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// Room for 24 sums beside what is multiplied; else for 12.
inline constexpr bool many_registers = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32;

// What is worked at once: this much of the contraction, for this many rows of A, so that this part of A and as much of
// B as a tile needs stay in the nearest cache.
inline constexpr Index product_depth = 192, product_rows = 48;

// An A of fewer values is not asked for ahead: it stays in a cache near enough that asking costs more than it saves. A
// layer's weights, read for the first time since the last step and used for many columns, are worth it much sooner than
// a gradient written a moment ago.
inline constexpr Index product_fetched = 1 << 19, weights_fetched = 1 << 16, many_columns = 192;

// How much of the contraction each of its parts takes: alike, as each walks over all of C.
constexpr Index depth_of_parts(Index depth) {
    const Index parts = (depth + product_depth - 1) / product_depth;
    return parts == 0 ? 0 : (depth + 16 * parts - 1) / (16 * parts) * 16;
}

// How many packets of rows are worked at once, and how many columns the widest tile of `Height` packets has: as many
// as there is room for their sums.
inline constexpr std::size_t tallest = many_registers ? 3 : 2;
template <std::size_t Height>
inline constexpr std::size_t tile_columns = many_registers ? (Height == 3 ? 8 : 12) : 6;

// The next part of A, asked for a few cache lines at a time while the present one is worked on: its columns lie too far
// apart for the processor to guess, and fetching them on first use costs the product of large layers a few percent.
template <class T>
class Ahead {
  public:
    Ahead() = default;
    /// `runs` runs of `values` values each, `step` apart.
    Ahead(const T* from, Index step, Index runs, Index values)
        : run_(from), step_(step), runs_(runs), values_(values) {}

    /// Asks for the next `part` of `whole`.
    EIGEN_DONT_INLINE void fetch(Index part, Index whole) {
        constexpr Index line = line_values<T>;
        for (Index lines = (runs_ * (values_ / line + 1) * part + whole - 1) / whole; lines > 0 && done_ < runs_;
             --lines) {
            Eigen::internal::prefetch(run_ + std::min(at_, values_ - 1));
            at_ += line;
            if (at_ < values_ + line) continue;
            at_ = 0;
            run_ += step_;
            ++done_;
        }
    }

  private:
    const T* run_ = nullptr;
    Index step_ = 0, runs_ = 0, values_ = 0, at_ = 0, done_ = 0;
};

/// A factor's values wherever they lie: B(k, j) = values[k·down + j·across], k running along the contraction. `down` is
/// 1 for a matrix in columns, `across` for one in rows.
template <class T>
struct Factor {
    const T* values;
    Index down, across;

    Factor from(Index k, Index j) const { return {values + k * down + j * across, down, across}; }
};

/// What a product adds to: what C holds, or else the same `column` everywhere, or nothing where that is null. What C
/// held is then not read.
template <class T>
struct Start {
    bool held = true;
    const T* column = nullptr;
};

// Where one part of a product is found: C = F + A B, F being what it starts from (C itself, or another column for all).
template <class T>
struct Part {
    Index depth;
    const T* a;
    Index a_step;
    Factor<T> b;
    const T* from;
    Index from_step;
    T* c;
    Index c_step;

    // The same from row `row` on.
    Part below(Index row) const {
        Part part = *this;
        part.a += row;
        part.from += row;
        part.c += row;
        return part;
    }
};

// c[r, j] = from[r, j] + Σₖ a[r + k·a_step] · B(k, j), for Height packets of rows and as many columns from column `j0`
// on as J has numbers. Columns before `first` of them are computed and dropped. The folds unroll at any optimisation
// level, so that the sums live in registers.
template <class Packet, std::size_t Height, class T, std::size_t... J>
void add_tile(std::index_sequence<J...>, const Part<T>& p, Index j0, std::size_t first) {
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
    // go in by value: captured, some compilers keep them in memory.
    const auto multiply = [&sum, b_column, at ]<std::size_t... R>(
        const T* left, const T* zeroth, const T* third, const T* sixth, const T* ninth, std::index_sequence<R...>) {
        const Packet rows[Height] = {packets::ploadu<Packet>(left + at(R) * lanes)...};
        const auto column = [&](std::size_t j, const Packet& factor) {
            ((sum[j][R] = packets::pmadd(rows[R], factor, sum[j][R])), ...);
        };
        const auto from = [&](std::size_t j) { return j < 3 ? zeroth : j < 6 ? third : j < 9 ? sixth : ninth; };
        (column(J, packets::pset1<Packet>(from(J)[at(J % 3) * b_column])), ...);
    };
    const T *const a = p.a, *const b = p.b.from(0, j0).values;
    const auto column_at = [&](std::size_t j) { return j < sizeof...(J) ? b + at(j) * b_column : b; };
    const T *b0 = b, *b3 = column_at(3), *b6 = column_at(6), *b9 = column_at(9);
    Index k = 0;
    // Where the sums will go is asked for meanwhile, a cache line a step: all at once would hold up what is multiplied.
    if constexpr (Height == tallest && sizeof...(J) == tile_columns<Height>) {
        constexpr Index line = line_values<T>, tall = at(Height) * lanes;
        constexpr std::size_t lines = static_cast<std::size_t>(tall / line) + 1;
        for (const Index asked = std::min(depth, at(lines * sizeof...(J))); k < asked;
             ++k, b0 += b_step, b3 += b_step, b6 += b_step, b9 += b_step) {
            const auto step = static_cast<std::size_t>(k);
            packets::prefetch(p.c + (j0 + at(step / lines)) * p.c_step + std::min(at(step % lines) * line, tall - 1));
            multiply(a + k * a_step, b0, b3, b6, b9, packets_of_rows);
        }
    }
    for (; k < depth; ++k, b0 += b_step, b3 += b_step, b6 += b_step, b9 += b_step)
        multiply(a + k * a_step, b0, b3, b6, b9, packets_of_rows);
    // What the product starts from is added last: added first, everything would wait for it to come from memory.
    const auto store = [&]<std::size_t... R>(std::size_t j, const T* from, T* to, std::index_sequence<R...>) {
        if (j < first) return;
        (packets::pstoreu(to + at(R) * lanes, packets::padd(packets::ploadu<Packet>(from + at(R) * lanes), sum[j][R])),
         ...);
    };
    (store(J, p.from + (j0 + at(J)) * p.from_step, p.c + (j0 + at(J)) * p.c_step, packets_of_rows), ...);
}

// One stripe of Height packets of rows, all columns. What is left beside the widest tiles is covered by a tile that
// reaches back over columns already done: a narrow tile has too few sums to keep the processor busy.
template <class Packet, std::size_t Height, class T>
void add_stripe(Index columns, const Part<T>& part, Ahead<T>& ahead) {
    Index j = 0;
    const auto tile = [&]<std::size_t... J>(std::index_sequence<J...> width, Index from) {
        add_tile<Packet, Height>(width, part, from, static_cast<std::size_t>(j - from));
        j = from + static_cast<Index>(sizeof...(J));
        ahead.fetch(static_cast<Index>(sizeof...(J)), columns);
    };
    constexpr std::size_t third = Height == 3 ? 3 : many_registers ? 4 : 2;
    constexpr std::make_index_sequence<tile_columns<Height>> wide;
    constexpr std::make_index_sequence<2 * third> middle;
    constexpr std::make_index_sequence<third> narrow;
    constexpr std::make_index_sequence<1> single;
    constexpr auto size = [](auto width) { return static_cast<Index>(width.size()); };
    while (j + size(wide) <= columns) tile(wide, j);
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
template <class Packet, class T>
Index add_stripes(Index row, Index rows, Index columns, const Part<T>& part, Ahead<T>& ahead) {
    using Traits = Eigen::internal::unpacket_traits<Packet>;
    constexpr Index lanes = Traits::size;
    if (columns == 1)  // one column alone needs more rows to keep the processor busy
        for (; row + 8 * lanes <= rows; row += 8 * lanes)
            add_tile<Packet, 8>(std::index_sequence<0>{}, part.below(row), 0, 0);
    if constexpr (many_registers && std::is_same_v<Packet, typename Eigen::internal::packet_traits<T>::type>)
        for (; row + 3 * lanes <= rows; row += 3 * lanes) add_stripe<Packet, 3>(columns, part.below(row), ahead);
    for (; row + 2 * lanes <= rows; row += 2 * lanes) add_stripe<Packet, 2>(columns, part.below(row), ahead);
    for (; row + lanes <= rows; row += lanes) add_stripe<Packet, 1>(columns, part.below(row), ahead);
    if constexpr (constexpr Index half = Eigen::internal::unpacket_traits<typename Traits::half>::size;
                  half < lanes && half >= 4)
        return add_stripes<typename Traits::half>(row, rows, columns, part, ahead);
    return row;
}

// One row of A, `left`, against as many columns of B from column `j0` on as J has numbers: packets run along the
// contraction, and are summed up at the end. What fills no packet is padded with zeros, so that a column's bits do not
// depend on how many are worked at once.
template <class T, std::size_t... J>
void add_dots(std::index_sequence<J...>, const T* left, const Part<T>& p, Index j0) {
    namespace packets = Eigen::internal;
    using Packet = typename packets::packet_traits<T>::type;
    constexpr Index lanes = packets::unpacket_traits<Packet>::size, count = sizeof...(J);
    const Index depth = p.depth, stride = p.b.across;
    const T* const right = p.b.from(0, j0).values;
    Packet sum[] = {((void)J, packets::pset1<Packet>(T(0)))...};
    const auto multiply = [&sum](const T* row, const T* from, Index step) {
        const Packet factor = packets::ploadu<Packet>(row);
        ((sum[J] = packets::pmadd(factor, packets::ploadu<Packet>(from + static_cast<Index>(J) * step), sum[J])), ...);
    };
    Index k = 0;
    for (; k + lanes <= depth; k += lanes) multiply(left + k, right + k, stride);
    if (k < depth) {
        T rest[static_cast<std::size_t>(count * lanes)];
        for (Index j = 0; j < count; ++j)
            for (Index i = 0; i < lanes; ++i) rest[j * lanes + i] = k + i < depth ? right[k + i + j * stride] : T(0);
        multiply(left + k, rest, lanes);
    }
    const auto store = [&](Index j, const Packet& one) {
        p.c[j * p.c_step] = p.from[j * p.from_step] + packets::predux(one);
    };
    (store(j0 + static_cast<Index>(J), sum[J]), ...);
}

// One row against columns that lie one value after the other.
template <class T>
EIGEN_DONT_INLINE void add_row_of_dots(Index columns, const Part<T>& p) {
    constexpr Index lanes = Eigen::internal::packet_traits<T>::size;
    T left[static_cast<std::size_t>(product_depth + lanes)];
    for (Index k = 0; k < p.depth; ++k) left[k] = p.a[k * p.a_step];
    std::fill_n(left + p.depth, lanes, T(0));  // to the end of the last packet
    Index j = 0;
    for (; j + 8 <= columns; j += 8) add_dots(std::make_index_sequence<8>{}, left, p, j);
    for (; j < columns; ++j) add_dots(std::make_index_sequence<1>{}, left, p, j);
}

// The last one to three rows, which fill no packet: worked as dot products where these are long enough to be worth
// their sums, else as a packet of four in copies on the stack, a few columns at a time.
template <class T>
void add_last_rows(Index rows, Index columns, const Part<T>& p) {
    namespace packets = Eigen::internal;
    using Full = typename packets::packet_traits<T>::type;
    if constexpr (constexpr Index lanes = packets::unpacket_traits<Full>::size; lanes > 1)
        if (p.b.down == 1 && p.depth >= 3 * lanes) {
            for (Index row = 0; row < rows; ++row) add_row_of_dots(columns, p.below(row));
            return;
        }
    using Half = typename packets::unpacket_traits<Full>::half;
    using Packet = typename packets::unpacket_traits<Half>::half;
    constexpr Index tall = packets::unpacket_traits<Packet>::size, wide = 12;
    Ahead<T> nothing;
    T left[product_depth * tall], sums[wide * tall];
    for (Index row = 0; row < rows; row += tall) {
        const Index real = std::min(tall, rows - row);
        for (Index k = 0; k < p.depth; ++k)
            for (Index i = 0; i < tall; ++i) left[k * tall + i] = i < real ? p.a[row + i + k * p.a_step] : T(0);
        for (Index j = 0; j < columns; j += wide) {
            const Index some = std::min(wide, columns - j);
            for (Index l = 0; l < some; ++l)
                for (Index i = 0; i < tall; ++i)
                    sums[l * tall + i] = i < real ? p.from[row + i + (j + l) * p.from_step] : T(0);
            const Part<T> part{p.depth, left, tall, p.b.from(0, j), sums, tall, sums, tall};
            add_stripe<Packet, 1>(some, part, nothing);
            for (Index l = 0; l < some; ++l)
                for (Index i = 0; i < real; ++i) p.c[row + i + (j + l) * p.c_step] = sums[l * tall + i];
        }
    }
}

// The rows of block = Aᵀ from `row` on, `rows` values a column, in squares of one packet a side that are turned round
// in registers, and then of half a packet; returns the first row that is left.
template <class Packet, class T>
Index turn_squares(Index row, Index rows, Index depth, const T* a, Index a_step, T* block) {
    namespace packets = Eigen::internal;
    using Traits = packets::unpacket_traits<Packet>;
    constexpr Index side = Traits::size;
    for (; row + side <= rows; row += side) {
        Index k = 0;
        for (; k + side <= depth; k += side) {
            packets::PacketBlock<Packet, side> square;
            for (Index i = 0; i < side; ++i) square.packet[i] = packets::ploadu<Packet>(a + (row + i) * a_step + k);
            packets::ptranspose(square);
            for (Index i = 0; i < side; ++i) packets::pstoreu(block + (k + i) * rows + row, square.packet[i]);
        }
        for (; k < depth; ++k)
            for (Index i = 0; i < side; ++i) block[k * rows + row + i] = a[(row + i) * a_step + k];
    }
    if constexpr (packets::unpacket_traits<typename Traits::half>::size < side)
        return turn_squares<typename Traits::half>(row, rows, depth, a, a_step, block);
    return row;
}

// block = Aᵀ, `rows` values a column.
template <class T>
void turn(Index rows, Index depth, const T* a, Index a_step, T* block) {
    using Packet = typename Eigen::internal::packet_traits<T>::type;
    for (Index row = turn_squares<Packet>(0, rows, depth, a, a_step, block); row < rows; ++row)
        for (Index k = 0; k < depth; ++k) block[k * rows + row] = a[row * a_step + k];
}

// C = start + A B, where A is shown a stripe at a time: stripe(row, rows, k, depth, block) returns where that part of A
// lies, `step` apart from column to column, perhaps copied to `block`; next(row, rows, k, depth), where it lies
// untouched, for an A of at least `fetched` values.
template <class T, class Stripe, class Next>
void add_by_stripes(Index rows, Index columns, Index depth, Factor<T> b, T* c, Index c_step, Start<T> start,
                    Index fetched, Stripe stripe, Next next) {
    // On a cache line: values that straddle two of them are read at half the speed.
    alignas(64) T block[product_rows * product_depth];
    T zero[product_rows];
    std::fill_n(zero, product_rows, T(0));  // a scalar type's own default may be no value
    const Index part_depth = depth_of_parts(depth);
    for (Index k = 0; k < depth; k += part_depth) {
        const Index deep = std::min(part_depth, depth - k);
        const bool held = start.held || k > 0;
        for (Index row = 0; row < rows; row += product_rows) {
            const Index tall = std::min(product_rows, rows - row), rest = std::min(product_rows, rows - row - tall);
            Ahead<T> ahead = rest > 0 && rows * depth >= fetched ? next(row + tall, rest, k, deep) : Ahead<T>{};
            const auto [a, a_step] = stripe(row, tall, k, deep, block);
            const Part<T> part{deep,
                               a,
                               a_step,
                               b.from(k, 0),
                               held ? c + row : start.column ? start.column + row : zero,
                               held ? c_step : 0,
                               c + row,
                               c_step};
            Index done = 0;
            if (tall >= 4)
                done = add_stripes<typename Eigen::internal::packet_traits<T>::type>(0, tall, columns, part, ahead);
            if (done < tall) add_last_rows(tall - done, columns, part.below(done));
        }
    }
}

// Writes what a product starts from into C, for products that are not worked by stripes.
template <class T>
void put_start(Index rows, Index columns, T* c, Index c_step, Start<T> start) {
    for (Index j = 0; j < columns && !start.held; ++j)
        for (Index i = 0; i < rows; ++i) c[i + j * c_step] = start.column ? start.column[i] : T(0);
}

/// C += A B for A of rows × depth (`a[i + k·a_step]`), B of depth × columns and C of rows × columns, `c[i + j·c_step]`;
/// C = start + A B where a start is given. Columns of C must not overlap; those of A and B may.
template <class T>
void add_product(Index rows, Index columns, Index depth, const T* a, Index a_step, std::type_identity_t<Factor<T>> b,
                 T* c, Index c_step, Start<T> start = {}) {
    if (columns == 1 || depth == 0) {  // in the same parts, to the same bits, but every value of A is used only once
        put_start(rows, columns, c, c_step, start);
        const Index part_depth = depth_of_parts(depth);
        Ahead<T> nothing;
        for (Index k = 0; k < depth; k += part_depth) {
            const Part<T> part{
                std::min(part_depth, depth - k), a + k * a_step, a_step, b.from(k, 0), c, c_step, c, c_step};
            Index done = 0;
            if (rows >= 4)
                done = add_stripes<typename Eigen::internal::packet_traits<T>::type>(0, rows, columns, part, nothing);
            if (done < rows) add_last_rows(rows - done, columns, part.below(done));
        }
        return;
    }
    // Columns of A that lie in a page each are brought together first, where there are too few registers to hide that.
    const bool scattered = !many_registers && columns >= 32 && a_step * static_cast<Index>(sizeof(T)) >= 2048;
    const Index fetched = b.down == 1 && columns >= many_columns ? weights_fetched : product_fetched;
    add_by_stripes(
        rows, columns, depth, b, c, c_step, start, fetched,
        [=](Index row, Index tall, Index k, Index deep, T* block) {
            const T* const part = a + row + k * a_step;
            if (!scattered) return std::pair{part, a_step};
            for (Index j = 0; j < deep; ++j) std::copy_n(part + j * a_step, tall, block + j * tall);
            return std::pair{static_cast<const T*>(block), tall};
        },
        [=](Index row, Index tall, Index k, Index deep) {
            return Ahead<T>{a + row + k * a_step, a_step, deep, tall};
        });
}

/// C += Aᵀ B for A of depth × rows (`a[k + i·a_step]`), B of depth × columns in columns and C of rows × columns;
/// C = start + Aᵀ B where a start is given.
template <class T>
void add_transposed_product(Index rows, Index columns, Index depth, const T* a, Index a_step, const T* b, Index stride,
                            T* c, Index c_step, Start<T> start = {}) {
    if (columns == 1 || depth == 0) {  // columns of A against one vector: turning A round would take longer
        put_start(rows, columns, c, c_step, start);
        for (Index i = 0; i < rows && depth > 0; ++i)
            c[i] += sum_packs<T>(
                depth, [](const Pack<T>& left, const Pack<T>& right) { return left * right; }, a + i * a_step, b);
        return;
    }
    add_by_stripes(
        rows, columns, depth, Factor<T>{b, 1, stride}, c, c_step, start, product_fetched,
        [=](Index row, Index tall, Index k, Index deep, T* block) {
            turn(tall, deep, a + k + row * a_step, a_step, block);
            return std::pair{static_cast<const T*>(block), tall};
        },
        [=](Index row, Index tall, Index k, Index deep) {
            return Ahead<T>{a + k + row * a_step, a_step, tall, deep};
        });
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma GCC diagnostic pop
