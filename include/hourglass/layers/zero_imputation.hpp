// What an encoder sees of values that are missing.
#pragma once

#include <string_view>

#include "hourglass/layers/pointwise.hpp"
#include "hourglass/layers/reshape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// x, and 0 where x is NaN: the first layer of an encoder whose samples have missing values. Of standardised features 0
/// is the mean. Where a value is missing the gradient with respect to it is 0. Infinite values are passed on, as the
/// errors they are.
///
/// It stands before what makes use of the values and behind corruption, which damages x with its gaps: NaN stays NaN
/// under noise, and `SaltAndPepperNoise` puts its values also where there was none. A loss that leaves out missing
/// targets is `Masked`.
struct ZeroImputation : Pointwise<ZeroImputation> {
    static constexpr std::string_view name = "ZeroImputation";
    static constexpr Traits traits{.needs_output = false, .pointwise = true, .takes_missing = true};

    template <class T>
    kernels::Pack<T> value(const kernels::Pack<T>& x) const {
        return kernels::lane_by_lane(x, [](const T& v) -> T { return core::is_nan(v) ? T(0) : v; });
    }
    template <class T>
    kernels::Pack<T> derivative(const kernels::Pack<T>& x, const kernels::Pack<T>&) const {
        return kernels::lane_by_lane(x, [](const T& v) -> T { return core::is_nan(v) ? T(0) : T(1); });
    }
    template <class T>
    kernels::Pack<T> second_derivative(const kernels::Pack<T>&, const kernels::Pack<T>&) const {
        return 0;
    }
    /// In a mirrored decoder nothing: what it gives is not missing.
    template <Shape In>
    constexpr Reshape<In> mirror() const {
        return {};
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
