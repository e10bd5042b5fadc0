// Mean absolute error.
#pragma once

#include <string_view>

#include "hourglass/core/elementwise_loss.hpp"

namespace hourglass::inline HOURGLASS_ABI {

/// |x̂ − t|, mean over features, mean over the batch. Its gradient where x̂ = t is 0.
struct MeanAbsoluteError : ElementwiseLoss<MeanAbsoluteError> {
    static constexpr std::string_view name = "MeanAbsoluteError";

    template <class A>
    auto each(const A& p, const A& t) const {
        return (p - t).abs();
    }
    template <class A>
    auto slope(const A& p, const A& t) const {
        return (p - t).sign();
    }
};

}  // namespace hourglass::inline HOURGLASS_ABI
