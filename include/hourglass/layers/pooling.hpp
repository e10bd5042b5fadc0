// Pooling over sequences, and its counterpart.
#pragma once

#include <string>
#include <string_view>

#include "hourglass/layers/pooling_layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Repeats every position Size times.
template <Index Size = 2>
struct UpSampling1D;

namespace layers {

// The sizes of a pooling over series, and the way back.
template <class Derived, Index Pool, Index Stride, Padding Pad>
struct Pooling1D {
    static constexpr Windows windows(Shape in) { return windows_over(Derived::name, in, Pool, Stride, Pad); }
    static constexpr PictureWindows picture_windows(Shape in) { return {windows(in), {1, 0}}; }
    std::string hyperparameters() const { return window_text(Pool, Stride, Pad); }

    /// Every position of an output repeated Stride times. Does not compile where that does not give the input's length.
    template <Shape In>
    constexpr UpSampling1D<Stride> mirror() const {
        static_assert(windows(In).count * Stride == In.length,
                      "hourglass: an upsampling by the stride of this pooling does not give back its input's length, "
                      "which must be a multiple of the stride");
        return {};
    }
};

}  // namespace layers

/// The largest value of each window of Pool positions, Stride apart; its gradient goes to the first position that holds
/// it. NaN stays NaN.
template <Index Pool = 2, Index Stride = Pool, Padding Pad = Padding::Valid>
struct MaxPooling1D : layers::MaxPooling<MaxPooling1D<Pool, Stride, Pad>, Extent{Pool, 1}, Extent{Stride, 1}, Pad>,
                      layers::Pooling1D<MaxPooling1D<Pool, Stride, Pad>, Pool, Stride, Pad> {
    static constexpr std::string_view name = "MaxPooling1D";
};

/// The mean of each window; positions that stick out of the sequence count neither above nor below the fraction.
template <Index Pool = 2, Index Stride = Pool, Padding Pad = Padding::Valid>
struct AveragePooling1D
    : layers::AveragePooling<AveragePooling1D<Pool, Stride, Pad>, Extent{Pool, 1}, Extent{Stride, 1}, Pad>,
      layers::Pooling1D<AveragePooling1D<Pool, Stride, Pad>, Pool, Stride, Pad> {
    static constexpr std::string_view name = "AveragePooling1D";
};

template <Index Size>
struct UpSampling1D : layers::Repetition<UpSampling1D<Size>, Extent{Size, 1}> {
    static constexpr std::string_view name = "UpSampling1D";

    static constexpr Shape output(Shape in) {
        layers::require_series(name, in);
        return {in.channels, in.length * Size};
    }
    std::string hyperparameters() const { return "size " + text(Size); }
    /// The mean of the repeated positions.
    template <Shape In>
    constexpr AveragePooling1D<Size> mirror() const {
        return {};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
