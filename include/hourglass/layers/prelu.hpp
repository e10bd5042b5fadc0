// A leaky ReLU that learns its slopes.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "hourglass/core/layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// max(x, 0) + α min(x, 0) with a slope α for each channel, which is learned and does not decay (He, Zhang, Ren and Sun
/// 2015). α starts at `initial_slope`; the default is Keras's 0, the paper and PyTorch begin with 0.25. Keras has a
/// slope for each position too, unless it is told to share them. `Error` unless that is finite.
struct PReLU {
    static constexpr std::string_view name = "PReLU";
    static constexpr Traits traits{.needs_output = false, .by_sample = true, .by_channel = true};
    double initial_slope;  ///< what every α starts as

    constexpr explicit PReLU(double initial_slope_ = 0) : initial_slope(initial_slope_) { check(); }
    constexpr void check() const {
        if (!(is_finite(initial_slope) && initial_slope >= -1e30 && initial_slope <= 1e30))
            fail("PReLU: the initial slope must be finite, got ", initial_slope);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("initial_slope", self.initial_slope);
    }

    static constexpr Shape output(Shape in) { return in; }
    static constexpr Index parameters(Shape in) { return in.channels; }
    static constexpr auto weights(Shape in) { return std::array{Weight{"alpha", in.channels, false}}; }
    template <Shape In, class T>
    void initialize(std::span<T, parameters(In)> w, Rng&) const {
        std::fill_n(w.data(), In.channels, T(initial_slope));
    }

    template <Shape In, class T>
    void forward(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y, const Context<T>&) const {
        each_value<In>(x, [slopes = w.data(), to = y.data()](Index i, Index c, const T& in) {
            to[i] = in > T(0) ? in : slopes[c] * in;
        });
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)> w, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (!context.accumulate) clear(dx);
        each_value<In>(x, [slopes = w.data(), up = dy.data(), to = dx.data()](Index i, Index c, const T& in) {
            to[i] += in > T(0) ? up[i] : slopes[c] * up[i];
        });
    }
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, ConstView<T> x, ConstView<T>, ConstView<T> dy,
                  std::span<T, parameters(In)> dw, const Context<T>& context) const {
        if (!context.accumulate) clear<T>({dw.data(), parameters(In), 1});
        each_value<In>(x, [up = dy.data(), to = dw.data()](Index i, Index c, const T& in) {
            to[c] += in > T(0) ? T(0) : in * up[i];
        });
    }

    /// Its own counterpart in a mirrored decoder; also in a tied one, with slopes of its own.
    template <Shape In>
    constexpr PReLU mirror() const {
        return *this;
    }
    template <Shape In, Index Offset>
    constexpr PReLU tied() const {
        return *this;
    }

  private:
    // use(i, c, x) for each value x, number i, of channel c.
    template <Shape In, class T, class Use>
    static void each_value(ConstView<T> x, Use use) {
        for (Index i = 0; i < x.size(); i += In.channels)
            for (Index c = 0; c < In.channels; ++c) use(i + c, c, x.data()[i + c]);
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
