// The fully connected layer, and its transpose with shared weights.
#pragma once

#include <Eigen/Core>
#include <array>
#include <span>
#include <string_view>

#include "hourglass/core/initializer.hpp"
#include "hourglass/core/layer.hpp"
#include "hourglass/core/product.hpp"

namespace hourglass::inline HOURGLASS_ABI {

// The kernels, on plain matrices of run-time size: compiled once for all dense layers.

// y = bias in every column (zero without one).
template <class T>
void fill_columns(View<T> y, const T* bias) {
    if (bias)
        y.colwise() = Eigen::Map<const Vector<T>>{bias, y.rows()};
    else
        y.setZero();
}
// db += the sum of the columns. Column by column the matrix is read once, in order.
template <class T>
void add_columns(ConstView<T> dy, T* bias_gradient) {
    Eigen::Map<Vector<T>> db{bias_gradient, dy.rows()};
    Index j = 0;
    for (; j + 4 <= dy.cols(); j += 4) db += (dy.col(j) + dy.col(j + 1)) + (dy.col(j + 2) + dy.col(j + 3));
    for (; j < dy.cols(); ++j) db += dy.col(j);
}
// y += W x, x += Wᵀ y and dW += dy xᵀ, for W of outputs × inputs.
template <class T>
void add_product(const T* w, ConstView<T> x, View<T> y) {
    add_product<Operand::Columns>(y.rows(), y.cols(), x.rows(), w, y.rows(), x.data(), x.rows(), y.data(), y.rows());
}
template <class T>
void add_transposed_product(const T* w, ConstView<T> y, View<T> x) {
    add_transposed_product(x.rows(), x.cols(), y.rows(), w, y.rows(), y.data(), y.rows(), x.data(), x.rows());
}
template <class T>
void add_outer_product(ConstView<T> dy, ConstView<T> x, T* dw) {
    add_product<Operand::Rows>(dy.rows(), x.rows(), x.cols(), dy.data(), dy.rows(), x.data(), x.rows(), dw, dy.rows());
}

template <Index Inputs, bool UseBias, Index SharedOffset, Index SharedSize>
struct DenseTransposed;

/// y = W x + b. On a sequence it acts on the channels of each position, as in Keras.
///
/// W is Units × channels, column-major (Keras's `kernel`, byte for byte), then b of Units values unless `UseBias` is
/// false. `Dense<32>{Initializer::HeNormal}` starts from another rule than Glorot's uniform one; b starts at zero.
template <Index Units, bool UseBias = true>
struct Dense {
    static_assert(Units > 0, "hourglass: Dense needs at least one unit");

    static constexpr std::string_view name = "Dense";
    static constexpr bool needs_output = false;
    Initializer kernel_initializer;

    constexpr explicit Dense(Initializer kernel = Initializer::GlorotUniform) : kernel_initializer(kernel) {}

    static constexpr Shape output(Shape in) { return {Units, in.length}; }
    static constexpr Index parameters(Shape in) { return Units * in.channels + (UseBias ? Units : 0); }
    static constexpr auto weights(Shape in) {
        constexpr std::size_t count = UseBias ? 2 : 1;
        std::array<Weight, count> all{Weight{"kernel", {Units, in.channels, 1}}};
        if constexpr (UseBias) all[1] = {"bias", {Units, 1, 1}, false};
        return all;
    }
    template <Shape In, class T>
    void initialize(std::span<T, parameters(In)> w, Rng& rng) const {
        hourglass::initialize<T>(kernel_initializer, In.channels, Units, w.template first<Units * In.channels>(), rng);
    }

    template <Shape In, class T>
    void forward(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y) const {
        const Index columns = In.length * x.cols();
        const View<T> out{y.data(), Units, columns};
        fill_columns<T>(out, UseBias ? w.data() + Units * In.channels : nullptr);
        add_product<T>(w.data(), {x.data(), In.channels, columns}, out);
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  View<T> dx) const {
        const Index columns = In.length * x.cols();
        add_transposed_product<T>(w.data(), {dy.data(), Units, columns}, {dx.data(), In.channels, columns});
    }
    template <Shape In, class T>
    void gradient(ConstView<T> x, ConstView<T> dy, std::span<T, parameters(In)> dw) const {
        const Index columns = In.length * x.cols();
        add_outer_product<T>({dy.data(), Units, columns}, {x.data(), In.channels, columns}, dw.data());
        if constexpr (UseBias) add_columns<T>({dy.data(), Units, columns}, dw.data() + Units * In.channels);
    }

    /// A dense layer back to the input's channels.
    template <Shape In>
    constexpr Dense<In.channels, UseBias> mirror() const {
        return Dense<In.channels, UseBias>{kernel_initializer};
    }
    /// The same, with this layer's W transposed; only the bias is its own.
    template <Shape In, Index Offset>
    constexpr DenseTransposed<In.channels, UseBias, Offset, parameters(In)> tied() const {
        return {};
    }
};

/// y = Wᵀ x + b, with W the kernel of the `Dense` whose SharedSize parameters begin at SharedOffset of the model; the
/// second user of the same weights, adding into the same gradient. Written by `Tied<E>`, not by hand.
template <Index Outputs, bool UseBias, Index SharedOffset, Index SharedSize>
struct DenseTransposed {
    static constexpr std::string_view name = "Dense (tied)";
    static constexpr bool needs_output = false;
    static constexpr Index shared_offset = SharedOffset, shared_parameters = SharedSize;

    static constexpr Shape output(Shape in) { return {Outputs, in.length}; }
    static constexpr Index parameters(Shape) { return UseBias ? Outputs : 0; }
    static constexpr auto weights(Shape) {
        if constexpr (UseBias)
            return std::array{Weight{"bias", {Outputs, 1, 1}, false}};
        else
            return std::array<Weight, 0>{};
    }

    template <Shape In, class T>
    void forward(TiedWeights<const T, SharedSize, parameters(In)> w, ConstView<T> x, View<T> y) const {
        const Index columns = In.length * x.cols();
        const View<T> out{y.data(), Outputs, columns};
        fill_columns<T>(out, UseBias ? w.own.data() : nullptr);
        add_transposed_product<T>(w.shared.data(), {x.data(), In.channels, columns}, out);
    }
    template <Shape In, class T>
    void backward(TiedWeights<const T, SharedSize, parameters(In)> w, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  View<T> dx) const {
        const Index columns = In.length * x.cols();
        add_product<T>(w.shared.data(), {dy.data(), Outputs, columns}, {dx.data(), In.channels, columns});
    }
    template <Shape In, class T>
    void gradient(ConstView<T> x, ConstView<T> dy, TiedWeights<T, SharedSize, parameters(In)> dw) const {
        const Index columns = In.length * x.cols();
        add_outer_product<T>({x.data(), In.channels, columns}, {dy.data(), Outputs, columns}, dw.shared.data());
        if constexpr (UseBias) add_columns<T>({dy.data(), Outputs, columns}, dw.own.data());
    }
};

}  // namespace hourglass::inline HOURGLASS_ABI
