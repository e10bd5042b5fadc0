// Huber's loss.
#pragma once

#include <string_view>

#include "hourglass/losses/elementwise_loss.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// With e = |x̂ − t|: e²/2 where e ≤ δ, δ(e − δ/2) beyond (Huber 1964), mean over features, mean over the batch. `Error`
/// unless δ is finite and positive.
struct Huber : ElementwiseLoss<Huber> {
    static constexpr std::string_view name = "Huber";
    double delta;  ///< δ: where the parabola becomes a line

    constexpr explicit Huber(double delta_ = 1.0) : delta(delta_) { check(); }
    constexpr void check() const {
        if (!(is_finite(delta) && delta > 0 && delta <= 1e30))
            fail("Huber: delta must be finite and positive, got ", delta);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("delta", self.delta);
    }

    // With c = min(e, δ) both branches are c(e − c/2).
    template <class T>
    kernels::Pack<T> each(const kernels::Pack<T>& p, const kernels::Pack<T>& t) const {
        const kernels::Pack<T> e = abs(p - t), c = min(e, kernels::Pack<T>(delta));
        return c * (e - 0.5 * c);
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>& p, const kernels::Pack<T>& t) const {
        return max(min(p - t, kernels::Pack<T>(delta)), kernels::Pack<T>(-delta));
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
