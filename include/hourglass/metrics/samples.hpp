// Scores, labels and codes as the metrics take them, checked. Scores and labels are any vector, of Eigen or of the
// standard library, and copied into plain doubles, so that one compiled formula serves all of them.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace metrics {

/// A vector of numbers: an Eigen vector, row or expression of one, std::vector, std::array, std::span.
template <class V>
concept VectorLike = requires(const V& v, Index i) {
    static_cast<Index>(v.size());
    static_cast<double>(v[static_cast<decltype(v.size())>(i)]);
};

/// The values of `scores` in double. `Error` when there are none, and for one that is infinite or NaN. Callers hold
/// them in `auto`: what is done with a type that depends on their parameters is compiled only where they are called.
template <VectorLike Scores>
std::vector<double> checked_scores(const char* function, const Scores& scores) {
    using Size = decltype(scores.size());
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(scores.size()));
    for (Size i = 0; i < scores.size(); ++i) values.push_back(static_cast<double>(scores[i]));
    if (values.empty()) fail(function, ": there are no scores");
    const Index wrong = first_non_finite(values.data(), static_cast<Index>(values.size()));
    if (wrong >= 0)
        fail(function, ": score ", wrong, " is ", values[static_cast<std::size_t>(wrong)], ", not a finite number");
    return values;
}

/// `labels` as 0 (normal) and 1 (anomaly). `Error` unless there are `samples` of them, each 0 or 1.
template <VectorLike Labels>
std::vector<unsigned char> checked_labels(const char* function, const Labels& labels, std::size_t samples) {
    using Size = decltype(labels.size());
    if (static_cast<std::size_t>(labels.size()) != samples)
        fail(function, ": there are ", samples, " scores and ", labels.size(), " labels, expected one label per score");
    std::vector<unsigned char> values;
    values.reserve(samples);
    for (Size i = 0; i < labels.size(); ++i) {
        const auto label = static_cast<double>(labels[i]);
        if (!is_finite(label) || (label != 0 && label != 1))
            fail(function, ": label ", i, " is ", label, ", expected 0 (normal) or 1 (anomaly)");
        values.push_back(label != 0);
    }
    return values;
}

/// How many samples are labelled 1. `Error` unless there are both classes: without one, what is asked has no value.
inline Index checked_positives(const char* function, const std::vector<unsigned char>& labels) {
    Index positives = 0;
    for (const unsigned char label : labels) positives += label;
    const Index negatives = static_cast<Index>(labels.size()) - positives;
    if (positives == 0 || negatives == 0)
        fail(function, ": expected samples of both classes, got ", positives, " labelled 1 and ", negatives,
             " labelled 0");
    return positives;
}

/// What every distance of codes asks of them: at least one value and one sample, all finite, and `fitted` values a
/// sample unless that is 0. `Error` names what is missing, or the first value that is not finite.
template <class T>
void check_codes(const char* function, const Input<T>& codes, Index fitted = 0) {
    if (codes.size() == 0)
        fail(function, ": the codes are ", codes.rows(), " x ", codes.cols(), ", expected one column per sample");
    if (fitted > 0 && codes.rows() != fitted)
        fail(function, ": fitted on codes of ", fitted, " values (rows), these have ", codes.rows());
    for (Index j = 0; j < codes.cols(); ++j)
        if (const Index wrong = first_non_finite(codes.data() + j * codes.outerStride(), codes.rows()); wrong >= 0)
            fail(function, ": value ", wrong, " of sample ", j, " is ", codes(wrong, j), ", not a finite number");
}

}  // namespace metrics
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
