// As much of JSON as the head of a model file needs, read without recursion into anything deeper than it may be.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include "hourglass/core/error.hpp"
#include "hourglass/core/number.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// Text as a JSON string, quotes included.
inline std::string json_text(std::string_view words) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string all = "\"";
    for (const char c : words) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            (all += '\\') += c;
        else if (c == '\n')
            all += "\\n";
        else if (code < 0x20)
            ((all += "\\u00") += digits[code >> 4]) += digits[code & 15];
        else
            all += c;
    }
    return all + '"';
}

/// null, an integer of 64 bits, or any other number of double's.
using JsonNumber = std::variant<std::monostate, std::int64_t, double>;

/// Walks through JSON text (RFC 8259). Every method skips blanks before what it reads, and throws an `Error` that
/// begins with `where` and names the byte at which something else was expected.
class JsonReader {
  public:
    /// Refers to the words, and keeps `where`.
    JsonReader(std::string_view words, std::string where) : text_(words), where_(std::move(where)) {}

    /// Takes the next sign if it is this one.
    bool accept(char sign) {
        skip_blanks();
        const bool found = at_ < text_.size() && text_[at_] == sign;
        at_ += found ? 1 : 0;
        return found;
    }
    /// Takes the next sign, which has to be this one.
    void expect(char sign) {
        if (!accept(sign)) fail_here(std::string("expected ") + sign);
    }
    /// Nothing but blanks may follow.
    void expect_end() {
        skip_blanks();
        if (at_ < text_.size()) fail_here("expected nothing more");
    }

    /// A string, unescaped. `Error` unless it is valid UTF-8.
    std::string string() {
        expect('"');
        std::string words;
        while (true) {
            const char c = next();
            if (c == '"') return words;
            if (static_cast<unsigned char>(c) < 0x20) fail_here("a control character within a string");
            if (c == '\\')
                unescape(words);
            else if (static_cast<unsigned char>(c) < 0x80)
                words += c;
            else
                copy_utf8(words, static_cast<unsigned char>(c));
        }
    }

    /// An integer without a sign, below 2⁶³.
    std::int64_t integer() {
        skip_blanks();
        const std::size_t begin = at_;
        std::int64_t value = 0;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            const std::int64_t digit = text_[at_] - '0';
            if (value > (INT64_MAX - digit) / 10) fail_here("an integer that does not fit 63 bits");
            value = 10 * value + digit;
        }
        if (at_ == begin) fail_here("expected an unsigned integer");
        if (text_[begin] == '0' && at_ - begin > 1) fail_here("an integer with a leading zero");
        return value;
    }

    /// A number, or null; true is 1 and false is 0. `Error` for a number beyond those of double.
    JsonNumber number() {
        skip_blanks();
        const std::string_view rest = text_.substr(at_);
        for (const std::string_view word : {"true", "false", "null"})
            if (rest.starts_with(word)) {
                at_ += word.size();
                if (word == "null") return {};
                return std::int64_t{word == "true"};
            }
        const core::ParsedNumber parsed = core::parse_number(rest.substr(0, rest.find_first_not_of("+-.0123456789eE")));
        const std::string_view number = rest.substr(0, parsed.length), sizes = number.substr(number.starts_with('-'));
        if (!is_json_number(sizes) || !parsed.in_range) fail_here("expected a number");
        at_ += parsed.length;
        std::int64_t whole = 0;
        const auto [end, status] = std::from_chars(number.data(), number.data() + number.size(), whole);
        const bool is_whole = status == std::errc{} && end == number.data() + number.size();
        if (is_whole && number != "-0") return whole;
        return parsed.value;
    }

    /// Calls use(key) at each value of an object, which use has to read.
    template <class Use>
    void each_member(Use use) {
        expect('{');
        if (accept('}')) return;
        do {
            const std::string key = string();
            expect(':');
            use(key);
        } while (accept(','));
        expect('}');
    }
    /// Calls use() at each value of an array, which use has to read.
    template <class Use>
    void each_element(Use use) {
        expect('[');
        if (accept(']')) return;
        do use();
        while (accept(','));
        expect(']');
    }

    [[noreturn]] void fail_here(const std::string& what) const { fail(where_, what, ", at byte ", at_); }

  private:
    // Of what parse_number takes, without a sign in front: no zero before other digits, and digits on both sides of a
    // point.
    static bool is_json_number(std::string_view number) {
        const auto digit_at = [&](std::size_t i) { return i < number.size() && number[i] >= '0' && number[i] <= '9'; };
        const std::size_t point = number.find('.');
        return digit_at(0) && !(number[0] == '0' && digit_at(1)) && (point == number.npos || digit_at(point + 1));
    }
    void skip_blanks() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
            ++at_;
    }
    char next() {
        if (at_ == text_.size()) fail_here("the text ends within a string");
        return text_[at_++];
    }

    unsigned hex4() {
        unsigned code = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = next();
            const int digit = c >= '0' && c <= '9'   ? c - '0'
                              : c >= 'a' && c <= 'f' ? c - 'a' + 10
                              : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                     : -1;
            if (digit < 0) fail_here("expected four hexadecimal digits");
            code = code << 4 | static_cast<unsigned>(digit);
        }
        return code;
    }
    void unescape(std::string& words) {
        constexpr std::string_view signs = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
        const char c = next();
        if (const std::size_t known = signs.find(c); known != signs.npos) {
            words += meant[known];
            return;
        }
        if (c != 'u') fail_here("an escape that JSON does not have");
        unsigned code = hex4();
        if (code >= 0xDC00 && code < 0xE000) fail_here("half of a surrogate pair");
        if (code >= 0xD800 && code < 0xDC00) {
            const bool escaped = next() == '\\' && next() == 'u';
            const unsigned low = escaped ? hex4() : 0;
            if (low < 0xDC00 || low >= 0xE000) fail_here("half of a surrogate pair");
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        const auto add = [&](unsigned lead, unsigned bits) { words += static_cast<char>(lead | bits); };
        const auto rest = [&](int shift) { add(0x80, code >> shift & 0x3F); };
        if (code < 0x80)
            add(0, code);
        else if (code < 0x800)
            add(0xC0, code >> 6), rest(0);
        else if (code < 0x10000)
            add(0xE0, code >> 12), rest(6), rest(0);
        else
            add(0xF0, code >> 18), rest(12), rest(6), rest(0);
    }
    // One character of several bytes, as The Unicode Standard 15 (table 3-7) allows them: none longer than need be, no
    // surrogates, none above U+10FFFF.
    void copy_utf8(std::string& words, unsigned lead) {
        const int more = lead >= 0xC2 && lead < 0xE0   ? 1
                         : lead >= 0xE0 && lead < 0xF0 ? 2
                         : lead >= 0xF0 && lead < 0xF5 ? 3
                                                       : 0;
        if (more == 0) fail_here("a string that is not UTF-8");
        words += static_cast<char>(lead);
        for (int i = 0; i < more; ++i) {
            const auto c = static_cast<unsigned char>(next());
            const unsigned low = i > 0          ? 0x80
                                 : lead == 0xE0 ? 0xA0
                                 : lead == 0xF0 ? 0x90
                                                : 0x80,
                           high = i > 0          ? 0xC0
                                  : lead == 0xED ? 0xA0
                                  : lead == 0xF4 ? 0x90
                                                 : 0xC0;
            if (c < low || c >= high) fail_here("a string that is not UTF-8");
            words += static_cast<char>(c);
        }
    }

    std::string_view text_;
    std::string where_;
    std::size_t at_ = 0;
};

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
