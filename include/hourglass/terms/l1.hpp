// The L1 penalty on the code.
#pragma once

#include <string_view>

#include "hourglass/core/term.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// weight · Σ|hᵢ| over the code, mean over the batch: the penalty of sparse autoencoders (Ng 2011 uses KL, Keras's
/// `activity_regularizer=L1` this one). Its gradient at 0 is 0. `Error` unless the weight is finite and at least 0.
struct L1 {
    static constexpr std::string_view name = "L1";
    static constexpr Slot slot = Slot::Code;
    double weight;  ///< at least 0

    constexpr explicit L1(double weight_) : weight(weight_) { check(); }
    constexpr void check() const {
        if (!(is_finite(weight) && weight >= 0 && weight <= 1e30))
            fail("L1: the weight must be finite and at least 0, got ", weight);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("weight", self.weight);
    }

    template <class T>
    T value(ConstView<T> code) const {
        core::Accumulator<T> sum(0);
        for (Index j = 0; j < code.cols(); ++j) sum += core::Accumulator<T>(code.col(j).template lpNorm<1>());
        return T(sum * core::Accumulator<T>(weight / static_cast<double>(code.cols())));
    }
    template <class T>
    T gradient(ConstView<T> code, View<T> dcode) const {
        flat(dcode) += T(weight / static_cast<double>(code.cols())) * flat(code).sign();
        return value(code);
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
