// Mean squared error.
#pragma once

#include <string_view>

#include "hourglass/losses/elementwise_loss.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// (x̂ − t)², mean over features, mean over the batch.
struct MeanSquaredError : ElementwiseLoss<MeanSquaredError> {
    static constexpr std::string_view name = "MeanSquaredError";

    template <class T>
    kernels::Pack<T> each(const kernels::Pack<T>& p, const kernels::Pack<T>& t) const {
        return square(p - t);
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>& p, const kernels::Pack<T>& t) const {
        return 2 * (p - t);
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
