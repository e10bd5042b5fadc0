// How often a classifier is right.
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The fraction of samples whose largest probability (or logit) stands in the row of their label; among equal ones the
/// first counts.
///
/// `probabilities`: classes × n, finite. `labels`: n whole numbers in [0, classes). Returns a value in [0, 1].
/// Errors: no samples, another number of labels, a label outside, a probability that is not finite.
template <class P>
double accuracy(const Eigen::MatrixBase<P>& probabilities, const Eigen::Ref<const Eigen::VectorXi>& labels) {
    const Input<typename P::Scalar> p(probabilities.derived());
    if (p.cols() == 0) fail("accuracy: there are no samples");
    if (labels.size() != p.cols())
        fail("accuracy: there are ", p.cols(), " samples and ", labels.size(),
             " labels, expected one label per sample");
    Index right = 0;
    for (Index j = 0; j < p.cols(); ++j) {
        const auto* const column = p.data() + j * p.outerStride();
        if (labels[j] < 0 || labels[j] >= p.rows())
            fail("accuracy: label ", j, " is ", labels[j], ", expected one of 0 to ", p.rows() - 1);
        if (first_non_finite(column, p.rows()) >= 0)
            fail("accuracy: the probabilities of sample ", j, " are not all finite");
        right += std::max_element(column, column + p.rows()) - column == labels[j];
    }
    return static_cast<double>(right) / static_cast<double>(p.cols());
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
