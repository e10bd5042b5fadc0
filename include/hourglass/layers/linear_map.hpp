// What layers that are linear and have no weights have in common.
#pragma once

#include "hourglass/core/layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace layers {

/// The second-order methods (layer.hpp) of `Derived`, whose forward is linear in x (it says so in its traits): its
/// tangent is itself and its curvature is zero.
template <class Derived>
struct LinearMap {
    template <Shape In, class T>
    void tangent(std::span<const T, 0> w, ConstView<T>, ConstView<T>, ConstView<T> v, View<T> t) const {
        static_cast<const Derived&>(*this).template forward<In>(w, v, t, Context<T>{});
    }
    template <Shape In, class T>
    void curvature(std::span<const T, 0>, ConstView<T>, ConstView<T>, ConstView<T>, ConstView<T>, std::span<T, 0>,
                   View<T>) const {}
};

}  // namespace layers
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
