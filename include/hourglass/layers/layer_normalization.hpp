// Layer normalisation.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

#include "hourglass/core/layer.hpp"

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
        if (!(epsilon > 0 && epsilon <= 1e30))
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
        const ConstFlat<T> gamma{w.data(), In.channels}, beta{w.data() + In.channels, In.channels};
        each_position<In>(x, [&](Index i, const ConstFlat<T>& in, const T& mean, const T& scale) {
            Flat<T>{y.data() + i, In.channels} = (in - mean) * scale * gamma + beta;
        });
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        // With x̂ = (x − μ)·scale and g = γ ∘ dy: dx = scale·(g − mean(g) − x̂·mean(g ∘ x̂)).
        const ConstFlat<T> gamma{w.data(), In.channels};
        each_position<In>(x, [&](Index i, const ConstFlat<T>& in, const T& mean, const T& scale) {
            const ConstFlat<T> up{dy.data() + i, In.channels};
            const T mean_g = (gamma * up).mean(), mean_gx = (gamma * up * (in - mean)).mean() * scale * scale;
            Flat<T>{dx.data() + i, In.channels} += scale * (gamma * up - mean_g - (in - mean) * mean_gx);
        });
    }
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  std::span<T, parameters(In)> dw, const Context<T>& context) const {
        if (!context.accumulate) clear<T>({dw.data(), parameters(In), 1});
        Flat<T> dgamma{dw.data(), In.channels}, dbeta{dw.data() + In.channels, In.channels};
        each_position<In>(x, [&](Index i, const ConstFlat<T>& in, const T& mean, const T& scale) {
            const ConstFlat<T> up{dy.data() + i, In.channels};
            dgamma += up * (in - mean) * scale;
            dbeta += up;
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
    // Calls use(i, x̲, μ, 1/√(σ² + ε)) for each position, whose channels x̲ begin at value i.
    template <Shape In, class T, class Use>
    void each_position(ConstView<T> x, Use use) const {
        using std::sqrt;
        for (Index i = 0; i < x.size(); i += In.channels) {
            const ConstFlat<T> in{x.data() + i, In.channels};
            const T mean = in.mean();
            const T variance = (in - mean).square().mean();
            use(i, in, mean, T(T(1) / sqrt(T(variance + T(epsilon)))));
        }
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
