// Group normalisation.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/core/term.hpp"
#include "hourglass/kernels/pack.hpp"
#include "hourglass/layers/padding.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// y = γ ∘ (x − μ)/√(σ² + ε) + β, with the mean μ and the variance σ² of all positions of a group of neighbouring
/// channels, sample by sample (Wu and He 2018): what `BatchNormalization` does for pictures, for batches of any size.
/// With as many groups as channels it is instance normalisation. γ starts at one, β at zero; both have one value per
/// channel. The defaults, 32 groups and ε = 1e-3, are Keras's; PyTorch's ε is 1e-5. Groups must divide the channels.
/// `Error` unless ε is finite and positive.
template <Index Groups = 32>
struct GroupNormalization {
    static_assert(Groups >= 1, "hourglass: GroupNormalization needs at least one group");
    static constexpr std::string_view name = "GroupNormalization";
    static constexpr Traits traits{.needs_output = false, .by_sample = true};
    double epsilon;  ///< ε

    constexpr explicit GroupNormalization(double epsilon_ = 1e-3) : epsilon(epsilon_) { check(); }
    constexpr void check() const {
        if (!(is_finite(epsilon) && epsilon > 0 && epsilon <= 1e30))
            fail("GroupNormalization: epsilon must be finite and positive, got ", epsilon);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("epsilon", self.epsilon);
    }
    std::string hyperparameters() const { return "groups " + text(Groups); }

    static constexpr Shape output(Shape in) {
        layers::require_groups(name, in, Groups);
        return in;
    }
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
        each_group<In>(x, [&](Index begin, Index channel, const T& mean, const T& scale) {
            each_run<In>(begin, [&](Index i) {
                each_value<In>([&](auto& out, const auto& in, const auto& gamma,
                                   const auto& beta) { out = (in - mean) * scale * gamma + beta; },
                               y.data() + i, x.data() + i, w.data() + channel, w.data() + In.channels + channel);
            });
        });
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        // With x̂ = (x − μ)·scale and g = γ ∘ dy: dx = scale·(g − mean(g) − x̂·mean(g ∘ x̂)).
        each_group<In>(x, [&](Index begin, Index channel, const T& mean, const T& scale) {
            const T* const gamma = w.data() + channel;
            core::Accumulator<T> sum_g(0), sum_gx(0);
            each_run<In>(begin, [&](Index i) {
                const T* const up = dy.data() + i;
                sum_g += sum_of<In>([](const auto& c, const auto& u) { return c * u; }, gamma, up);
                sum_gx += sum_of<In>([&](const auto& c, const auto& u, const auto& in) { return c * u * (in - mean); },
                                     gamma, up, x.data() + i);
            });
            const T mean_g = T(sum_g) / T(values(In)), mean_gx = T(sum_gx) / T(values(In)) * scale * scale;
            each_run<In>(begin, [&](Index i) {
                each_value<In>([&](auto& d, const auto& c, const auto& u,
                                   const auto& in) { d += scale * (c * u - mean_g - (in - mean) * mean_gx); },
                               dx.data() + i, gamma, dy.data() + i, x.data() + i);
            });
        });
    }
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  std::span<T, parameters(In)> dw, const Context<T>& context) const {
        if (!context.accumulate) clear<T>({dw.data(), parameters(In), 1});
        each_group<In>(x, [&](Index begin, Index channel, const T& mean, const T& scale) {
            each_run<In>(begin, [&](Index i) {
                each_value<In>(
                    [&](auto& dgamma, auto& dbeta, const auto& up, const auto& in) {
                        dgamma += up * (in - mean) * scale;
                        dbeta += up;
                    },
                    dw.data() + channel, dw.data() + In.channels + channel, dy.data() + i, x.data() + i);
            });
        });
    }

    /// Its own counterpart in a mirrored decoder; also in a tied one, with its own γ and β.
    template <Shape In>
    constexpr GroupNormalization mirror() const {
        return *this;
    }
    template <Shape In, Index Offset>
    constexpr GroupNormalization tied() const {
        return *this;
    }

  private:
    static constexpr Index width(Shape in) { return in.channels / Groups; }         // channels of a group
    static constexpr Index values(Shape in) { return width(in) * in.positions(); }  // of a group
    // Both go through what a group has at one position, in packs, so that bits do not depend on where it lies in
    // memory.
    template <Shape In, class F, class... X>
    static void each_value(const F& formula, X*... x) {
        kernels::each_pack_unfilled(width(In), formula, x...);
    }
    template <Shape In, class F, class T, class... X>
    static core::Accumulator<T> sum_of(const F& f, const T* first, const X*... x) {
        return core::Accumulator<T>(kernels::sum_packs_unfilled(width(In), f, first, x...));
    }
    template <Shape In, class Use>
    static void each_run(Index begin, Use use) {
        for (Index position = 0; position < In.positions(); ++position) use(begin + position * In.channels);
    }
    // Calls use(i, c, μ, 1/√(σ² + ε)) for each group of each sample, which begins with channel c, at value i.
    template <Shape In, class T, class Use>
    void each_group(ConstView<T> x, Use use) const {
        using std::sqrt;
        for (Index sample = 0; sample < x.size(); sample += In.size())
            for (Index channel = 0; channel < In.channels; channel += width(In)) {
                core::Accumulator<T> sum(0), squares(0);
                const auto each = [&](auto add) { each_run<In>(sample + channel, add); };
                each([&](Index i) { sum += sum_of<In>([](const auto& v) { return v; }, x.data() + i); });
                const T mean = T(sum) / T(values(In));
                each([&](Index i) {
                    squares += sum_of<In>([&](const auto& v) { return (v - mean) * (v - mean); }, x.data() + i);
                });
                const T variance = T(squares) / T(values(In));
                use(sample + channel, channel, mean, T(T(1) / sqrt(T(variance + T(epsilon)))));
            }
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
