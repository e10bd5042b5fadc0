// The oracle for gradients: the library's own templates run on dual numbers, so derivatives come without step sizes and
// agree with the analytic ones to rounding.
#pragma once

#include <Eigen/Core>
#include <cmath>

namespace oracle {

/// a + b·ε with ε² = 0: one direction at a time. Plain, not Eigen::AutoDiffScalar, whose expressions cost the compiler
/// far longer than the library under test.
class Dual {
  public:
    Dual() = default;
    Dual(double value, double derivative = 0) : value_(value), derivative_(derivative) {}

    double value() const { return value_; }
    double derivative() const { return derivative_; }

    Dual operator-() const { return {-value_, -derivative_}; }
    Dual& operator+=(const Dual& b) { return *this = *this + b; }
    Dual& operator-=(const Dual& b) { return *this = *this - b; }
    Dual& operator*=(const Dual& b) { return *this = *this * b; }
    Dual& operator/=(const Dual& b) { return *this = *this / b; }

    friend Dual operator+(const Dual& a, const Dual& b) { return {a.value_ + b.value_, a.derivative_ + b.derivative_}; }
    friend Dual operator-(const Dual& a, const Dual& b) { return {a.value_ - b.value_, a.derivative_ - b.derivative_}; }
    friend Dual operator*(const Dual& a, const Dual& b) {
        return {a.value_ * b.value_, a.derivative_ * b.value_ + a.value_ * b.derivative_};
    }
    friend Dual operator/(const Dual& a, const Dual& b) {
        const double quotient = a.value_ / b.value_;
        return {quotient, (a.derivative_ - quotient * b.derivative_) / b.value_};
    }
    friend bool operator==(const Dual& a, const Dual& b) { return a.value_ == b.value_; }
    friend auto operator<=>(const Dual& a, const Dual& b) { return a.value_ <=> b.value_; }

    // f(x + ε·d) = f(x) + f′(x)·d·ε: each function with its derivative.
    friend Dual abs(const Dual& x) { return x.value_ < 0 ? -x : x; }
    friend Dual sqrt(const Dual& x) {
        const double root = std::sqrt(x.value_);
        return {root, x.derivative_ / (2 * root)};
    }
    friend Dual exp(const Dual& x) {
        const double power = std::exp(x.value_);
        return {power, x.derivative_ * power};
    }
    friend Dual log(const Dual& x) { return {std::log(x.value_), x.derivative_ / x.value_}; }
    friend Dual log1p(const Dual& x) { return {std::log1p(x.value_), x.derivative_ / (1 + x.value_)}; }
    friend Dual expm1(const Dual& x) { return {std::expm1(x.value_), x.derivative_ * std::exp(x.value_)}; }
    friend Dual tanh(const Dual& x) {
        const double y = std::tanh(x.value_);
        return {y, x.derivative_ * (1 - y * y)};
    }
    friend Dual erfc(const Dual& x) {
        constexpr double minus_two_over_root_pi = -1.12837916709551257390;
        return {std::erfc(x.value_), x.derivative_ * minus_two_over_root_pi * std::exp(-x.value_ * x.value_)};
    }
    friend bool isnan(const Dual& x) { return std::isnan(x.value_); }
    friend bool isinf(const Dual& x) { return std::isinf(x.value_); }
    friend bool isfinite(const Dual& x) { return std::isfinite(x.value_); }

  private:
    double value_ = 0, derivative_ = 0;
};

inline Dual dual(double value, double derivative = 0) { return {value, derivative}; }
inline double derivative(const Dual& d) { return d.derivative(); }

}  // namespace oracle

template <>
struct Eigen::NumTraits<oracle::Dual> : Eigen::NumTraits<double> {
    using Real = oracle::Dual;
    using NonInteger = oracle::Dual;
    using Nested = oracle::Dual;
    using Literal = oracle::Dual;
    enum { RequireInitialization = 1, ReadCost = 2, AddCost = 2, MulCost = 4 };
};
