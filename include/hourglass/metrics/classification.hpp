// How well scores tell anomalies (label 1) from normal samples (label 0): at one threshold, and over all of them.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/shape.hpp"
#include "hourglass/metrics/samples.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Counts of samples by what they are and what they were taken for, "positive" being the anomalies, and the ratios
/// made of them (van Rijsbergen 1979). A ratio without a denominator is 0, as in scikit-learn.
struct Classification {
    Index true_positives = 0;   ///< TP: anomalies that are flagged
    Index false_positives = 0;  ///< FP: normal samples that are flagged
    Index true_negatives = 0;   ///< TN: normal samples that are not
    Index false_negatives = 0;  ///< FN: anomalies that are not

    /// TP / (TP + FP): how many of the flagged samples are anomalies.
    double precision() const { return ratio(true_positives, true_positives + false_positives); }
    /// TP / (TP + FN): how many of the anomalies are flagged.
    double recall() const { return ratio(true_positives, true_positives + false_negatives); }
    /// (TP + TN) / all: how many samples are taken for what they are. Of rare anomalies it says little.
    double accuracy() const {
        return ratio(true_positives + true_negatives,
                     true_positives + false_positives + true_negatives + false_negatives);
    }
    /// 2 TP / (2 TP + FP + FN): the harmonic mean of the two.
    double f1() const { return ratio(2 * true_positives, 2 * true_positives + false_positives + false_negatives); }

    friend bool operator==(const Classification&, const Classification&) = default;

  private:
    static double ratio(Index some, Index all) {
        return all == 0 ? 0 : static_cast<double>(some) / static_cast<double>(all);
    }
};

/// Counts what becomes of labelled samples when those are flagged whose score is larger than the threshold.
///
/// `scores`: n finite values. `labels`: n values, 1 for anomalies and 0 for normal samples.
/// Errors: no scores, another number of labels, a score or threshold that is not finite, another label.
template <metrics::VectorLike Scores, metrics::VectorLike Labels>
Classification classify(const Scores& scores, const Labels& labels, double threshold) {
    const auto values = metrics::checked_scores("classify", scores);
    const std::vector<unsigned char> anomalous = metrics::checked_labels("classify", labels, values.size());
    if (!is_finite(threshold)) fail("classify: the threshold must be finite, got ", threshold);
    Classification counts;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const bool flagged = values[i] > threshold;
        ++(anomalous[i] ? flagged ? counts.true_positives : counts.false_negatives
           : flagged    ? counts.false_positives
                        : counts.true_negatives);
    }
    return counts;
}

/// Area under the receiver operating characteristic: the probability that an anomaly scores higher than a normal
/// sample, a tie counting half. 1 is perfect, 0.5 is chance. From ranks, ties sharing theirs (Mann and Whitney 1947;
/// Hanley and McNeil 1982): (Σ ranks of the anomalies − p(p + 1)/2) / (p·m), for p anomalies and m normal samples.
///
/// `scores`: n finite values. `labels`: n values, 1 for anomalies and 0 for normal samples.
/// Errors: no scores, another number of labels, a score that is not finite, another label, only one class.
template <metrics::VectorLike Scores, metrics::VectorLike Labels>
double roc_auc(const Scores& scores, const Labels& labels) {
    const auto values = metrics::checked_scores("roc_auc", scores);
    const std::vector<unsigned char> anomalous = metrics::checked_labels("roc_auc", labels, values.size());
    const auto positives = static_cast<double>(metrics::checked_positives("roc_auc", anomalous));
    const double negatives = static_cast<double>(values.size()) - positives;
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });

    double ranks = 0;  // of the anomalies, counted from 1
    for (std::size_t begin = 0, end; begin < order.size(); begin = end) {
        Index tied = 0;  // anomalies among the samples begin … end − 1, which share a score
        for (end = begin; end < order.size() && values[order[end]] == values[order[begin]]; ++end)
            tied += anomalous[order[end]];
        ranks += static_cast<double>(tied) * (static_cast<double>(begin + 1 + end) / 2);
    }
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
