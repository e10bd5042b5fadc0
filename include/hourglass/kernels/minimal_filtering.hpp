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
#include <utility>

#include "hourglass/kernels/product.hpp"
#include "hourglass/kernels/toom_cook.hpp"
#include "hourglass/kernels/transpose.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

// Where a tile (the outputs of one product of polynomials, in Lavin and Gray's word) begins.
struct FilterTile {
    Index sample, frame;

    void next(Index begin, Index end, Index step) {
        frame += step;
        if (frame < end) return;
        frame = begin;
        ++sample;
    }
};

// Calls use(place, count) for the tiles of `step` frames into which begin … end − 1 of all samples are divided, at
// most `most` of them at once: count tiles from `place` on.
template <class Use>
void each_tile_block(Index begin, Index end, Index step, Index samples, Index most, Use use) {
    const Index each = (end - begin + step - 1) / step, tiles = each * samples;
    for (Index first = 0; first < tiles; first += most)
        use(FilterTile{first / each, begin + first % each * step}, std::min(most, tiles - first));
}

// Σₖ u[k·filter_points + p] v[(tile·filter_points + p)·deepest_block + k] for each pack of rows, tile and point p of
// as many as P has numbers; u of the next pack lies `pack_step` behind. The folds unroll at any optimisation level, so
// that the sums live in registers.
template <class T, std::size_t... P>
EIGEN_STRONG_INLINE void multiply_at_points(std::index_sequence<P...>, Index depth, const T* u, Index pack_step,
                                            const T* v, typename Pack<T>::Register (*sums)[products_together]) {
    namespace packets = Eigen::internal;
    using Packet = typename Pack<T>::Register;
    constexpr std::make_index_sequence<products_together> products;
    constexpr std::size_t tiles = tiles_together;
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
        ((sum[p][I] = packets::pmadd(I < tiles ? first : last,
                                     packets::pset1<Packet>(column[number(I % tiles) * filter_points * deepest_block]),
                                     sum[p][I])),
         ...);
    };
    for (Index k = 0; k < depth; ++k, u += filter_points * Pack<T>::lanes, ++v)
        (add(P, u + number(P) * Pack<T>::lanes, v + number(P) * deepest_block, products), ...);
    const auto store = [&sum, sums ]<std::size_t... I>(std::size_t p, std::index_sequence<I...>) {
        ((sums[p][I] = sum[p][I]), ...);
    };
    (store(P, products), ...);
}

// out(g) = initial + Σₜ A(t) in(g + t), g = begin … end − 1, for every sample, A of rows × depth being known at the
// points, pack by pack of rows.
template <class T>
void add_correlation(Index taps, Index rows, Index depth, const T* kernel, const Frames<const T>& in,
                     const Frames<T>& out, Index begin, Index end, Index samples, Initial<T> initial) {
    constexpr Index lanes = Pack<T>::lanes, together = tiles_together;
    static_assert(filter_unit % (packs_together * lanes) == 0);
    const Index outputs = filter_points + 1 - taps;
    alignas(64) T values[together * filter_points * deepest_block], copy[filter_points * longest_block],
        zero[longest_block], edge[together][filter_points * longest_block];
    std::fill_n(zero, rows, T(0));
    std::fill_n(values, together * filter_points * deepest_block, T(0));
    each_tile_block(begin, end, outputs, samples, together, [&](FilterTile first, Index count) {
        FilterOutputs<T> to[together];
        FilterTile tile = first;
        const auto where = [&] { return out.first + tile.frame * out.step; };
        const auto whole = [&](Index kept) {
            return where() >= 0 && where() + (kept - 1) * out.step + rows <= out.size;
        };
        for (Index i = 0; i < together; ++i) {
            to[i] = {outputs, outputs, zero, 0, edge[i], rows};
            if (i >= count) continue;
            const auto [from, step] = read_frames(in, tile.sample, tile.frame, filter_points, depth, copy);
            input_at_points(from, step, depth, values + i * filter_points * deepest_block, deepest_block);
            const Index kept = std::min(outputs, end - tile.frame);
            if (whole(kept)) {
                T* const place = out.data + tile.sample * out.size + where();
                to[i] = {outputs,
                         kept,
                         initial.accumulate ? place
                         : initial.column   ? initial.column
                                            : zero,
                         initial.accumulate ? out.step : 0,
                         place,
                         out.step};
            }
            tile.next(begin, end, outputs);
        }
        for (Index row = 0; row < rows; row += packs_together * lanes) {
            typename Pack<T>::Register sums[filter_points][products_together];
            const T* const u = kernel + row * filter_points * depth;
            for (Index p = 0; p < filter_points; p += points_together)
                multiply_at_points(std::make_index_sequence<points_together>{}, depth, u + p * lanes,
                                   filter_points * lanes * depth, values + p * deepest_block, sums + p);
            [&]<Index... I>(std::integer_sequence<Index, I...>) {
                (to[I % together].put(row + I / together * lanes,
                                      {sums[0][I], sums[1][I], sums[2][I], sums[3][I], sums[4][I], sums[5][I]}),
                 ...);
            }
            (std::make_integer_sequence<Index, products_together>{});
        }
        tile = first;
        for (Index i = 0; i < count; ++i, tile.next(begin, end, outputs)) {
            const Index kept = std::min(outputs, end - tile.frame);
            if (whole(kept)) continue;
            T* const sample = out.data + tile.sample * out.size;
            for (Index j = 0; j < kept; ++j)
                for (Index r = 0; r < rows; ++r) {
                    const Index here = where() + j * out.step + r;
                    if (here < 0 || here >= out.size) continue;
                    const T from = initial.accumulate ? sample[here] : initial.column ? initial.column[r] : T(0);
                    sample[here] = from + edge[i][j * rows + r];
                }
        }
    });
}

// Calls use(row, rows, c, columns) for the blocks of a kernel that are worked at once.
template <class T, class Use>
void each_kernel_block(Index all_rows, Index all_columns, Use use) {
    const Index wide = std::min(all_columns, deepest_block),
                tall = std::min(kernel_block<T> / wide / filter_unit * filter_unit, longest_block);
    for (Index c = 0; c < all_columns; c += wide)
        for (Index row = 0; row < all_rows; row += tall)
            use(row, std::min(tall, all_rows - row), c, std::min(wide, all_columns - c));
}

/// y(g) = initial + Σₜ W(t) x(g + t) for frames g = begin … end − 1 of y.
template <class T>
EIGEN_DONT_INLINE void add_filtered(const FilteredKernel<const T>& k, const Frames<const T>& x, const Frames<T>& y,
                                    Index begin, Index end, Index samples, Initial<T> initial) {
    constexpr Index column_step = filter_points * Pack<T>::lanes;
    alignas(64) T kernel[filter_points * kernel_block<T>];
    each_kernel_block<T>(k.filters, k.frame, [&](Index row, Index rows, Index c, Index columns) {
        kernel_at_points(k, false, row, rows, c, columns, kernel, columns * column_step, column_step, Pack<T>::lanes);
        add_correlation<T>(k.taps, rows, columns, kernel, {x.data, x.first + c, x.step, x.size},
                           {y.data, y.first + row, y.step, y.size}, begin, end, samples,
                           {initial.accumulate || c > 0, initial.column ? initial.column + row : nullptr});
    });
}

/// x(g) = initial + Σₜ W(t)ᵀ y(g − t) for frames g = begin … end − 1 of x, each of several times `channels` values: so
/// many are in `initial.column`.
template <class T>
EIGEN_DONT_INLINE void add_filtered_transposed(const FilteredKernel<const T>& k, const Frames<const T>& y,
                                               const Frames<T>& x, Index begin, Index end, Index samples,
                                               Index channels, Initial<T> initial) {
    constexpr Index lanes = Pack<T>::lanes;
    alignas(64) T kernel[filter_points * kernel_block<T>], transposed[filter_points * kernel_block<T>],
        square[lanes * deepest_block];
    T column[longest_block];
    each_kernel_block<T>(k.frame, k.filters, [&](Index c, Index columns, Index row, Index rows) {
        kernel_at_points(k, true, row, rows, c, columns, kernel, lanes, rows, rows * columns);
        for (Index p = 0; p < filter_points; ++p)
            for (Index i = 0; i < columns; i += lanes) {
                transpose(lanes, rows, kernel + (p * columns + i) * rows, rows, square);
                for (Index r = 0; r < rows; ++r)
                    std::copy_n(square + r * lanes, lanes,
                                transposed + (i * rows + r * lanes) * filter_points + p * lanes);
            }
        for (Index i = 0; i < columns && initial.column; ++i) column[i] = initial.column[(c + i) % channels];
        add_correlation<T>(k.taps, columns, rows, transposed,
                           {y.data, y.first + row - (k.taps - 1) * y.step, y.step, y.size},
                           {x.data, x.first + c, x.step, x.size}, begin, end, samples,
                           {initial.accumulate || row > 0, initial.column ? column : nullptr});
    });
}

/// dW(t) += Σ y(g) x(g + t)ᵀ over all frames g = 0 … end − 1 of all samples.
template <class T>
EIGEN_DONT_INLINE void add_filtered_gradient(const FilteredKernel<T>& k, const Frames<const T>& y,
                                             const Frames<const T>& x, Index end, Index samples) {
    alignas(64) T sums[filter_points * kernel_block<T>], room[filter_points * sequences_block<T>],
        copy[filter_points * longest_block];
    const Index taps = filter_points + 1 - k.taps;
    each_kernel_block<T>(k.filters, k.frame, [&](Index row, Index rows, Index c, Index columns) {
        const Frames<const T> upper{y.data, y.first + row, y.step, y.size}, lower{x.data, x.first + c, x.step, x.size};
        const Index most = sequences_block<T> / (rows + columns) / 8 * 8;
        T* const lower_room = room + filter_points * most * rows;
        bool accumulate = false;
        each_tile_block(0, end, taps, samples, most, [&](FilterTile place, Index count) {
            for (Index i = 0; i < count; ++i, place.next(0, end, taps)) {
                const auto [up, up_step] = read_frames(upper, place.sample, place.frame, taps, rows, copy);
                taps_at_points(up, up_step, taps, rows, room + i * filter_points * rows, Pack<T>::lanes, rows);
                const auto [low, low_step] =
                    read_frames(lower, place.sample, place.frame, filter_points, columns, copy);
                input_at_points(low, low_step, columns, lower_room + i * filter_points * columns, columns);
            }
            for (Index p = 0; p < filter_points; ++p)
                add_product(rows, columns, count, room + p * rows, filter_points * rows,
                            {lower_room + p * columns, filter_points * columns, 1}, sums + p * rows * columns, rows,
                            Initial<T>{accumulate});
            accumulate = true;
        });
        for (Index i = 0; i < columns; ++i) {
            T* const to = k.column(0, c + i) + row;
            const Index kept = k.has(k.taps - 1, c + i) ? k.taps : k.taps - 1, step = k.frame * k.filters;
            const FilterOutputs<T> out{k.taps, kept, to, step, to, step};
            for (Index r = 0; r < rows; r += Pack<T>::lanes) {
                const auto point = [&](Index p) { return Pack<T>::load(sums + (p * columns + i) * rows + r).values; };
                out.put(r, {point(0), point(1), point(2), point(3), point(4), point(5)});
            }
        }
    });
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
