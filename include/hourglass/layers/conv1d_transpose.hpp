// The transposed convolution over sequences, with its own kernel or with one shared with the encoder.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/convolution.hpp"
#include "hourglass/layers/initializer.hpp"
#include "hourglass/layers/padding.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace layers {

// What both kinds share: everything but where the kernel lies.
template <Index Filters, Index Kernel, Index Stride, Padding Pad, Index Dilation>
struct TransposedConvolution {
    static_assert(Filters > 0, "hourglass: Conv1DTranspose needs at least one filter");
    static_assert(Kernel > 0, "hourglass: Conv1DTranspose needs a kernel of at least one position");
    static_assert(Stride > 0, "hourglass: the stride of Conv1DTranspose must be at least 1");
    static_assert(Dilation > 0, "hourglass: the dilation of Conv1DTranspose must be at least 1");

    static constexpr Index extent = (Kernel - 1) * Dilation + 1;  // positions from a kernel's first tap to its last

    static constexpr Shape output(Shape in) {
        require_series("Conv1DTranspose", in);
        const Index beyond = Pad == Padding::Valid && extent > Stride ? extent - Stride : 0;
        return {Filters, in.length * Stride + beyond};
    }
    static constexpr kernels::Convolution convolution(Shape in) {
        const Index left = Pad == Padding::Same && extent > Stride ? (extent - Stride) / 2 : 0;
        return {Filters, output(in).length, in.channels, in.length, Kernel, Stride, Dilation, left};
    }

    template <class T>
    static void forward(Shape in, const T* kernel, const T* bias, ConstView<T> x, View<T> y) {
        kernels::add_transposed_convolution(convolution(in), kernel, x.data(), y.data(), x.cols(),
                                            kernels::Initial<T>{false, bias});
    }
    template <class T>
    static void backward(Shape in, const T* kernel, ConstView<T> dy, View<T> dx, bool accumulate) {
        kernels::add_convolution(convolution(in), kernel, dy.data(), dx.data(), dy.cols(),
                                 kernels::Initial<T>{accumulate});
    }
    template <class T>
    static void gradient(Shape in, ConstView<T> x, ConstView<T> dy, T* kernel_gradient, T* bias_gradient) {
        kernels::add_kernel_gradient<kernels::Side::Long>(convolution(in), x.data(), dy.data(), kernel_gradient,
                                                          bias_gradient, x.cols());
    }
};

}  // namespace layers

/// The transpose of `Conv1D`, also called deconvolution: position q of x adds W_kᵀ x(q) to positions
/// q·Stride + k·Dilation of y, k = 0 … Kernel − 1; then b is added. Out come length·Stride +
/// max((Kernel − 1)·Dilation + 1 − Stride, 0) positions; `Padding::Same` cuts them to length·Stride, the lesser half at
/// the beginning. As in Keras.
///
/// W is channels × (Filters·Kernel), column-major: the input's channels fastest, then filters, then k (byte for byte
/// Keras's `kernel`, and the layout of the `Conv1D` it transposes); then b of Filters values unless `UseBias` is false.
/// Fans of the initializer as in Keras and PyTorch: Kernel·Filters in, Kernel·channels out.
template <Index Filters, Index Kernel, Index Stride = 1, Padding Pad = Padding::Valid, Index Dilation = 1,
          bool UseBias = true>
struct Conv1DTranspose {
    using Core = layers::TransposedConvolution<Filters, Kernel, Stride, Pad, Dilation>;

    static constexpr std::string_view name = "Conv1DTranspose";
    static constexpr Traits traits{.needs_output = false, .linear = true};
    Initializer kernel_initializer;

    constexpr explicit Conv1DTranspose(Initializer kernel = Initializer::GlorotUniform) : kernel_initializer(kernel) {}

    static constexpr Shape output(Shape in) { return Core::output(in); }
    static constexpr Index kernel_size(Shape in) { return in.channels * Filters * Kernel; }
    static constexpr Index parameters(Shape in) { return kernel_size(in) + (UseBias ? Filters : 0); }
    static constexpr auto weights(Shape in) {
        std::array<Weight, UseBias ? 2 : 1> all{Weight{"kernel", {in.channels, Filters, Kernel}}};
        if constexpr (UseBias) all[1] = {"bias", Filters, false};
        return all;
    }
    std::string hyperparameters() const { return layers::window_text(Kernel, Stride, Pad, Dilation); }
    template <Shape In, class T>
    void initialize(std::span<T, parameters(In)> w, Rng& rng) const {
        hourglass::initialize<T>(kernel_initializer, Kernel * Filters, Kernel * In.channels,
                                 w.template first<kernel_size(In)>(), rng);
        if constexpr (UseBias)
            initialize_bias<T>(kernel_initializer, Kernel * Filters, w.template last<Filters>(), rng);
    }

    template <Shape In, class T>
    void forward(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y, const Context<T>&) const {
        Core::forward(In, w.data(), UseBias ? w.data() + kernel_size(In) : nullptr, x, y);
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        Core::backward(In, w.data(), dy, dx, context.accumulate);
    }
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  std::span<T, parameters(In)> dw, const Context<T>& context) const {
        if (!context.accumulate) clear<T>({dw.data(), parameters(In), 1});
        Core::gradient(In, x, dy, dw.data(), UseBias ? dw.data() + kernel_size(In) : nullptr);
    }
    template <Shape In, class T>
    void tangent(std::span<const T, parameters(In)> w, ConstView<T>, ConstView<T>, ConstView<T> v, View<T> t) const {
        Core::template forward<T>(In, w.data(), nullptr, v, t);
    }
    template <Shape In, class T>
    void curvature(std::span<const T, parameters(In)>, ConstView<T>, ConstView<T>, ConstView<T> u, ConstView<T> v,
                   std::span<T, parameters(In)> dw, View<T>) const {
        Core::template gradient<T>(In, v, u, dw.data(), nullptr);
    }
};

namespace layers {

/// `Conv1DTranspose` with the kernel of the `Conv1D` whose SharedSize parameters begin at SharedOffset of the model;
/// the second user of the same weights, adding into the same gradient. Written by `Tied<E>`, not by hand.
template <Index Filters, Index Kernel, Index Stride, Padding Pad, Index Dilation, bool UseBias, Index SharedOffset,
          Index SharedSize>
struct Conv1DTransposed {
    using Core = TransposedConvolution<Filters, Kernel, Stride, Pad, Dilation>;

    static constexpr std::string_view name = "Conv1DTranspose (tied)";
    static constexpr Traits traits{.needs_output = false};
    static constexpr Index shared_offset = SharedOffset, shared_parameters = SharedSize;

    static constexpr Shape output(Shape in) { return Core::output(in); }
    static constexpr Index parameters(Shape) { return UseBias ? Filters : 0; }
    static constexpr auto weights(Shape) {
        if constexpr (UseBias)
            return std::array{Weight{"bias", Filters, false}};
        else
            return std::array<Weight, 0>{};
    }

    template <Shape In, class T>
    void forward(TiedWeights<const T, SharedSize, parameters(In)> w, ConstView<T> x, View<T> y,
                 const Context<T>&) const {
        Core::forward(In, w.shared.data(), UseBias ? w.own.data() : nullptr, x, y);
    }
    template <Shape In, class T>
    void backward(TiedWeights<const T, SharedSize, parameters(In)> w, ConstView<T>, ConstView<T>, ConstView<T> dy,
                  View<T> dx, const Context<T>& context) const {
        Core::backward(In, w.shared.data(), dy, dx, context.accumulate);
    }
    template <Shape In, class T>
    void gradient(TiedWeights<const T, SharedSize, parameters(In)>, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  TiedWeights<T, SharedSize, parameters(In)> dw) const {
        Core::gradient(In, x, dy, dw.shared.data(), UseBias ? dw.own.data() : nullptr);
    }
};

}  // namespace layers
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
