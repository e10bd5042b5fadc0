// A batch as it comes from the caller: samples, perhaps with the condition each is given under.
#pragma once

#include <Eigen/Core>
#include <concepts>

#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// What the methods of models and networks take: one column per sample, and for a chain with a `Condition` as many
/// columns of values to read there. Made without a copy from any column-major matrix, block or map, or by
/// `given(x, condition)`; other storage orders and expressions are evaluated into a temporary. It refers to what it was
/// made of: an argument, not something to keep.
template <class T>
class Batch {
  public:
    template <class X>
    Batch(const Eigen::DenseBase<X>& samples) : x(samples), condition(none()) {}
    // Of another scalar type: a sentence instead of a list of candidates.
    template <class Other>
        requires(!std::same_as<Other, T>)
    Batch(const Batch<Other>&) : Batch(none()) { core::require_scalar<T, Other>(); }
    template <class X, class C>
    Batch(const Eigen::DenseBase<X>& samples, const Eigen::DenseBase<C>& given)
        : x(samples), condition(given), is_given(true) {}
    Batch(const Batch&) = delete;  // nor can its inputs be copied
    Batch& operator=(const Batch&) = delete;

    /// Features.
    Index rows() const { return x.rows(); }
    /// Samples.
    Index cols() const { return x.cols(); }

    const Input<T> x;             ///< features × n
    const Input<T> condition;     ///< values × n
    const bool is_given = false;  ///< whether there is a condition

  private:
    static ConstView<T> none() { return {nullptr, 0, 0}; }
};

/// Samples `x` (features × n) under `condition` (values × n), such as the labels of a conditional model as `one_hot`
/// makes them:
///
///     model.gradient(hg::given(images, labels), tape, rng);
///
/// Both must outlive the call that this is an argument of.
template <class X, class C>
Batch<typename X::Scalar> given(const Eigen::MatrixBase<X>& x, const Eigen::MatrixBase<C>& condition) {
    static_assert(std::same_as<typename X::Scalar, typename C::Scalar>,
                  "hourglass: samples and their condition must be of the same scalar type");
    return {x, condition};
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
