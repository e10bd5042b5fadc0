// Minimal filtering of pictures: windows that slide by one along a row, in fewer multiplications than taps times
// outputs.
//
// Each row of a picture is a sequence, known at the six points of toom_cook.hpp in tiles of a few columns; so is each
// row of a kernel. What a window sees is the sum over its rows of taps, which is taken at the points: for each of them
// one matrix product over a kernel's rows and channels, whose columns are the tiles of several rows of windows. With
// three taps that takes half of the multiplications (A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural
// Networks, 2016, nest it in both directions, for less than half and ten times the rounding errors).
//
// Rounding errors are about twice those of the plain sums (benchmarks/convolution2d.cpp), as in one dimension.
#pragma once

#include <algorithm>
#include <type_traits>

#include "hourglass/kernels/picture_frames.hpp"
#include "hourglass/kernels/product.hpp"
#include "hourglass/kernels/toom_cook.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

// Windows (p, q) of rows row … row + rows − 1 and of tiles tile … tile + tiles − 1 of columns, `outputs` each.
struct TileStrip {
    Index row, rows, tile, tiles;

    constexpr Index count() const { return rows * tiles; }
};

// What is known at the points at a time: of a kernel, and of a strip with what it sees and its outputs.
template <class T>
inline constexpr Index filtered_kernel_values = 73728 / static_cast<Index>(sizeof(T));
template <class T>
inline constexpr Index filtered_strip_values = 57344 / static_cast<Index>(sizeof(T));

// How much of a convolution is worked at once: channels read, values of an output, and a strip's rows and tiles.
struct FilteredBlocks {
    Index channels, rows;
    TileStrip strip;
};
template <class T>
FilteredBlocks filtered_blocks(const PictureFrames& s, Index rows) {
    const Index outputs = filter_points + 1 - s.taps.columns;
    const auto whole = [](Index values) { return values / filter_unit * filter_unit; };
    FilteredBlocks b{std::min<Index>(s.channels, 32), 0, {}};
    const Index at_points = filter_points * s.taps.rows * filter_unit;  // values of a kernel for a channel and 16 rows
    b.channels = std::min(b.channels, whole(filtered_kernel_values<T> / at_points));
    if (b.channels == 0) return b;
    // The taps of a block lie in the strip's room before they are at the points.
    b.rows =
        std::min({rows, longest_block, whole(filtered_kernel_values<T> / (filter_points * s.taps.rows * b.channels)),
                  whole(filtered_strip_values<T> / (s.taps.columns * b.channels))});
    // Strips of at least four rows, where the picture has them: each sees taps.rows − 1 more.
    const Index room = filtered_strip_values<T> / filter_points, least = std::min<Index>(4, s.count.rows);
    const auto values = [&](Index strip_rows) {
        return (strip_rows + s.taps.rows - 1) * b.channels + strip_rows * b.rows;
    };
    const Index tiles = (s.count.columns + outputs - 1) / outputs;
    b.strip.tiles = std::min(tiles, room / values(least));
    while (b.strip.rows < s.count.rows && values(b.strip.rows + 1) * b.strip.tiles <= room) ++b.strip.rows;
    return b;
}

// Whether minimal filtering can take windows like these, with `rows` values an output: the channels have to fill whole
// packs, and what is known at the points needs room.
template <class T>
bool fits_filtering(const PictureFrames& s, Index rows) {
    if (!std::is_floating_point_v<T> || s.step != Extent{1} || s.taps.columns < 2 || s.taps.columns > 5 ||
        s.channels % filter_unit != 0 || rows % filter_unit != 0)
        return false;
    const FilteredBlocks blocks = filtered_blocks<T>(s, rows);
    return blocks.channels > 0 && blocks.strip.tiles > 0;
}
/// When it is faster (benchmarks/convolution2d.cpp): the multiplications it saves have to pay for the additions.
template <class T>
bool filtering_pays(const PictureFrames& s, Index rows) {
    return s.taps.columns > 2 && s.count.columns >= 4 && fits_filtering<T>(s, rows);
}
template <class T>
bool filtered_gradient_pays(const PictureFrames& s, Index rows) {
    return (s.count.columns >= 14 || (s.count.columns >= 7 && s.channels * rows >= 512)) && fits_filtering<T>(s, rows);
}

// Calls use(strip) for all strips of windows.
template <class Use>
void each_strip(const PictureFrames& s, const TileStrip& most, Use use) {
    const Index outputs = filter_points + 1 - s.taps.columns, tiles = (s.count.columns + outputs - 1) / outputs;
    for (Index row = 0; row < s.count.rows; row += most.rows)
        for (Index tile = 0; tile < tiles; tile += most.tiles)
            use(TileStrip{row, std::min(most.rows, s.count.rows - row), tile, std::min(most.tiles, tiles - tile)});
}

// What a strip sees of `channels` channels from `channel` on, at the points: position (row i, tile t) at
// at[(i·tiles + t)·channels], each point `point_step` behind the last.
template <class T>
void strip_at_points(const PictureFrames& s, const TileStrip& strip, const T* picture, Index channel, Index channels,
                     T* at, Index point_step) {
    T copy[filter_points * longest_block];
    const Index outputs = filter_points + 1 - s.taps.columns;
    const Frames<const T> rows{picture, channel - s.before.columns * s.channels, s.channels,
                               s.size.columns * s.channels};
    for (Index i = 0; i < s.rows_seen(strip.rows); ++i) {
        const Index row = strip.row + i - s.before.rows;
        for (Index t = 0; t < strip.tiles; ++t, at += channels) {
            if (row < 0 || row >= s.size.rows) {
                for (Index p = 0; p < filter_points; ++p) std::fill_n(at + p * point_step, channels, T(0));
                continue;
            }
            const auto [from, step] = read_frames(rows, row, (strip.tile + t) * outputs, filter_points, channels, copy);
            input_at_points(from, step, channels, at, point_step);
        }
    }
}

// Where one row of a kernel's taps lies: tap k of channel c, the values of an output after each other, at
// values[k·tap_step + c·channel_step].
template <class T>
struct TapRow {
    const T* values;
    Index tap_step, channel_step;
};

/// y(window) = initial + Σ A(i, k) x(window + (i, k)), `rows` values each, for `samples` pictures that lie x_size and
/// y_size apart. taps(i, row, rows, channel, channels, room) shows row i of A's taps, perhaps in `room`.
template <class T, class Taps>
void add_filtered_frames(const PictureFrames& s, Index rows, Taps taps, const T* x, Index x_size, Outputs<T> y,
                         Index y_size, Index samples, const Initial<T>& initial) {
    alignas(64) T kernel[filtered_kernel_values<T>], room[filtered_strip_values<T>];
    T zero[longest_block];
    const FilteredBlocks most = filtered_blocks<T>(s, rows);
    const Index outputs = filter_points + 1 - s.taps.columns;
    Prefetch<T> nothing;
    std::fill_n(zero, longest_block, T(0));
    for (Index channel = 0; channel < s.channels; channel += most.channels)
        for (Index row = 0; row < rows; row += most.rows) {
            const Index deep = std::min(most.channels, s.channels - channel), tall = std::min(most.rows, rows - row);
            const Index depth = s.taps.rows * deep;
            for (Index i = 0; i < s.taps.rows; ++i) {
                const TapRow<T> from = taps(i, row, tall, channel, deep, room);
                for (Index c = 0; c < deep; ++c)
                    taps_at_points(from.values + c * from.channel_step, from.tap_step, s.taps.columns, tall,
                                   kernel + (i * deep + c) * tall, Pack<T>::lanes, depth * tall);
            }
            const bool accumulate = initial.accumulate || channel > 0;
            const T* const column = initial.column ? initial.column + row : nullptr;
            for (Index j = 0; j < samples; ++j)
                each_strip(s, most.strip, [&](const TileStrip& strip) {
                    const Index seen = s.rows_seen(strip.rows) * strip.tiles * deep, made = strip.count() * tall;
                    T* const sums = room + filter_points * seen;
                    strip_at_points(s, strip, x + j * x_size, channel, deep, room, seen);
                    for (Index p = 0; p < filter_points; ++p)
                        for (Index r = 0; r < tall; r += product_rows) {
                            T* const c = sums + p * made + r;
                            const Block<T, true> block{deep,        kernel + p * depth * tall + r,
                                                       tall,        {room + p * seen, 1, deep},
                                                       zero,        0,
                                                       c,           tall,
                                                       s.taps.rows, strip.tiles * deep};
                            add_block(std::min(product_rows, tall - r), strip.count(), block, nothing);
                        }
                    const T* sum = sums;
                    for (Index p = strip.row; p < strip.row + strip.rows; ++p)
                        for (Index t = strip.tile; t < strip.tile + strip.tiles; ++t, sum += tall) {
                            T* const to = y.values + j * y_size + p * y.row_step + t * outputs * y.column_step + row;
                            const Index kept = std::min(outputs, s.count.columns - t * outputs);
                            for (Index r = 0; r < tall; r += Pack<T>::lanes) {
                                const auto at = [&](Index point) {
                                    return Pack<T>::load(sum + point * made + r).values;
                                };
                                const FilterOutputs<T> out{outputs,
                                                           kept,
                                                           accumulate ? to : column ? column : zero,
                                                           accumulate ? y.column_step : 0,
                                                           to,
                                                           y.column_step};
                                out.put(r, {at(0), at(1), at(2), at(3), at(4), at(5)});
                            }
                        }
                });
        }
}

/// y += W ∗ x, or y = initial + W ∗ x: see `add_convolution`.
template <class T>
EIGEN_DONT_INLINE void add_filtered_convolution(const PictureFrames& s, Index filters, const T* w, const T* x, T* y,
                                                Index samples, const Initial<T>& initial) {
    const auto taps = [&](Index i, Index row, Index, Index channel, Index, T*) {
        return TapRow<T>{w + (i * s.run() + channel) * filters + row, s.channels * filters, filters};
    };
    add_filtered_frames(s, filters, taps, x, s.channels * s.size.count(),
                        Outputs<T>{y, s.count.columns * filters, filters}, filters * s.count.count(), samples, initial);
}

/// dW += ∂(yᵀ(W ∗ x))/∂W.
template <class T>
EIGEN_DONT_INLINE void add_filtered_kernel_gradient(const PictureFrames& s, Index filters, const T* y, const T* x,
                                                    T* dw, Index samples) {
    alignas(64) T sums[filtered_kernel_values<T>], room[filtered_strip_values<T>];
    T copy[filter_points * longest_block];
    const FilteredBlocks most = filtered_blocks<T>(s, filters);
    const Index outputs = filter_points + 1 - s.taps.columns;
    for (Index channel = 0; channel < s.channels; channel += most.channels)
        for (Index row = 0; row < filters; row += most.rows) {
            const Index deep = std::min(most.channels, s.channels - channel), tall = std::min(most.rows, filters - row);
            bool accumulate = false;
            for (Index j = 0; j < samples; ++j)
                each_strip(s, most.strip, [&](const TileStrip& strip) {
                    const Index seen = s.rows_seen(strip.rows) * strip.tiles * deep, made = strip.count() * tall;
                    T* const upper = room + filter_points * seen;
                    strip_at_points(s, strip, x + j * s.channels * s.size.count(), channel, deep, room, seen);
                    const Frames<const T> rows{y + j * filters * s.count.count(), row, filters,
                                               s.count.columns * filters};
                    T* at = upper;
                    for (Index p = strip.row; p < strip.row + strip.rows; ++p)
                        for (Index t = strip.tile; t < strip.tile + strip.tiles; ++t, at += tall) {
                            const auto [from, step] = read_frames(rows, p, t * outputs, outputs, tall, copy);
                            taps_at_points(from, step, outputs, tall, at, Pack<T>::lanes, made);
                        }
                    for (Index p = 0; p < filter_points; ++p)
                        for (Index i = 0; i < s.taps.rows; ++i)
                            add_product(tall, deep, strip.count(), upper + p * made, tall,
                                        {room + p * seen + i * strip.tiles * deep, deep, 1},
                                        sums + (p * s.taps.rows + i) * deep * tall, tall, Initial<T>{accumulate});
                    accumulate = true;
                });
            for (Index i = 0; i < s.taps.rows; ++i)
                for (Index c = 0; c < deep; ++c) {
                    T* const to = dw + (i * s.run() + channel + c) * filters + row;
                    const Index step = s.channels * filters;
                    const FilterOutputs<T> out{s.taps.columns, s.taps.columns, to, step, to, step};
                    for (Index r = 0; r < tall; r += Pack<T>::lanes) {
                        const auto point = [&](Index p) {
                            return Pack<T>::load(sums + ((p * s.taps.rows + i) * deep + c) * tall + r).values;
                        };
                        out.put(r, {point(0), point(1), point(2), point(3), point(4), point(5)});
                    }
                }
        }
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
