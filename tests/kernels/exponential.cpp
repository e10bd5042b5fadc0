// The exponential function of packs beside the standard library's, in double.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "hourglass/kernels/pack.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;

namespace {

using Pack = hg::kernels::Pack<float>;

float exponential(float x) {
    float values[static_cast<std::size_t>(Pack::lanes)];
    exp(Pack(x)).store(values);
    return values[Pack::lanes - 1];
}

// How far `value` is from `exact`, in spacings of floats there.
double error(float value, double exact) {
    int exponent = 0;
    std::frexp(exact, &exponent);
    return std::abs(static_cast<double>(value) - exact) / std::ldexp(1.0, exponent - 24);
}

}  // namespace

TEST_CASE("the exponential is within 2 ulp wherever it is a normal number") {
    double worst = 0;
    for (double x = -86.98; x < 88.7228; x += 1e-3) {
        const auto rounded = static_cast<float>(x);
        worst = std::max(worst, error(exponential(rounded), std::exp(static_cast<double>(rounded))));
    }
    CHECK(worst > 0);
    CHECK(worst <= 2);
}

TEST_CASE("the exponential beyond what floats hold is infinite or 0, and of 0 it is 1") {
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(exponential(0) == 1);
    CHECK(exponential(88.73f) == infinity);
    CHECK(exponential(1e30f) == infinity);
    CHECK(exponential(infinity) == infinity);
    CHECK(exponential(-88) == 0);
    CHECK(exponential(-1e30f) == 0);
    CHECK(exponential(-infinity) == 0);
#if !__FINITE_MATH_ONLY__  // else what becomes of NaN is the compiler's choice
    const auto of_nan = std::bit_cast<std::uint32_t>(exponential(std::numeric_limits<float>::quiet_NaN()));
    CHECK((of_nan & 0x7fffffff) > 0x7f800000);
#endif
}
