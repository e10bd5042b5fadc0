// Layer normalisation.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// y = γ ∘ (x − μ)/√(σ² + ε) + β, with the mean μ and the variance σ² of the channels of each position (Ba, Kiros and
/// Hinton 2016). γ starts at one, β at zero; both have one value per channel. The default ε is Keras's 1e-3. `Error`
/// unless ε is finite and positive.
struct LayerNormalization {
    static constexpr std::string_view name = "LayerNormalization";
    static constexpr Traits traits{.needs_output = false, .by_sample = true};
    double epsilon;  ///< ε

    constexpr explicit LayerNormalization(double epsilon_ = 1e-3) : epsilon(epsilon_) { check(); }
    constexpr void check() const {
        if (!(is_finite(epsilon) && epsilon > 0 && epsilon <= 1e30))
            fail("LayerNormalization: epsilon must be finite and positive, got ", epsilon);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("epsilon", self.epsilon);
    }

    static constexpr Shape output(Shape in) { return in; }
    static constexpr Index parameters(Shape in) { return 2 * in.channels; }
    static constexpr auto weights(Shape in) {
        return std::array{Weight{"gamma", in.channels, false}, Weight{"beta", in.channels, false}};
    }
    template <Shape In, class T>
    void initialize(std::span<T, parameters(In)> w, Rng&) const {
        std::fill_n(w.data(), In.channels, T(1));
        std::fill_n(w.data() + In.channels, In.channels, T(0));
    }

    template <Shape In, class T>
    void forward(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y, const Context<T>&) const {
        each_position<In>(x, [&](Index i, const T& mean, const T& scale) {
            kernels::each_pack_unfilled(
                In.channels,
                [&](auto& out, const auto& in, const auto& gamma, const auto& beta) {
                    out = (in - mean) * scale * gamma + beta;
                },
                y.data() + i, x.data() + i, w.data(), w.data() + In.channels);
        });
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        // With x̂ = (x − μ)·scale and g = γ ∘ dy: dx = scale·(g − mean(g) − x̂·mean(g ∘ x̂)).
        const T* const gamma = w.data();
        each_position<In>(x, [&](Index i, const T& mean, const T& scale) {
            const T *const in = x.data() + i, *const up = dy.data() + i;
            const T sum_g = kernels::sum_packs_unfilled(
                In.channels, [](const auto& c, const auto& u) { return c * u; }, gamma, up);
            const T sum_gx = kernels::sum_packs_unfilled(
                In.channels, [&](const auto& c, const auto& u, const auto& v) { return c * u * (v - mean); }, gamma, up,
                in);
            const T mean_g = sum_g / T(In.channels), mean_gx = sum_gx / T(In.channels) * scale * scale;
            kernels::each_pack_unfilled(
                In.channels,
                [&](auto& d, const auto& c, const auto& u, const auto& v) {
                    d += scale * (c * u - mean_g - (v - mean) * mean_gx);
                },
                dx.data() + i, gamma, up, in);
        });
    }
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  std::span<T, parameters(In)> dw, const Context<T>& context) const {
        if (!context.accumulate) clear<T>({dw.data(), parameters(In), 1});
        each_position<In>(x, [&](Index i, const T& mean, const T& scale) {
            kernels::each_pack_unfilled(
                In.channels,
                [&](auto& dgamma, auto& dbeta, const auto& up, const auto& in) {
                    dgamma += up * (in - mean) * scale;
                    dbeta += up;
                },
                dw.data(), dw.data() + In.channels, dy.data() + i, x.data() + i);
        });
    }

    /// Its own counterpart in a mirrored decoder; also in a tied one, with its own γ and β.
    template <Shape In>
    constexpr LayerNormalization mirror() const {
        return *this;
    }
    template <Shape In, Index Offset>
    constexpr LayerNormalization tied() const {
        return *this;
    }

  private:
    // Calls use(i, μ, 1/√(σ² + ε)) for each position, whose channels begin at value i. In packs, so that bits do not
    // depend on where they lie in memory.
    template <Shape In, class T, class Use>
    void each_position(ConstView<T> x, Use use) const {
        using std::sqrt;
        for (Index i = 0; i < x.size(); i += In.channels) {
            const T* const in = x.data() + i;
            const T sum = kernels::sum_packs_unfilled(
                In.channels, [](const auto& v) { return v; }, in);
            const T mean = sum / T(In.channels);
            const T squares = kernels::sum_packs_unfilled(
                In.channels, [&](const auto& v) { return square(v - mean); }, in);
            use(i, mean, T(T(1) / sqrt(T(T(squares / T(In.channels)) + T(epsilon)))));
        }
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
