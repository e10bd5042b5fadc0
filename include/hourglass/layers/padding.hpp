// How windows (of a convolution, of a pooling) are laid over a sequence.
#pragma once

#include <algorithm>
#include <string_view>

#include "hourglass/core/shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// `Valid`: windows lie inside the sequence. `Same`: windows may stick out at both ends, where they see nothing, so
/// that a stride of 1 keeps the length.
enum class Padding { Valid, Same };

/// Windows over a sequence: how many, and how far the first one sticks out before the sequence's first position.
struct Windows {
    Index count = 0;
    Index left = 0;
};

/// Windows of `extent` positions, `stride` apart, over `length` positions, placed as in Keras and TensorFlow. Valid:
/// ⌊(length − extent)/stride⌋ + 1 of them. Same: ⌈length/stride⌉, of which those at both ends stick out by
/// p = max((count − 1)·stride + extent − length, 0) in all, ⌊p/2⌋ of it at the beginning. `Error` that names `layer`
/// when not one fits.
constexpr Windows windows_over(std::string_view layer, Index length, Index extent, Index stride, Padding padding) {
    if (padding == Padding::Same) {
        const Index count = (length + stride - 1) / stride;
        return {count, std::max<Index>((count - 1) * stride + extent - length, 0) / 2};
    }
    if (extent > length)
        fail(layer, ": a window covers ", extent, " positions, but the sequence has only ", length,
             "; Padding::Same lets windows stick out");
    return {(length - extent) / stride + 1, 0};
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
