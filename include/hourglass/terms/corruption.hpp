// Corruptions: the input is damaged in training, the target stays clean (Vincent et al. 2010, "Stacked denoising
// autoencoders"). Evaluation never corrupts. Each step draws anew.
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <string_view>
#include <utility>

#include "hourglass/core/term.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace terms {

// y = apply(x, drawn), a sample at a time and in blocks that fit on the stack: no memory is asked for.
template <class T, class Draw, class Apply>
void corrupt_blocks(ConstView<T> x, View<T> y, Draw draw, Apply apply) {
    constexpr Index block = 256;
    T drawn[block];
    for (Index j = 0; j < x.cols(); ++j)
        for (Index from = 0; from < x.rows(); from += block) {
            const Index count = std::min(block, x.rows() - from);
            draw(j, std::span<T>{drawn, static_cast<std::size_t>(count)}, from);
            const ConstFlat<T> clean{x.data() + j * x.rows() + from, count}, numbers{drawn, count};
            Flat<T>{y.data() + j * y.rows() + from, count} = apply(clean, numbers);
        }
}

}  // namespace terms

/// y = x + N(0, stddev²), independently for each value. `Error` unless stddev is finite and at least 0.
struct GaussianNoise {
    static constexpr std::string_view name = "GaussianNoise";
    static constexpr Slot slot = Slot::Corruption;
    static constexpr bool by_sample = true;
    double stddev;  ///< standard deviation, in the units of x

    constexpr explicit GaussianNoise(double stddev_) : stddev(stddev_) { check(); }
    constexpr void check() const {
        if (!(is_finite(stddev) && stddev >= 0 && stddev <= 1e30))
            fail("GaussianNoise: stddev must be finite and at least 0, got ", stddev);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("stddev", self.stddev);
    }

    template <class T>
    void corrupt(ConstView<T> x, View<T> y, Stream random) const {
        terms::corrupt_blocks(
            x, y, [&](Index j, std::span<T> noise, Index from) { random.normal(j, noise, from); },
            [&](const auto& clean, const auto& noise) { return clean + T(stddev) * noise; });
    }
};

/// y = 0 with probability `rate`, else x, independently for each value. `Error` unless 0 ≤ rate < 1.
struct MaskingNoise {
    static constexpr std::string_view name = "MaskingNoise";
    static constexpr Slot slot = Slot::Corruption;
    static constexpr bool by_sample = true;
    double rate;  ///< probability of 0, in [0, 1)

    constexpr explicit MaskingNoise(double rate_) : rate(rate_) { check(); }
    constexpr void check() const {
        if (!(is_finite(rate) && rate >= 0 && rate < 1)) fail("MaskingNoise: the rate must be in [0, 1), got ", rate);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("rate", self.rate);
    }

    template <class T>
    void corrupt(ConstView<T> x, View<T> y, Stream random) const {
        terms::corrupt_blocks(
            x, y, [&](Index j, std::span<T> kept, Index from) { random.choose(j, rate, T(0), T(1), kept, from); },
            [](const auto& clean, const auto& kept) { return clean * kept; });
    }
};

/// With probability `rate` a value becomes `low` or `high`, each half of the time; else it stays. `Error` unless
/// 0 ≤ rate < 1.
struct SaltAndPepperNoise {
    static constexpr std::string_view name = "SaltAndPepperNoise";
    static constexpr Slot slot = Slot::Corruption;
    static constexpr bool by_sample = true;
    double rate;       ///< probability of a change, in [0, 1)
    double low, high;  ///< what a changed value becomes

    constexpr explicit SaltAndPepperNoise(double rate_, double low_ = 0, double high_ = 1)
        : rate(rate_), low(low_), high(high_) {
        check();
    }
    constexpr void check() const {
        if (!(is_finite(rate) && rate >= 0 && rate < 1))
            fail("SaltAndPepperNoise: the rate must be in [0, 1), got ", rate);
        if (!(is_finite(low) && is_finite(high) && low <= high))
            fail("SaltAndPepperNoise: low and high must be finite, and low not exceed high, got ", low, " and ", high);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("rate", self.rate);
        use("low", self.low);
        use("high", self.high);
    }

    template <class T>
    void corrupt(ConstView<T> x, View<T> y, Stream random) const {
        terms::corrupt_blocks(
            x, y, [&](Index j, std::span<T> u, Index from) { random.uniform(j, u, from); },
            [&](const auto& clean, const auto& u) {
                return clean.binaryExpr(u, [this](const T& value, const T& drawn) {
                    return drawn < T(rate / 2) ? T(low) : drawn < T(rate) ? T(high) : value;
                });
            });
    }
};

/// Any damage of the caller's own, given as a function of a batch:
///
///     hg::Corruption{[](hg::ConstView<float> x, hg::View<float> y, hg::Stream random) {…}}
///
/// `damage(x, y, random)` writes to y, features × n, a damaged copy of x; both may be the same memory. `random` gives
/// the step's numbers, to each sample its own (`random.uniform(sample, …)`). A function object may have
/// hyperparameters, which loops reach as `model.term<…>().damage`.
template <class Damage>
struct Corruption {
    static constexpr std::string_view name = "Corruption";
    static constexpr Slot slot = Slot::Corruption;
    Damage damage;  ///< the function

    constexpr explicit Corruption(Damage damage_) : damage(std::move(damage_)) {}
    constexpr void check() const {}

    template <class T>
    void corrupt(ConstView<T> x, View<T> y, Stream random) const {
        static_assert(std::invocable<const Damage&, ConstView<T>, View<T>, Stream>,
                      "hourglass: Corruption calls its function with (hg::ConstView<T> x, hg::View<T> y, hg::Stream "
                      "random), T being the model's scalar type");
        damage(x, y, random);
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
