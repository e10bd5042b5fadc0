// The transposed convolution over sequences, with its own kernel or with one shared with the encoder.
#pragma once

#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/convolution.hpp"
#include "hourglass/kernels/convolution2d.hpp"
#include "hourglass/layers/convolution_layer.hpp"
#include "hourglass/layers/padding.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The transpose of `Conv1D`, also called deconvolution: position q of x adds W_kᵀ x(q) to positions
/// q·Stride + k·Dilation of y, k = 0 … Kernel − 1; then b is added. Out come length·Stride +
/// max((Kernel − 1)·Dilation + 1 − Stride, 0) positions; `Padding::Same` cuts them to length·Stride, the lesser half at
/// the beginning. As in Keras; `Groups` as in PyTorch.
///
/// W is channels × (Filters/Groups·Kernel), column-major: the input's channels fastest, then filters, then k (byte for
/// byte Keras's `kernel`, and the layout of the `Conv1D` it transposes); then b of Filters values unless `UseBias` is
/// false. Fans of the initializer as in Keras and PyTorch: Kernel·Filters/Groups in, Kernel·channels out.
template <Index Filters, Index Kernel, Index Stride = 1, Padding Pad = Padding::Valid, Index Dilation = 1,
          bool UseBias = true, Index Groups = 1>
struct Conv1DTranspose
    : layers::ConvolutionLayer<Conv1DTranspose<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups>,
                               layers::Side::Long, Filters, Extent{1, Kernel}, UseBias, Groups> {
    static_assert(Kernel > 0, "hourglass: Conv1DTranspose needs a kernel of at least one position");
    static_assert(Pad != Padding::Causal,
                  "hourglass: Conv1DTranspose knows no Padding::Causal, which is for Conv1D alone");
    static_assert(Stride > 0, "hourglass: the stride of Conv1DTranspose must be at least 1");
    static_assert(Dilation > 0, "hourglass: the dilation of Conv1DTranspose must be at least 1");
    static_assert(Groups > 0 && Filters % Groups == 0,
                  "hourglass: the filters of Conv1DTranspose must fall into its groups, of as many each");

    static constexpr std::string_view name = "Conv1DTranspose";
    using layers::ConvolutionLayer<Conv1DTranspose, layers::Side::Long, Filters, Extent{1, Kernel}, UseBias,
                                   Groups>::ConvolutionLayer;

    static constexpr layers::Windows windows(Shape in) {
        layers::require_series(name, in);
        layers::require_groups(name, in, Groups);
        return layers::transposed_windows(in.length, layers::reach(Kernel, Dilation), Stride, Pad);
    }
    static constexpr Shape output(Shape in) { return {Filters, windows(in).count}; }
    static constexpr auto convolution(Shape in) {
        const layers::Windows laid = windows(in);
        if constexpr (Groups == 1)
            return kernels::Convolution{Filters, laid.count, in.channels, in.length,
                                        Kernel,  Stride,     Dilation,    laid.left};
        else
            return kernels::Convolution2D{Filters,     {1, laid.count}, in.channels,    {1, in.length}, {1, Kernel},
                                          {1, Stride}, {1, Dilation},   {0, laid.left}, Groups};
    }
    std::string hyperparameters() const { return layers::window_text(Kernel, Stride, Pad, Dilation, Groups); }
};

namespace layers {

template <Index Filters, Index Kernel, Index Stride, Padding Pad, Index Dilation, bool UseBias, Index Groups,
          Index SharedOffset, Index SharedSize>
struct Conv1DTransposed : TiedConvolutionLayer<Conv1DTranspose<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups>,
                                               Filters, UseBias, SharedOffset, SharedSize> {
    static constexpr std::string_view name = "Conv1DTranspose (tied)";
};

}  // namespace layers
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
