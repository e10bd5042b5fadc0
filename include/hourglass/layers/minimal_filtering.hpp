// Correlations of sequences with a kernel of two to five taps in fewer multiplications than taps times outputs.
//
// Taps and values are taken for the coefficients of polynomials: known at the points 0, 1, −1, 2, −2 and ∞, the product
// of the two takes six multiplications, where the plain sums of the 7 − taps outputs take taps·(7 − taps), up to twelve
// (A. L. Toom, 1963; S. Winograd, Arithmetic Complexity of Computations, 1980; with channels A. Lavin and S. Gray, Fast
// Algorithms for Convolutional Neural Networks, 2016). Between the points lie matrix products over the channels.
//
// Rounding errors are about twice those of the plain sums (benchmarks/convolution.cpp), relative to the largest of six
// neighbouring positions; what is not finite reaches the outputs of all six. Other samples are not touched.
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "hourglass/core/pack.hpp"
#include "hourglass/core/product.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

inline constexpr Index filter_points = 6;  // where polynomials are known
inline constexpr Index filter_unit = 16;  // channels are worked in multiples of this many: whole packs of any processor
// The most channels that are summed over at once, and that are worked at once on either side.
inline constexpr Index deepest_part = 64, longest_part = 128;
// How much of a kernel, and of two sequences, is known at each point at a time: little enough for the nearest caches.
template <class T>
inline constexpr Index kernel_part = 8192 / static_cast<Index>(sizeof(T));
template <class T>
inline constexpr Index sequences_part = 8192 / static_cast<Index>(sizeof(T));

// What is summed at once, so that the sums fill the registers: packs of rows, blocks and points.
inline constexpr Index packs_together = many_registers ? 1 : 2, blocks_together = many_registers ? 4 : 2,
                       points_together = many_registers ? 6 : 3, products_together = packs_together * blocks_together;

/// Groups of values of a batch of sequences: value i of group g of a sample lies at first + g·step + i of the sample's
/// `size` values, and is zero outside of them.
template <class T>
struct SequenceGroups {
    T* data;
    Index first, step, size;
};

// Where `count` groups from group g on lie, `values` values of each, and how far apart: in a copy where some are
// outside of the sample.
template <class T>
std::pair<const T*, Index> read_groups(const SequenceGroups<const T>& in, Index sample, Index g, Index count,
                                       Index values, T* copy) {
    const T* const from = in.data + sample * in.size;
    const Index begin = in.first + g * in.step;
    if (begin >= 0 && begin + (count - 1) * in.step + values <= in.size) return {from + begin, in.step};
    for (Index t = 0; t < count; ++t)
        for (Index i = 0; i < values; ++i) {
            const Index at = begin + t * in.step + i;
            copy[t * values + i] = 0 <= at && at < in.size ? from[at] : T(0);
        }
    return {copy, values};
}

// Six positions of the input, `step` apart, at the points: `values` at each, a multiple of what a pack holds.
template <class T>
void input_at_points(const T* x, Index step, Index values, T* at, Index point_step) {
    using P = Pack<T>;
    for (Index i = 0; i < values; i += P::lanes) {
        const auto position = [&](Index t) { return P::load(x + i + t * step); };
        const auto put = [&](Index p, const P& value) { value.store(at + i + p * point_step); };
        const P x1 = position(1), x2 = position(2), x3 = position(3), x4 = position(4);
        const P even = x4 - 4 * x2, odd = x3 - 4 * x1, even2 = x4 - x2, odd2 = 2 * (x3 - x1);
        put(0, even + 4 * position(0) - x2);
        put(1, even + odd);
        put(2, even - odd);
        put(3, even2 + odd2);
        put(4, even2 - odd2);
        put(5, position(5) - x3 - 2 * odd2);
    }
}

// The polynomial with `taps` coefficients, `step` apart, at the points, with the factors that the interpolation would
// divide by. Pack i of point p lies at[i·pack_step + p·point_step].
template <class T>
void taps_at_points(const T* w, Index step, Index taps, Index values, T* at, Index pack_step, Index point_step) {
    for (Index i = 0; i < values; i += Pack<T>::lanes, w += Pack<T>::lanes, at += pack_step) {
        Pack<T> tap = Pack<T>::load(w), even = tap, odd = T(0), even2 = tap, odd2 = T(0);
        (tap * T(0.25)).store(at);
        for (Index t = 1; t < taps; ++t) {
            tap = Pack<T>::load(w + t * step);
            (t % 2 == 0 ? even : odd) += tap;
            (t % 2 == 0 ? even2 : odd2) += static_cast<T>(1 << t) * tap;
        }
        ((even + odd) * T(-1. / 6)).store(at + point_step);
        ((even - odd) * T(-1. / 6)).store(at + 2 * point_step);
        ((even2 + odd2) * T(1. / 24)).store(at + 3 * point_step);
        ((even2 - odd2) * T(1. / 24)).store(at + 4 * point_step);
        tap.store(at + 5 * point_step);
    }
}

// Where the outputs of one block go, the first `kept` of `outputs`, and what each is added to.
template <class T>
struct FilterOutputs {
    Index outputs, kept;
    const T* from;
    Index from_step;
    T* to;
    Index step;

    // The outputs of one pack of rows, from row `row` on, from what it is at each point.
    template <class Register>
    EIGEN_STRONG_INLINE void put(Index row, const Register (&at)[filter_points]) const {
        using P = Pack<T>;
        const P zero = P::of(at[0]), last = P::of(at[5]), even = P::of(at[1]) + P::of(at[2]),
                odd = P::of(at[1]) - P::of(at[2]), even2 = P::of(at[3]) + P::of(at[4]),
                odd2 = P::of(at[3]) - P::of(at[4]);
        put_output(0, row, zero + even + even2, last);
        put_output(1, row, odd + 2 * odd2, last);
        if (outputs > 2) put_output(2, row, even + 4 * even2, last);
        if (outputs > 3) put_output(3, row, odd + 8 * odd2, last);
        if (outputs > 4) put_output(4, row, even + 16 * even2, last);
    }

  private:
    EIGEN_STRONG_INLINE void put_output(Index j, Index row, const Pack<T>& finite, const Pack<T>& last) const {
        if (j >= kept) return;
        const Pack<T> sum = j + 1 == outputs ? finite + last : finite;
        (Pack<T>::load(from + row + j * from_step) + sum).store(to + row + j * step);
    }
};

/// Kernel columns of a correlation, `filters` values each: those of tap t are t·group … (t + 1)·group − 1, and zero
/// from `useful` on.
template <class T>
struct FilteredKernel {
    T* w;
    Index filters, useful, group, taps;

    T* column(Index tap, Index c) const { return w + (tap * group + c) * filters; }
    bool has(Index tap, Index c) const { return tap * group + c < useful; }
    /// Whether minimal filtering takes this kernel, over sequences of `positions` groups: the multiplications it saves,
    /// a quarter or more, have to pay for the additions, and the channels to fill whole packs.
    bool fits(Index positions) const {
        return std::is_floating_point_v<std::remove_const_t<T>> && 2 <= taps && taps <= 5 &&
               filters % filter_unit == 0 && group % filter_unit == 0 && positions >= 12 &&
               useful * (filter_points + 1 - taps) >= 8 * group;
    }
    // When it is faster (benchmarks/convolution.cpp). With few and long registers the sums at the points wait for what
    // they multiply; a gradient at the points needs both sides there, once more for each part of a kernel.
    bool pays(Index positions) const {
        return (many_registers || sizeof(typename Pack<std::remove_const_t<T>>::Register) <= 16) && fits(positions);
    }
    bool gradient_pays(Index positions) const {
        const Index size = filters * group;
        return (!many_registers || (size >= 512 && size <= 2 * kernel_part<T>)) && fits(positions);
    }
};

// The kernel's rows `row` … and columns `c` … of each tap at the points, in the opposite order if `reversed`. Pack i of
// column j at point p lies at[i·pack_step + j·column_step + p·point_step].
template <class T>
void kernel_at_points(const FilteredKernel<const T>& k, bool reversed, Index row, Index rows, Index c, Index columns,
                      T* at, Index pack_step, Index column_step, Index point_step) {
    T taps[(filter_points - 1) * longest_part];
    for (Index i = 0; i < columns; ++i) {
        for (Index t = 0; t < k.taps; ++t) {
            T* const to = taps + (reversed ? k.taps - 1 - t : t) * rows;
            if (k.has(t, c + i))
                std::copy_n(k.column(t, c + i) + row, rows, to);
            else
                std::fill_n(to, rows, T(0));
        }
        taps_at_points(taps, rows, k.taps, rows, at + i * column_step, pack_step, point_step);
    }
}

// Where a block of groups begins.
struct FilterBlock {
    Index sample, group;

    void next(Index begin, Index end, Index step) {
        group += step;
        if (group < end) return;
        group = begin;
        ++sample;
    }
};

// Calls use(place, count) for the blocks of `step` groups into which begin … end − 1 of all samples are divided, at
// most `most` of them at once: count blocks from `place` on.
template <class Use>
void each_chunk(Index begin, Index end, Index step, Index samples, Index most, Use use) {
    const Index each = (end - begin + step - 1) / step, blocks = each * samples;
    for (Index first = 0; first < blocks; first += most)
        use(FilterBlock{first / each, begin + first % each * step}, std::min(most, blocks - first));
}

// Σₖ u[k·filter_points + p] v[(block·filter_points + p)·deepest_part + k] for each pack of rows, block and point p of
// as many as P has numbers; u of the next pack lies `pack_step` behind. The folds unroll at any optimisation level, so
// that the sums live in registers.
template <class T, std::size_t... P>
EIGEN_STRONG_INLINE void multiply_at_points(std::index_sequence<P...>, Index depth, const T* u, Index pack_step,
                                            const T* v, typename Pack<T>::Register (*sums)[products_together]) {
    namespace packets = Eigen::internal;
    using Packet = typename Pack<T>::Register;
    constexpr std::make_index_sequence<products_together> products;
    constexpr std::size_t blocks = blocks_together;
    const auto number = [](std::size_t i) { return static_cast<Index>(i); };
    Packet sum[sizeof...(P)][products_together];
    const auto clear = [&sum]<std::size_t... I>(std::size_t p, std::index_sequence<I...>) {
        ((sum[p][I] = packets::pset1<Packet>(T(0))), ...);
    };
    (clear(P, products), ...);
    const auto add = [&sum, pack_step, number ]<std::size_t... I>(std::size_t p, const T* row, const T* column,
                                                                  std::index_sequence<I...>) {
        const Packet first = packets::ploadu<Packet>(row),
                     last = packs_together == 1 ? first : packets::ploadu<Packet>(row + pack_step);
        ((sum[p][I] = packets::pmadd(I < blocks ? first : last,
                                     packets::pset1<Packet>(column[number(I % blocks) * filter_points * deepest_part]),
                                     sum[p][I])),
         ...);
    };
    for (Index k = 0; k < depth; ++k, u += filter_points * Pack<T>::lanes, ++v)
        (add(P, u + number(P) * Pack<T>::lanes, v + number(P) * deepest_part, products), ...);
    const auto store = [&sum, sums ]<std::size_t... I>(std::size_t p, std::index_sequence<I...>) {
        ((sums[p][I] = sum[p][I]), ...);
    };
    (store(P, products), ...);
}

// out(g) = start + Σₜ A(t) in(g + t), g = begin … end − 1, for every sample, A of rows × depth being known at the
// points, pack by pack of rows.
template <class T>
void add_correlation(Index taps, Index rows, Index depth, const T* kernel, const SequenceGroups<const T>& in,
                     const SequenceGroups<T>& out, Index begin, Index end, Index samples, Start<T> start) {
    constexpr Index lanes = Pack<T>::lanes, together = blocks_together;
    static_assert(filter_unit % (packs_together * lanes) == 0);
    const Index outputs = filter_points + 1 - taps;
    alignas(64) T values[together * filter_points * deepest_part], copy[filter_points * longest_part],
        zero[longest_part], edge[together][filter_points * longest_part];
    std::fill_n(zero, rows, T(0));
    std::fill_n(values, together * filter_points * deepest_part, T(0));
    each_chunk(begin, end, outputs, samples, together, [&](FilterBlock first, Index count) {
        FilterOutputs<T> to[together];
        FilterBlock block = first;
        const auto where = [&] { return out.first + block.group * out.step; };
        const auto whole = [&](Index kept) {
            return where() >= 0 && where() + (kept - 1) * out.step + rows <= out.size;
        };
        for (Index i = 0; i < together; ++i) {
            to[i] = {outputs, outputs, zero, 0, edge[i], rows};
            if (i >= count) continue;
            const auto [from, step] = read_groups(in, block.sample, block.group, filter_points, depth, copy);
            input_at_points(from, step, depth, values + i * filter_points * deepest_part, deepest_part);
            const Index kept = std::min(outputs, end - block.group);
            if (whole(kept)) {
                T* const place = out.data + block.sample * out.size + where();
                to[i] = {outputs,
                         kept,
                         start.held ? place : start.column ? start.column : zero,
                         start.held ? out.step : 0,
                         place,
                         out.step};
            }
            block.next(begin, end, outputs);
        }
        for (Index row = 0; row < rows; row += packs_together * lanes) {
            typename Pack<T>::Register sums[filter_points][products_together];
            const T* const u = kernel + row * filter_points * depth;
            for (Index p = 0; p < filter_points; p += points_together)
                multiply_at_points(std::make_index_sequence<points_together>{}, depth, u + p * lanes,
                                   filter_points * lanes * depth, values + p * deepest_part, sums + p);
            [&]<Index... I>(std::integer_sequence<Index, I...>) {
                (to[I % together].put(row + I / together * lanes,
                                      {sums[0][I], sums[1][I], sums[2][I], sums[3][I], sums[4][I], sums[5][I]}),
                 ...);
            }
            (std::make_integer_sequence<Index, products_together>{});
        }
        block = first;
        for (Index i = 0; i < count; ++i, block.next(begin, end, outputs)) {
            const Index kept = std::min(outputs, end - block.group);
            if (whole(kept)) continue;
            T* const sample = out.data + block.sample * out.size;
            for (Index j = 0; j < kept; ++j)
                for (Index r = 0; r < rows; ++r) {
                    const Index here = where() + j * out.step + r;
                    if (here < 0 || here >= out.size) continue;
                    const T from = start.held ? sample[here] : start.column ? start.column[r] : T(0);
                    sample[here] = from + edge[i][j * rows + r];
                }
        }
    });
}

// Calls use(row, rows, c, columns) for parts of a kernel that are worked at once.
template <class T, class Use>
void each_kernel_part(Index all_rows, Index all_columns, Use use) {
    const Index wide = std::min(all_columns, deepest_part),
                tall = std::min(kernel_part<T> / wide / filter_unit * filter_unit, longest_part);
    for (Index c = 0; c < all_columns; c += wide)
        for (Index row = 0; row < all_rows; row += tall)
            use(row, std::min(tall, all_rows - row), c, std::min(wide, all_columns - c));
}

/// y(g) = start + Σₜ W(t) x(g + t) for groups g = begin … end − 1 of y.
template <class T>
EIGEN_DONT_INLINE void add_filtered(const FilteredKernel<const T>& k, const SequenceGroups<const T>& x,
                                    const SequenceGroups<T>& y, Index begin, Index end, Index samples, Start<T> start) {
    constexpr Index column_step = filter_points * Pack<T>::lanes;
    alignas(64) T kernel[filter_points * kernel_part<T>];
    each_kernel_part<T>(k.filters, k.group, [&](Index row, Index rows, Index c, Index columns) {
        kernel_at_points(k, false, row, rows, c, columns, kernel, columns * column_step, column_step, Pack<T>::lanes);
        add_correlation<T>(k.taps, rows, columns, kernel, {x.data, x.first + c, x.step, x.size},
                           {y.data, y.first + row, y.step, y.size}, begin, end, samples,
                           {start.held || c > 0, start.column ? start.column + row : nullptr});
    });
}

/// x(g) = start + Σₜ W(t)ᵀ y(g − t) for groups g = begin … end − 1 of x, each of several times `channels` values: so
/// many are in `start.column`.
template <class T>
EIGEN_DONT_INLINE void add_filtered_transposed(const FilteredKernel<const T>& k, const SequenceGroups<const T>& y,
                                               const SequenceGroups<T>& x, Index begin, Index end, Index samples,
                                               Index channels, Start<T> start) {
    constexpr Index lanes = Pack<T>::lanes;
    alignas(64) T kernel[filter_points * kernel_part<T>], turned[filter_points * kernel_part<T>],
        square[lanes * deepest_part];
    T column[longest_part];
    each_kernel_part<T>(k.group, k.filters, [&](Index c, Index columns, Index row, Index rows) {
        kernel_at_points(k, true, row, rows, c, columns, kernel, lanes, rows, rows * columns);
        for (Index p = 0; p < filter_points; ++p)
            for (Index i = 0; i < columns; i += lanes) {
                turn(lanes, rows, kernel + (p * columns + i) * rows, rows, square);
                for (Index r = 0; r < rows; ++r)
                    std::copy_n(square + r * lanes, lanes, turned + (i * rows + r * lanes) * filter_points + p * lanes);
            }
        for (Index i = 0; i < columns && start.column; ++i) column[i] = start.column[(c + i) % channels];
        add_correlation<T>(k.taps, columns, rows, turned,
                           {y.data, y.first + row - (k.taps - 1) * y.step, y.step, y.size},
                           {x.data, x.first + c, x.step, x.size}, begin, end, samples,
                           {start.held || row > 0, start.column ? column : nullptr});
    });
}

/// dW(t) += Σ y(g) x(g + t)ᵀ over all groups g = 0 … end − 1 of all samples.
template <class T>
EIGEN_DONT_INLINE void add_filtered_gradient(const FilteredKernel<T>& k, const SequenceGroups<const T>& y,
                                             const SequenceGroups<const T>& x, Index end, Index samples) {
    alignas(64) T sums[filter_points * kernel_part<T>], room[filter_points * sequences_part<T>],
        copy[filter_points * longest_part];
    const Index taps = filter_points + 1 - k.taps;
    each_kernel_part<T>(k.filters, k.group, [&](Index row, Index rows, Index c, Index columns) {
        const SequenceGroups<const T> upper{y.data, y.first + row, y.step, y.size},
            lower{x.data, x.first + c, x.step, x.size};
        const Index most = sequences_part<T> / (rows + columns) / 8 * 8;
        T* const lower_room = room + filter_points * most * rows;
        bool held = false;
        each_chunk(0, end, taps, samples, most, [&](FilterBlock place, Index count) {
            for (Index i = 0; i < count; ++i, place.next(0, end, taps)) {
                const auto [up, up_step] = read_groups(upper, place.sample, place.group, taps, rows, copy);
                taps_at_points(up, up_step, taps, rows, room + i * filter_points * rows, Pack<T>::lanes, rows);
                const auto [low, low_step] =
                    read_groups(lower, place.sample, place.group, filter_points, columns, copy);
                input_at_points(low, low_step, columns, lower_room + i * filter_points * columns, columns);
            }
            for (Index p = 0; p < filter_points; ++p)
                add_product(rows, columns, count, room + p * rows, filter_points * rows,
                            {lower_room + p * columns, filter_points * columns, 1}, sums + p * rows * columns, rows,
                            Start<T>{held});
            held = true;
        });
        for (Index i = 0; i < columns; ++i) {
            T* const to = k.column(0, c + i) + row;
            const Index kept = k.has(k.taps - 1, c + i) ? k.taps : k.taps - 1, step = k.group * k.filters;
            const FilterOutputs<T> out{k.taps, kept, to, step, to, step};
            for (Index r = 0; r < rows; r += Pack<T>::lanes) {
                const auto point = [&](Index p) { return Pack<T>::load(sums + (p * columns + i) * rows + r).values; };
                out.put(r, {point(0), point(1), point(2), point(3), point(4), point(5)});
            }
        }
    });
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
