// The oracle for gradients: the library's own templates run on dual numbers, so derivatives come without step sizes and
// agree with the analytic ones to rounding.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <unsupported/Eigen/AutoDiff>

namespace oracle {

/// a + b·ε with ε² = 0: one direction at a time, so every dual has one derivative and none is ever missing.
using Dual = Eigen::AutoDiffScalar<Eigen::Matrix<double, 1, 1>>;

inline Dual dual(double value, double derivative = 0) { return Dual(value, Eigen::Matrix<double, 1, 1>(derivative)); }
inline double derivative(const Dual& d) { return d.derivatives()[0]; }

}  // namespace oracle

namespace Eigen {
inline bool(isnan)(const oracle::Dual& x) { return std::isnan(x.value()); }
inline oracle::Dual erfc(const oracle::Dual& x) {
    return oracle::dual(std::erfc(x.value()),
                        -1.12837916709551257390 * std::exp(-x.value() * x.value()) * x.derivatives()[0]);
}
}  // namespace Eigen
