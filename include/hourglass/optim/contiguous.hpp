// How parameters and gradients come into the optimisers: any Eigen vector without gaps, seen as one long array.
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <type_traits>

#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace optim {

/// An Eigen vector, one-dimensional array, map, reference or segment of float or double whose values lie side by side.
template <class V>
concept ContiguousVector = std::floating_point<typename V::Scalar> &&(V::Flags& Eigen::DirectAccessBit) != 0 &&
                           V::IsVectorAtCompileTime != 0 && V::InnerStrideAtCompileTime == 1;

/// The values of `vector`, to be read.
template <class V>
auto contiguous(const V& vector) {
    static_assert(ContiguousVector<V>,
                  "hourglass: this must be a contiguous Eigen vector or map of float or double; evaluate an expression "
                  "or a strided row into a vector first");
    return ConstFlat<typename V::Scalar>{vector.data(), vector.size()};
}

/// The values of `vector`, to be changed. `vector` may be a temporary map: what it points to is not.
template <class V>
auto contiguous_writable(V& vector) {
    static_assert(ContiguousVector<V>,
                  "hourglass: this must be a contiguous Eigen vector or map of float or double; a strided row cannot "
                  "be changed in place");
    static_assert(!std::is_const_v<std::remove_pointer_t<decltype(vector.data())>>,
                  "hourglass: this vector would be changed in place, but it is const");
    return Flat<typename V::Scalar>{vector.data(), vector.size()};
}

}  // namespace optim
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
