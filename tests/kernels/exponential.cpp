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
    // As bits that the compiler does not see: under -ffast-math it may take infinity for anything.
    volatile std::uint32_t infinite = 0x7f800000;
    const std::uint32_t of_infinity = infinite;
    const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(exponential(x)); };
    CHECK(exponential(0) == 1);
    CHECK(bits(88.73f) == of_infinity);
    CHECK(bits(1e30f) == of_infinity);
    CHECK(bits(std::bit_cast<float>(of_infinity)) == of_infinity);
    CHECK(exponential(-88) == 0);
    CHECK(exponential(-1e30f) == 0);
    CHECK(exponential(std::bit_cast<float>(of_infinity | 0x80000000)) == 0);
    CHECK((bits(std::bit_cast<float>(of_infinity + 1)) & 0x7fffffff) > 0x7f800000);
}
