// Where to draw the line between normal and anomalous scores. A sample is flagged when its score is larger than the
// threshold.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/shape.hpp"
#include "hourglass/metrics/samples.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The q-quantile of `errors`, usually those of normal training data: a share of 1 − q of them lies above. Between two
/// errors it interpolates linearly (numpy's default; type 7 of Hyndman and Fan 1996). q = 1 is the largest error.
///
/// `errors`: n finite values. Errors: none, one that is not finite, q outside [0, 1].
template <metrics::VectorLike Values>
double quantile_threshold(const Values& errors, double q) {
    auto values = metrics::checked_scores("quantile_threshold", errors);
    if (!is_finite(q) || !(q >= 0 && q <= 1)) fail("quantile_threshold: q must be in [0, 1], got ", q);
    std::sort(values.begin(), values.end());
    const double place = q * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const double beyond = place - static_cast<double>(below), low = values[below];
    const double high = values[std::min(below + 1, values.size() - 1)];
    // A weighted mean and not low + beyond·(high − low), which overflows for huge scores of both signs. Between equal
    // values nothing may be rounded.
    return low == high ? low : (1 - beyond) * low + beyond * high;
}

/// mean + k·σ of `errors`, usually those of normal training data, with σ = √(Σ(e − mean)² / n).
///
/// `errors`: n finite values. Errors: none, one that is not finite, k negative or not finite, a variance beyond the
/// numbers of double.
template <metrics::VectorLike Values>
double sigma_threshold(const Values& errors, double k) {
    const auto values = metrics::checked_scores("sigma_threshold", errors);
    if (!is_finite(k) || k < 0) fail("sigma_threshold: k must be finite and at least 0, got ", k);
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    if (*least == *most) return *least;  // rounding of the mean must not pass for a spread
    const auto n = static_cast<double>(values.size());
    double mean = 0, squares = 0, rest = 0;
    for (const double value : values) mean += value / n;
    for (const double value : values) {
        rest += (value - mean) / n;
        squares += (value - mean) * (value - mean) / n;
    }
    const double threshold = mean + rest + k * std::sqrt(std::max(squares - rest * rest, 0.0));
    if (!is_finite(threshold)) fail("sigma_threshold: the variance of the errors overflows");
    return threshold;
}

/// The threshold at which labelled data has the largest F1 (see `Classification`): the middle between the lowest score
/// that is flagged and the highest that is not, or a little below all scores if flagging everything is best. Of equal
/// F1 the highest threshold. To be compared in double.
///
/// `scores`: n finite values. `labels`: n values, 1 for anomalies and 0 for normal samples.
/// Errors: no scores, another number of labels, a score that is not finite, another label, only one class.
template <metrics::VectorLike Scores, metrics::VectorLike Labels>
double best_f1_threshold(const Scores& scores, const Labels& labels) {
    const auto values = metrics::checked_scores("best_f1_threshold", scores);
    const std::vector<unsigned char> anomalous = metrics::checked_labels("best_f1_threshold", labels, values.size());
    const Index positives = metrics::checked_positives("best_f1_threshold", anomalous);
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });

    double best = 0, threshold = values[order[0]];
    Index caught = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        caught += anomalous[order[i]];
        const double score = values[order[i]];
        const bool last = i + 1 == order.size();
        if (!last && values[order[i + 1]] == score) continue;  // a threshold cannot part equal scores
        // F1 = 2 TP / (2 TP + FP + FN), with the i + 1 highest scores flagged.
        const double f1 = 2 * static_cast<double>(caught) / static_cast<double>(static_cast<Index>(i + 1) + positives);
        if (!(f1 > best)) continue;
        best = f1;
        if (last) {
            threshold = score - 1e-6 * std::max(std::abs(score), 1.0);
        } else {
            const double next = values[order[i + 1]], middle = next / 2 + score / 2;
            threshold = middle < score ? middle : next;  // two neighbouring numbers have none between them
        }
    }
    return threshold;
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
