// Class labels as targets.
#pragma once

#include <Eigen/Core>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The targets of a classifier: column j is 1 in row `labels[j]` and 0 elsewhere.
///
/// `labels`: n whole numbers in [0, classes). Returns classes × n, in float unless another type is named.
/// Errors: fewer than one class, a label outside.
template <class T = float>
Matrix<T> one_hot(const Eigen::Ref<const Eigen::VectorXi>& labels, Index classes) {
    if (classes < 1) fail("one_hot: expected at least one class, got ", classes);
    for (Index j = 0; j < labels.size(); ++j)
        if (labels[j] < 0 || labels[j] >= classes)
            fail("one_hot: label ", j, " is ", labels[j], ", expected one of 0 to ", classes - 1);
    Matrix<T> targets(classes, labels.size());
    clear<T>({targets.data(), targets.rows(), targets.cols()});
    for (Index j = 0; j < labels.size(); ++j) targets(labels[j], j) = T(1);
    return targets;
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
