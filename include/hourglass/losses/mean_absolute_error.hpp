// Mean absolute error.
#pragma once

#include <string_view>

#include "hourglass/losses/elementwise_loss.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// |x̂ − t|, mean over features, mean over the batch. Its gradient where x̂ = t is 0.
struct MeanAbsoluteError : ElementwiseLoss<MeanAbsoluteError> {
    static constexpr std::string_view name = "MeanAbsoluteError";

    template <class T>
    Pack<T> each(const Pack<T>& p, const Pack<T>& t) const {
        return abs(p - t);
    }
    template <class T>
    Pack<T> slope(const Pack<T>& p, const Pack<T>& t) const {
        return where_greater<T>(p, t, 1, where_greater<T>(t, p, -1, 0));
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
