// Dropout.
#pragma once

#include <string_view>

#include "hourglass/core/layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// In training each value is zero with probability `rate` and otherwise divided by 1 − rate, so that its mean stays
/// (Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014); outside training nothing happens. `Error` unless
/// 0 ≤ rate < 1.
struct Dropout {
    static constexpr std::string_view name = "Dropout";
    static constexpr bool needs_input = false, needs_output = false;
    double rate;

    constexpr explicit Dropout(double rate_ = 0.5) : rate(rate_) {
        if (!(rate >= 0 && rate < 1)) fail("Dropout: the rate must be in [0, 1), got ", rate);
    }

    static constexpr Shape output(Shape in) { return in; }
    static constexpr Index cache(Shape in) { return in.size(); }  // each value's factor: 0 or 1/(1 − rate)

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y) const {
        flat(y) = flat(x);
    }
    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, Pass<T>& pass) const {
        const T kept = T(1 / (1 - rate));
        for (Index j = 0; j < x.cols(); ++j)
            pass.random.choose(j, rate, T(0), kept,
                               std::span<T>{&pass.cache(0, j), static_cast<std::size_t>(In.size())});
        flat(y) = flat(x) * flat(pass.cache);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Pass<T>& pass) const {
        flat(dx) += flat(dy) * flat(pass.cache);
    }

    template <Shape In>
    constexpr Dropout mirror() const {
        return *this;
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
