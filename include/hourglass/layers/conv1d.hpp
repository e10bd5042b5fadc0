// The convolution over sequences.
#pragma once

#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/convolution.hpp"
#include "hourglass/kernels/convolution2d.hpp"
#include "hourglass/layers/conv1d_transpose.hpp"
#include "hourglass/layers/convolution_layer.hpp"
#include "hourglass/layers/padding.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// y(t) = b + Σ_k W_k x(t·Stride + k·Dilation − left), k = 0 … Kernel − 1, for every position t that `windows_over`
/// lays over the sequence; outside it x is zero. `Padding::Causal`: left = (Kernel − 1)·Dilation, and ⌈length/Stride⌉
/// positions come out; it has no `Mirror`, as its transpose would look ahead. As in Keras (no kernel is turned round).
/// With `Groups` channels and filters fall into so many groups, and each filter sees the channels of its own; as many
/// groups as channels make it depthwise.
///
/// W is Filters × (channels/Groups·Kernel), column-major: filters fastest, then channels, then k (byte for byte Keras's
/// `kernel`); then b of Filters values unless `UseBias` is false. Fans of the initializer: Kernel·channels/Groups in,
/// Kernel·Filters out. The output does not compile when the sequence is shorter than the kernel and not padded.
template <Index Filters, Index Kernel, Index Stride = 1, Padding Pad = Padding::Valid, Index Dilation = 1,
          bool UseBias = true, Index Groups = 1>
struct Conv1D : layers::ConvolutionLayer<Conv1D<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups>,
                                         layers::Side::Short, Filters, Extent{1, Kernel}, UseBias, Groups> {
    static_assert(Kernel > 0, "hourglass: Conv1D needs a kernel of at least one position");
    static_assert(Stride > 0, "hourglass: the stride of Conv1D must be at least 1");
    static_assert(Dilation > 0, "hourglass: the dilation of Conv1D must be at least 1");
    static_assert(Groups > 0 && Filters % Groups == 0,
                  "hourglass: the filters of Conv1D must fall into its groups, of as many each");

    static constexpr std::string_view name = "Conv1D";
    using layers::ConvolutionLayer<Conv1D, layers::Side::Short, Filters, Extent{1, Kernel}, UseBias,
                                   Groups>::ConvolutionLayer;

    static constexpr layers::Windows windows(Shape in) {
        layers::require_groups(name, in, Groups);
        return layers::windows_over(name, in, layers::reach(Kernel, Dilation), Stride, Pad);
    }
    static constexpr Shape output(Shape in) { return {Filters, windows(in).count}; }
    static constexpr auto convolution(Shape in) {
        const layers::Windows laid = windows(in);
        if constexpr (Groups == 1)
            return kernels::Convolution{in.channels, in.length, Filters,  laid.count,
                                        Kernel,      Stride,    Dilation, laid.left};
        else
            return kernels::Convolution2D{in.channels, {1, in.length}, Filters,        {1, laid.count}, {1, Kernel},
                                          {1, Stride}, {1, Dilation},  {0, laid.left}, Groups};
    }
    std::string hyperparameters() const { return layers::window_text(Kernel, Stride, Pad, Dilation, Groups); }

    /// The transposed convolution back to the input's shape. Does not compile where that has another length.
    template <Shape In>
    constexpr auto mirror() const {
        require_way_back<In>();
        return Conv1DTranspose<In.channels, Kernel, Stride, Pad, Dilation, UseBias, Groups>{this->kernel_initializer};
    }
    /// The same, with this layer's W; only the bias is its own.
    template <Shape In, Index Offset>
    constexpr auto tied() const {
        require_way_back<In>();
        return layers::Conv1DTransposed<In.channels, Kernel, Stride, Pad, Dilation, UseBias, Groups, Offset,
                                        Conv1D::parameters(In)>{};
    }

  private:
    template <Shape In>
    static constexpr void require_way_back() {
        static_assert(
            Conv1DTranspose<In.channels, Kernel, Stride, Pad, Dilation, true, Groups>::output(output(In)) == In,
            "hourglass: the transpose of this Conv1D does not give back its input's length: with "
            "Padding::Same the length must be a multiple of the stride, with Padding::Valid the length "
            "minus the kernel's extent must be");
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
