// Scaling features, fitted on training data and applied to any other: to a range, or to mean 0 and variance 1. Names
// and formulas are scikit-learn's (Pedregosa et al. 2011). Statistics are kept in double, whatever the data is held in.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/core/workers.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// What is not for users.
namespace data {

/// The first of a sample's values that is not finite, or with `missing` infinite; −1 without one.
template <std::floating_point T>
Index first_bad(const T* values, Index count, bool missing) {
    if (!missing) return first_non_finite(values, count);
    for (Index i = 0; i < count; ++i)
        if (!is_finite(values[i]) && !core::is_nan(values[i])) return i;
    return -1;
}

/// What to do about a value that is not finite: nothing, unless it is NaN.
inline std::string missing_advice(std::string_view function, double value) {
    if (!core::is_nan(value)) return {};
    return core::message_of("; ", function.substr(0, function.find(':')), "{{.missing = true}} lets missing values be");
}

/// What every scaler asks of its data: at least one feature and one sample, all finite or, with `missing`, NaN. `Error`
/// names what there is none of, or the feature (row) and sample (column), from 0, of the first value that is neither.
template <std::floating_point T>
void check_scalable(const char* function, const Input<T>& values, bool missing, core::Team* team = nullptr) {
    if (values.size() == 0)
        fail(function, ": the data is ", values.rows(), " x ", values.cols(), ": it has no ",
             values.rows() == 0 ? "rows (features)" : "columns (samples)");
    core::each_slice(team, values.cols(), [&](const Slice& some) {
        for (Index sample = some.begin; sample < some.end(); ++sample) {
            const Index feature = first_bad(values.col(sample).data(), values.rows(), missing);
            if (feature >= 0)
                fail(function, ": feature ", feature, " of sample ", sample, " is ", values(feature, sample),
                     ", not a finite number", missing_advice(function, values(feature, sample)));
        }
    });
}

/// The first value of a feature that is there. `Error` without one.
template <std::floating_point T>
double first_present(const char* function, const Input<T>& values, Index feature) {
    for (Index j = 0; j < values.cols(); ++j)
        if (!core::is_nan(values(feature, j))) return static_cast<double>(values(feature, j));
    fail(function, ": feature ", feature, " has no value, all are missing");
}

/// A matrix of f(x, feature) for every value x of the data that is not missing. `Error` for data that is not as above
/// or has another number of features than the scaler was fitted on (0: not fitted), and for a result that is no finite
/// number in T: a double may be too large for a float.
// In plain loops: the formulas do not depend on T, and as array expressions over doubles they would be compiled by
// everybody who includes this.
template <class T, class F>
Matrix<T> scaled_values(const char* function, const Input<T>& values, Index fitted, bool missing, core::Team* team,
                        const F& f) {
    if (fitted == 0) fail(function, ": the scaler is not fitted; call fit first");
    if (values.rows() != fitted)
        fail(function, ": the scaler was fitted on ", fitted, " features (rows), the data has ", values.rows(),
             core::if_transposed(values.cols(), fitted));
    check_scalable<T>(function, values, missing, team);
    Matrix<T> out(values.rows(), values.cols());
    core::each_slice(team, values.cols(), [&](const Slice& some) {
        for (Index j = some.begin; j < some.end(); ++j) {
            for (Index i = 0; i < values.rows(); ++i)
                out(i, j) =
                    core::is_nan(values(i, j)) ? values(i, j) : static_cast<T>(f(static_cast<double>(values(i, j)), i));
            const Index wrong = first_bad(out.col(j).data(), out.rows(), missing);
            if (wrong >= 0)
                fail(function, ": feature ", wrong, " of sample ", j, " is ", values(wrong, j), ", which would become ",
                     f(static_cast<double>(values(wrong, j)), wrong), ", beyond the numbers of ",
                     sizeof(T) == 4 ? "float" : "double");
        }
    });
    return out;
}

/// Statistics that a scaler is made of: `Error` unless both have one value for each of at least one feature, all are
/// finite, and the divisors are larger than 0.
inline void check_statistics(const char* scaler, const char* offset_name, const Eigen::VectorXd& offset,
                             const char* divisor_name, const Eigen::VectorXd& divisor) {
    if (offset.size() != divisor.size())
        fail(scaler, ": ", offset_name, " has ", offset.size(), " values and ", divisor_name, " ", divisor.size(),
             ", expected one per feature in both");
    if (offset.size() == 0) fail(scaler, ": ", offset_name, " and ", divisor_name, " are empty");
    for (Index i = 0; i < offset.size(); ++i) {
        if (!is_finite(offset[i]))
            fail(scaler, ": ", offset_name, " of feature ", i, " must be finite, got ", offset[i]);
        if (!is_finite(divisor[i]) || !(divisor[i] > 0))
            fail(scaler, ": ", divisor_name, " of feature ", i, " must be finite and larger than 0, got ", divisor[i]);
    }
}

}  // namespace data

/// How a `MinMaxScaler` scales.
struct MinMaxOptions {
    double low = 0, high = 1;  ///< The range that the training data is mapped to.
    bool clip = false;         ///< Whether other data is cut to that range (for losses that need it).
    bool together = false;     ///< One minimum and maximum for all features: pixels keep their proportions.
    bool missing = false;      ///< As in `StandardOptions`.

    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("low", self.low);
        use("high", self.high);
        use("clip", self.clip);
        use("together", self.together);
        use("missing", self.missing);
    }
};

/// Maps each feature (row) linearly so that the training data spans [low, high]:
/// x′ = low + (high − low)·(x − min) / (max − min). A feature that is constant in the training data maps to low. With
/// `together` min and max are those of all features.
///
///     hg::MinMaxScaler scaler{{.low = -1, .high = 1}};      // of float; hg::MinMaxScaler<double> for double
///     const Eigen::MatrixXf train = scaler.fit_transform(raw_train), test = scaler.transform(raw_test);
template <std::floating_point T = float>
class MinMaxScaler {
  public:
    /// `Error` unless low < high, both finite in T, and high − low finite in double.
    explicit MinMaxScaler(MinMaxOptions options = {}) : options_(options) {
        if (!is_finite(static_cast<T>(options.low)) || !is_finite(static_cast<T>(options.high)) ||
            !(options.low < options.high) || !is_finite(options.high - options.low))
            fail("MinMaxScaler: the range must be finite with low < high, got [", options.low, ", ", options.high, "]");
    }

    /// A scaler that was fitted before, from its `min()` and `range()`, one value per feature. Errors: as above,
    /// another number of ranges than of minima, none, a value that is not finite, a range that is not larger than 0.
    MinMaxScaler(const Eigen::VectorXd& smallest, const Eigen::VectorXd& range, const MinMaxOptions& options = {})
        : MinMaxScaler(options) {
        data::check_statistics("MinMaxScaler", "smallest", smallest, "range", range);
        min_ = smallest;
        range_ = range;
    }

    /// Learns each feature's minimum and maximum from `data`, d × n. Errors: no data, values that are not finite, a
    /// feature that is missing throughout, a range beyond the numbers of double.
    MinMaxScaler& fit(const Input<T>& data) {
        data::check_scalable<T>("MinMaxScaler::fit", data, options_.missing);
        Eigen::VectorXd min(data.rows()), max(data.rows()), range(data.rows());
        for (Index i = 0; i < data.rows(); ++i) {
            double smallest = data::first_present<T>("MinMaxScaler::fit", data, i), largest = smallest;
            for (Index j = 0; j < data.cols(); ++j) {
                if (core::is_nan(data(i, j))) continue;
                smallest = std::min(smallest, static_cast<double>(data(i, j)));
                largest = std::max(largest, static_cast<double>(data(i, j)));
            }
            min[i] = smallest;
            max[i] = largest;
        }
        if (options_.together) {
            min.setConstant(*std::min_element(min.begin(), min.end()));
            max.setConstant(*std::max_element(max.begin(), max.end()));
        }
        for (Index i = 0; i < data.rows(); ++i) {
            if (!is_finite(max[i] - min[i])) fail("MinMaxScaler::fit: the range of feature ", i, " overflows");
            range[i] = max[i] > min[i] ? max[i] - min[i] : 1;
        }
        min_ = std::move(min);
        range_ = std::move(range);
        return *this;
    }

    /// The scaled data, d × n. Errors: not fitted, another number of features, no data, values that are not finite, and
    /// results that are not.
    Matrix<T> transform(const Input<T>& data) const { return transform(data, nullptr); }
    /// The same on `workers` (hourglass/workers.hpp).
    Matrix<T> transform(const Input<T>& data, core::Team& workers) const { return transform(data, &workers); }

    /// The way back: x = min + (max − min)·(x′ − low) / (high − low). Same errors as `transform`.
    Matrix<T> inverse_transform(const Input<T>& scaled) const { return inverse_transform(scaled, nullptr); }
    Matrix<T> inverse_transform(const Input<T>& scaled, core::Team& workers) const {
        return inverse_transform(scaled, &workers);
    }

    /// `fit`, then `transform`.
    Matrix<T> fit_transform(const Input<T>& data) { return fit(data).transform(data); }

    /// The options it was made with.
    const MinMaxOptions& options() const { return options_; }
    /// Each feature's smallest value in the training data; with `together` that of all features.
    const Eigen::VectorXd& min() const { return min_; }
    /// Each feature's largest minus smallest value in the training data, with `together` that of all; 1 where it is
    /// constant.
    const Eigen::VectorXd& range() const { return range_; }

  private:
    Matrix<T> transform(const Input<T>& data, core::Team* team) const {
        const double low = options_.low, high = options_.high;
        // Divided, not multiplied by a reciprocal: the training maximum is then exactly `high` of [0, 1], not an ulp
        // above it.
        return data::scaled_values<T>("MinMaxScaler::transform", data, min_.size(), options_.missing, team,
                                      [&](double x, Index i) {
                                          const double scaled = (x - min_[i]) / range_[i] * (high - low) + low;
                                          return options_.clip ? std::min(std::max(scaled, low), high) : scaled;
                                      });
    }
    Matrix<T> inverse_transform(const Input<T>& scaled, core::Team* team) const {
        const double low = options_.low, high = options_.high;
        return data::scaled_values<T>(
            "MinMaxScaler::inverse_transform", scaled, min_.size(), options_.missing, team,
            [&](double x, Index i) { return (x - low) / (high - low) * range_[i] + min_[i]; });
    }

    MinMaxOptions options_;
    Eigen::VectorXd min_, range_;
};

/// What a `StandardScaler` takes.
struct StandardOptions {
    /// NaN is a missing value: `fit` leaves it out, `transform` lets it be, as scikit-learn does.
    bool missing = false;

    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("missing", self.missing);
    }
};

/// Gives each feature (row) mean 0 and variance 1 over the training data: x′ = (x − mean) / scale. The scale is the
/// standard deviation √(Σ(x − mean)² / n), or 1 for a feature that is constant, which thereby maps to 0. Constant is,
/// as in scikit-learn, what changes no more than rounding would explain: variance ≤ n·ε·variance + (n·ε·mean)², with ε
/// the spacing of doubles at 1.
///
///     hg::StandardScaler scaler;                            // of float; hg::StandardScaler<double> for double
///     const Eigen::MatrixXf train = scaler.fit_transform(raw_train), test = scaler.transform(raw_test);
template <std::floating_point T = float>
class StandardScaler {
  public:
    StandardScaler() = default;
    /// One that is not fitted, with these options.
    explicit StandardScaler(StandardOptions options) : options_(options) {}

    /// A scaler that was fitted before, from its `mean()` and `scale()`, one value per feature. Errors: another number
    /// of scales than of means, none, a value that is not finite, a scale that is not larger than 0.
    StandardScaler(const Eigen::VectorXd& mean, const Eigen::VectorXd& scale, const StandardOptions& options = {})
        : options_(options) {
        data::check_statistics("StandardScaler", "mean", mean, "scale", scale);
        mean_ = mean;
        scale_ = scale;
    }

    /// Learns each feature's mean and standard deviation from `data`, d × n. Errors: no data, values that are not
    /// finite, a feature that is missing throughout, a variance beyond the numbers of double.
    StandardScaler& fit(const Input<T>& data) {
        data::check_scalable<T>("StandardScaler::fit", data, options_.missing);
        // Two passes: the mean, then the squares of what is left. That keeps every digit of a small spread around a
        // large mean, which Σx² − n·mean² loses. The second pass also sees the rounding error of the mean
        // (Chan, Golub and LeVeque 1983).
        Eigen::VectorXd mean(data.rows()), scale(data.rows());
        for (Index i = 0; i < data.rows(); ++i) {
            const double first = data::first_present<T>("StandardScaler::fit", data, i);
            double n = 0, sum = 0, rest = 0, squares = 0;
            bool equal = true;
            for (Index j = 0; j < data.cols(); ++j)
                if (!core::is_nan(data(i, j))) ++n, equal = equal && static_cast<double>(data(i, j)) == first;
            for (Index j = 0; j < data.cols(); ++j)
                if (!core::is_nan(data(i, j))) sum += static_cast<double>(data(i, j)) / n;
            for (Index j = 0; j < data.cols(); ++j) {
                if (core::is_nan(data(i, j))) continue;
                const double difference = static_cast<double>(data(i, j)) - sum;
                rest += difference / n;
                squares += difference * difference / n;
            }
            const double variance = std::max(squares - rest * rest, 0.0);
            mean[i] = sum + rest;
            if (!is_finite(mean[i]) || !is_finite(variance))
                fail("StandardScaler::fit: the variance of feature ", i, " overflows");
            // Values that are all equal are their own mean; the sum may have rounded it.
            if (equal) mean[i] = first;
            const double rounding = n * std::numeric_limits<double>::epsilon();
            const bool constant = variance <= rounding * variance + (rounding * mean[i]) * (rounding * mean[i]);
            scale[i] = constant ? 1 : std::sqrt(variance);
        }
        mean_ = std::move(mean);
        scale_ = std::move(scale);
        return *this;
    }

    /// The scaled data, d × n. Errors: not fitted, another number of features, no data, values that are not finite, and
    /// results that are not.
    Matrix<T> transform(const Input<T>& data) const { return transform(data, nullptr); }
    /// The same on `workers` (hourglass/workers.hpp).
    Matrix<T> transform(const Input<T>& data, core::Team& workers) const { return transform(data, &workers); }

    /// The way back: x = mean + scale·x′. Same errors as `transform`.
    Matrix<T> inverse_transform(const Input<T>& scaled) const { return inverse_transform(scaled, nullptr); }
    Matrix<T> inverse_transform(const Input<T>& scaled, core::Team& workers) const {
        return inverse_transform(scaled, &workers);
    }

    /// `fit`, then `transform`.
    Matrix<T> fit_transform(const Input<T>& data) { return fit(data).transform(data); }

    /// Each feature's mean over the training data.
    const Eigen::VectorXd& mean() const { return mean_; }
    /// What each feature is divided by.
    const Eigen::VectorXd& scale() const { return scale_; }
    /// The options it was made with.
    const StandardOptions& options() const { return options_; }

  private:
    Matrix<T> transform(const Input<T>& data, core::Team* team) const {
        return data::scaled_values<T>("StandardScaler::transform", data, mean_.size(), options_.missing, team,
                                      [&](double x, Index i) { return (x - mean_[i]) / scale_[i]; });
    }
    Matrix<T> inverse_transform(const Input<T>& scaled, core::Team* team) const {
        return data::scaled_values<T>("StandardScaler::inverse_transform", scaled, mean_.size(), options_.missing, team,
                                      [&](double x, Index i) { return x * scale_[i] + mean_[i]; });
    }

    StandardOptions options_;
    Eigen::VectorXd mean_, scale_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
