// Two samples of normal figures compared by their means (Welch 1947): how far apart may they lie by chance?
#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>

namespace oracle {

/// What a sample of independent figures says of their mean.
struct SampleMean {
    double mean = 0, deviation = 0;  ///< of the figures; the deviation with n − 1
    std::size_t count = 0;

    double variance_of_mean() const { return deviation * deviation / static_cast<double>(count); }
};

/// P(|T| > t) for Student's T with that many `degrees` of freedom. With T = √degrees·tan θ the density is that of
/// cos^(degrees − 1) θ, whose integrals are sums here.
inline double student_tail(double t, double degrees) {
    const auto integral = [degrees](double from) {
        constexpr int steps = 2000;
        const double width = (std::numbers::pi / 2 - from) / steps;
        double sum = 0;
        for (int i = 0; i < steps; ++i) sum += std::pow(std::cos(from + (i + 0.5) * width), degrees - 1);
        return sum * width;
    };
    return integral(std::atan(t / std::sqrt(degrees))) / integral(0);
}

/// The t whose `student_tail` is `probability`, in (0, 1).
inline double student_quantile(double probability, double degrees) {
    double low = 0, high = 1;
    while (student_tail(high, degrees) > probability) low = high, high *= 2;
    while (high - low > 1e-9 * high) {
        const double middle = (low + high) / 2;
        (student_tail(middle, degrees) > probability ? low : high) = middle;
    }
    return high;
}

/// How far the means of two samples of one distribution, or of two with the same mean, lie apart at most, but for the
/// given `probability`. Welch's t-test: the variances may differ. Both samples hold at least two figures. Where no
/// figure differs from another of its sample, 0.
inline double largest_difference(const SampleMean& a, const SampleMean& b, double probability) {
    const double va = a.variance_of_mean(), vb = b.variance_of_mean();
    if (va + vb == 0) return 0;
    const auto below = [](std::size_t count) { return static_cast<double>(count) - 1; };
    const double degrees = (va + vb) * (va + vb) / (va * va / below(a.count) + vb * vb / below(b.count));
    return student_quantile(probability, degrees) * std::sqrt(va + vb);
}

}  // namespace oracle
