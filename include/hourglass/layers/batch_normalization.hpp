// Batch normalisation.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// y = γ ∘ (x − μ)/√(σ² + ε) + β, with the mean μ and the variance σ² of each channel over the batch and all positions
/// (Ioffe and Szegedy 2015). γ starts at one, β at zero. In evaluation μ and σ² are moving averages, which start at 0
/// and 1; `adam.step(model, tape)` brings them up to date: average ← momentum · average + (1 − momentum) ·
/// batch. Defaults are Keras's, as is the variance (divided by the number of values, not by one less). `Error` unless ε
/// is finite and positive and the momentum in [0, 1).
struct BatchNormalization {
    static constexpr std::string_view name = "BatchNormalization";
    static constexpr Traits traits{.needs_input = false, .needs_output = false};
    double momentum, epsilon;

    constexpr explicit BatchNormalization(double momentum_ = 0.99, double epsilon_ = 1e-3)
        : momentum(momentum_), epsilon(epsilon_) {
        check();
    }
    constexpr void check() const {
        if (!(momentum >= 0 && momentum < 1))
            fail("BatchNormalization: the momentum must be in [0, 1), got ", momentum);
        if (!(epsilon > 0 && epsilon <= 1e30))
            fail("BatchNormalization: epsilon must be finite and positive, got ", epsilon);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("momentum", self.momentum);
        use("epsilon", self.epsilon);
    }

    static constexpr Shape output(Shape in) { return in; }
    static constexpr Index parameters(Shape in) { return 2 * in.channels; }
    static constexpr auto weights(Shape in) {
        return std::array{Weight{"gamma", in.channels, false}, Weight{"beta", in.channels, false}};
    }
    static constexpr Index state(Shape in) { return 2 * in.channels; }  // means, then variances
    static constexpr auto states(Shape in) {
        return std::array{Weight{.name = "moving_mean", .extents = in.channels},
                          Weight{.name = "moving_variance", .extents = in.channels, .not_negative = true}};
    }
    static constexpr Index cache(Shape in) { return in.size(); }  // (x − μ)/√(σ² + ε)

    template <Shape In, class T>
    void initialize(std::span<T, parameters(In)> w, Rng&) const {
        std::fill_n(w.data(), In.channels, T(1));
        std::fill_n(w.data() + In.channels, In.channels, T(0));
    }
    template <Shape In, class T>
    void initialize_state(std::span<T> state) const {
        std::fill_n(state.data(), In.channels, T(0));
        std::fill_n(state.data() + In.channels, In.channels, T(1));
    }
    template <Shape In, class T>
    void fold(std::span<T> state, std::span<const T> batch) const {
        for (std::size_t i = 0; i < state.size(); ++i) state[i] = T(momentum) * state[i] + T(1 - momentum) * batch[i];
    }

    template <Shape In, class T>
    void forward(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y, const Context<T>& context) const {
        if (context.training)
            normalise<In>(w, x, y, context);
        else
            apply_averages<In>(w, context.state.data(), x, y);
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        // With x̂ cached and means over the batch: dx = γ/√(σ² + ε) · (dy − mean(dy) − x̂·mean(dy ∘ x̂)), a block of
        // channels at a time, for which the two means fit on the stack.
        const T *const normal = context.cache.data(), *const variance = context.statistics.data() + In.channels;
        const T share = T(1 / static_cast<double>(dy.size() / In.channels));
        constexpr Index block = 64;
        for (Index from = 0; from < In.channels; from += block) {
            const Index count = std::min(block, In.channels - from);
            T means[block] = {}, products[block] = {}, scales[block] = {};
            T *const mean = means, *const product = products, *const scale = scales;
            for (Index i = from; i < dy.size(); i += In.channels)
                kernels::each_pack(
                    count,
                    [share](kernels::Pack<T>& m, kernels::Pack<T>& p, const kernels::Pack<T>& up,
                            const kernels::Pack<T>& n) {
                        m += share * up;
                        p += share * up * n;
                    },
                    mean, product, dy.data() + i, normal + i);
            kernels::map_packs(
                count, scale,
                [this](const kernels::Pack<T>& gamma, const kernels::Pack<T>& v) { return gamma / sqrt(v + epsilon); },
                w.data() + from, variance + from);
            for (Index i = from; i < dy.size(); i += In.channels)
                kernels::each_pack(
                    count,
                    [](kernels::Pack<T>& d, const kernels::Pack<T>& up, const kernels::Pack<T>& n,
                       const kernels::Pack<T>& m, const kernels::Pack<T>& p,
                       const kernels::Pack<T>& s) { d += s * (up - m - n * p); },
                    dx.data() + i, dy.data() + i, normal + i, static_cast<const T*>(mean),
                    static_cast<const T*>(product), static_cast<const T*>(scale));
        }
    }
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, ConstView<T>, ConstView<T>, ConstView<T> dy,
                  std::span<T, parameters(In)> dw, const Context<T>& context) const {
        if (!context.accumulate) clear<T>({dw.data(), parameters(In), 1});
        const T* const normal = context.cache.data();
        for (Index i = 0; i < dy.size(); i += In.channels)
            kernels::each_pack(
                In.channels,
                [](kernels::Pack<T>& dgamma, kernels::Pack<T>& dbeta, const kernels::Pack<T>& up,
                   const kernels::Pack<T>& n) {
                    dgamma += up * n;
                    dbeta += up;
                },
                dw.data(), dw.data() + In.channels, dy.data() + i, normal + i);
    }

    /// Its own counterpart in a mirrored decoder; also in a tied one, with its own γ and β.
    template <Shape In>
    constexpr BatchNormalization mirror() const {
        return *this;
    }
    template <Shape In, Index Offset>
    constexpr BatchNormalization tied() const {
        return *this;
    }

  private:
    template <Shape In, class T>
    void apply_averages(std::span<const T, parameters(In)> w, const T* mean, ConstView<T> x, View<T> y) const {
        for (Index i = 0; i < x.size(); i += In.channels)
            kernels::map_packs(
                In.channels, y.data() + i,
                [this](const kernels::Pack<T>& in, const kernels::Pack<T>& m, const kernels::Pack<T>& v,
                       const kernels::Pack<T>& gamma,
                       const kernels::Pack<T>& beta) { return gamma * ((in - m) / sqrt(v + epsilon)) + beta; },
                x.data() + i, mean, mean + In.channels, w.data(), w.data() + In.channels);
    }
    template <Shape In, class T>
    void normalise(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y, const Context<T>& context) const {
        T *const mean = context.statistics.data(), *const variance = mean + In.channels,
                 *const normal = context.cache.data();
        const T share = T(1 / static_cast<double>(x.size() / In.channels));
        std::fill_n(mean, 2 * In.channels, T(0));
        for (Index i = 0; i < x.size(); i += In.channels)
            kernels::each_pack(
                In.channels, [share](kernels::Pack<T>& m, const kernels::Pack<T>& in) { m += share * in; }, mean,
                x.data() + i);
        for (Index i = 0; i < x.size(); i += In.channels) {
            kernels::map_packs(
                In.channels, normal + i, [](const kernels::Pack<T>& in, const kernels::Pack<T>& m) { return in - m; },
                x.data() + i, static_cast<const T*>(mean));
            kernels::each_pack(
                In.channels, [share](kernels::Pack<T>& v, const kernels::Pack<T>& off) { v += share * square(off); },
                variance, static_cast<const T*>(normal + i));
        }
        for (Index i = 0; i < x.size(); i += In.channels) {
            kernels::each_pack(
                In.channels, [this](kernels::Pack<T>& n, const kernels::Pack<T>& v) { n = n / sqrt(v + epsilon); },
                normal + i, static_cast<const T*>(variance));
            kernels::map_packs(
                In.channels, y.data() + i,
                [](const kernels::Pack<T>& n, const kernels::Pack<T>& gamma, const kernels::Pack<T>& beta) {
                    return gamma * n + beta;
                },
                static_cast<const T*>(normal + i), w.data(), w.data() + In.channels);
        }
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
