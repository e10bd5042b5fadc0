// Several anomaly scores made one: by how rare each is among normal samples.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/metrics/samples.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// What is not for users.
namespace metrics {

/// How rare a score is among the scores of normal samples: by its rank, within and beyond their highest tenth by
/// Pareto's law. A template only so that what nobody calls is not compiled by everybody.
template <class T>
class TailProbability {
  public:
    explicit TailProbability(std::vector<T> scores) : sorted_(std::move(scores)) {
        std::sort(sorted_.begin(), sorted_.end());
        const auto n = static_cast<std::ptrdiff_t>(sorted_.size()), tenth = std::max<std::ptrdiff_t>((n + 5) / 10, 1);
        // Where the tail begins there must be something below it, above 0: else its logarithm says nothing.
        const double highest = sorted_.back(), at_least = *std::upper_bound(sorted_.begin(), sorted_.end() - 1, 0.0);
        // What a score of float cannot tell from the highest is as high: a tail of rounding would make all beyond it
        // rare past all measure.
        const double below = highest / (1 + 8 * static_cast<double>(std::numeric_limits<float>::epsilon()));
        double begin = std::max(n > tenth ? sorted_[static_cast<std::size_t>(n - tenth - 1)] : sorted_[0], at_least);
        if (begin > below) {
            const auto equal = std::upper_bound(sorted_.begin(), sorted_.end(), below);
            begin = equal == sorted_.begin() ? 0 : *(equal - 1);
        }
        has_tail = begin > 0;
        if (!has_tail) return;
        begin_ = begin;
        const auto tail = std::upper_bound(sorted_.begin(), sorted_.end(), begin);
        double sum = 0;
        for (auto score = tail; score != sorted_.end(); ++score) sum += log_ratio(*score);
        const auto count = static_cast<double>(sorted_.end() - tail);
        exponent_ = count / sum;
        rarity_ = -std::log(count / static_cast<double>(n));
    }

    bool has_tail = false;  ///< whether two scores above 0 differ by more than rounding

    /// −ln P(score or more)
    double rarity(double score) const {
        if (score > begin_) return rarity_ + exponent_ * log_ratio(score);
        const auto [low, high] = std::equal_range(sorted_.begin(), sorted_.end(), score);
        const auto below = static_cast<double>(low - sorted_.begin()), equal = static_cast<double>(high - low);
        return -std::log1p(-(below + equal / 2) / static_cast<double>(sorted_.size()));
    }

    const std::vector<T>& sorted() const { return sorted_; }

  private:
    double log_ratio(double score) const {
        const double excess = (score - begin_) / begin_;
        return is_finite(excess) ? std::log1p(excess) : std::log(score) - std::log(begin_);
    }

    std::vector<T> sorted_;
    double begin_ = 0, exponent_ = 0, rarity_ = 0;
};

}  // namespace metrics

/// One anomaly score of several that are measured in different units, such as reconstruction error and distance of the
/// nearest codes. Each is replaced by how rare it is among those of normal samples, and these are added (Fisher 1925):
///
/// Σ −ln p, where p is the share of the normal samples that score higher, an equal one counting half.
///
/// Within their highest tenth and beyond it, where there are few to count, scores are taken to follow Pareto's law, p =
/// k/n · (score/u)^−α, with u what the highest tenth, k of the n, exceed, and 1/α = Σ ln(score/u)/k over those (Hill
/// 1975). So what lies beyond all that was seen still differs by how far, and neither a score's unit nor its power
/// counts for anything.
///
///     const Eigen::MatrixXf codes = model.encode(images);
///     hg::NearestNeighbors neighbors{5};
///     neighbors.fit(codes);
///     hg::CombinedScore combined;
///     combined.fit(model.reconstruction_error(images), neighbors.mean_distance());
///     const Eigen::VectorXd scores =
///         combined.score(model.reconstruction_error(x), neighbors.mean_distance(model.encode(x)));
///
/// Each kind counts as much as another: two distances of one code count the code twice.
///
/// The normal samples are those that the model was trained on, or better others, whose errors it has not made small. A
/// single sample is scored as many are: nothing looks at the rest of the batch.
///
/// To keep it in a file, save `scores()` under a name, and construct it of that.
class CombinedScore {
  public:
    CombinedScore() = default;
    /// Of normal samples' scores, n × kinds: one column for each kind. Errors: as for `fit`.
    template <class Scores>
    explicit CombinedScore(const Eigen::MatrixBase<Scores>& scores) {
        if (scores.cols() == 0) fail("CombinedScore: there are no scores");
        for (Index kind = 0; kind < scores.cols(); ++kind) add("CombinedScore", scores.col(kind), kinds_);
    }

    /// Learns how each kind of score is distributed: a vector for each, of at least 0, one value per normal sample, in
    /// an order of one's own. Errors, with nothing changed: no scores, another number of them than of the first kind,
    /// one that is negative or not finite, a kind of which no two above 0 differ by more than rounding in float, a
    /// millionth of them.
    template <metrics::VectorLike... Scores>
    CombinedScore& fit(const Scores&... scores) {
        static_assert(sizeof...(Scores) > 0, "hourglass: CombinedScore combines at least one kind of score");
        std::vector<metrics::TailProbability<double>> kinds;
        (add("CombinedScore::fit", scores, kinds), ...);
        kinds_ = std::move(kinds);
        return *this;
    }

    /// Σ −ln p of each sample, in nats: 0 for the most normal. The vectors are of the kinds that `fit` was given, in
    /// that order, one value per sample. Errors: not fitted, another number of kinds, no scores, different numbers of
    /// them, one that is negative or not finite.
    template <metrics::VectorLike... Scores>
    Eigen::VectorXd score(const Scores&... scores) const {
        constexpr const char* name = "CombinedScore::score";
        if (kinds_.empty()) fail(name, ": it is not fitted; call fit first");
        if (sizeof...(Scores) != kinds_.size())
            fail(name, ": fitted on ", kinds_.size(), " kinds of scores, got ", sizeof...(Scores));
        const std::array values{checked(name, scores)...};
        Eigen::VectorXd sum = Eigen::VectorXd::Zero(static_cast<Index>(values[0].size()));
        for (std::size_t kind = 0; kind < kinds_.size(); ++kind) {
            require_as_many(name, kind, values[kind].size(), values[0].size());
            for (std::size_t i = 0; i < values[kind].size(); ++i)
                sum[static_cast<Index>(i)] += kinds_[kind].rarity(values[kind][i]);
        }
        return sum;
    }

    /// What it was fitted on, n × kinds, each column in ascending order; empty before `fit`.
    template <class = void>
    Matrix<double> scores() const {
        Matrix<double> all(kinds_.empty() ? 0 : static_cast<Index>(kinds_[0].sorted().size()),
                           static_cast<Index>(kinds_.size()));
        for (std::size_t kind = 0; kind < kinds_.size(); ++kind)
            std::copy(kinds_[kind].sorted().begin(), kinds_[kind].sorted().end(),
                      all.data() + static_cast<Index>(kind) * all.rows());
        return all;
    }

  private:
    static void require_as_many(const char* function, std::size_t kind, std::size_t count, std::size_t first) {
        if (count != first)
            fail(function, ": there are ", first, " scores of kind 0 and ", count, " of kind ", kind,
                 ", expected one of each for every sample");
    }

    template <metrics::VectorLike Scores>
    static std::vector<double> checked(const char* function, const Scores& scores) {
        auto values = metrics::checked_scores(function, scores);
        for (std::size_t i = 0; i < values.size(); ++i)
            if (values[i] < 0) fail(function, ": score ", i, " is ", values[i], ", expected at least 0");
        return values;
    }

    template <metrics::VectorLike Scores>
    static void add(const char* function, const Scores& scores, std::vector<metrics::TailProbability<double>>& kinds) {
        auto values = checked(function, scores);
        if (!kinds.empty()) require_as_many(function, kinds.size(), values.size(), kinds[0].sorted().size());
        kinds.emplace_back(std::move(values));
        if (!kinds.back().has_tail)
            fail(function, ": no two scores of kind ", kinds.size() - 1,
                 " that are above 0 differ by more than rounding, so that nothing is rare");
    }

    std::vector<metrics::TailProbability<double>> kinds_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
