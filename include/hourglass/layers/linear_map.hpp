// What layers that are linear and have no weights have in common.
#pragma once

#include "hourglass/core/layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The second-order methods (layer.hpp) of `Derived`, whose forward is linear in x: its tangent is itself and its
/// curvature is zero.
template <class Derived>
struct LinearMap {
    static constexpr bool linear = true;

    template <Shape In, class T>
    void tangent(std::span<const T, 0> w, ConstView<T>, ConstView<T>, ConstView<T> v, View<T> t) const {
        static_cast<const Derived&>(*this).template forward<In>(w, v, t);
    }
    template <Shape In, class T>
    void curvature(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T>, ConstView<T>, std::span<T, 0>,
                   View<T>) const {}
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
