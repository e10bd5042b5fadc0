// Huber's loss.
#pragma once

#include <string_view>

#include "hourglass/core/elementwise_loss.hpp"

namespace hourglass::inline HOURGLASS_ABI {

/// With e = |x̂ − t|: e²/2 where e ≤ δ, δ(e − δ/2) beyond (Huber 1964), mean over features, mean over the batch. `Error`
/// unless δ is finite and positive.
struct Huber : ElementwiseLoss<Huber> {
    static constexpr std::string_view name = "Huber";
    double delta;

    constexpr explicit Huber(double delta_ = 1.0) : delta(delta_) { check(); }
    constexpr void check() const {
        if (!(delta > 0 && delta <= 1e30)) fail("Huber: delta must be finite and positive, got ", delta);
    }

    // With c = min(e, δ) both branches are c(e − c/2).
    template <class A>
    auto each(const A& p, const A& t) const {
        using T = typename A::Scalar;
        return (p - t).abs().min(T(delta)) * ((p - t).abs() - T(0.5) * (p - t).abs().min(T(delta)));
    }
    template <class A>
    auto slope(const A& p, const A& t) const {
        using T = typename A::Scalar;
        return (p - t).min(T(delta)).max(T(-delta));
    }
};

}  // namespace hourglass::inline HOURGLASS_ABI
