// A code whose units are on or off, each from a learned threshold.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "hourglass/core/term.hpp"
#include "hourglass/kernels/pack.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// y = x·H(x − θ), with H the unit step and θ > 0 learned for each unit of the code, and the penalty
///
///     weight · Σᵢ H(xᵢ − θᵢ)
///
/// mean over the batch: the number of active units, L0 (Rajamanoharan et al. 2024, "Jumping ahead"). The parameters are
/// ln θ, one for each value of the code, from ln(initial_threshold) on.
///
/// The gradient with respect to x is exact: H(x − θ)·dy. With respect to θ both y and the penalty are steps, whose
/// derivative is 0 wherever there is one and teaches nothing; what is used in its place is the paper's
/// *pseudo-derivative* (a straight-through estimator), with K a rectangle of the given bandwidth ε:
///
///     ∂y/∂θ := −(θ/ε) K((x − θ)/ε),   ∂H(x − θ)/∂θ := −(1/ε) K((x − θ)/ε),   K(u) = 1 for |u| < ½, else 0
///
/// It is no derivative of the objective, and a check against finite differences fails by design. Codes are expected to
/// be of the size of 1: the bandwidth is an absolute one, and only values within ε/2 of θ move it.
///
/// `check()`, which models call: `Error` unless the weight is finite and at least 0, and the bandwidth and the initial
/// threshold are finite and positive.
struct JumpReLU {
    static constexpr std::string_view name = "JumpReLU";
    static constexpr Slot slot = Slot::Code;
    static constexpr bool has_penalty = true;
    static constexpr Traits traits{.needs_input = false, .by_sample = true, .by_channel = true};

    double weight;                    ///< of the number of active units, at least 0
    double bandwidth = 1e-3;          ///< ε of the pseudo-derivative
    double initial_threshold = 1e-3;  ///< what every θ starts as

    constexpr void check() const {
        if (!(is_finite(weight) && weight >= 0 && weight <= 1e30))
            fail("JumpReLU: the weight must be finite and at least 0, got ", weight);
        if (!(is_finite(bandwidth) && bandwidth >= 1e-30 && bandwidth <= 1e30))
            fail("JumpReLU: the bandwidth must be finite and positive, got ", bandwidth);
        if (!(is_finite(initial_threshold) && initial_threshold >= 1e-30 && initial_threshold <= 1e30))
            fail("JumpReLU: the initial threshold must be finite and positive, got ", initial_threshold);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("weight", self.weight);
        use("bandwidth", self.bandwidth);
        use("initial_threshold", self.initial_threshold);
    }

    static constexpr Shape output(Shape in) { return in; }
    static constexpr Index parameters(Shape in) { return in.size(); }
    static constexpr auto weights(Shape in) {
        // Of a picture columns are faster than rows.
        const Extents extents =
            in.columns > 1 ? Extents{in.channels, in.columns, in.length} : Extents{in.channels, in.length};
        return std::array{Weight{"log_threshold", extents, false}};
    }
    static constexpr Index cache(Shape in) { return in.size(); }  // ∂y/∂ln θ
    template <Shape In, class T>
    void initialize(std::span<T, parameters(In)> w, Rng&) const {
        std::fill_n(w.data(), w.size(), T(std::log(initial_threshold)));
    }

    template <Shape In, class T>
    void forward(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y, const Context<T>& context) const {
        rectify<T>(In.size(), x.cols(), w.data(), x.data(), y.data(),
                   context.training ? context.cache.data() : nullptr);
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        kernels::each_pack(
            y.size(),
            [](kernels::Pack<T>& d, const kernels::Pack<T>& out, const kernels::Pack<T>& up) {
                d += kernels::where_greater<T>(out, 0, up, 0);
            },
            dx.data(), y.data(), dy.data());
    }
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, ConstView<T>, ConstView<T>, ConstView<T> dy,
                  std::span<T, parameters(In)> dw, const Context<T>& context) const {
        if (!context.accumulate) clear<T>({dw.data(), parameters(In), 1});
        for (Index at = 0; at < dy.size(); at += In.size())
            kernels::each_pack(
                In.size(),
                [](kernels::Pack<T>& d, const kernels::Pack<T>& up, const kernels::Pack<T>& along) { d += up * along; },
                dw.data(), dy.data() + at, static_cast<const T*>(context.cache.data() + at));
    }

    template <Shape In, class T>
    T penalty(std::span<const T, parameters(In)>, ConstView<T>, ConstView<T> y) const {
        core::Accumulator<T> active(0);
        for (Index at = 0; at < y.size(); at += In.size())
            active += core::Accumulator<T>(kernels::sum_packs<T>(
                In.size(), [](const kernels::Pack<T>& out) { return kernels::where_greater<T>(out, 0, 1, 0); },
                y.data() + at));
        return T(active * core::Accumulator<T>(weight / static_cast<double>(y.cols())));
    }
    template <Shape In, class T>
    T penalty_gradient(std::span<const T, parameters(In)> w, ConstView<T> x, ConstView<T> y,
                       std::span<T, parameters(In)> dw, View<T>) const {
        penalty_derivative<T>(In.size(), x.cols(), w.data(), x.data(), dw.data());
        return penalty<In, T>(w, x, y);
    }

  private:
    // Apart from the shape, so that codes of all sizes share them.

    // y, and at `derivative`, when not null, ∂y/∂ln θ.
    template <class T>
    EIGEN_DONT_INLINE void rectify(Index size, Index n, const T* w, const T* x, T* y, T* derivative) const {
        each_block(size, n, w, [&](const T* threshold, Index, Index at, Index count) {
            kernels::map_packs(
                count, y + at,
                [](const kernels::Pack<T>& in, const kernels::Pack<T>& t) {
                    // A product, so that NaN stays; the sum makes −0 a plain 0.
                    return in * kernels::where_greater<T>(in, t, 1, 0) + 0;
                },
                x + at, threshold);
            if (derivative)
                kernels::map_packs(
                    count, derivative + at,
                    [this](const kernels::Pack<T>& in, const kernels::Pack<T>& t) {
                        return near(in, t, square(t) * (-1 / bandwidth));
                    },
                    x + at, threshold);
        });
    }
    // Adds the penalty's gradient to dw.
    template <class T>
    EIGEN_DONT_INLINE void penalty_derivative(Index size, Index n, const T* w, const T* x, T* dw) const {
        const double scale = -weight / (bandwidth * static_cast<double>(n));
        each_block(size, n, w, [&](const T* threshold, Index unit, Index at, Index count) {
            kernels::each_pack(
                count,
                [&](kernels::Pack<T>& d, const kernels::Pack<T>& in, const kernels::Pack<T>& t) {
                    d += near(in, t, t * scale);
                },
                dw + unit, x + at, threshold);
        });
    }
    // `value` where the rectangle around the threshold holds x, else 0.
    template <class T>
    kernels::Pack<T> near(const kernels::Pack<T>& x, const kernels::Pack<T>& threshold,
                          const kernels::Pack<T>& value) const {
        return kernels::where_greater<T>(bandwidth / 2, abs(x - threshold), value, 0);
    }

    // Calls use(θ, unit, at, count) for blocks of units and, for each, all samples: θ of `count` units from `unit`
    // on, which of a sample lie at `at`. The thresholds need no memory but the stack.
    template <class T, class Use>
    static void each_block(Index size, Index n, const T* w, Use use) {
        constexpr Index block = 64;
        T threshold[block];
        for (Index unit = 0; unit < size; unit += block) {
            const Index count = std::min(block, size - unit);
            kernels::map_packs(
                count, threshold, [](const kernels::Pack<T>& log_threshold) { return exp(log_threshold); }, w + unit);
            for (Index j = 0; j < n; ++j) use(static_cast<const T*>(threshold), unit, j * size + unit, count);
        }
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
