// Pointwise activations, and Softmax. Names and defaults are Keras's.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <string_view>
#include <type_traits>

#include "hourglass/core/layer.hpp"

namespace hourglass::inline HOURGLASS_ABI {

/// What every y = f(x), value by value, has in common. `Derived` gives two array expressions: `value(x)`, and
/// `slope(x, y)` = f′(x), in terms of y where it can be: only then can the layer overwrite its input (`needs_input`).
template <class Derived>
struct Pointwise {
    static constexpr bool in_place = true;
    static constexpr bool needs_input = false;

    static constexpr Shape output(Shape in) { return in; }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y) const {
        flat(y) = self().value(flat(x));
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
        flat(dx) += self().slope(flat(x), flat(y)) * flat(dy);
    }
    template <Shape In, class T>
    void backward_in_place(ConstView<T> y, View<T> dy) const {
        flat(dy) *= self().slope(flat(y), flat(y));
    }
    /// Its own counterpart in a mirrored decoder.
    template <Shape In>
    constexpr Derived mirror() const {
        return self();
    }

  private:
    constexpr const Derived& self() const { return static_cast<const Derived&>(*this); }
};

// eˣ − 1. For float Eigen's own is vectorised and exact near 0; for double it is a scalar library call, and exp, exact
// to 1e-16 in the result, is several times faster.
template <class A>
auto exp_minus_one(const A& x) {
    if constexpr (std::is_same_v<typename A::Scalar, float>)
        return x.expm1();
    else
        return x.exp() - typename A::Scalar(1);
}

/// max(x, 0). NaN stays NaN.
struct ReLU : Pointwise<ReLU> {
    static constexpr std::string_view name = "ReLU";
    template <class A>
    auto value(const A& x) const {
        return x.max(typename A::Scalar(0));  // in this order NaN is kept, as in std::max(x, 0)
    }
    template <class A, class B>
    auto slope(const A&, const B& y) const {
        using T = typename B::Scalar;
        return (y > T(0)).select(B::Constant(y.size(), T(1)), T(0));
    }
};

/// x where x > 0, negative_slope · x elsewhere. The default slope is Keras's 0.3 (PyTorch's is 0.01). `Error` unless
/// the slope is finite and at least 0.
struct LeakyReLU : Pointwise<LeakyReLU> {
    static constexpr std::string_view name = "LeakyReLU";
    double negative_slope;

    constexpr explicit LeakyReLU(double slope = 0.3) : negative_slope(slope) {
        if (!(slope >= 0 && slope <= 1e30))
            fail("LeakyReLU: the negative slope must be finite and at least 0, got ", slope);
    }
    template <class A>
    auto value(const A& x) const {
        using T = typename A::Scalar;
        return x.max(T(0)) + T(negative_slope) * x.min(T(0));
    }
    template <class A, class B>
    auto slope(const A&, const B& y) const {
        using T = typename B::Scalar;
        return (y > T(0)).select(B::Constant(y.size(), T(1)), T(negative_slope));
    }
};

/// x where x > 0, α(eˣ − 1) elsewhere (Clevert, Unterthiner and Hochreiter 2016). `Error` unless α is finite and
/// positive.
struct ELU : Pointwise<ELU> {
    static constexpr std::string_view name = "ELU";
    double alpha;

    constexpr explicit ELU(double a = 1.0) : alpha(a) {
        if (!(a > 0 && a <= 1e30)) fail("ELU: alpha must be finite and positive, got ", a);
    }
    template <class A>
    auto value(const A& x) const {
        using T = typename A::Scalar;
        return x.max(T(0)) + T(alpha) * exp_minus_one(x.min(T(0)));
    }
    template <class A, class B>
    auto slope(const A&, const B& y) const {
        using T = typename B::Scalar;
        return (y > T(0)).select(B::Constant(y.size(), T(1)), y + T(alpha));
    }
};

/// λx where x > 0, λα(eˣ − 1) elsewhere, with the constants of Klambauer, Unterthiner, Mayr and Hochreiter 2017. Goes
/// with `Initializer::LecunNormal`.
struct SELU : Pointwise<SELU> {
    static constexpr std::string_view name = "SELU";
    static constexpr double alpha = 1.6732632423543772848, lambda = 1.0507009873554804934;

    template <class A>
    auto value(const A& x) const {
        using T = typename A::Scalar;
        return T(lambda) * x.max(T(0)) + T(lambda * alpha) * exp_minus_one(x.min(T(0)));
    }
    template <class A, class B>
    auto slope(const A&, const B& y) const {
        using T = typename B::Scalar;
        return (y > T(0)).select(B::Constant(y.size(), T(lambda)), y + T(lambda * alpha));
    }
};

/// σ(x) = 1/(1 + e⁻ˣ), in (0, 1).
struct Sigmoid : Pointwise<Sigmoid> {
    static constexpr std::string_view name = "Sigmoid";
    static constexpr Range range = Range::Unit;

    template <class A>
    auto value(const A& x) const {
        using T = typename A::Scalar;
        return T(1) / (T(1) + (-x).exp());  // Eigen's own logistic is off by up to 8.5e-4 of the value near −9
    }
    template <class A, class B>
    auto slope(const A&, const B& y) const {
        return y * (typename B::Scalar(1) - y);
    }
};

/// tanh(x).
struct Tanh : Pointwise<Tanh> {
    static constexpr std::string_view name = "Tanh";

    template <class A>
    auto value(const A& x) const {
        using T = typename A::Scalar;
        if constexpr (std::is_same_v<T, float>)
            return x.tanh();
        else
            return T(1) - T(2) / (T(1) + (T(2) * x).exp());  // the library's double tanh is scalar and slow
    }
    template <class A, class B>
    auto slope(const A&, const B& y) const {
        return typename B::Scalar(1) - y.square();
    }
};

/// ln(1 + eˣ).
struct Softplus : Pointwise<Softplus> {
    static constexpr std::string_view name = "Softplus";

    template <class A>
    auto value(const A& x) const {
        using T = typename A::Scalar;
        if constexpr (std::is_same_v<T, float>)
            return x.max(T(0)) + (-x.abs()).exp().log1p();
        else
            return x.max(T(0)) + (T(1) + (-x.abs()).exp()).log();
    }
    template <class A, class B>
    auto slope(const A&, const B& y) const {
        return -exp_minus_one(-y);
    }
};

/// x·σ(x), also called swish (Elfwing, Uchibe and Doya 2018).
struct SiLU : Pointwise<SiLU> {
    static constexpr std::string_view name = "SiLU";
    static constexpr bool needs_input = true;

    template <class A>
    auto value(const A& x) const {
        using T = typename A::Scalar;
        return x / (T(1) + (-x).exp());
    }
    template <class A, class B>
    auto slope(const A& x, const B& y) const {  // σ + y(1 − σ)
        using T = typename A::Scalar;
        return y + (T(1) - y) / (T(1) + (-x).exp());
    }
};

/// x·Φ(x), Φ the standard normal distribution function (Hendrycks and Gimpel 2016); `GELU{true}` is their approximation
/// x/2·(1 + tanh(√(2/π)(x + 0.044715 x³))), several times faster.
struct GELU : Pointwise<GELU> {
    static constexpr std::string_view name = "GELU";
    static constexpr bool needs_input = true;
    static constexpr bool needs_output = false;
    bool approximate;

    constexpr explicit GELU(bool approximate_ = false) : approximate(approximate_) {}

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y) const {
        const auto in = flat(x);
        if (approximate)
            flat(y) = in * gate(in);
        else
            flat(y) = in * distribution(in);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
        const auto in = flat(x), up = flat(dy);
        if (approximate)  // the gate g = 1/(1 + e⁻²ᵘ) of u(x): (x g)′ = g + x g(1 − g)·2u′
            flat(dx) +=
                up * gate(in) * (T(1) + in * (T(1) - gate(in)) * T(2 * slope0) * (T(1) + T(3 * cubic) * in.square()));
        else
            flat(dx) += up * (distribution(in) + in * T(0.39894228040143267794) * (T(-0.5) * in.square()).exp());
    }

  private:
    static constexpr double slope0 = 0.79788456080286535588, cubic = 0.044715;  // √(2/π)

    template <class A>
    static auto gate(const A& x) {
        using T = typename A::Scalar;
        return T(1) / (T(1) + (T(-2 * slope0) * x * (T(1) + T(cubic) * x.square())).exp());
    }
    template <class A>
    static auto distribution(const A& x) {
        using T = typename A::Scalar;
        return T(0.5) * x.unaryExpr([](const T& v) -> T {
            using std::erfc;
            return erfc(v * T(-0.70710678118654752440));  // the complement keeps its digits in the lower tail
        });
    }
};

/// e^{xᵢ} / Σⱼ e^{xⱼ} over the channels of each position.
struct Softmax {
    static constexpr std::string_view name = "Softmax";
    static constexpr Range range = Range::Unit;
    static constexpr bool needs_input = false;

    static constexpr Shape output(Shape in) { return in; }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y) const {
        const Index channels = In.channels;
        for (Index i = 0; i < x.size(); i += channels) {
            const ConstFlat<T> in{x.data() + i, channels};
            Flat<T> out{y.data() + i, channels};
            out = (in - in.maxCoeff()).exp();
            out /= out.sum();
        }
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
        const Index channels = In.channels;
        for (Index i = 0; i < y.size(); i += channels) {
            const ConstFlat<T> p{y.data() + i, channels}, up{dy.data() + i, channels};
            Flat<T>{dx.data() + i, channels} += p * (up - (p * up).sum());
        }
    }
    template <Shape In>
    constexpr Softmax mirror() const {
        return {};
    }
};

}  // namespace hourglass::inline HOURGLASS_ABI
