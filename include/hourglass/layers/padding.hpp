// How windows (of a convolution, of a pooling) are laid over a sequence.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "hourglass/core/shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// `Valid`: windows lie inside the sequence. `Same`: windows may stick out at both ends, where they see nothing, so
/// that a stride of 1 keeps the length. `Causal`, for `Conv1D` alone: they stick out at the beginning by all but their
/// last position, so that what comes out depends on no later position (Keras's `causal`).
enum class Padding { Valid, Same, Causal };

namespace layers {

/// Windows over a sequence: how many, and how far the first one sticks out before the sequence's first position.
struct Windows {
    Index count = 0;
    Index left = 0;
};

/// `Error` that names `layer` for a picture, whose second extent a layer over series does not know.
constexpr void require_series(std::string_view layer, Shape in) {
    if (in.columns != 1)
        fail(layer, ": the input has rows and columns, ", in.length, " x ", in.columns,
             ", expected a series of positions");
}

/// Windows of `extent` positions, `stride` apart, over `length` positions, placed as in Keras and TensorFlow.
/// Valid: ⌊(length − extent)/stride⌋ + 1 of them. Same: ⌈length/stride⌉, of which those at both ends stick out by p =
/// max((count − 1)·stride + extent − length, 0) in all, ⌊p/2⌋ of it at the beginning. Causal: as many, and the first
/// one sticks out by extent − 1. `Error` that names `layer` and speaks of `what` of the `whole` when not one fits.
constexpr Windows windows_along(std::string_view layer, std::string_view what, std::string_view whole, Index length,
                                Index extent, Index stride, Padding padding) {
    if (padding != Padding::Valid) {
        const Index count = (length + stride - 1) / stride;
        if (padding == Padding::Causal) return {count, extent - 1};
        return {count, std::max<Index>((count - 1) * stride + extent - length, 0) / 2};
    }
    if (extent > length)
        fail(layer, ": a window covers ", extent, " ", what, ", but the ", whole, " has only ", length,
             "; Padding::Same lets windows stick out");
    return {(length - extent) / stride + 1, 0};
}
/// The same over the positions of a series.
constexpr Windows windows_over(std::string_view layer, Shape in, Index extent, Index stride, Padding padding) {
    require_series(layer, in);
    if (padding == Padding::Valid && in.length == 1 && in.channels > 1 && extent > 1)
        fail(layer, ": a series of one channel is Shape{1, length}; here it is ", in.channels,
             " channels at one position, and ", "a window covers ", extent, " positions");
    return windows_along(layer, "positions", "sequence", in.length, extent, stride, padding);
}

/// Windows over a picture.
struct PictureWindows {
    Windows rows, columns;

    constexpr Extent count() const { return {rows.count, columns.count}; }
    constexpr Extent before() const { return {rows.left, columns.left}; }
};
constexpr PictureWindows windows_over(std::string_view layer, Shape in, Extent extent, Extent stride, Padding padding) {
    return {windows_along(layer, "rows", "picture", in.length, extent.rows, stride.rows, padding),
            windows_along(layer, "columns", "picture", in.columns, extent.columns, stride.columns, padding)};
}

/// From the first tap of a kernel to its last.
constexpr Index reach(Index kernel, Index dilation) { return (kernel - 1) * dilation + 1; }
constexpr Extent reach(Extent kernel, Extent dilation) {
    return {reach(kernel.rows, dilation.rows), reach(kernel.columns, dilation.columns)};
}

/// Positions that come out of a transposed convolution along one direction, and how many are cut off at its beginning.
constexpr Windows transposed_windows(Index length, Index reach, Index stride, Padding padding) {
    const Index beyond = std::max<Index>(reach - stride, 0);
    return padding == Padding::Valid ? Windows{length * stride + beyond, 0} : Windows{length * stride, beyond / 2};
}

/// `Error` that names `layer` where channels do not fall into `groups` of as many.
constexpr void require_groups(std::string_view layer, Shape in, Index groups) {
    if (in.channels % groups != 0)
        fail(layer, ": ", in.channels, " channels do not fall into ", groups, " groups of as many");
}

/// What the printed table says of them; a kernel, stride and dilation of one dimension or of two.
template <class Size>
std::string window_text(Size kernel, Size stride, Padding padding, Size dilation = 1, Index groups = 1) {
    return "window " + text(kernel) + (stride == Size(1) ? "" : ", stride " + text(stride)) +
           (padding == Padding::Same     ? ", same"
            : padding == Padding::Causal ? ", causal"
                                         : "") +
           (dilation == Size(1) ? "" : ", dilation " + text(dilation)) +
           (groups == 1 ? "" : ", groups " + text(groups));
}

}  // namespace layers

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
