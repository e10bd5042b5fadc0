// A penalty that brings dead units of the code back.
#pragma once

#include <algorithm>
#include <string_view>

#include "hourglass/core/term.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// weight · Σᵢ max(0, threshold − xᵢ) over the units i of the code that are 0 for every sample of the batch, x being
/// what the encoder gives before `TopK`, `BatchTopK` or `JumpReLU` makes the code of it; mean over the batch. A dead
/// unit receives no gradient from the reconstruction; this one raises its pre-activation until it reaches the threshold
/// and competes again (pre-activation loss: Anthropic, "Dictionary learning optimization techniques", January 2025,
/// with the learned thresholds in place of one number and the norms of the decoder's columns, here for unit ones).
///
/// The encoder must not end in `ReLU`, whose derivative at a dead unit is 0. Like every count over a batch, "dead"
/// depends on the batch's size; keep the weight small.
///
/// `check()`, which models call: `Error` unless the weight is finite and at least 0 and the threshold finite. `Error`
/// also for a code of another size than the encoder's output.
struct PreActivationLoss {
    static constexpr std::string_view name = "PreActivationLoss";
    static constexpr Slot slot = Slot::Code;
    static constexpr bool on_encoder_output = true;

    double weight;         ///< at least 0
    double threshold = 1;  ///< up to where dead units are raised

    constexpr void check() const {
        if (!(is_finite(weight) && weight >= 0 && weight <= 1e30))
            fail("PreActivationLoss: the weight must be finite and at least 0, got ", weight);
        if (!(is_finite(threshold) && threshold >= -1e30 && threshold <= 1e30))
            fail("PreActivationLoss: the threshold must be finite, got ", threshold);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("weight", self.weight);
        use("threshold", self.threshold);
    }

    template <class T>
    T value(ConstView<T> x, ConstView<T> code) const {
        return shortfall<T>(x, code, nullptr);
    }
    template <class T>
    T gradient(ConstView<T> x, ConstView<T> code, View<T> dx) const {
        return shortfall<T>(x, code, dx.data());
    }

  private:
    // The penalty; with d, adds the gradient.
    template <class T>
    T shortfall(ConstView<T> x, ConstView<T> code, T* d) const {
        const Index size = x.rows(), n = x.cols();
        if (code.rows() != size)
            fail("PreActivationLoss: the code has ", code.rows(), " units, expected ", size, " as the encoder gives");
        constexpr Index block = 64;  // units at a time, so that no memory is needed but the stack
        const double scale = weight / static_cast<double>(n);
        core::Accumulator<T> sum(0);
        for (Index first = 0; first < size; first += block) {
            const Index units = std::min(block, size - first);
            bool active[block] = {};
            for (Index j = 0; j < n; ++j)
                for (Index i = 0; i < units; ++i) active[i] |= !(code.data()[j * size + first + i] == T(0));
            if (std::all_of(active, active + units, [](bool on) { return on; })) continue;
            for (Index j = 0; j < n; ++j)
                for (Index i = 0; i < units; ++i) {
                    const Index at = j * size + first + i;
                    const T missing = T(threshold) - x.data()[at];
                    if (active[i] || missing <= T(0)) continue;
                    sum += core::Accumulator<T>(missing);
                    if (d) d[at] -= T(scale);
                }
        }
        return T(sum * core::Accumulator<T>(scale));
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
