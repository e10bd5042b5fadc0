// What all convolutions and transposed convolutions have in common: everything but their sizes.
#pragma once

#include <array>
#include <span>
#include <utility>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/convolution.hpp"
#include "hourglass/layers/initializer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace layers {

using kernels::Side;

// The passes of a convolution `c` (kernels::Convolution or Convolution2D) whose output is its short side, or of a
// transposed one, whose output is the long side.
template <Side Output>
struct ConvolutionPasses {
    template <class Sizes, class T>
    static void forward(const Sizes& c, const T* kernel, const T* bias, ConstView<T> x, View<T> y) {
        const kernels::Initial<T> initial{false, bias};
        if constexpr (Output == Side::Short)
            kernels::add_convolution(c, kernel, x.data(), y.data(), x.cols(), initial);
        else
            kernels::add_transposed_convolution(c, kernel, x.data(), y.data(), x.cols(), initial);
    }
    template <class Sizes, class T>
    static void backward(const Sizes& c, const T* kernel, ConstView<T> dy, View<T> dx, bool accumulate) {
        const kernels::Initial<T> initial{accumulate};
        if constexpr (Output == Side::Short)
            kernels::add_transposed_convolution(c, kernel, dy.data(), dx.data(), dy.cols(), initial);
        else
            kernels::add_convolution(c, kernel, dy.data(), dx.data(), dy.cols(), initial);
    }
    template <class Sizes, class T>
    static void gradient(const Sizes& c, ConstView<T> x, ConstView<T> dy, T* kernel_gradient, T* bias_gradient) {
        const auto [short_side, long_side] =
            Output == Side::Short ? std::pair{dy.data(), x.data()} : std::pair{x.data(), dy.data()};
        kernels::add_kernel_gradient<Output>(c, short_side, long_side, kernel_gradient, bias_gradient, x.cols());
    }
};

/// A convolution with a kernel of its own and, with `UseBias`, a bias of Filters values. `Derived` says how it is laid,
/// `convolution(Shape in)`.
template <class Derived, Side Output, Index Filters, Extent Kernel, bool UseBias, Index Groups>
struct ConvolutionLayer {
    static_assert(Filters > 0, "hourglass: a convolution needs at least one filter");

    static constexpr Traits traits{.needs_output = false, .linear = true, .by_sample = true};
    static constexpr Index groups = Groups;
    static constexpr std::size_t unit_axis = Output == Side::Short ? 0 : 1;
    Initializer kernel_initializer;  ///< what the kernel starts as

    constexpr explicit ConvolutionLayer(Initializer kernel = Initializer::GlorotUniform) : kernel_initializer(kernel) {}

    // Filters, then channels, or the other way round for a transposed one; then taps.
    static constexpr Extents kernel(Shape in) {
        if constexpr (Output == Side::Short)
            return {Filters, in.channels / Groups, Kernel.columns, Kernel.rows};
        else
            return {in.channels, Filters / Groups, Kernel.columns, Kernel.rows};
    }
    static constexpr Index kernel_size(Shape in) { return kernel(in).size(); }
    static constexpr Index parameters(Shape in) { return kernel_size(in) + (UseBias ? Filters : 0); }
    static constexpr auto weights(Shape in) {
        std::array<Weight, UseBias ? 2 : 1> all{Weight{"kernel", kernel(in)}};
        if constexpr (UseBias) all[1] = {"bias", Filters, false};
        return all;
    }
    // Keras's and PyTorch's fans, also where there are groups.
    template <Shape In, class T>
    void initialize(std::span<T, parameters(In)> w, Rng& rng) const {
        constexpr Extents extents = kernel(In);
        constexpr Index taps = extents[2] * extents[3];
        hourglass::initialize<T>(kernel_initializer, taps * extents[1], taps * extents[0],
                                 w.template first<kernel_size(In)>(), rng);
        if constexpr (UseBias)
            initialize_bias<T>(kernel_initializer, taps * extents[1], w.template last<Filters>(), rng);
    }

    template <Shape In, class T>
    void forward(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y, const Context<T>&) const {
        Passes::forward(Derived::convolution(In), w.data(), UseBias ? w.data() + kernel_size(In) : nullptr, x, y);
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        Passes::backward(Derived::convolution(In), w.data(), dy, dx, context.accumulate);
    }
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  std::span<T, parameters(In)> dw, const Context<T>& context) const {
        if (!context.accumulate) clear<T>({dw.data(), parameters(In), 1});
        Passes::gradient(Derived::convolution(In), x, dy, dw.data(), UseBias ? dw.data() + kernel_size(In) : nullptr);
    }
    template <Shape In, class T>
    void tangent(std::span<const T, parameters(In)> w, ConstView<T>, ConstView<T>, ConstView<T> v, View<T> t) const {
        Passes::template forward<decltype(Derived::convolution(In)), T>(Derived::convolution(In), w.data(), nullptr, v,
                                                                        t);
    }
    template <Shape In, class T>
    void curvature(std::span<const T, parameters(In)>, ConstView<T>, ConstView<T>, ConstView<T> u, ConstView<T> v,
                   std::span<T, parameters(In)> dw, View<T>) const {
        Passes::template gradient<decltype(Derived::convolution(In)), T>(Derived::convolution(In), v, u, dw.data(),
                                                                         nullptr);
    }

  private:
    using Passes = ConvolutionPasses<Output>;
};

/// The transposed convolution `Transposed` (a layer) with the kernel of the convolution whose SharedSize parameters
/// begin at SharedOffset of the model; the second user of the same weights, adding into the same gradient. Written by
/// `Tied<E>`, not by hand.
template <class Transposed, Index Filters, bool UseBias, Index SharedOffset, Index SharedSize>
struct TiedConvolutionLayer {
    static constexpr Traits traits{.needs_output = false, .by_sample = true};
    static constexpr Index shared_offset = SharedOffset, shared_parameters = SharedSize;

    static constexpr Shape output(Shape in) { return Transposed::output(in); }
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
        Passes::forward(Transposed::convolution(In), w.shared.data(), UseBias ? w.own.data() : nullptr, x, y);
    }
    template <Shape In, class T>
    void backward(TiedWeights<const T, SharedSize, parameters(In)> w, ConstView<T>, ConstView<T>, ConstView<T> dy,
                  View<T> dx, const Context<T>& context) const {
        Passes::backward(Transposed::convolution(In), w.shared.data(), dy, dx, context.accumulate);
    }
    template <Shape In, class T>
    void gradient(TiedWeights<const T, SharedSize, parameters(In)>, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  TiedWeights<T, SharedSize, parameters(In)> dw) const {
        Passes::gradient(Transposed::convolution(In), x, dy, dw.shared.data(), UseBias ? dw.own.data() : nullptr);
    }

  private:
    using Passes = ConvolutionPasses<Side::Long>;
};

}  // namespace layers
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
