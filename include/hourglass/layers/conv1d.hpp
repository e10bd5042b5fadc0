// The convolution over sequences.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/convolution.hpp"
#include "hourglass/layers/conv1d_transpose.hpp"
#include "hourglass/layers/initializer.hpp"
#include "hourglass/layers/padding.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// y(t) = b + Σ_k W_k x(t·Stride + k·Dilation − left), k = 0 … Kernel − 1, for every position t that `windows_over`
/// lays over the sequence; outside it x is zero. As in Keras (no kernel is turned round).
///
/// W is Filters × (channels·Kernel), column-major: filters fastest, then channels, then k (byte for byte Keras's
/// `kernel`); then b of Filters values unless `UseBias` is false. Fans of the initializer: Kernel·channels in,
/// Kernel·Filters out. The output does not compile when the sequence is shorter than the kernel and not padded.
template <Index Filters, Index Kernel, Index Stride = 1, Padding Pad = Padding::Valid, Index Dilation = 1,
          bool UseBias = true>
struct Conv1D {
    static_assert(Filters > 0, "hourglass: Conv1D needs at least one filter");
    static_assert(Kernel > 0, "hourglass: Conv1D needs a kernel of at least one position");
    static_assert(Stride > 0, "hourglass: the stride of Conv1D must be at least 1");
    static_assert(Dilation > 0, "hourglass: the dilation of Conv1D must be at least 1");

    static constexpr std::string_view name = "Conv1D";
    static constexpr Traits traits{.needs_output = false, .linear = true};
    Initializer kernel_initializer;

    constexpr explicit Conv1D(Initializer kernel = Initializer::GlorotUniform) : kernel_initializer(kernel) {}

    static constexpr layers::Windows windows(Shape in) {
        return layers::windows_over(name, in, (Kernel - 1) * Dilation + 1, Stride, Pad);
    }
    static constexpr Shape output(Shape in) { return {Filters, windows(in).count}; }
    static constexpr Index kernel_size(Shape in) { return Filters * in.channels * Kernel; }
    static constexpr Index parameters(Shape in) { return kernel_size(in) + (UseBias ? Filters : 0); }
    static constexpr auto weights(Shape in) {
        std::array<Weight, UseBias ? 2 : 1> all{Weight{"kernel", {Filters, in.channels, Kernel}}};
        if constexpr (UseBias) all[1] = {"bias", Filters, false};
        return all;
    }
    std::string hyperparameters() const { return layers::window_text(Kernel, Stride, Pad, Dilation); }
    template <Shape In, class T>
    void initialize(std::span<T, parameters(In)> w, Rng& rng) const {
        hourglass::initialize<T>(kernel_initializer, Kernel * In.channels, Kernel * Filters,
                                 w.template first<kernel_size(In)>(), rng);
        if constexpr (UseBias)
            initialize_bias<T>(kernel_initializer, Kernel * In.channels, w.template last<Filters>(), rng);
    }

    template <Shape In, class T>
    void forward(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y, const Context<T>&) const {
        kernels::add_convolution(convolution(In), w.data(), x.data(), y.data(), x.cols(),
                                 kernels::Initial<T>{false, UseBias ? w.data() + kernel_size(In) : nullptr});
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        kernels::add_transposed_convolution(convolution(In), w.data(), dy.data(), dx.data(), dy.cols(),
                                            kernels::Initial<T>{context.accumulate});
    }
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  std::span<T, parameters(In)> dw, const Context<T>& context) const {
        if (!context.accumulate) clear<T>({dw.data(), parameters(In), 1});
        kernels::add_kernel_gradient<kernels::Side::Short>(convolution(In), dy.data(), x.data(), dw.data(),
                                                           UseBias ? dw.data() + kernel_size(In) : nullptr, x.cols());
    }
    template <Shape In, class T>
    void tangent(std::span<const T, parameters(In)> w, ConstView<T>, ConstView<T>, ConstView<T> v, View<T> t) const {
        kernels::add_convolution<T>(convolution(In), w.data(), v.data(), t.data(), v.cols(),
                                    kernels::Initial<T>{false});
    }
    template <Shape In, class T>
    void curvature(std::span<const T, parameters(In)>, ConstView<T>, ConstView<T>, ConstView<T> u, ConstView<T> v,
                   std::span<T, parameters(In)> dw, View<T>) const {
        kernels::add_kernel_gradient<kernels::Side::Short, T>(convolution(In), u.data(), v.data(), dw.data(), nullptr,
                                                              v.cols());
    }

    /// The transposed convolution back to the input's shape. Does not compile where that has another length.
    template <Shape In>
    constexpr auto mirror() const {
        require_way_back<In>();
        return Conv1DTranspose<In.channels, Kernel, Stride, Pad, Dilation, UseBias>{kernel_initializer};
    }
    /// The same, with this layer's W; only the bias is its own.
    template <Shape In, Index Offset>
    constexpr auto tied() const {
        require_way_back<In>();
        return layers::Conv1DTransposed<In.channels, Kernel, Stride, Pad, Dilation, UseBias, Offset, parameters(In)>{};
    }

  private:
    static constexpr kernels::Convolution convolution(Shape in) {
        const layers::Windows laid = windows(in);
        return {in.channels, in.length, Filters, laid.count, Kernel, Stride, Dilation, laid.left};
    }
    template <Shape In>
    static constexpr void require_way_back() {
        static_assert(
            layers::TransposedConvolution<In.channels, Kernel, Stride, Pad, Dilation>::output(output(In)) == In,
            "hourglass: the transpose of this Conv1D does not give back its input's length: with "
            "Padding::Same the length must be a multiple of the stride, with Padding::Valid the length "
            "minus the kernel's extent must be");
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
