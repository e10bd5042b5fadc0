// A series cut into overlapping windows, one column each, and the way back: what windows say about each step.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// How many windows of `length` steps, one every `stride` steps, lie within `steps` steps: ⌊(steps − length)/stride⌋ +
/// 1. What is left at the end is not covered. `function` is what messages call the caller. `Error` for a length or
/// stride below 1, and for a series shorter than one window.
inline Index window_count(const char* function, Index steps, Index length, Index stride) {
    if (length < 1) fail(function, ": the windows must be at least 1 step long, got ", length);
    if (stride < 1) fail(function, ": the stride must be at least 1, got ", stride);
    if (steps < length)
        fail(function, ": the series has ", steps, " steps (columns), shorter than one window of ", length,
             "; a series has one row per channel and one column per step");
    return (steps - length) / stride + 1;
}

/// The windows of a series as samples: column j holds the steps j·stride … j·stride + length − 1, channels fastest, as
/// a model of `Shape{channels, length}` takes them.
///
/// `series`: channels × steps. Returns (channels·length) × n, n = ⌊(steps − length)/stride⌋ + 1.
/// Errors: no channels, a length or stride below 1, fewer steps than one window has.
template <class Series>
Matrix<typename Series::Scalar> sliding_windows(const Eigen::MatrixBase<Series>& series, Index length,
                                                Index stride = 1) {
    using T = typename Series::Scalar;
    const Index channels = series.rows();
    const Index n = window_count("sliding_windows", series.cols(), length, stride);
    if (channels == 0) fail("sliding_windows: the series has no rows (channels)");
    const Matrix<T> values = series;  // a window is then one run of memory
    Matrix<T> windows(channels * length, n);
    for (Index j = 0; j < n; ++j)
        std::copy_n(values.data() + j * stride * channels, channels * length, windows.data() + j * channels * length);
    return windows;
}

/// The way back: each value of the series is the mean over all windows that hold it. Of the reconstructed windows it
/// makes the reconstructed series, in which one bad position of one window does not show. Undoes `sliding_windows`, up
/// to the steps at the end that no window covers and rounding.
///
/// `windows`: (channels·length) × n. `stride`: at most `length`, or there would be gaps.
/// Returns channels × ((n − 1)·stride + length).
/// Errors: no windows, rows that are no multiple of the channels, channels or stride below 1, a stride above `length`.
template <class Windows>
Matrix<typename Windows::Scalar> overlap_mean(const Eigen::MatrixBase<Windows>& windows, Index channels,
                                              Index stride = 1) {
    using T = typename Windows::Scalar;
    if (channels < 1) fail("overlap_mean: the number of channels must be at least 1, got ", channels);
    if (windows.size() == 0 || windows.rows() % channels != 0)
        fail("overlap_mean: the windows are ", windows.rows(), " x ", windows.cols(),
             ", expected one or more columns of a multiple of ", channels, " channels");
    const Index length = windows.rows() / channels, n = windows.cols();
    if (stride < 1 || stride > length)
        fail("overlap_mean: the stride must be at least 1 and at most the ", length, " steps of a window, got ",
             stride);
    const Matrix<T> values = windows;
    Matrix<T> series(channels, (n - 1) * stride + length);
    for (Index step = 0; step < series.cols(); ++step) {
        // The windows j that hold this step: j·stride ≤ step < j·stride + length.
        const Index last = std::min(step / stride, n - 1);
        const Index first = step < length ? 0 : (step - length) / stride + 1;
        for (Index channel = 0; channel < channels; ++channel) {
            double sum = 0;
            for (Index j = first; j <= last; ++j)
                sum += static_cast<double>(values((step - j * stride) * channels + channel, j));
            series(channel, step) = static_cast<T>(sum / static_cast<double>(last - first + 1));
        }
    }
    return series;
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
