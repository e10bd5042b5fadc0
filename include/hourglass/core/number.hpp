// Numbers from text and to text, whatever the locale.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

#if !defined(__cpp_lib_to_chars)
#include <algorithm>
#include <cmath>
#include <limits>
#include <locale>
#include <sstream>
#endif

#include "hourglass/core/error.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

/// What parsing a number has found: how many characters belong to it (0: there is none), and whether it fits.
struct ParsedNumber {
    std::size_t length = 0;
    bool in_range = true;
    double value = 0;
};

/// The number that `words` begins with, in decimal or scientific notation, with a point.
inline ParsedNumber parse_number(std::string_view words) {
    ParsedNumber parsed;
#if defined(__cpp_lib_to_chars)
    const auto [end, status] = std::from_chars(words.data(), words.data() + words.size(), parsed.value);
    parsed.length = static_cast<std::size_t>(end - words.data());
    parsed.in_range = status != std::errc::result_out_of_range;
    if (status == std::errc::invalid_argument) parsed.length = 0;
#else  // libc++ before 20 cannot read floating-point numbers
    const std::size_t sign = words.starts_with('-') ? 1 : 0;
    const auto begins_with = [&](std::string_view word) {
        for (std::size_t i = 0; i < word.size(); ++i)
            if (sign + i >= words.size() || (words[sign + i] | 0x20) != word[i]) return false;
        parsed.length = sign + word.size();
        return true;
    };
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (begins_with("nan")) {
        parsed.value = std::numeric_limits<double>::quiet_NaN();
    } else if (begins_with("infinity") || begins_with("inf")) {
        parsed.value = sign ? -infinity : infinity;
    } else {
        // Which characters are the number's is found here: streams differ in what they take and in where they stop.
        const auto after_digits = [&](std::size_t from) {
            return std::min(words.find_first_not_of("0123456789", from), words.size());
        };
        std::size_t end = after_digits(sign), digits = end - sign;
        if (end < words.size() && words[end] == '.') {
            const std::size_t fraction = end + 1;
            end = after_digits(fraction);
            digits += end - fraction;
        }
        if (digits == 0) return parsed;
        const bool zero = words.substr(0, end).find_first_of("123456789") == words.npos;
        if (end < words.size() && (words[end] | 0x20) == 'e') {
            const bool sign_follows = end + 1 < words.size() && (words[end + 1] == '+' || words[end + 1] == '-');
            const std::size_t exponent = end + (sign_follows ? 2 : 1);
            if (after_digits(exponent) > exponent) end = after_digits(exponent);
        }
        parsed.length = end;
        std::istringstream stream{std::string{words.substr(0, end)}};
        stream.imbue(std::locale::classic());
        stream >> parsed.value;
        // What is too large becomes infinity or the largest number there is, what is too small 0. A failure alone says
        // nothing: libc++ reads denormal numbers well and fails.
        const bool too_large = stream.fail() && std::abs(parsed.value) >= std::numeric_limits<double>::max();
        parsed.in_range = !too_large && (zero || parsed.value != 0);
    }
#endif
    return parsed;
}

/// As few digits as give the same number back.
inline std::string exact_text(double value) {
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
