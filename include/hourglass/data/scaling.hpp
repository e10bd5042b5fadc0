// Scaling features, fitted on training data and applied to any other: to a range, or to mean 0 and variance 1. Names
// and formulas are scikit-learn's (Pedregosa et al. 2011). Statistics are kept in double, whatever the data is held in.
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass::inline HOURGLASS_ABI {

/// What every scaler asks of its data: at least one feature and one sample, all finite. `Error` names what is missing,
/// or the feature (row) and sample (column), from 0, of the first value that is not finite.
template <std::floating_point T>
void check_scalable(const char* function, const Input<T>& data) {
    if (data.size() == 0)
        fail(function, ": the data is ", data.rows(), " x ", data.cols(), ": it has no ",
             data.rows() == 0 ? "rows (features)" : "columns (samples)");
    for (Index sample = 0; sample < data.cols(); ++sample) {
        const Index feature = first_non_finite(data.col(sample).data(), data.rows());
        if (feature >= 0)
            fail(function, ": feature ", feature, " of sample ", sample, " is ", data(feature, sample),
                 ", not a finite number");
    }
}

/// The above, and as many features as the scaler was fitted on (0: not fitted).
template <std::floating_point T>
void check_scalable(const char* function, const Input<T>& data, Index fitted) {
    if (fitted == 0) fail(function, ": the scaler is not fitted; call fit first");
    if (data.rows() != fitted)
        fail(function, ": the scaler was fitted on ", fitted, " features (rows), the data has ", data.rows());
    check_scalable<T>(function, data);
}

/// How a `MinMaxScaler` scales.
struct MinMaxOptions {
    double low = 0, high = 1;  ///< The range that the training data is mapped to.
    bool clip = false;         ///< Whether other data is cut to that range (for losses that need it).
};

/// Maps each feature (row) linearly so that the training data spans [low, high]:
/// x′ = low + (high − low)·(x − min) / (max − min). A feature that is constant in the training data maps to low.
///
///     hg::MinMaxScaler scaler{{.low = -1, .high = 1}};      // of float; hg::MinMaxScaler<double> for double
///     const Eigen::MatrixXf train = scaler.fit_transform(raw_train), test = scaler.transform(raw_test);
template <std::floating_point T = float>
class MinMaxScaler {
  public:
    /// `Error` unless low < high, both finite.
    explicit MinMaxScaler(MinMaxOptions options = {}) : options_(options) {
        if (!is_finite(options.low) || !is_finite(options.high) || !(options.low < options.high))
            fail("MinMaxScaler: the range must be finite with low < high, got [", options.low, ", ", options.high, "]");
    }

    /// Learns each feature's minimum and maximum from `data`, d × n. Errors: no data, values that are not finite, a
    /// range beyond the numbers of double.
    MinMaxScaler& fit(const Input<T>& data) {
        check_scalable<T>("MinMaxScaler::fit", data);
        const Eigen::VectorXd min = data.rowwise().minCoeff().template cast<double>();
        const Eigen::VectorXd range = data.rowwise().maxCoeff().template cast<double>() - min;
        const Index feature = first_non_finite(range.data(), range.size());
        if (feature >= 0) fail("MinMaxScaler::fit: the range of feature ", feature, " overflows");
        min_ = min;
        range_ = (range.array() > 0).select(range, 1.0);
        return *this;
    }

    /// The scaled data, d × n. Errors: not fitted, another number of features, no data, values that are not finite.
    Matrix<T> transform(const Input<T>& data) const {
        check_scalable<T>("MinMaxScaler::transform", data, min_.size());
        const double low = options_.low, high = options_.high;
        // Divided, not multiplied by a reciprocal: the training maximum is then exactly `high` of [0, 1], not an ulp
        // above it.
        Matrix<T> scaled =
            (((data.template cast<double>().colwise() - min_).array().colwise() / range_.array()) * (high - low) + low)
                .matrix()
                .template cast<T>();
        if (options_.clip) scaled = scaled.cwiseMax(static_cast<T>(low)).cwiseMin(static_cast<T>(high));
        return scaled;
    }

    /// The way back: x = min + (max − min)·(x′ − low) / (high − low). Same errors as `transform`.
    Matrix<T> inverse_transform(const Input<T>& scaled) const {
        check_scalable<T>("MinMaxScaler::inverse_transform", scaled, min_.size());
        return ((((scaled.template cast<double>().array() - options_.low) / (options_.high - options_.low)).colwise() *
                 range_.array())
                    .colwise() +
                min_.array())
            .matrix()
            .template cast<T>();
    }

    /// `fit`, then `transform`.
    Matrix<T> fit_transform(const Input<T>& data) { return fit(data).transform(data); }

    /// Each feature's smallest value in the training data.
    const Eigen::VectorXd& min() const { return min_; }
    /// Each feature's largest minus smallest value in the training data; 1 where it is constant.
    const Eigen::VectorXd& range() const { return range_; }

  private:
    MinMaxOptions options_;
    Eigen::VectorXd min_, range_;
};

/// Gives each feature (row) mean 0 and variance 1 over the training data: x′ = (x − mean) / scale. The scale is the
/// standard deviation √(Σ(x − mean)² / n), or 1 for a feature that is constant, which thereby maps to 0.
///
///     hg::StandardScaler scaler;                            // of float; hg::StandardScaler<double> for double
///     const Eigen::MatrixXf train = scaler.fit_transform(raw_train), test = scaler.transform(raw_test);
template <std::floating_point T = float>
class StandardScaler {
  public:
    /// Learns each feature's mean and standard deviation from `data`, d × n. Errors: no data, values that are not
    /// finite, a variance beyond the numbers of double.
    StandardScaler& fit(const Input<T>& data) {
        check_scalable<T>("StandardScaler::fit", data);
        const double n = static_cast<double>(data.cols());
        // Two passes: the mean, then the squares of what is left. That keeps every digit of a small spread around a
        // large mean, which Σx² − n·mean² loses. The second pass also sees the rounding error of the mean
        // (Chan, Golub and LeVeque 1983).
        Eigen::VectorXd mean = Eigen::VectorXd::Zero(data.rows()), scale = mean;
        for (Index j = 0; j < data.cols(); ++j) mean += data.col(j).template cast<double>() / n;
        Eigen::VectorXd rest = scale, difference = scale;
        for (Index j = 0; j < data.cols(); ++j) {
            difference = data.col(j).template cast<double>() - mean;
            rest += difference / n;
            scale += difference.cwiseAbs2() / n;
        }
        scale = (scale - rest.cwiseAbs2()).cwiseMax(0).cwiseSqrt();
        mean += rest;
        for (Index i = 0; i < data.rows(); ++i) {
            if (!is_finite(mean[i]) || !is_finite(scale[i]))
                fail("StandardScaler::fit: the variance of feature ", i, " overflows");
            // Rounding of the mean must not pass for a spread: constant is what does not change by a single bit.
            const bool constant = (data.row(i).array() == data(i, 0)).all();
            if (constant) mean[i] = static_cast<double>(data(i, 0));
            if (constant || scale[i] == 0) scale[i] = 1;
        }
        mean_ = std::move(mean);
        scale_ = std::move(scale);
        return *this;
    }

    /// The scaled data, d × n. Errors: not fitted, another number of features, no data, values that are not finite.
    Matrix<T> transform(const Input<T>& data) const {
        check_scalable<T>("StandardScaler::transform", data, mean_.size());
        return ((data.template cast<double>().colwise() - mean_).array().colwise() / scale_.array())
            .matrix()
            .template cast<T>();
    }

    /// The way back: x = mean + scale·x′. Same errors as `transform`.
    Matrix<T> inverse_transform(const Input<T>& scaled) const {
        check_scalable<T>("StandardScaler::inverse_transform", scaled, mean_.size());
        return ((scaled.template cast<double>().array().colwise() * scale_.array()).colwise() + mean_.array())
            .matrix()
            .template cast<T>();
    }

    /// `fit`, then `transform`.
    Matrix<T> fit_transform(const Input<T>& data) { return fit(data).transform(data); }

    /// Each feature's mean over the training data.
    const Eigen::VectorXd& mean() const { return mean_; }
    /// What each feature is divided by.
    const Eigen::VectorXd& scale() const { return scale_; }

  private:
    Eigen::VectorXd mean_, scale_;
};

}  // namespace hourglass::inline HOURGLASS_ABI
