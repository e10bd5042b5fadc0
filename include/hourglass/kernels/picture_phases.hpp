// Transposed 2-D convolutions without gaps and groups. Positions of the long picture fall into step.rows × step.columns
// phases, which see the same taps of the kernel; with those transposed and turned round, a phase is again a product
// with windows, of the short picture, and each position of the long one is written once.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/kernels/convolution.hpp"
#include "hourglass/kernels/direct_convolution.hpp"
#include "hourglass/kernels/filtered_pictures.hpp"
#include "hourglass/kernels/transpose.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

// The phase of tap r along one direction of a picture, see `Phase`.
inline Phase long_phase(Index r, Index kernel, Index step, Index before, Index length, Index positions) {
    return phase_at(r - before, (kernel - 1 - r) / step + 1, step, length, positions);
}

/// One phase: its windows over the short picture y, and the taps of W they go with.
template <class T>
struct PicturePhase {
    PictureFrames windows;
    const T* w;
    Index channels;  // of the long picture: the values of an output
    Extent tap, step;
    Index kernel_columns;

    // What goes with tap (i, k) of a window, transposed: `rows` of the channels against `filters` of the filters.
    void transpose_tap(Index i, Index k, Index channel, Index rows, Index filter, Index filters, T* to) const {
        const Index row = tap.rows + (windows.taps.rows - 1 - i) * step.rows,
                    column = tap.columns + (windows.taps.columns - 1 - k) * step.columns;
        const T* const from = w + ((row * kernel_columns + column) * channels + channel) * windows.channels + filter;
        transpose(rows, filters, from, windows.channels, to);
    }
};

// Values of a phase's kernel, transposed, and how many rows of it at least.
template <class T>
inline constexpr Index phase_values = (Index{1} << 15) / static_cast<Index>(sizeof(T));
inline constexpr Index phase_rows = 16;

// One phase of all samples, which lie y_size and x_size apart; `x` says where the first sample's outputs lie.
template <class T>
EIGEN_DONT_INLINE void add_direct_phase(const PicturePhase<T>& phase, const T* y, Index y_size, const Outputs<T>& x,
                                        Index x_size, Index samples, const Initial<T>& initial) {
    T copy[band_values<T>], packed[phase_values<T>];
    const PictureFrames& windows = phase.windows;
    const Index run = windows.run(), filters = windows.channels;
    const Index taps_at_once = std::min(windows.taps.rows, phase_values<T> / (phase_rows * run));
    const Index rows_at_once =
        std::min(phase.channels, phase_values<T> / (taps_at_once * run) / phase_rows * phase_rows);
    for (Index channel = 0; channel < phase.channels; channel += rows_at_once)
        for (Index tap = 0; tap < windows.taps.rows; tap += taps_at_once) {
            const Index tall = std::min(rows_at_once, phase.channels - channel);
            const Index taps = std::min(taps_at_once, windows.taps.rows - tap);
            T* to = packed;
            for (Index i = tap; i < tap + taps; ++i)
                for (Index k = 0; k < windows.taps.columns; ++k, to += tall * filters)
                    phase.transpose_tap(i, k, channel, tall, 0, filters, to);
            const Initial<T> from{initial.accumulate || tap > 0, initial.column ? initial.column + channel : nullptr};
            for (Index j = 0; j < samples; ++j)
                each_band(windows, y + j * y_size, copy, [&](const Band<T>& band) {
                    const Outputs<T> outputs{x.values + j * x_size + channel, x.row_step, x.column_step};
                    add_frames(windows, band, tap, taps, packed, tall, tall, outputs, from);
                });
        }
}

// The same by minimal filtering.
template <class T>
EIGEN_DONT_INLINE void add_filtered_phase(const PicturePhase<T>& phase, const T* y, Index y_size, const Outputs<T>& x,
                                          Index x_size, Index samples, const Initial<T>& initial) {
    const auto taps = [&](Index i, Index row, Index rows, Index filter, Index filters, T* room) {
        for (Index k = 0; k < phase.windows.taps.columns; ++k)
            phase.transpose_tap(i, k, row, rows, filter, filters, room + k * rows * filters);
        return TapRow<T>{room, rows * filters, rows};
    };
    add_filtered_frames(phase.windows, phase.channels, taps, y, y_size, x, x_size, samples, initial);
}

/// x += Wᵀ ∗ y, or x = initial + Wᵀ ∗ y, for `s` over the long picture x: see `add_transposed_convolution`. Every
/// position of x is to be in a phase.
template <class T>
void add_transposed_by_phases(const PictureFrames& s, Index filters, const T* w, const T* y, T* x, Index samples,
                              const Initial<T>& initial) {
    const auto each_phase = [&](Index kernel, Index step, Index before, Index length, Index positions, auto use) {
        for (Index r = 0; r < std::min(step, kernel); ++r)
            if (const Phase phase = long_phase(r, kernel, step, before, length, positions); phase.begin < phase.end)
                use(r, phase);
    };
    each_phase(s.taps.rows, s.step.rows, s.before.rows, s.size.rows, s.count.rows, [&](Index r, const Phase& rows) {
        each_phase(s.taps.columns, s.step.columns, s.before.columns, s.size.columns, s.count.columns,
                   [&](Index k, const Phase& columns) {
                       const PicturePhase<T> phase{{filters,
                                                    s.count,
                                                    {rows.end - rows.begin, columns.end - columns.begin},
                                                    1,
                                                    {rows.taps, columns.taps},
                                                    {rows.taps - 1 - rows.begin, columns.taps - 1 - columns.begin}},
                                                   w,
                                                   s.channels,
                                                   {r, k},
                                                   s.step,
                                                   s.taps.columns};
                       const Index first = (rows.begin * s.step.rows + rows.offset) * s.size.columns +
                                           columns.begin * s.step.columns + columns.offset;
                       const Outputs<T> outputs{x + first * s.channels, s.step.rows * s.size.columns * s.channels,
                                                s.step.columns * s.channels};
                       (filtering_pays<T>(phase.windows, s.channels)
                            ? add_filtered_phase<T>
                            : add_direct_phase<T>)(phase, y, filters * s.count.count(), outputs,
                                                   s.channels * s.size.count(), samples, initial);
                   });
    });
}

// Whether that can be done: a phase's windows and kernel have room, and no position is left out.
template <class T>
bool falls_into_phases(const PictureFrames& s, Index filters) {
    const auto taps_of = [](Index kernel, Index step) { return (kernel - 1) / step + 1; };
    const Extent taps{taps_of(s.taps.rows, s.step.rows), taps_of(s.taps.columns, s.step.columns)};
    const Index columns_seen = s.count.columns + 2 * (taps.columns - 1);
    if (taps.rows * columns_seen * filters > band_values<T> || phase_rows * taps.columns * filters > phase_values<T>)
        return false;
    const auto reached = [](Index kernel, Index step, Index before, Index length, Index positions) {
        return reached_by(std::min(step, kernel),
                          [&](Index r) { return long_phase(r, kernel, step, before, length, positions); });
    };
    return reached(s.taps.rows, s.step.rows, s.before.rows, s.size.rows, s.count.rows) == s.size.rows &&
           reached(s.taps.columns, s.step.columns, s.before.columns, s.size.columns, s.count.columns) == s.size.columns;
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
