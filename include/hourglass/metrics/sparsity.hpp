// How sparse codes are, how many units are dead, and what the reconstruction leaves unexplained.
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// What is not for users.
namespace metrics {

// `use(i, j, value)` for every value of a batch. `Error` when there are none, and for one that is infinite or NaN.
template <class T, class Use>
void each_checked_value(const char* function, const char* what, const Input<T>& batch, Use use) {
    if (batch.rows() == 0 || batch.cols() == 0)
        fail(function, ": ", what, " is ", batch.rows(), " x ", batch.cols(), ", expected one column per sample");
    for (Index j = 0; j < batch.cols(); ++j) {
        const T* const column = batch.data() + j * batch.outerStride();
        if (const Index wrong = first_non_finite(column, batch.rows()); wrong >= 0)
            fail(function, ": value ", wrong, " of sample ", j, " of ", what, " is ", column[wrong],
                 ", not a finite number");
        for (Index i = 0; i < batch.rows(); ++i) use(i, j, static_cast<double>(column[i]));
    }
}

}  // namespace metrics

/// For each unit of the code, the fraction of the samples for which it is active, in [0, 1]: |value| > tolerance.
///
/// `codes`: code × n, as `encode` gives them. Result: one value per unit.
/// Errors: no codes, a value that is not finite, a tolerance that is not finite or below 0.
template <class Codes>
Vector<double> activation_density(const Codes& codes, double tolerance = 0) {
    if (!(is_finite(tolerance) && tolerance >= 0 && tolerance <= 1e300))
        fail("activation_density: the tolerance must be finite and at least 0, got ", tolerance);
    using T = typename Codes::Scalar;
    const Input<T> batch(codes);
    Vector<double> density(batch.rows());
    for (double& value : density) value = 0;
    metrics::each_checked_value<T>("activation_density", "the code", batch, [&](Index i, Index, double value) {
        if (std::abs(value) > tolerance) ++density[i];
    });
    for (double& value : density) value /= static_cast<double>(batch.cols());
    return density;
}

/// L0 of the codes: how many units are active for a sample, mean over the samples. Arguments and errors as for
/// `activation_density`.
template <class Codes>
double mean_active_units(const Codes& codes, double tolerance = 0) {
    double sum = 0;
    for (const double density : activation_density(codes, tolerance)) sum += density;
    return sum;
}

/// How many units of the code no sample activates. Arguments and errors as for `activation_density`.
template <class Codes>
Index dead_units(const Codes& codes, double tolerance = 0) {
    Index dead = 0;
    for (const double density : activation_density(codes, tolerance)) dead += density == 0 ? 1 : 0;
    return dead;
}

/// Fraction of variance unexplained, Σ‖x − x̂‖² / Σ‖x − x̄‖² with x̄ the mean of the samples: 0 for a perfect
/// reconstruction, 1 for one that gives the mean. It is 1 − R², and unlike an error it says the same at every scale.
///
/// `x`, `reconstruction`: features × n of one scalar type.
/// Errors: no samples, different extents, a value that is not finite, samples that are all equal.
template <class X, class Reconstruction>
double fraction_of_variance_unexplained(const X& x, const Reconstruction& reconstruction) {
    constexpr const char* name = "fraction_of_variance_unexplained";
    using T = typename X::Scalar;
    const Input<T> samples(x);
    const Input<T> rebuilt(reconstruction);
    if (samples.rows() != rebuilt.rows() || samples.cols() != rebuilt.cols())
        fail(name, ": x is ", samples.rows(), " x ", samples.cols(), ", but the reconstruction is ", rebuilt.rows(),
             " x ", rebuilt.cols());
    Vector<double> mean(samples.rows());
    for (double& value : mean) value = 0;
    metrics::each_checked_value<T>(name, "x", samples, [&](Index i, Index, double value) { mean[i] += value; });
    for (double& value : mean) value /= static_cast<double>(samples.cols());
    double unexplained = 0, variance = 0;
    metrics::each_checked_value<T>(name, "the reconstruction", rebuilt, [&](Index i, Index j, double value) {
        const auto wanted = static_cast<double>(samples.data()[j * samples.outerStride() + i]);
        unexplained += (wanted - value) * (wanted - value);
        variance += (wanted - mean[i]) * (wanted - mean[i]);
    });
    if (variance == 0) fail(name, ": the samples are all equal, so there is no variance to explain");
    return unexplained / variance;
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
