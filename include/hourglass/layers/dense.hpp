// The fully connected layer, and its transpose with shared weights.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/columns.hpp"
#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/product.hpp"
#include "hourglass/layers/initializer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace layers {

// The products, on plain memory and run-time sizes: compiled once for all dense layers, and not inlined into any.

// y = W x + b for W of outputs × inputs (b = 0 without a bias); with Transposed, y = Wᵀ x + b for W of inputs ×
// outputs.
template <bool Transposed, class T>
EIGEN_DONT_INLINE void dense_forward(Index outputs, Index inputs, Index columns, const T* w, const T* bias, const T* x,
                                     T* y) {
    const kernels::Initial<T> initial{false, bias};
    if constexpr (Transposed)
        kernels::add_transposed_product(outputs, columns, inputs, w, inputs, x, inputs, y, outputs, initial);
    else
        kernels::add_product(outputs, columns, inputs, w, outputs, {x, 1, inputs}, y, outputs, initial);
}

// dx += Wᵀ dy; with Transposed, dx += W dy; assigned without `accumulate`.
template <bool Transposed, class T>
EIGEN_DONT_INLINE void dense_backward(Index outputs, Index inputs, Index columns, const T* w, const T* dy, T* dx,
                                      bool accumulate) {
    const kernels::Initial<T> initial{accumulate};
    if constexpr (Transposed)
        kernels::add_product(inputs, columns, outputs, w, inputs, {dy, 1, outputs}, dx, inputs, initial);
    else
        kernels::add_transposed_product(inputs, columns, outputs, w, outputs, dy, outputs, dx, inputs, initial);
}

// dW += left rightᵀ, both with one column per position; assigned without `accumulate`. Only those columns are computed
// that begin in `part` of its values.
template <class T>
EIGEN_DONT_INLINE void dense_gradient(Index rows, Index columns, Index positions, const T* left, const T* right, T* dw,
                                      bool accumulate = true, const Slice& part = core::all_values) {
    const auto column = [&](Index value) { return std::clamp<Index>((value + rows - 1) / rows, 0, columns); };
    const Index begin = column(part.begin), count = column(part.end()) - begin;
    if (count > 0)
        kernels::add_product(rows, count, positions, left, rows, {right + begin, columns, 1}, dw + begin * rows, rows,
                             kernels::Initial<T>{accumulate});
}
// db += the sum of dy's columns, if the first of its values, number `place` of all of the layer's, lies in `part`.
template <class T>
EIGEN_DONT_INLINE void bias_gradient(Index rows, Index positions, const T* dy, T* db, bool accumulate, Index place,
                                     const Slice& part) {
    if (place < part.begin || place >= part.end()) return;
    if (!accumulate) clear<T>({db, rows, 1});
    kernels::add_columns<T>(rows, positions, dy, db);
}

template <Index Inputs, bool UseBias, Index SharedOffset, Index SharedSize>
struct DenseTransposed;

}  // namespace layers

/// y = W x + b. On a series or a picture it acts on the channels of each position, as in Keras.
///
/// W is Units × channels, column-major (Keras's `kernel`, byte for byte), then b of Units values unless `UseBias` is
/// false. `Dense<32>{Initializer::HeNormal}` starts from another rule than Glorot's uniform one; b starts at zero
/// except under `Initializer::FanInUniform`.
template <Index Units, bool UseBias = true>
struct Dense {
    static_assert(Units > 0, "hourglass: Dense needs at least one unit");

    static constexpr std::string_view name = "Dense";
    static constexpr Traits traits{.needs_output = false, .linear = true, .by_sample = true, .gradient_in_parts = true};
    static constexpr std::size_t unit_axis = 0;
    Initializer kernel_initializer;  ///< what W starts as

    constexpr explicit Dense(Initializer kernel = Initializer::GlorotUniform) : kernel_initializer(kernel) {}

    static constexpr Shape output(Shape in) { return {Units, in.length, in.columns}; }
    static constexpr Index parameters(Shape in) { return Units * in.channels + (UseBias ? Units : 0); }
    static constexpr auto weights(Shape in) {
        constexpr std::size_t count = UseBias ? 2 : 1;
        std::array<Weight, count> all{Weight{"kernel", {Units, in.channels}}};
        if constexpr (UseBias) all[1] = {"bias", Units, false};
        return all;
    }
    template <Shape In, class T>
    void initialize(std::span<T, parameters(In)> w, Rng& rng) const {
        hourglass::initialize<T>(kernel_initializer, In.channels, Units, {w.data(), Units * In.channels}, rng);
        if constexpr (UseBias) initialize_bias<T>(kernel_initializer, In.channels, w.template last<Units>(), rng);
    }

    template <Shape In, class T>
    void forward(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y, const Context<T>&) const {
        layers::dense_forward<false, T>(Units, In.channels, In.positions() * x.cols(), w.data(),
                                        UseBias ? w.data() + Units * In.channels : nullptr, x.data(), y.data());
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        layers::dense_backward<false, T>(Units, In.channels, In.positions() * x.cols(), w.data(), dy.data(), dx.data(),
                                         context.accumulate);
    }
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  std::span<T, parameters(In)> dw, const Context<T>& context) const {
        constexpr Index kernel = Units * In.channels;
        layers::dense_gradient<T>(Units, In.channels, In.positions() * x.cols(), dy.data(), x.data(), dw.data(),
                                  context.accumulate, context.part);
        if constexpr (UseBias)
            layers::bias_gradient<T>(Units, In.positions() * x.cols(), dy.data(), dw.data() + kernel,
                                     context.accumulate, kernel, context.part);
    }
    template <Shape In, class T>
    void tangent(std::span<const T, parameters(In)> w, ConstView<T>, ConstView<T>, ConstView<T> v, View<T> t) const {
        layers::dense_forward<false, T>(Units, In.channels, In.positions() * v.cols(), w.data(), nullptr, v.data(),
                                        t.data());
    }
    template <Shape In, class T>
    void curvature(std::span<const T, parameters(In)>, ConstView<T>, ConstView<T>, ConstView<T> u, ConstView<T> v,
                   std::span<T, parameters(In)> dw, View<T>) const {
        layers::dense_gradient<T>(Units, In.channels, In.positions() * v.cols(), u.data(), v.data(), dw.data());
    }

    /// Of a flat input J is W, with which the weights begin: for terms that work with J itself.
    static constexpr bool begins_with_jacobian(Shape in) { return in.positions() == 1; }

    /// A dense layer back to the input's channels.
    template <Shape In>
    constexpr Dense<In.channels, UseBias> mirror() const {
        return Dense<In.channels, UseBias>{kernel_initializer};
    }
    /// The same, with this layer's W transposed; only the bias is its own.
    template <Shape In, Index Offset>
    constexpr layers::DenseTransposed<In.channels, UseBias, Offset, parameters(In)> tied() const {
        return {};
    }
};

namespace layers {

/// y = Wᵀ x + b, with W the kernel of the `Dense` whose SharedSize parameters begin at SharedOffset of the model; the
/// second user of the same weights, adding into the same gradient. Written by `Tied<E>`, not by hand.
template <Index Outputs, bool UseBias, Index SharedOffset, Index SharedSize>
struct DenseTransposed {
    static constexpr std::string_view name = "Dense (tied)";
    static constexpr Traits traits{
        .needs_output = false, .by_sample = true, .gradient_in_parts = true, .shared_in_parts = true};
    static constexpr Index shared_offset = SharedOffset, shared_parameters = SharedSize;

    static constexpr Shape output(Shape in) { return {Outputs, in.length, in.columns}; }
    static constexpr Index parameters(Shape) { return UseBias ? Outputs : 0; }
    static constexpr auto weights(Shape) {
        if constexpr (UseBias)
            return std::array{Weight{"bias", Outputs, false}};
        else
            return std::array<Weight, 0>{};
    }

    template <Shape In, class T>
    void forward(TiedWeights<const T, SharedSize, parameters(In)> w, ConstView<T> x, View<T> y,
                 const Context<T>&) const {
        dense_forward<true, T>(Outputs, In.channels, In.positions() * x.cols(), w.shared.data(),
                               UseBias ? w.own.data() : nullptr, x.data(), y.data());
    }
    template <Shape In, class T>
    void backward(TiedWeights<const T, SharedSize, parameters(In)> w, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  View<T> dx, const Context<T>& context) const {
        dense_backward<true, T>(Outputs, In.channels, In.positions() * x.cols(), w.shared.data(), dy.data(), dx.data(),
                                context.accumulate);
    }
    template <Shape In, class T>
    void gradient(TiedWeights<const T, SharedSize, parameters(In)>, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  TiedWeights<T, SharedSize, parameters(In)> dw, const Context<T>& context) const {
        dense_gradient<T>(In.channels, Outputs, In.positions() * x.cols(), x.data(), dy.data(), dw.shared.data(), true,
                          context.shared_part);
        if constexpr (UseBias)
            bias_gradient<T>(Outputs, In.positions() * x.cols(), dy.data(), dw.own.data(), context.accumulate, 0,
                             context.part);
    }
};

}  // namespace layers
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
