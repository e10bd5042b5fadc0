// The statistics that figures of several seeds are judged by.
#include "support/welch.hpp"

#include <hourglass/core/random.hpp>

#include "support/catch.hpp"

using oracle::largest_difference;
using oracle::SampleMean;
using oracle::student_quantile;
using oracle::student_tail;

TEST_CASE("Student's t has the tails and quantiles of the tables") {
    CHECK(student_tail(1, 1) == Approx(0.5));  // Cauchy's
    CHECK(student_tail(2.228139, 10) == Approx(0.05).epsilon(1e-5));
    CHECK(student_quantile(0.05, 10) == Approx(2.228139).epsilon(1e-6));
    CHECK(student_quantile(0.001, 4) == Approx(8.610302).epsilon(1e-6));
    CHECK(student_quantile(0.001, 120) == Approx(3.3735).epsilon(1e-4));
}

TEST_CASE("Figures that never differ leave nothing to chance") {
    CHECK(largest_difference({393, 0, 24}, {393, 0, 32}, 1e-4) == 0);
    // One sample without spread: the other's alone, by Student's t with its degrees of freedom.
    CHECK(largest_difference({393, 0, 24}, {392, 2, 16}, 1e-4) == Approx(student_quantile(1e-4, 15) * 0.5));
}

// The sample of the larger variance is the smaller one: a pooled variance would let one in four beyond.

TEST_CASE("Means of one distribution lie further apart than the bound as often as stated", "[statistics]") {
    hourglass::Rng rng{1};
    const auto draw = [&rng](std::size_t count, double spread) {
        double sum = 0, squares = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const double x = 7 + spread * rng.normal();
            sum += x, squares += x * x;
        }
        const double n = static_cast<double>(count);
        return SampleMean{sum / n, std::sqrt((squares - sum * sum / n) / (n - 1)), count};
    };
    int beyond = 0;
    constexpr int draws = 4000;
    for (int i = 0; i < draws; ++i) {
        const SampleMean a = draw(5, 1), b = draw(20, 0.3);
        if (std::abs(a.mean - b.mean) > largest_difference(a, b, 0.05)) ++beyond;
    }
    CHECK(beyond > 150);
    CHECK(beyond < 250);
}
