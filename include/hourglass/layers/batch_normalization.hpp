// Batch normalisation.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "hourglass/core/layer.hpp"
#include "hourglass/core/workers.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace layers {

/// Positions of all samples of a batch, each with a value of every channel, on the threads of a team: channels in
/// blocks, of which a thread takes one, or of a single block a share of the positions. What is summed over positions is
/// so in the same order either way, and with any number of threads.
template <class T>
class BatchOfChannels {
  public:
    // Channels whose sums take 8 kB of the stack.
    static constexpr Index block = std::max<Index>(1, 512 / static_cast<Index>(sizeof(T)));

    BatchOfChannels(Index channels, Index positions, core::Team* team)
        : channels_(channels),
          positions_(positions),
          team_(channels > block ? team : nullptr),
          team_of_block_(channels > block ? nullptr : team) {}

    Index channels() const { return channels_; }
    /// What one position gives to a mean over all.
    T share() const { return T(1 / static_cast<double>(positions_)); }

    /// use(some) for the blocks of channels.
    template <class Use>
    void each_block(const Use& use) const {
        core::each_task(team_, (channels_ + block - 1) / block, [&](Index b) {
            use(Slice{b * block, std::min(block, channels_ - b * block)});
        });
    }
    /// use(count, at) for the values of these channels, which begin `at` of all of the batch's, at each position.
    template <class Use>
    void each_position(const Slice& some, const Use& use) const {
        core::each_shard(team_of_block_, positions_, [&](Index, const Slice& part) { walk(some, part, use); });
    }
    /// Sums of each channel over all positions: add(count, at, sums) adds to these what a position gives, and what
    /// comes of it is added to `to`.
    template <std::size_t N, class Add>
    void sum(const Slice& some, const std::array<T*, N>& to, const Add& add) const {
        T of_shards[core::most_shards][N][block];
        core::each_shard(team_of_block_, positions_, [&](Index s, const Slice& part) {
            std::array<T*, N> sums;
            for (std::size_t k = 0; k < N; ++k) std::fill_n(sums[k] = of_shards[s][k], block, T(0));
            walk(some, part, [&](Index count, Index at) { add(count, at, sums); });
        });
        for (Index s = 0; s < core::shards_of(positions_); ++s)
            for (std::size_t k = 0; k < N; ++k)
                for (Index i = 0; i < some.size; ++i) to[k][i] += of_shards[s][k][i];
    }

  private:
    template <class Use>
    void walk(const Slice& some, const Slice& part, const Use& use) const {
        for (Index p = part.begin; p < part.end(); ++p) use(some.size, p * channels_ + some.begin);
    }

    Index channels_, positions_;
    core::Team *team_, *team_of_block_;  // one of them at most: what runs in a task asks for no threads
};

// The passes, on plain memory and run-time sizes: compiled once for all layers. What is called at each position
// captures values, arrays as pointers: through a reference they would be read again every time, as a store might have
// changed them.

/// In training: mean and variance of each channel, normal = (x − μ)/√(σ² + ε) and y = γ ∘ normal + β, with `w` γ and
/// then β.
template <class T>
EIGEN_DONT_INLINE void normalise_batch(const BatchOfChannels<T>& batch, double epsilon, const T* w, const T* x, T* mean,
                                       T* variance, T* normal, T* y) {
    using Pack = kernels::Pack<T>;
    const Index channels = batch.channels();
    const T share = batch.share();
    std::fill_n(mean, channels, T(0));
    std::fill_n(variance, channels, T(0));
    batch.each_block([&](const Slice& some) {
        T scales[BatchOfChannels<T>::block];
        T *const scale = scales, *const some_mean = mean + some.begin, *const some_variance = variance + some.begin;
        const T *const gamma = w + some.begin, *const beta = gamma + channels;
        batch.sum(some, std::array{some_mean}, [=](Index count, Index at, const auto& sums) {
            kernels::each_pack(
                count, [share](Pack& m, const Pack& in) { m += Pack(share) * in; }, sums[0], x + at);
        });
        batch.sum(some, std::array{some_variance}, [=](Index count, Index at, const auto& sums) {
            kernels::each_pack(
                count,
                [share](Pack& v, Pack& off, const Pack& in, const Pack& m) {
                    off = in - m;
                    v += Pack(share) * square(off);
                },
                sums[0], normal + at, x + at, static_cast<const T*>(some_mean));
        });
        kernels::map_packs(
            some.size, scale, [&](const Pack& v) { return Pack(T(1)) / sqrt(v + epsilon); },
            static_cast<const T*>(some_variance));
        batch.each_position(some, [=](Index count, Index at) {
            kernels::each_pack(
                count,
                [](Pack& n, Pack& out, const Pack& s, const Pack& g, const Pack& b) {
                    n *= s;
                    out = g * n + b;
                },
                normal + at, y + at, static_cast<const T*>(scale), gamma, beta);
        });
    });
}
/// The way back: dx += γ/√(σ² + ε) · (dy − mean(dy) − normal·mean(dy ∘ normal)), means over the batch.
template <class T>
EIGEN_DONT_INLINE void normalise_batch_backward(const BatchOfChannels<T>& batch, double epsilon, const T* gamma,
                                                const T* variance, const T* normal, const T* dy, T* dx) {
    using Pack = kernels::Pack<T>;
    const T share = batch.share();
    batch.each_block([&](const Slice& some) {
        T means[BatchOfChannels<T>::block], products[BatchOfChannels<T>::block], scales[BatchOfChannels<T>::block];
        T *const mean = means, *const product = products, *const scale = scales;
        std::fill_n(mean, some.size, T(0));  // a scalar type's own default may be no value
        std::fill_n(product, some.size, T(0));
        batch.sum(some, std::array{mean, product}, [=](Index count, Index at, const auto& sums) {
            kernels::each_pack(
                count,
                [share](Pack& to_mean, Pack& to_product, const Pack& up, const Pack& n) {
                    to_mean += Pack(share) * up;
                    to_product += Pack(share) * up * n;
                },
                sums[0], sums[1], dy + at, normal + at);
        });
        kernels::map_packs(
            some.size, scale, [&](const Pack& g, const Pack& v) { return g / sqrt(v + epsilon); }, gamma + some.begin,
            variance + some.begin);
        batch.each_position(some, [=](Index count, Index at) {
            kernels::each_pack(
                count,
                [](Pack& d, const Pack& up, const Pack& n, const Pack& m, const Pack& p, const Pack& s) {
                    d += s * (up - m - n * p);
                },
                dx + at, dy + at, normal + at, static_cast<const T*>(mean), static_cast<const T*>(product),
                static_cast<const T*>(scale));
        });
    });
}
/// dγ += Σ dy ∘ normal and dβ += Σ dy.
template <class T>
EIGEN_DONT_INLINE void normalise_batch_gradient(const BatchOfChannels<T>& batch, const T* normal, const T* dy,
                                                T* dgamma, T* dbeta) {
    using Pack = kernels::Pack<T>;
    batch.each_block([&](const Slice& some) {
        batch.sum(some, std::array{dgamma + some.begin, dbeta + some.begin},
                  [=](Index count, Index at, const auto& sums) {
                      kernels::each_pack(
                          count,
                          [](Pack& to_gamma, Pack& to_beta, const Pack& up, const Pack& n) {
                              to_gamma += up * n;
                              to_beta += up;
                          },
                          sums[0], sums[1], dy + at, normal + at);
                  });
    });
}

}  // namespace layers

/// y = γ ∘ (x − μ)/√(σ² + ε) + β, with the mean μ and the variance σ² of each channel over the batch and all positions
/// (Ioffe and Szegedy 2015). γ starts at one, β at zero. In evaluation μ and σ² are moving averages, which start at 0
/// and 1; `adam.step(model, tape)` brings them up to date: average ← momentum · average + (1 − momentum) ·
/// batch. Defaults are Keras's, as is the variance (divided by the number of values, not by one less). `Error` unless ε
/// is finite and positive and the momentum in [0, 1).
struct BatchNormalization {
    static constexpr std::string_view name = "BatchNormalization";
    static constexpr Traits traits{.needs_input = false, .needs_output = false, .by_channel = true};
    double momentum;  ///< of the moving averages, in [0, 1)
    double epsilon;   ///< ε

    constexpr explicit BatchNormalization(double momentum_ = 0.99, double epsilon_ = 1e-3)
        : momentum(momentum_), epsilon(epsilon_) {
        check();
    }
    constexpr void check() const {
        if (!(is_finite(momentum) && momentum >= 0 && momentum < 1))
            fail("BatchNormalization: the momentum must be in [0, 1), got ", momentum);
        if (!(is_finite(epsilon) && epsilon > 0 && epsilon <= 1e30))
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
            layers::normalise_batch<T>(batch<In>(x, context), epsilon, w.data(), x.data(), context.statistics.data(),
                                       context.statistics.data() + In.channels, context.cache.data(), y.data());
        else
            apply_averages<In>(w, context.state.data(), x, y);
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        layers::normalise_batch_backward<T>(batch<In>(dy, context), epsilon, w.data(),
                                            context.statistics.data() + In.channels, context.cache.data(), dy.data(),
                                            dx.data());
    }
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, ConstView<T>, ConstView<T>, ConstView<T> dy,
                  std::span<T, parameters(In)> dw, const Context<T>& context) const {
        if (!context.accumulate) clear<T>({dw.data(), parameters(In), 1});
        layers::normalise_batch_gradient<T>(batch<In>(dy, context), context.cache.data(), dy.data(), dw.data(),
                                            dw.data() + In.channels);
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
    static layers::BatchOfChannels<T> batch(ConstView<T> x, const Context<T>& context) {
        return {In.channels, x.size() / In.channels, context.team};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
