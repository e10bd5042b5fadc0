// Dropout.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "hourglass/core/layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// In training each value is zero with probability `rate` and otherwise divided by 1 − rate, so that its mean stays
/// (Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014); outside training nothing happens. `Error` unless
/// 0 ≤ rate < 1.
struct Dropout {
    static constexpr std::string_view name = "Dropout";
    static constexpr Traits traits{.needs_input = false, .needs_output = false, .by_sample = true, .by_channel = true};
    double rate;  ///< probability of zero, in [0, 1)

    constexpr explicit Dropout(double rate_ = 0.5) : rate(rate_) { check(); }
    constexpr void check() const {
        if (!(is_finite(rate) && rate >= 0 && rate < 1)) fail("Dropout: the rate must be in [0, 1), got ", rate);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("rate", self.rate);
    }

    static constexpr Shape output(Shape in) { return in; }
    static constexpr Index cache(Shape in) { return in.size(); }  // each value's factor: 0 or 1/(1 − rate)

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>& context) const {
        if (!context.training) {
            std::copy_n(x.data(), x.size(), y.data());
            return;
        }
        const T kept = T(1 / (1 - rate));
        constexpr auto size = static_cast<std::size_t>(In.size());
        for (Index j = 0; j < x.cols(); ++j)
            context.random.choose(j, rate, T(0), kept, context.cache.subspan(static_cast<std::size_t>(j) * size, size));
        flat(y) = flat(x) * factors(context);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        if (context.accumulate)
            flat(dx) += flat(dy) * factors(context);
        else
            flat(dx) = flat(dy) * factors(context);
    }

    template <Shape In>
    constexpr Dropout mirror() const {
        return *this;
    }

  private:
    template <class T>
    static ConstFlat<T> factors(const Context<T>& context) {
        return {context.cache.data(), static_cast<Index>(context.cache.size())};
    }
};

/// `Dropout` of whole channels: in training each channel of a sample is zero at all its positions with probability
/// `rate` and otherwise divided by 1 − rate (Tompson, Goroshin, Jain, LeCun and Bregler 2015), since neighbouring
/// positions of a picture tell of each other; outside training nothing happens. `Error` unless 0 ≤ rate < 1.
struct SpatialDropout {
    static constexpr std::string_view name = "SpatialDropout";
    static constexpr Traits traits{.needs_input = false, .needs_output = false, .by_sample = true, .by_channel = true};
    double rate;  ///< probability of zero, in [0, 1)

    constexpr explicit SpatialDropout(double rate_ = 0.5) : rate(rate_) { check(); }
    constexpr void check() const {
        if (!(is_finite(rate) && rate >= 0 && rate < 1)) fail("SpatialDropout: the rate must be in [0, 1), got ", rate);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("rate", self.rate);
    }

    static constexpr Shape output(Shape in) { return in; }
    static constexpr Index cache(Shape in) { return in.channels; }  // each channel's factor: 0 or 1/(1 − rate)

    template <Shape In, class T>
    void forward(std::span<const T, 0>, ConstView<T> x, View<T> y, const Context<T>& context) const {
        if (!context.training) {
            std::copy_n(x.data(), x.size(), y.data());
            return;
        }
        constexpr auto channels = static_cast<std::size_t>(In.channels);
        for (Index j = 0; j < x.cols(); ++j)
            context.random.choose(j, rate, T(0), T(1 / (1 - rate)),
                                  context.cache.subspan(static_cast<std::size_t>(j) * channels, channels));
        scale<In>(x.data(), y.data(), x.cols(), context, false);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                  const Context<T>& context) const {
        scale<In>(dy.data(), dx.data(), dy.cols(), context, context.accumulate);
    }

    template <Shape In>
    constexpr SpatialDropout mirror() const {
        return *this;
    }

  private:
    // to = each value of `from` times its channel's factor, or to += it.
    template <Shape In, class T>
    static void scale(const T* from, T* to, Index samples, const Context<T>& context, bool accumulate) {
        for (Index j = 0; j < samples; ++j) {
            const ConstFlat<T> factors{context.cache.data() + j * In.channels, In.channels};
            for (Index i = 0; i < In.positions(); ++i, from += In.channels, to += In.channels) {
                Flat<T> out{to, In.channels};
                if (accumulate)
                    out += ConstFlat<T>{from, In.channels} * factors;
                else
                    out = ConstFlat<T>{from, In.channels} * factors;
            }
        }
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
