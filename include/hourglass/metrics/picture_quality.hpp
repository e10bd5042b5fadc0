// How alike pictures are.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/core/shape.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/kernels/structural_similarity.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace metrics {

// Two batches that are to be compared, and the range of their values.
template <class T>
void require_comparable(std::string_view function, const Input<T>& a, const Input<T>& b, double range) {
    if (a.rows() != b.rows() || a.cols() != b.cols())
        fail(function, ": the pictures are ", a.rows(), " x ", a.cols(), " and ", b.rows(), " x ", b.cols(),
             ", expected two batches of one size");
    if (!kernels::takes_similarity_range(range)) fail(function, ": the range must lie in [1e-15, 1e15], got ", range);
    for (const Input<T>* const batch : {&a, &b})
        for (Index j = 0; j < batch->cols(); ++j)
            if (const Index i = first_non_finite(batch->data() + j * batch->outerStride(), batch->rows()); i >= 0)
                fail(function, ": value ", i, " of sample ", j, " of the ", batch == &a ? "first" : "second",
                     " batch is not finite");
}

}  // namespace metrics

/// The peak signal-to-noise ratio of each picture in decibel, 10 lg(range² / mean (a − b)²); infinite of equal ones.
///
/// `a` and `b`: features × n, as `reconstruct` takes and gives them. `range`: what lies between the smallest and the
/// largest value that pictures can have. Returns n values. Errors: batches of two sizes, a value that is not finite, a
/// range outside [1e-15, 1e15].
template <class A, class B>
Eigen::VectorXd peak_signal_to_noise_ratio(const Eigen::MatrixBase<A>& a, const Eigen::MatrixBase<B>& b,
                                           double range = 1.0) {
    using T = typename A::Scalar;
    const Input<T> first(a.derived()), second(b.derived());
    metrics::require_comparable<T>("peak_signal_to_noise_ratio", first, second, range);
    Eigen::VectorXd ratios(first.cols());
    for (Index j = 0; j < first.cols(); ++j) {
        const double error =
            (first.col(j).template cast<double>() - second.col(j).template cast<double>()).squaredNorm() /
            static_cast<double>(first.rows());
        ratios[j] = error > 0 ? 10 * std::log10(range * range / error) : std::numeric_limits<double>::infinity();
    }
    return ratios;
}

/// The structural similarity of each picture (Wang, Bovik, Sheikh and Simoncelli 2004): 1 of equal ones, at least −1;
/// `kernels::StructuralSimilarityMap` has the formula. As TensorFlow's `tf.image.ssim`.
///
/// `a` and `b`: shape.size() × n. `range` as above. Returns n values. Errors: those above, a shape of other size, and
/// pictures of fewer than 11 rows or columns.
template <class A, class B>
Eigen::VectorXd structural_similarity(const Eigen::MatrixBase<A>& a, const Eigen::MatrixBase<B>& b, Shape shape,
                                      double range = 1.0) {
    using T = typename A::Scalar;
    constexpr Index window = kernels::similarity_window;
    const Input<T> first(a.derived()), second(b.derived());
    metrics::require_comparable<T>("structural_similarity", first, second, range);
    if (first.rows() != shape.size())
        fail("structural_similarity: the pictures have ", first.rows(), " values, expected ", shape.size(), ", ",
             text(shape), core::if_transposed(first.cols(), shape.size()));
    if (shape.length < window || shape.columns < window)
        fail("structural_similarity: pictures of ", shape.length, " x ", shape.columns, ", expected at least ", window,
             " rows and columns");
    kernels::StructuralSimilarityMap<double> similarity(shape, range);
    Eigen::VectorXd all(first.cols());
    for (Index j = 0; j < first.cols(); ++j) {
        const Eigen::VectorXd x = first.col(j).template cast<double>(), y = second.col(j).template cast<double>();
        all[j] = similarity(x.data(), y.data(), 0, nullptr);
    }
    return all;
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
