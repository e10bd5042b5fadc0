// How windows (of a convolution, of a pooling) are laid over a sequence.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "hourglass/core/shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// `Valid`: windows lie inside the sequence. `Same`: windows may stick out at both ends, where they see nothing, so
/// that a stride of 1 keeps the length.
enum class Padding { Valid, Same };

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

/// Windows of `extent` positions, `stride` apart, over the positions of a series, placed as in Keras and TensorFlow.
/// Valid: ⌊(length − extent)/stride⌋ + 1 of them. Same: ⌈length/stride⌉, of which those at both ends stick out by p =
/// max((count − 1)·stride + extent − length, 0) in all, ⌊p/2⌋ of it at the beginning. `Error` that names `layer` when
/// not one fits.
constexpr Windows windows_over(std::string_view layer, Shape in, Index extent, Index stride, Padding padding) {
    require_series(layer, in);
    const Index length = in.length;
    if (padding == Padding::Same) {
        const Index count = (length + stride - 1) / stride;
        return {count, std::max<Index>((count - 1) * stride + extent - length, 0) / 2};
    }
    if (extent > length)
        fail(layer, ": a window covers ", extent, " positions, but the sequence has only ", length,
             "; Padding::Same lets windows stick out");
    return {(length - extent) / stride + 1, 0};
}

/// What the printed table says of them.
inline std::string window_text(Index kernel, Index stride, Padding padding, Index dilation = 1) {
    return "window " + text(kernel) + (stride == 1 ? "" : ", stride " + text(stride)) +
           (padding == Padding::Same ? ", same" : "") + (dilation == 1 ? "" : ", dilation " + text(dilation));
}

}  // namespace layers

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
