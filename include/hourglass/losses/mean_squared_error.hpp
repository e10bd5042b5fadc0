// Mean squared error.
#pragma once

#include <string_view>

#include "hourglass/core/elementwise_loss.hpp"

namespace hourglass::inline HOURGLASS_ABI {

/// (x̂ − t)², mean over features, mean over the batch.
struct MeanSquaredError : ElementwiseLoss<MeanSquaredError> {
    static constexpr std::string_view name = "MeanSquaredError";

    template <class A>
    auto each(const A& p, const A& t) const {
        return (p - t).square();
    }
    template <class A>
    auto slope(const A& p, const A& t) const {
        return typename A::Scalar(2) * (p - t);
    }
};

}  // namespace hourglass::inline HOURGLASS_ABI
