// Pointwise activations. Names and defaults are Keras's.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <string>
#include <string_view>
#include <type_traits>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/pack.hpp"
#include "hourglass/layers/pointwise.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace layers {

// eˣ − 1. For float Eigen's own is vectorised and exact near 0; for double it is a scalar library call, and exp, exact
// to 1e-16 in the result, is several times faster.
template <class T>
kernels::Pack<T> exp_minus_one(const kernels::Pack<T>& x) {
    if constexpr (std::is_same_v<T, float>)
        return kernels::Pack<T>::of(Eigen::internal::pexpm1(x.values));
    else
        return exp(x) - 1;
}

}  // namespace layers

/// max(x, 0). NaN stays NaN.
struct ReLU : Pointwise<ReLU> {
    static constexpr std::string_view name = "ReLU";
    template <class T>
    kernels::Pack<T> value(const kernels::Pack<T>& x) const {
        return max(x, kernels::Pack<T>(0));  // in this order NaN is kept
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>&, const kernels::Pack<T>& y) const {
        return kernels::where_greater<T>(y, 0, 1, 0);
    }
    template <class T>
    kernels::Pack<T> second_derivative(const kernels::Pack<T>&, const kernels::Pack<T>&) const {
        return 0;
    }
};

/// x where x > 0, negative_slope · x elsewhere. The default slope is Keras's 0.3 (PyTorch's is 0.01). `Error` unless
/// the slope is finite and at least 0.
struct LeakyReLU : Pointwise<LeakyReLU> {
    static constexpr std::string_view name = "LeakyReLU";
    double negative_slope;  ///< of what is below 0

    constexpr explicit LeakyReLU(double slope = 0.3) : negative_slope(slope) { check(); }
    constexpr void check() const {
        if (!(is_finite(negative_slope) && negative_slope >= 0 && negative_slope <= 1e30))
            fail("LeakyReLU: the negative slope must be finite and at least 0, got ", negative_slope);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("negative_slope", self.negative_slope);
    }
    template <class T>
    kernels::Pack<T> value(const kernels::Pack<T>& x) const {
        return max(x, kernels::Pack<T>(0)) + negative_slope * min(x, kernels::Pack<T>(0));
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>&, const kernels::Pack<T>& y) const {
        return kernels::where_greater<T>(y, 0, 1, negative_slope);
    }
    template <class T>
    kernels::Pack<T> second_derivative(const kernels::Pack<T>&, const kernels::Pack<T>&) const {
        return 0;
    }
};

/// x where x > 0, α(eˣ − 1) elsewhere (Clevert, Unterthiner and Hochreiter 2016). `Error` unless α is finite and
/// positive.
struct ELU : Pointwise<ELU> {
    static constexpr std::string_view name = "ELU";
    double alpha;  ///< α: −α is the least value

    constexpr explicit ELU(double a = 1.0) : alpha(a) { check(); }
    constexpr void check() const {
        if (!(is_finite(alpha) && alpha > 0 && alpha <= 1e30))
            fail("ELU: alpha must be finite and positive, got ", alpha);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("alpha", self.alpha);
    }
    template <class T>
    kernels::Pack<T> value(const kernels::Pack<T>& x) const {
        return max(x, kernels::Pack<T>(0)) + alpha * layers::exp_minus_one(min(x, kernels::Pack<T>(0)));
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>&, const kernels::Pack<T>& y) const {
        return kernels::where_greater<T>(y, 0, 1, y + alpha);
    }
    template <class T>
    kernels::Pack<T> second_derivative(const kernels::Pack<T>&, const kernels::Pack<T>& y) const {
        return kernels::where_greater<T>(y, 0, 0, y + alpha);
    }
};

/// λx where x > 0, λα(eˣ − 1) elsewhere, with the constants of Klambauer, Unterthiner, Mayr and Hochreiter 2017. Goes
/// with `Initializer::LecunNormal`.
struct SELU : Pointwise<SELU> {
    static constexpr std::string_view name = "SELU";
    static constexpr double alpha = 1.6732632423543772848, lambda = 1.0507009873554804934;

    template <class T>
    kernels::Pack<T> value(const kernels::Pack<T>& x) const {
        return lambda * max(x, kernels::Pack<T>(0)) +
               lambda * alpha * layers::exp_minus_one(min(x, kernels::Pack<T>(0)));
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>&, const kernels::Pack<T>& y) const {
        return kernels::where_greater<T>(y, 0, lambda, y + lambda * alpha);
    }
    template <class T>
    kernels::Pack<T> second_derivative(const kernels::Pack<T>&, const kernels::Pack<T>& y) const {
        return kernels::where_greater<T>(y, 0, 0, y + lambda * alpha);
    }
};

/// σ(x) = 1/(1 + e⁻ˣ), in (0, 1).
struct Sigmoid : Pointwise<Sigmoid> {
    static constexpr std::string_view name = "Sigmoid";
    static constexpr Traits traits = layers::pointwise_traits(false, true, Link::Logistic);

    template <class T>
    kernels::Pack<T> value(const kernels::Pack<T>& x) const {
        return 1 / (1 + exp(-x));  // Eigen's own logistic is off by up to 8.5e-4 of the value near −9
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>&, const kernels::Pack<T>& y) const {
        return y * (1 - y);
    }
    template <class T>
    kernels::Pack<T> second_derivative(const kernels::Pack<T>&, const kernels::Pack<T>& y) const {
        return y * (1 - y) * (1 - 2 * y);
    }
};

/// tanh(x).
struct Tanh : Pointwise<Tanh> {
    static constexpr std::string_view name = "Tanh";

    template <class T>
    kernels::Pack<T> value(const kernels::Pack<T>& x) const {
        if constexpr (std::is_same_v<T, float>)
            return kernels::Pack<T>::of(kernels::keep_nan<T>(x.values, Eigen::internal::ptanh(x.values)));
        else
            return 1 - 2 / (1 + exp(2 * x));  // the library's double tanh is scalar and slow
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>&, const kernels::Pack<T>& y) const {
        return 1 - square(y);
    }
    template <class T>
    kernels::Pack<T> second_derivative(const kernels::Pack<T>&, const kernels::Pack<T>& y) const {
        return -2 * y * (1 - square(y));
    }
};

/// ln(1 + eˣ).
struct Softplus : Pointwise<Softplus> {
    static constexpr std::string_view name = "Softplus";

    template <class T>
    kernels::Pack<T> value(const kernels::Pack<T>& x) const {
        const kernels::Pack<T> e = exp(-abs(x));
        if constexpr (std::is_same_v<T, float>)
            return max(x, kernels::Pack<T>(0)) + kernels::Pack<T>::of(Eigen::internal::plog1p(e.values));
        else
            return max(x, kernels::Pack<T>(0)) + log(1 + e);
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>&, const kernels::Pack<T>& y) const {
        return -layers::exp_minus_one(-y);
    }
    template <class T>
    kernels::Pack<T> second_derivative(const kernels::Pack<T>& x,
                                       const kernels::Pack<T>& y) const {  // σ(1 − σ), and e⁻ʸ = 1 − σ
        return derivative(x, y) * exp(-y);
    }
};

/// x·σ(x), also called swish (Elfwing, Uchibe and Doya 2018).
struct SiLU : Pointwise<SiLU> {
    static constexpr std::string_view name = "SiLU";
    static constexpr Traits traits = layers::pointwise_traits(true);

    template <class T>
    kernels::Pack<T> value(const kernels::Pack<T>& x) const {
        return x / (1 + exp(-x));
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>& x, const kernels::Pack<T>& y) const {  // σ + y(1 − σ)
        return y + (1 - y) / (1 + exp(-x));
    }
    template <class T>
    kernels::Pack<T> second_derivative(const kernels::Pack<T>& x,
                                       const kernels::Pack<T>&) const {  // σ(1 − σ)(2 + x(1 − 2σ))
        const kernels::Pack<T> s = 1 / (1 + exp(-x));
        return s * (1 - s) * (2 + x * (1 - 2 * s));
    }
};

/// x·Φ(x), Φ the standard normal distribution function (Hendrycks and Gimpel 2016); `GELU{true}` is their approximation
/// x/2·(1 + tanh(√(2/π)(x + 0.044715 x³))), several times faster.
struct GELU : Pointwise<GELU> {
    static constexpr std::string_view name = "GELU";
    static constexpr Traits traits = layers::pointwise_traits(true, false);
    bool approximate;  ///< by tanh in place of Φ

    constexpr explicit GELU(bool approximate_ = false) : approximate(approximate_) {}
    constexpr void check() const {}
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("approximate", self.approximate);
    }

    template <class T>
    kernels::Pack<T> value(const kernels::Pack<T>& x) const {
        return x * (approximate ? gate(x) : distribution(x));
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>& x, const kernels::Pack<T>&) const {
        if (!approximate) return distribution(x) + x * density(x);
        const kernels::Pack<T> g = gate(x);  // the gate g = 1/(1 + e⁻²ᵘ) of u(x): (x g)′ = g + x g(1 − g)·2u′
        return g * (1 + x * (1 - g) * (2 * slope0) * (1 + 3 * cubic * square(x)));
    }
    template <class T>
    kernels::Pack<T> second_derivative(const kernels::Pack<T>& x, const kernels::Pack<T>&) const {
        if (!approximate) return density(x) * (2 - square(x));
        // 2g′ + x g″ with g′ = g(1 − g)·2u′ and g″ = g(1 − g)·2u″ + g′(1 − 2g)·2u′
        const kernels::Pack<T> g = gate(x), twice_u1 = 2 * slope0 * (1 + 3 * cubic * square(x));
        return g * (1 - g) * (2 * twice_u1 + x * (12 * slope0 * cubic * x + square(twice_u1) * (1 - 2 * g)));
    }

  private:
    static constexpr double slope0 = 0.79788456080286535588, cubic = 0.044715;  // √(2/π)

    template <class T>
    static kernels::Pack<T> gate(const kernels::Pack<T>& x) {
        return 1 / (1 + exp(-2 * slope0 * x * (1 + cubic * square(x))));
    }
    template <class T>
    static kernels::Pack<T> density(const kernels::Pack<T>& x) {
        return 0.39894228040143267794 * exp(-0.5 * square(x));
    }
    template <class T>
    static kernels::Pack<T> distribution(const kernels::Pack<T>& x) {
        return 0.5 * kernels::lane_by_lane(x, [](const T& v) -> T {
                   using std::erfc;
                   return erfc(v * T(-0.70710678118654752440));  // the complement keeps its digits in the lower tail
               });
    }
};

/// x·tanh(ln(1 + eˣ)) (Misra 2019).
struct Mish : Pointwise<Mish> {
    static constexpr std::string_view name = "Mish";
    static constexpr Traits traits = layers::pointwise_traits(true, false);

    template <class T>
    kernels::Pack<T> value(const kernels::Pack<T>& x) const {
        const kernels::Pack<T> e = bounded_exp(x), n = e * (e + 2);
        return x * (n / (n + 2));
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>& x, const kernels::Pack<T>&) const {
        const kernels::Pack<T> e = bounded_exp(x), n = e * (e + 2);
        return n / (n + 2) + x * gate_slope(e, n);
    }
    template <class T>
    kernels::Pack<T> second_derivative(const kernels::Pack<T>& x, const kernels::Pack<T>&) const {
        const kernels::Pack<T> e = bounded_exp(x), n = e * (e + 2), q = e * (e + 1) / (n + 2);
        return 2 * gate_slope(e, n) + x * (4 * (2 * e + 1) * (e / (n + 2)) - 16 * square(q)) / (n + 2);
    }

  private:
    // eˣ; beyond 20 the gate tanh(ln(1 + eˣ)) = n/(n + 2), n = eˣ(eˣ + 2), is 1 to the last digit of a double.
    template <class T>
    static kernels::Pack<T> bounded_exp(const kernels::Pack<T>& x) {
        return exp(min(x, kernels::Pack<T>(20)));
    }
    template <class T>
    static kernels::Pack<T> gate_slope(const kernels::Pack<T>& e, const kernels::Pack<T>& n) {
        return 4 * (e * (e + 1) / (n + 2)) / (n + 2);
    }
};

/// x·min(max(x + 3, 0), 6)/6 (Howard et al. 2019), which Keras calls hard SiLU: like SiLU without an exponential.
struct HardSwish : Pointwise<HardSwish> {
    static constexpr std::string_view name = "HardSwish";
    static constexpr Traits traits = layers::pointwise_traits(true, false);

    template <class T>
    kernels::Pack<T> value(const kernels::Pack<T>& x) const {
        return x * min(max(x + 3, kernels::Pack<T>(0)), kernels::Pack<T>(6)) * (1.0 / 6);
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>& x, const kernels::Pack<T>&) const {
        return between(x, kernels::Pack<T>(1), (2 * x + 3) * (1.0 / 6));
    }
    template <class T>
    kernels::Pack<T> second_derivative(const kernels::Pack<T>& x, const kernels::Pack<T>&) const {
        return between(x, kernels::Pack<T>(0), kernels::Pack<T>(1.0 / 3));
    }

  private:
    template <class T>
    static kernels::Pack<T> between(const kernels::Pack<T>& x, const kernels::Pack<T>& above,
                                    const kernels::Pack<T>& inside) {
        return kernels::where_greater<T>(x, 3, above, kernels::where_greater<T>(x, -3, inside, 0));
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
