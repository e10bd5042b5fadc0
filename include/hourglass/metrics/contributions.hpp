// What a reconstruction error is made of, feature by feature: why a sample was flagged.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/metrics/samples.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// What is not for users.
namespace metrics {

// The formula, on matrices of one scalar type.
template <class T>
Matrix<T> squared_errors_per_feature(const Input<T>& x, const Input<T>& rebuilt) {
    if (x.rows() != rebuilt.rows() || x.cols() != rebuilt.cols())
        fail("error_contributions: x is ", x.rows(), " x ", x.cols(), " and its reconstruction ", rebuilt.rows(), " x ",
             rebuilt.cols(), ", expected equal extents");
    if (x.size() == 0) fail("error_contributions: x is ", x.rows(), " x ", x.cols(), ": it is empty");
    const T features = static_cast<T>(x.rows());
    Matrix<T> contributions(x.rows(), x.cols());
    for (Index j = 0; j < x.cols(); ++j) {
        // One broken feature breaks all that is rebuilt of its sample: it, not the first of those, is to be named.
        if (const Index broken = first_non_finite(x.data() + j * x.outerStride(), x.rows()); broken >= 0)
            fail("error_contributions: x is not finite: feature ", broken, " of sample ", j, " is ", x(broken, j));
        for (Index i = 0; i < x.rows(); ++i) {
            const T error = x(i, j) - rebuilt(i, j);
            contributions(i, j) = error * error / features;
        }
        const Index wrong = first_non_finite(contributions.col(j).data(), x.rows());
        if (wrong >= 0)
            fail("error_contributions: feature ", wrong, " of sample ", j, " is ", x(wrong, j), ", rebuilt as ",
                 rebuilt(wrong, j), ": the squared error is not a finite number");
    }
    return contributions;
}

}  // namespace metrics

/// (x − x̂)² / features for every value: each feature's share of each sample's mean squared error, which is the sum of
/// the column.
///
/// `x`: features × n. `rebuilt`: its reconstruction, of the same extents and scalar type. Returns features × n.
/// Errors: different extents, no values, a squared error that is not finite: NaN in x too, of a model that takes
/// missing values (`ZeroImputation`, `Masked`) as of any other.
template <class X, class Y>
Matrix<typename X::Scalar> error_contributions(const Eigen::MatrixBase<X>& x, const Eigen::MatrixBase<Y>& rebuilt) {
    return metrics::squared_errors_per_feature<typename X::Scalar>(x.derived(), rebuilt.derived());
}

/// One feature's share of a score.
struct Contribution {
    std::string name;   ///< of the feature
    Index feature = 0;  ///< its row
    double value = 0;   ///< its contribution to the score
    double share = 0;   ///< the same divided by the score; 0 if the score is 0
};

/// The `count` features with the largest contribution to one sample's score, largest first (all of them if there are
/// fewer).
///
/// `contributions`: that sample's column of `error_contributions`. `names`: of the features, in a vector, an array or
/// braces, or none ("feature 0", …).
///
///     for (const hg::Contribution& c : hg::top_contributions(contributions.col(0), 3, csv.header))
///         std::cout << c.name << ' ' << c.share << '\n';
///
/// Errors: no features, one that is not finite, a count below 1, another number of names.
template <metrics::VectorLike Values>
std::vector<Contribution> top_contributions(const Values& contributions, Index count,
                                            std::span<const std::string> names = {}) {
    const auto values = metrics::checked_scores("top_contributions", contributions);
    if (count < 1) fail("top_contributions: the number of features must be at least 1, got ", count);
    if (!names.empty() && names.size() != values.size())
        fail("top_contributions: there are ", names.size(), " names for ", values.size(), " features");
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return values[a] != values[b] ? values[a] > values[b] : a < b;  // of equal ones the first
    });
    order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
    double score = 0;
    for (const double value : values) score += value;
    std::vector<Contribution> top;
    top.reserve(order.size());
    for (const std::size_t i : order)
        top.push_back({names.empty() ? "feature " + text(i) : names[i], static_cast<Index>(i), values[i],
                       score > 0 ? values[i] / score : 0});
    return top;
}
/// The same with the names in braces: `{"speed", "flow"}`.
template <metrics::VectorLike Values>
std::vector<Contribution> top_contributions(const Values& contributions, Index count,
                                            std::initializer_list<std::string> names) {
    return top_contributions(contributions, count, std::span<const std::string>(names.begin(), names.size()));
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
