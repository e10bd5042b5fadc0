// The products behind 2-D convolutions without gaps and groups, read where pictures lie: what a window sees in one row
// of a picture is a run of memory, and all its rows are summed in registers before anything is stored. A picture whose
// windows stick out is copied first, a band of rows at a time, with zeros around it; nothing else of it is.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/core/shape.hpp"
#include "hourglass/kernels/picture_frames.hpp"
#include "hourglass/kernels/product.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace kernels {

// Rows of windows from `first` on, as they see a picture: row i of the taps of window (first + p, q) begins at
// values + (p·step.rows + i)·row_step + q·step.columns·channels.
template <class T>
struct Band {
    const T* values;
    Index row_step, first, rows;
};

// Values of the copy of a band.
template <class T>
inline constexpr Index band_values = (Index{1} << 16) / static_cast<Index>(sizeof(T));

// Whether a copy has room for what a row of windows sees.
template <class T>
bool bands_fit(const PictureFrames& s) {
    return s.inside() || s.rows_seen(1) * s.columns_seen() * s.channels <= band_values<T>;
}

// Calls use(band) for all rows of windows of one picture, of which `copy` may hold as much as has to be copied.
template <class T, class Use>
void each_band(const PictureFrames& s, const T* picture, T* copy, Use use) {
    const Index row = s.size.columns * s.channels;
    if (s.inside()) {
        use(Band<T>{picture - s.before.rows * row - s.before.columns * s.channels, row, 0, s.count.rows});
        return;
    }
    const Index row_step = s.columns_seen() * s.channels, room = band_values<T> / row_step;
    const Index rows_at_once = (room - s.taps.rows) / s.step.rows + 1;
    // The columns that exist of those that are seen.
    const Index begin = std::clamp(s.before.columns, Index{0}, s.columns_seen());
    const Index end = std::clamp(s.size.columns + s.before.columns, begin, s.columns_seen());
    for (Index first = 0; first < s.count.rows; first += rows_at_once) {
        const Index rows = std::min(rows_at_once, s.count.rows - first);
        T* to = copy;
        for (Index i = 0; i < s.rows_seen(rows); ++i, to += row_step) {
            const Index from = first * s.step.rows + i - s.before.rows;
            if (from < 0 || from >= s.size.rows || begin == end) {
                std::fill_n(to, row_step, T(0));
                continue;
            }
            std::fill_n(to, begin * s.channels, T(0));
            std::copy_n(picture + from * row + (begin - s.before.columns) * s.channels, (end - begin) * s.channels,
                        to + begin * s.channels);
            std::fill(to + end * s.channels, to + row_step, T(0));
        }
        use(Band<T>{copy, row_step, first, rows});
    }
}

// y(window) = initial + A · what it sees, `rows` values each, for A of rows × the values of a window, A(i, k) at
// a[i + k·a_step]. `tap_rows` rows of taps from `tap_row` on are seen.
template <class T>
void add_frames(const PictureFrames& s, const Band<T>& band, Index tap_row, Index tap_rows, const T* a, Index a_step,
                Index rows, const Outputs<T>& y, const Initial<T>& initial) {
    const Index run = s.run(), at_once = std::max<Index>(1, product_depth / run);
    T zero[product_rows];
    std::fill_n(zero, product_rows, T(0));
    Prefetch<T> nothing;
    bool accumulate = initial.accumulate;
    for (Index i = 0; i < tap_rows; i += at_once)
        for (Index k = 0; k < run; k += product_depth, accumulate = true)
            for (Index row = 0; row < rows; row += product_rows)
                for (Index p = 0; p < band.rows; ++p) {
                    T* const c = y.values + (band.first + p) * y.row_step + row;
                    const T* const seen = band.values + (p * s.step.rows + tap_row + i) * band.row_step + k;
                    const Block<T, true> block{std::min(product_depth, run - k),
                                               a + row + (i * run + k) * a_step,
                                               a_step,
                                               {seen, 1, s.step.columns * s.channels},
                                               accumulate       ? c
                                               : initial.column ? initial.column + row
                                                                : zero,
                                               accumulate ? y.column_step : 0,
                                               c,
                                               y.column_step,
                                               std::min(at_once, tap_rows - i),
                                               band.row_step};
                    add_block(std::min(product_rows, rows - row), s.count.columns, block, nothing);
                }
}

/// y += W ∗ x, or y = initial + W ∗ x: see `add_convolution`.
template <class T>
EIGEN_DONT_INLINE void add_direct_convolution(const PictureFrames& s, Index filters, const T* w, const T* x, T* y,
                                              Index samples, const Initial<T>& initial) {
    T copy[band_values<T>];
    const Index x_size = s.channels * s.size.count(), y_size = filters * s.count.count();
    for (Index j = 0; j < samples; ++j, x += x_size, y += y_size)
        each_band(s, x, copy, [&](const Band<T>& band) {
            add_frames(s, band, 0, s.taps.rows, w, filters, filters, Outputs<T>{y, s.count.columns * filters, filters},
                       initial);
        });
}

/// dW += ∂(yᵀ(W ∗ x))/∂W.
template <class T>
EIGEN_DONT_INLINE void add_direct_kernel_gradient(const PictureFrames& s, Index filters, const T* y, const T* x, T* dw,
                                                  Index samples) {
    T copy[band_values<T>];
    const Index x_size = s.channels * s.size.count(), y_size = filters * s.count.count(), run = s.run();
    const Index columns = s.count.columns, at_once = std::max<Index>(1, product_depth / columns);
    Prefetch<T> nothing;
    for (Index j = 0; j < samples; ++j, x += x_size, y += y_size)
        each_band(s, x, copy, [&](const Band<T>& band) {
            for (Index i = 0; i < s.taps.rows; ++i)
                for (Index row = 0; row < filters; row += product_rows)
                    for (Index p = 0; p < band.rows; p += at_once)
                        for (Index q = 0; q < columns; q += product_depth) {
                            T* const c = dw + row + i * run * filters;
                            const T* const seen =
                                band.values + (p * s.step.rows + i) * band.row_step + q * s.step.columns * s.channels;
                            const Block<T, true> block{std::min(product_depth, columns - q),
                                                       y + row + ((band.first + p) * columns + q) * filters,
                                                       filters,
                                                       {seen, s.step.columns * s.channels, 1},
                                                       c,
                                                       filters,
                                                       c,
                                                       filters,
                                                       std::min(at_once, band.rows - p),
                                                       s.step.rows * band.row_step};
                            add_block(std::min(product_rows, filters - row), run, block, nothing);
                        }
        });
}

/// The same of one filter and a step of 1: every row of x against the rows of y that see it.
template <class T>
EIGEN_DONT_INLINE void add_direct_kernel_gradient_of_one(const PictureFrames& s, const T* y, const T* x, T* dw,
                                                         Index samples) {
    T copy[band_values<T>];
    const Index x_size = s.channels * s.size.count(), columns = s.count.columns, run = s.run();
    for (Index j = 0; j < samples; ++j, x += x_size, y += s.count.count())
        each_band(s, x, copy, [&](const Band<T>& band) {
            for (Index row = 0; row < s.rows_seen(band.rows); ++row) {
                // Row i of the taps of windows in row p is row p + i: the last p first.
                const Index first = std::max<Index>(0, row - band.rows + 1), last = std::min(row, s.taps.rows - 1);
                add_product(run, last - first + 1, columns, band.values + row * band.row_step, s.channels,
                            {y + (band.first + row - first) * columns, 1, -columns}, dw + first * run, run);
            }
        });
}

}  // namespace kernels
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
