// The code of a variational autoencoder: a normal distribution for each sample, drawn from in training.
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "hourglass/core/term.hpp"
#include "hourglass/kernels/pack.hpp"
#include "hourglass/terms/gaussian_code.hpp"
#include "hourglass/terms/importance_weighting.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The distribution of the code that an encoder gives for each sample; code × n each.
template <class T>
struct Posterior {
    Matrix<T> mean;      ///< μ
    Matrix<T> variance;  ///< σ²
};

/// The encoder's output is taken as means μ and log-variances ℓ = ln σ² (the first and the second half); the code is
/// z = μ + σ∘ε with ε ~ N(0, 1) in training (the reparameterisation of Kingma and Welling 2014) and μ in evaluation.
/// Adds
///
///     β · Σᵢ max(KLᵢ, free_bits),   KLᵢ = ½ (μᵢ² + σᵢ² − 1 − ℓᵢ),
///
/// the divergence of the code from N(0, 1) in nats, mean over the batch. β = 1 is the evidence lower bound, another one
/// the β-VAE (Higgins et al. 2017); it is a plain number that a loop may change (`CyclicalAnnealing`,
/// `LinearAnnealing`). Free bits (Kingma et al. 2016) leave each unit of the code that many nats, by its mean over the
/// batch, before the penalty pushes. ℓ is kept within ±20, where its gradient is 0 beyond, so that an encoder's ±1000
/// stays finite.
///
/// With `samples` = k > 1 training maximises the importance-weighted bound of k codes instead (IWAE: Burda, Grosse and
/// Salakhutdinov 2016). `Error` unless β and free_bits are finite and at least 0, and k at least 1.
struct GaussianLatent {
    static constexpr std::string_view name = "GaussianLatent";
    static constexpr Slot slot = Slot::Code;
    static constexpr bool needs_likelihood = true, has_penalty = true;
    static constexpr Traits traits{.needs_output = false, .by_sample = true};
    static constexpr double largest_log_variance = terms::largest_log_variance;
    static constexpr Index most_samples = 1000000;

    double beta = 1;       ///< β, the weight of the divergence, at least 0
    double free_bits = 0;  ///< nats that each unit of the code has free, at least 0
    Index samples = 1;     ///< k, codes drawn of each sample in training; above 1 without free bits

    constexpr void check() const {
        if (!(is_finite(beta) && beta >= 0 && beta <= 1e30))
            fail("GaussianLatent: beta must be finite and at least 0, got ", beta);
        if (!(is_finite(free_bits) && free_bits >= 0 && free_bits <= 1e30))
            fail("GaussianLatent: free_bits must be finite and at least 0, got ", free_bits);
        if (samples < 1 || samples > most_samples)
            fail("GaussianLatent: samples must lie in [1, ", most_samples, "], got ", samples);
        if (samples > 1 && free_bits > 0) fail("GaussianLatent: free_bits and samples > 1 exclude each other");
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("beta", self.beta);
        use("free_bits", self.free_bits);
        use("samples", self.samples);
    }

    static constexpr Shape output(Shape in) { return {in.channels / 2, in.length, in.columns}; }
    static constexpr Index cache(Shape in) { return 2 * output(in).size(); }  // ε, then σ

    /// How many codes training draws of each sample.
    Index replicas() const { return samples; }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>& context) const {
        using terms::each_half;
        constexpr Index size = output(In).size();
        if (!context.training)
            return each_half<In>(x.cols(), 1, [&](Index mean, Index, Index code, Index count) {
                std::copy_n(x.data() + mean, count, y.data() + code);
            });
        for (Index j = 0; j < y.cols(); ++j)
            context.random.normal(j, std::span<T>{context.cache.data() + 2 * j * size, static_cast<std::size_t>(size)});
        each_half<In>(y.cols(), y.cols() / x.cols(), [&](Index mean, Index log_variance, Index code, Index count) {
            const Index cached = code + code / size * size;  // a sample's ε and σ lie behind each other
            T* const sigma = context.cache.data() + cached + size;
            kernels::map_packs(
                count, sigma, [](const kernels::Pack<T>& l) { return exp(0.5 * bounded(l)); }, x.data() + log_variance);
            kernels::map_packs(
                count, y.data() + code,
                [](const kernels::Pack<T>& m, const kernels::Pack<T>& s, const kernels::Pack<T>& e) {
                    return m + s * e;
                },
                x.data() + mean, static_cast<const T*>(sigma), static_cast<const T*>(context.cache.data() + cached));
        });
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        using terms::each_half;
        constexpr Index size = output(In).size();
        if (!context.accumulate) clear(dx);  // several codes add to one sample
        each_half<In>(dy.cols(), dy.cols() / x.cols(), [&](Index mean, Index log_variance, Index code, Index count) {
            const T* const noise = context.cache.data() + code + code / size * size;
            kernels::each_pack(
                count,
                [](kernels::Pack<T>& dm, kernels::Pack<T>& dl, const kernels::Pack<T>& l, const kernels::Pack<T>& e,
                   const kernels::Pack<T>& s, const kernels::Pack<T>& up) {
                    dm += up;
                    dl += inside(l, 0.5 * up * s * e);
                },
                dx.data() + mean, dx.data() + log_variance, x.data() + log_variance, noise, noise + size,
                dy.data() + code);
        });
    }

    template <Shape In, class T>
    T penalty(std::span<const T, 0>, ConstView<T> x, ConstView<T>) const {
        return divergence<In, T>(x, nullptr);
    }
    template <Shape In, class T>
    T penalty_gradient(std::span<const T, 0>, ConstView<T> x, ConstView<T>, std::span<T, 0>, View<T> dx) const {
        return divergence<In, T>(x, dx.data());
    }

    /// Values of memory that `weighted_gradient` needs for targets of `rows` values and so many codes.
    static Index weighted_room(Index rows, Index codes) { return terms::ImportanceWeighting::room(rows, codes); }
    /// The importance-weighted bound of several codes a sample (terms/importance_weighting.hpp).
    template <Shape In, class T, class Bind>
    std::pair<T, T> weighted_gradient(const Bind& bind, ConstView<T> prediction, ConstView<T> target, ConstView<T> x,
                                      ConstView<T> code, View<T> dprediction, View<T> dx, View<T> dcode, T* scratch,
                                      core::Team* team) const {
        return terms::ImportanceWeighting{beta}.gradient<In, T>(bind, prediction, target, x, code, dprediction, dx,
                                                                dcode, scratch, team);
    }

    /// `n` codes of `size` values drawn from the prior, size × n. `Error` for less than one.
    template <class T>
    static Matrix<T> draw_prior(Index size, Index n, Rng& rng) {
        if (n < 1) fail("Autoencoder::sample: expected at least one sample, got ", n);
        const Stream random = rng.stream();
        Matrix<T> codes(size, n);
        for (Index j = 0; j < n; ++j)
            random.normal(j, std::span<T>{codes.data() + j * size, static_cast<std::size_t>(size)});
        return codes;
    }

    /// Codes drawn from the encoder's distributions: y = μ + σ ∘ ε, with the noise of samples number `first` and on.
    template <Shape In, class T>
    static void draw_posterior(ConstView<T> x, View<T> y, const Stream& noise, Index first) {
        for (Index j = 0; j < y.cols(); ++j)
            noise.normal(first + j, std::span<T>{y.data() + j * y.rows(), static_cast<std::size_t>(y.rows())});
        terms::each_half<In>(y.cols(), 1, [&](Index mean, Index log_variance, Index code, Index count) {
            kernels::each_pack(
                count,
                [](kernels::Pack<T>& z, const kernels::Pack<T>& m, const kernels::Pack<T>& l) {
                    z = m + exp(0.5 * bounded(l)) * z;
                },
                y.data() + code, x.data() + mean, x.data() + log_variance);
        });
    }

    /// Mean and variance from the encoder's output.
    template <Shape In, class T>
    static Posterior<T> posterior(const Matrix<T>& x) {
        Posterior<T> p{Matrix<T>(output(In).size(), x.cols()), Matrix<T>(output(In).size(), x.cols())};
        terms::each_half<In>(x.cols(), 1, [&](Index mean, Index log_variance, Index code, Index count) {
            std::copy_n(x.data() + mean, count, p.mean.data() + code);
            kernels::map_packs(
                count, p.variance.data() + code, [](const kernels::Pack<T>& l) { return exp(bounded(l)); },
                x.data() + log_variance);
        });
        return p;
    }

  private:
    template <class T>
    static kernels::Pack<T> bounded(const kernels::Pack<T>& l) {
        return min(max(l, kernels::Pack<T>(-largest_log_variance)), kernels::Pack<T>(largest_log_variance));
    }
    // d where the log-variance l is not at its bound, else 0.
    template <class T>
    static kernels::Pack<T> inside(const kernels::Pack<T>& l, const kernels::Pack<T>& d) {
        return kernels::where_greater<T>(largest_log_variance, abs(l), d, 0);
    }

    // β Σ max(KL, free bits); with dx, adds the gradient.
    template <Shape In, class T>
    T divergence(ConstView<T> x, T* dx) const {
        const Index n = x.cols();
        const double per_sample = 1 / static_cast<double>(n);
        const auto nats = [](const kernels::Pack<T>& m, const kernels::Pack<T>& l_) {
            const kernels::Pack<T> l = bounded(l_);
            return 0.5 * (square(m) + exp(l) - 1 - l);
        };
        const auto add_gradient = [&](Index mean, Index log_variance, Index count) {
            if (dx)
                kernels::each_pack(
                    count,
                    [&](kernels::Pack<T>& dm, kernels::Pack<T>& dl, const kernels::Pack<T>& m,
                        const kernels::Pack<T>& l) {
                        dm += beta * per_sample * m;
                        dl += inside(l, 0.5 * beta * per_sample * (exp(bounded(l)) - 1));
                    },
                    dx + mean, dx + log_variance, x.data() + mean, x.data() + log_variance);
        };
        core::Accumulator<T> sum(0);
        if (free_bits == 0) {
            terms::each_half<In>(n, 1, [&](Index mean, Index log_variance, Index, Index count) {
                sum +=
                    core::Accumulator<T>(kernels::sum_packs<T>(count, nats, x.data() + mean, x.data() + log_variance));
                add_gradient(mean, log_variance, count);
            });
            return T(sum * core::Accumulator<T>(beta * per_sample));
        }
        // Unit by unit: what is compared with the free bits is a unit's mean over the batch.
        constexpr Index half = In.channels / 2;
        for (Index unit = 0; unit < output(In).size(); ++unit) {
            const Index mean = unit / half * 2 * half + unit % half;
            core::Accumulator<T> kl(0);
            for (Index j = 0; j < n; ++j) {
                const Index at = j * In.size() + mean;
                kl += core::Accumulator<T>(kernels::sum_packs<T>(1, nats, x.data() + at, x.data() + at + half)) *
                      core::Accumulator<T>(per_sample);
            }
            if (kl <= core::Accumulator<T>(free_bits) && !core::is_nan(kl)) {  // -ffast-math takes NaN for less
                sum += core::Accumulator<T>(free_bits);
                continue;
            }
            sum += kl;
            for (Index j = 0; j < n; ++j) add_gradient(j * In.size() + mean, j * In.size() + mean + half, 1);
        }
        return T(sum * core::Accumulator<T>(beta));
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
