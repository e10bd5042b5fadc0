// The transposed convolution over pictures, with its own kernel or with one shared with the encoder.
#pragma once

#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/convolution2d.hpp"
#include "hourglass/layers/convolution_layer.hpp"
#include "hourglass/layers/padding.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The transpose of `Conv2D`: position (p, q) of x adds W_ikᵀ x(p, q) to rows p·Stride + i·Dilation and columns
/// q·Stride + k·Dilation of y, over the kernel's rows i and columns k; then b is added. Out come rows·Stride +
/// max((kernel rows − 1)·Dilation + 1 − Stride, 0) rows, and columns alike; `Padding::Same` cuts them to rows·Stride,
/// the lesser half at the beginning. As in Keras; `Groups` as in PyTorch. Kernel, Stride and Dilation are one number or
/// `Extent{rows, columns}`.
///
/// W is channels × (Filters/Groups · columns · rows), column-major: the input's channels fastest, then filters, then
/// the kernel's columns, then its rows (byte for byte Keras's `kernel`, and the layout of the `Conv2D` it transposes);
/// then b of Filters values unless `UseBias` is false. Fans of the initializer as in Keras and PyTorch:
/// taps·Filters/Groups in, taps·channels out.
template <Index Filters, Extent Kernel, Extent Stride = 1, Padding Pad = Padding::Valid, Extent Dilation = 1,
          bool UseBias = true, Index Groups = 1>
struct Conv2DTranspose
    : layers::ConvolutionLayer<Conv2DTranspose<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups>,
                               layers::Side::Long, Filters, Kernel, UseBias, Groups> {
    static_assert(Kernel.rows > 0 && Kernel.columns > 0,
                  "hourglass: Conv2DTranspose needs a kernel of at least one row and one column");
    static_assert(Pad != Padding::Causal,
                  "hourglass: Conv2DTranspose knows no Padding::Causal, which is for Conv1D alone");
    static_assert(Stride.rows > 0 && Stride.columns > 0, "hourglass: the stride of Conv2DTranspose must be at least 1");
    static_assert(Dilation.rows > 0 && Dilation.columns > 0,
                  "hourglass: the dilation of Conv2DTranspose must be at least 1");
    static_assert(Groups > 0 && Filters % Groups == 0,
                  "hourglass: the filters of Conv2DTranspose must fall into its groups, of as many each");

    static constexpr std::string_view name = "Conv2DTranspose";
    using layers::ConvolutionLayer<Conv2DTranspose, layers::Side::Long, Filters, Kernel, UseBias,
                                   Groups>::ConvolutionLayer;

    static constexpr layers::PictureWindows windows(Shape in) {
        layers::require_groups(name, in, Groups);
        const Extent reach = layers::reach(Kernel, Dilation);
        return {layers::transposed_windows(in.length, reach.rows, Stride.rows, Pad),
                layers::transposed_windows(in.columns, reach.columns, Stride.columns, Pad)};
    }
    static constexpr Shape output(Shape in) {
        const Extent count = windows(in).count();
        return {Filters, count.rows, count.columns};
    }
    static constexpr kernels::Convolution2D convolution(Shape in) {
        const layers::PictureWindows laid = windows(in);
        return {Filters,  laid.count(),  in.channels, {in.length, in.columns}, Kernel, Stride,
                Dilation, laid.before(), Groups};
    }
    std::string hyperparameters() const { return layers::window_text(Kernel, Stride, Pad, Dilation, Groups); }
};

namespace layers {

template <Index Filters, Extent Kernel, Extent Stride, Padding Pad, Extent Dilation, bool UseBias, Index Groups,
          Index SharedOffset, Index SharedSize>
struct Conv2DTransposed : TiedConvolutionLayer<Conv2DTranspose<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups>,
                                               Filters, UseBias, SharedOffset, SharedSize> {
    static constexpr std::string_view name = "Conv2DTranspose (tied)";
};

}  // namespace layers
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
