// Scaling features, fitted on training data and applied to any other: to a range, or to mean 0 and variance 1. Names
// and formulas are scikit-learn's (Pedregosa et al. 2011). Statistics are kept in double, whatever the data is held in.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

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

// A matrix of f(x, feature) for every value x of `data`, in plain loops: the formulas do not depend on T, and as array
// expressions over doubles they would be compiled by everybody who includes this.
template <class T, class F>
Matrix<T> each_value(const Input<T>& data, const F& f) {
    Matrix<T> out(data.rows(), data.cols());
    for (Index j = 0; j < data.cols(); ++j)
        for (Index i = 0; i < data.rows(); ++i) out(i, j) = static_cast<T>(f(static_cast<double>(data(i, j)), i));
    return out;
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
        Eigen::VectorXd min(data.rows()), range(data.rows());
        for (Index i = 0; i < data.rows(); ++i) {
            double smallest = static_cast<double>(data(i, 0)), largest = smallest;
            for (Index j = 1; j < data.cols(); ++j) {
                smallest = std::min(smallest, static_cast<double>(data(i, j)));
                largest = std::max(largest, static_cast<double>(data(i, j)));
            }
            if (!is_finite(largest - smallest)) fail("MinMaxScaler::fit: the range of feature ", i, " overflows");
            min[i] = smallest;
            range[i] = largest > smallest ? largest - smallest : 1;
        }
        min_ = std::move(min);
        range_ = std::move(range);
        return *this;
    }

    /// The scaled data, d × n. Errors: not fitted, another number of features, no data, values that are not finite.
    Matrix<T> transform(const Input<T>& data) const {
        check_scalable<T>("MinMaxScaler::transform", data, min_.size());
        const double low = options_.low, high = options_.high;
        // Divided, not multiplied by a reciprocal: the training maximum is then exactly `high` of [0, 1], not an ulp
        // above it.
        Matrix<T> scaled =
            each_value<T>(data, [&](double x, Index i) { return (x - min_[i]) / range_[i] * (high - low) + low; });
        if (options_.clip) scaled = scaled.cwiseMax(static_cast<T>(low)).cwiseMin(static_cast<T>(high));
        return scaled;
    }

    /// The way back: x = min + (max − min)·(x′ − low) / (high − low). Same errors as `transform`.
    Matrix<T> inverse_transform(const Input<T>& scaled) const {
        check_scalable<T>("MinMaxScaler::inverse_transform", scaled, min_.size());
        const double low = options_.low, high = options_.high;
        return each_value<T>(scaled, [&](double x, Index i) { return (x - low) / (high - low) * range_[i] + min_[i]; });
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
        Eigen::VectorXd mean(data.rows()), scale(data.rows());
        for (Index i = 0; i < data.rows(); ++i) {
            double sum = 0, rest = 0, squares = 0;
            for (Index j = 0; j < data.cols(); ++j) sum += static_cast<double>(data(i, j)) / n;
            for (Index j = 0; j < data.cols(); ++j) {
                const double difference = static_cast<double>(data(i, j)) - sum;
                rest += difference / n;
                squares += difference * difference / n;
            }
            scale[i] = std::sqrt(std::max(squares - rest * rest, 0.0));
            mean[i] = sum + rest;
        }
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
        return each_value<T>(data, [&](double x, Index i) { return (x - mean_[i]) / scale_[i]; });
    }

    /// The way back: x = mean + scale·x′. Same errors as `transform`.
    Matrix<T> inverse_transform(const Input<T>& scaled) const {
        check_scalable<T>("StandardScaler::inverse_transform", scaled, mean_.size());
        return each_value<T>(scaled, [&](double x, Index i) { return x * scale_[i] + mean_[i]; });
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

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
