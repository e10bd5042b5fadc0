// How the sentences of errors are put together: every kind of argument, at its extremes.
#include "hourglass/core/error.hpp"

#include <clocale>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace hg = hourglass;
using hg::core::message_of;

TEST_CASE("words and numbers are joined as they stand in a message") {
    const std::string owned(300, 'x');
    CHECK(message_of("", std::string_view{}, std::string{}) == "");
    CHECK(message_of("a\0b", std::string_view{"c\0d", 3}, owned) == "a" + std::string{"c\0d", 3} + owned);
    CHECK(message_of(std::string_view{"rows of"}.substr(0, 4), ", ", 3, true) == "rows, 31");
}

TEST_CASE("no number is cut off or shown with another's sign") {
    CHECK(message_of(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(message_of(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(message_of(std::uint8_t{200}, " ", std::int8_t{-100}) == "200 -100");
    CHECK(message_of(-std::numeric_limits<double>::max()) == "-1.79769e+308");
    CHECK(message_of(-std::numeric_limits<double>::denorm_min()) == "-4.94066e-324");
    CHECK(message_of(-std::numeric_limits<float>::infinity(), " ", -0.0, " ", 0.1f) == "-inf -0 0.1");
    // Which sign a NaN has differs between processors: that of this sum is negative on x86.
    volatile double infinity = std::numeric_limits<double>::max();
    infinity = infinity * 2;
    CHECK(message_of(infinity - infinity) == "nan");
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(message_of(std::copysign(nan, -1.0), " ", std::copysign(nan, 1.0)) == "nan nan");
}

TEST_CASE("a global locale with another decimal point does not show") {
    const std::string before = std::setlocale(LC_NUMERIC, nullptr);
    if (!std::setlocale(LC_NUMERIC, "de_DE.UTF-8")) {
        WARN("the locale de_DE.UTF-8 is not installed: not tested");
        return;
    }
    const std::string shown = message_of("1,5 is ", 1.5, ", and ", 12345, " is large");
    std::setlocale(LC_NUMERIC, before.c_str());
    CHECK(shown == "1,5 is 1.5, and 12345 is large");
}
