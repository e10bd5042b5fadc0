// How far a code lies from the mean of the codes it is compared with, measured by how those spread.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/kernels/product.hpp"
#include "hourglass/metrics/samples.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// What is not for users.
namespace metrics {

// `use(first, columns, z)` for blocks of 64 codes less `mean`: z is code × columns. In blocks and in double, so that a
// large batch is not copied whole.
template <class T, class Use>
void each_centred_block(const Input<T>& codes, const Eigen::VectorXd& mean, Use use) {
    constexpr Index block = 64;
    Matrix<double> z(codes.rows(), block);
    for (Index first = 0; first < codes.cols(); first += block) {
        const Index columns = std::min(block, codes.cols() - first);
        for (Index j = 0; j < columns; ++j)
            for (Index i = 0; i < codes.rows(); ++i) z(i, j) = static_cast<double>(codes(i, first + j)) - mean[i];
        use(first, columns, z.data());
    }
}

inline double squared_length(const double* z, Index size) {
    double sum = 0;
    for (Index i = 0; i < size; ++i) sum += z[i] * z[i];
    return sum;
}

/// L⁻¹ for Σ = L Lᵀ (Cholesky), which makes codes of covariance Σ white. `Error` where Σ has no inverse. A template, as
/// more here than has to be: what nobody calls is then not compiled by everybody.
template <class Square>
Square whitening(const char* function, const Square& covariance) {
    const Index n = covariance.rows();
    Square factor = covariance, inverse = Square::Zero(n, n);
    for (Index j = 0; j < n; ++j) {
        for (Index k = 0; k < j; ++k)
            for (Index i = j; i < n; ++i) factor(i, j) -= factor(i, k) * factor(j, k);
        const double rounding = static_cast<double>(n) * std::numeric_limits<double>::epsilon() * covariance(j, j);
        if (!(factor(j, j) > rounding))
            fail(function, ": the covariance of the codes has no inverse: value ", j,
                 " does not vary, or only as those before it do; a shrinkage above 0 gives it one");
        const double pivot = std::sqrt(factor(j, j));
        for (Index i = j; i < n; ++i) factor(i, j) /= pivot;
    }
    for (Index j = 0; j < n; ++j) {
        inverse(j, j) = 1;
        for (Index k = j; k < n; ++k) {
            inverse(k, j) /= factor(k, k);
            for (Index i = k + 1; i < n; ++i) inverse(i, j) -= factor(i, k) * inverse(k, j);
        }
    }
    return inverse;
}

}  // namespace metrics

/// Mahalanobis distance (1936) of codes from those it was fitted on, √((z − μ)ᵀ Σ⁻¹ (z − μ)): large where a code lies
/// far from the others, or along a direction in which those do not spread. An anomaly score that sees what the error
/// does not: a sample may be rebuilt well from a code that no normal sample has.
///
///     hg::MahalanobisDistance mahalanobis;
///     mahalanobis.fit(model.encode(images));
///     const Eigen::VectorXf far = mahalanobis.distance(model.encode(x));
///
/// Σ = (1 − δ) S + δ tr(S)/code · I, with S = Σ(z − μ)(z − μ)ᵀ / n. Without a `shrinkage` of one's own δ is that of
/// Ledoit and Wolf (2004), scikit-learn's `LedoitWolf`, which has the least expected squared error; so Σ has an inverse
/// also for fewer samples than values, and where units are dead. Where the codes are but two points it finds nothing to
/// shrink, and only a `shrinkage` of one's own gives Σ an inverse. It is computed in double, whatever the codes are
/// held in.
///
/// To keep it in a file, save `mean()` and `covariance()` under names, and construct it of both.
class MahalanobisDistance {
  public:
    /// `shrinkage`: δ in [0, 1]; none: that of Ledoit and Wolf. `Error` for another one.
    explicit MahalanobisDistance(std::optional<double> shrinkage = std::nullopt) : chosen_(shrinkage) {
        if (shrinkage && !(is_finite(*shrinkage) && *shrinkage >= 0 && *shrinkage <= 1))
            fail("MahalanobisDistance: the shrinkage must be in [0, 1], got ", *shrinkage);
    }

    /// What was fitted before, from its `mean()`, code values, and `covariance()`, code × code. Errors: no values,
    /// other extents, a value that is not finite, a covariance that is not symmetric or has no inverse.
    template <class Mean, class Covariance>
    MahalanobisDistance(const Mean& of_mean, const Covariance& of_covariance) {
        constexpr const char* name = "MahalanobisDistance";
        const Eigen::VectorXd mean = of_mean;
        const Matrix<double> covariance = of_covariance;
        const Index code = mean.size();
        if (code == 0 || covariance.rows() != code || covariance.cols() != code)
            fail(name, ": the covariance is ", covariance.rows(), " x ", covariance.cols(), " and the mean has ", code,
                 " values, expected one row and column for each of at least one value");
        metrics::check_codes<double>(name, covariance);
        if (const Index wrong = first_non_finite(mean.data(), code); wrong >= 0)
            fail(name, ": value ", wrong, " of the mean is ", mean[wrong], ", not a finite number");
        for (Index j = 0; j < code; ++j)
            for (Index i = 0; i < j; ++i)
                if (covariance(i, j) != covariance(j, i))
                    fail(name, ": the covariance is not symmetric: (", i, ", ", j, ") is ", covariance(i, j), " and (",
                         j, ", ", i, ") is ", covariance(j, i));
        assign(name, mean, covariance);
    }

    /// Learns mean and covariance of `codes`, code × n. Errors, with nothing changed: no codes, a value that is not
    /// finite, a covariance that overflows or has no inverse: of codes that are all equal, of two points of several
    /// values, or with too small a `shrinkage`.
    template <class Codes>
    MahalanobisDistance& fit(const Codes& codes) {
        constexpr const char* name = "MahalanobisDistance::fit";
        using T = typename Codes::Scalar;
        const Input<T> batch(codes);
        metrics::check_codes<T>(name, batch);
        const Index code = batch.rows();
        const auto n = static_cast<double>(batch.cols());
        // The sum of what rounding left over makes the mean of codes far from 0 exact enough for their squares.
        Eigen::VectorXd mean = Eigen::VectorXd::Zero(code), rest = mean;
        metrics::each_centred_block<T>(batch, rest, [&](Index, Index columns, const double* z) {
            for (Index k = 0; k < code * columns; ++k) mean[k % code] += z[k] / n;
        });
        metrics::each_centred_block<T>(batch, mean, [&](Index, Index columns, const double* z) {
            for (Index k = 0; k < code * columns; ++k) rest[k % code] += z[k] / n;
        });
        mean += rest;
        Matrix<double> covariance = Matrix<double>::Zero(code, code);
        std::vector<double> lengths(static_cast<std::size_t>(batch.cols()));  // ‖z − μ‖²
        metrics::each_centred_block<T>(batch, mean, [&](Index first, Index columns, const double* z) {
            kernels::add_product<double>(code, code, columns, z, code, {z, code, 1}, covariance.data(), code);
            for (Index j = 0; j < columns; ++j)
                lengths[static_cast<std::size_t>(first + j)] = metrics::squared_length(z + j * code, code);
        });
        covariance /= n;
        const double trace = covariance.trace(), target = trace / static_cast<double>(code);
        if (!is_finite(trace)) fail(name, ": the covariance of the codes overflows");
        // How far S is expected to be from the covariance itself, over how far it is from the target: ‖·‖² in units of
        // the trace, whose own square may be no number.
        double fourth = 0, squares = 0;
        if (trace > 0) {
            for (const double length : lengths) fourth += length / trace * (length / trace) / n;
            for (Index k = 0; k < code * code; ++k)
                squares += covariance.data()[k] / trace * (covariance.data()[k] / trace);
        }
        const double expected = (fourth - squares) / n, apart = squares - 1 / static_cast<double>(code);
        const double shrinkage = chosen_                    ? *chosen_
                                 : code > 1 && expected > 0 ? std::min(expected / std::max(apart, expected), 1.0)
                                                            : 0;
        covariance *= 1 - shrinkage;
        covariance.diagonal().array() += shrinkage * target;
        assign(name, mean, covariance);
        shrinkage_ = shrinkage;
        return *this;
    }

    /// The distance of each of `codes`, code × n. Errors: not fitted, no codes, another number of values, a value or
    /// distance that is not finite.
    template <class Codes>
    Vector<typename Codes::Scalar> distance(const Codes& codes) const {
        constexpr const char* name = "MahalanobisDistance::distance";
        using T = typename Codes::Scalar;
        if (mean_.size() == 0) fail(name, ": it is not fitted; call fit first");
        const Input<T> batch(codes);
        metrics::check_codes<T>(name, batch, mean_.size());
        const Index code = batch.rows();
        Vector<T> distances(batch.cols());
        Matrix<double> white;
        metrics::each_centred_block<T>(batch, mean_, [&](Index first, Index columns, const double* z) {
            white.resize(code, columns);
            kernels::add_product<double>(code, columns, code, whitening_.data(), code, {z, 1, code}, white.data(), code,
                                         {.accumulate = false});
            for (Index j = 0; j < columns; ++j)
                distances[first + j] =
                    static_cast<T>(std::sqrt(metrics::squared_length(white.data() + j * code, code)));
        });
        if (const Index wrong = first_non_finite(distances.data(), distances.size()); wrong >= 0)
            fail(name, ": the distance of sample ", wrong, " is not a finite number");
        return distances;
    }

    /// μ, code values; empty before `fit`.
    const Eigen::VectorXd& mean() const { return mean_; }
    /// Σ, code × code, shrunk.
    const Matrix<double>& covariance() const { return covariance_; }
    /// δ of the last `fit`.
    double shrinkage() const { return shrinkage_; }

  private:
    template <class Mean, class Covariance>
    void assign(const char* function, const Mean& mean, const Covariance& covariance) {
        Matrix<double> whitening = metrics::whitening(function, covariance);
        mean_ = mean;
        covariance_ = covariance;
        whitening_ = std::move(whitening);
    }

    std::optional<double> chosen_;
    Eigen::VectorXd mean_;
    Matrix<double> covariance_, whitening_;
    double shrinkage_ = 0;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
