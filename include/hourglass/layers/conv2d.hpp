// The convolution over pictures.
#pragma once

#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/core/layer_call.hpp"
#include "hourglass/kernels/convolution2d.hpp"
#include "hourglass/layers/conv2d_transpose.hpp"
#include "hourglass/layers/convolution_layer.hpp"
#include "hourglass/layers/padding.hpp"
#include "hourglass/layers/pooling2d.hpp"
#include "hourglass/layers/upsampled_conv2d.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// y(p, q) = b + Σ_i Σ_k W_ik x(p·Stride + i·Dilation − top, q·Stride + k·Dilation − left) over the kernel's rows i and
/// columns k, for every row p and column q that `windows_over` lays over the picture; outside it x is zero. As in Keras
/// (no kernel is turned round). Kernel, Stride and Dilation are one number or `Extent{rows, columns}`. With `Groups`
/// channels and filters fall into so many groups, and each filter sees the channels of its own; as many groups as
/// channels make it depthwise.
///
/// W is Filters × (channels/Groups · columns · rows), column-major: filters fastest, then channels, then the kernel's
/// columns, then its rows (byte for byte Keras's `kernel`); then b of Filters values unless `UseBias` is false. Fans of
/// the initializer: taps·channels/Groups in, taps·Filters out. The output does not compile when the picture is smaller
/// than the kernel and not padded.
template <Index Filters, Extent Kernel, Extent Stride = 1, Padding Pad = Padding::Valid, Extent Dilation = 1,
          bool UseBias = true, Index Groups = 1>
struct Conv2D : layers::ConvolutionLayer<Conv2D<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups>,
                                         layers::Side::Short, Filters, Kernel, UseBias, Groups> {
    static_assert(Kernel.rows > 0 && Kernel.columns > 0,
                  "hourglass: Conv2D needs a kernel of at least one row and one column");
    static_assert(Pad != Padding::Causal, "hourglass: Conv2D knows no Padding::Causal, which is for Conv1D alone");
    static_assert(Stride.rows > 0 && Stride.columns > 0, "hourglass: the stride of Conv2D must be at least 1");
    static_assert(Dilation.rows > 0 && Dilation.columns > 0, "hourglass: the dilation of Conv2D must be at least 1");
    static_assert(Groups > 0 && Filters % Groups == 0,
                  "hourglass: the filters of Conv2D must fall into its groups, of as many each");

    static constexpr std::string_view name = "Conv2D";
    using layers::ConvolutionLayer<Conv2D, layers::Side::Short, Filters, Kernel, UseBias, Groups>::ConvolutionLayer;

    static constexpr layers::PictureWindows windows(Shape in) {
        layers::require_groups(name, in, Groups);
        return layers::windows_over(name, in, layers::reach(Kernel, Dilation), Stride, Pad);
    }
    static constexpr Shape output(Shape in) {
        const Extent count = windows(in).count();
        return {Filters, count.rows, count.columns};
    }
    static constexpr kernels::Convolution2D convolution(Shape in) {
        const layers::PictureWindows laid = windows(in);
        return {in.channels, {in.length, in.columns}, Filters, laid.count(), Kernel, Stride,
                Dilation,    laid.before(),           Groups};
    }
    std::string hyperparameters() const { return layers::window_text(Kernel, Stride, Pad, Dilation, Groups); }

    /// The transposed convolution back to the input's shape. Does not compile where that has another size.
    template <Shape In>
    constexpr auto mirror() const {
        require_way_back<In>();
        return Conv2DTranspose<In.channels, Kernel, Stride, Pad, Dilation, UseBias, Groups>{this->kernel_initializer};
    }
    /// The same, with this layer's W; only the bias is its own.
    template <Shape In, Index Offset>
    constexpr auto tied() const {
        require_way_back<In>();
        return layers::Conv2DTransposed<In.channels, Kernel, Stride, Pad, Dilation, UseBias, Groups, Offset,
                                        Conv2D::parameters(In)>{};
    }

  private:
    template <Shape In>
    static constexpr void require_way_back() {
        static_assert(
            Conv2DTranspose<In.channels, Kernel, Stride, Pad, Dilation, true, Groups>::output(output(In)) == In,
            "hourglass: the transpose of this Conv2D does not give back its input's rows and columns: with "
            "Padding::Same rows and columns must be multiples of the stride, with Padding::Valid what is left of them "
            "without the kernel's extent must be; a ZeroPadding2D in front of the Conv2D, which Mirror cuts off again, "
            "can make it so");
    }
};

namespace core {

template <Extent Size, Index Filters, Extent Kernel, Padding Pad, bool UseBias>
struct Fused<UpSampling2D<Size, Interpolation::Nearest>, Conv2D<Filters, Kernel, 1, Pad, 1, UseBias, 1>>
    : layers::UpSampledConv2D<UpSampling2D<Size>, Size, Conv2D<Filters, Kernel, 1, Pad, 1, UseBias, 1>, Filters, Kernel,
                              UseBias> {};

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
