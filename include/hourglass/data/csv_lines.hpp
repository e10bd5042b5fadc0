// CSV line by line (RFC 4180 and what is found in practice), and what one field says.
#pragma once

#include <algorithm>
#include <cstddef>
#include <istream>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/number.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/data/csv_options.hpp"
#include "hourglass/data/stream_bytes.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Takes a stream apart into lines of fields: for files that are no table of numbers, and for lines as they come in.
/// Messages begin with `source`.
class CsvLines {
  public:
    CsvLines(std::istream& in, char delimiter) : CsvLines(in, CsvOptions{.delimiter = delimiter}) {}
    /// Of `options` those count that say how lines are written: delimiter, comment, lines and blank lines to skip.
    /// `Error` for options that contradict each other.
    CsvLines(std::istream& in, const CsvOptions& options, std::string source = "read_csv")
        : source_(std::move(source)),
          in_(in, source_.c_str()),
          delimiter_(data::csv_delimiter(options)),
          comment_(options.comment),
          skip_blank_lines_(options.skip_blank_lines),
          decimal_(options.decimal) {
        data::check_csv_options(options, source_);
        data::check_csv_delimiter(delimiter_, options, source_);
        if (in_.skip('\xEF') && !(in_.skip('\xBB') && in_.skip('\xBF')))
            fail(source_, ": the file begins with a broken UTF-8 byte order mark");
        if (const int mark = in_.peek(); mark == 0xFF || mark == 0xFE) {
            in_.next();
            fail(source_, in_.peek() == (mark ^ 1) ? ": the file is UTF-16, by its byte order mark: save it as UTF-8"
                                                   : ": the file is not UTF-8, by its first byte: save it as such");
        }
        skip_lines(options.skip_lines);
    }
    CsvLines(const CsvLines&) = delete;
    CsvLines& operator=(const CsvLines&) = delete;

    /// Reads the next line that is not blank; false at the end of the file. `Error` for a blank line that is not at the
    /// end, unless they are skipped: leaving it out would shift a time series.
    bool next() {
        if (!read()) return false;
        if (!blank()) return true;
        const Index blank_line = line_;
        while (read())
            if (!blank()) {
                if (skip_blank_lines_) return true;
                fail(source_, ": line ", blank_line,
                     " is blank, and the file goes on after it (skip_blank_lines = true leaves them out)");
            }
        return false;
    }

    /// Leaves out so many lines, whatever they hold.
    void skip_lines(Index count) {
        for (; count > 0 && in_.peek() != data::StreamBytes::end; --count) skip_line();
    }

    /// The fields of the line. What stands between quotes is as it was; around anything else, blanks are cut off.
    const std::vector<std::string>& fields() const { return fields_; }
    /// The number, from 1, of the line of the file on which the fields began.
    Index line() const { return line_; }
    /// What stands between fields: as given, or as the file's first line `sep=;` says.
    char delimiter() const { return delimiter_; }

  private:
    bool blank() const { return fields_.size() == 1 && fields_[0].empty() && !quoted_; }

    bool read() {
        do {
            while (comment_ != '\0' && in_.peek() == static_cast<unsigned char>(comment_)) skip_line();
            fields_.clear();
            line_ = next_line_;
            if (in_.peek() == data::StreamBytes::end) return false;
            do {
                while (delimiter_ == ' ' && (in_.skip(' ') || in_.skip('\t'))) continue;
                if (delimiter_ == ' ' && !fields_.empty() && field_ends()) break;  // blanks at the end of the line
                fields_.push_back(field());
            } while (in_.skip(delimiter_) || (delimiter_ == ' ' && in_.skip('\t')));
            end_line();
        } while (line_ == 1 && names_delimiter());
        return true;
    }

    // Whether the line is `sep=;`, as spreadsheets write and read it; cut by the delimiter so far, and without a tab at
    // its end.
    bool names_delimiter() {
        if (quoted_ || !fields_[0].starts_with("sep=") || fields_[0].size() > 5 || fields_.size() > 2) return false;
        if (fields_.size() == 2) return fields_[0].size() == 4 && fields_[1].empty();
        delimiter_ = fields_[0].size() == 5 ? fields_[0][4] : '\t';
        data::check_csv_delimiter(delimiter_, {.decimal = decimal_, .comment = comment_}, source_);
        return true;
    }

    void skip_line() {
        int c = in_.peek();
        for (; c != data::StreamBytes::end && c != '\n' && c != '\r'; c = in_.peek()) in_.next();
        end_line();
    }
    void end_line() {
        in_.skip('\r');
        in_.skip('\n');
        ++next_line_;
    }

    bool field_ends() {
        const int c = in_.peek();
        return c == data::StreamBytes::end || c == '\n' || c == '\r' || c == static_cast<unsigned char>(delimiter_) ||
               (c == '\t' && delimiter_ == ' ');
    }

    void skip_blanks() {
        while (!field_ends() && (in_.skip(' ') || in_.skip('\t'))) continue;
    }

    // A NUL says that the file is something else, and would end the message that shows it.
    char not_nul(int c) const {
        if (c == 0) wrong("a NUL byte; is the file UTF-16? Save it as UTF-8");
        return static_cast<char>(c);
    }
    [[noreturn]] void wrong(const char* what) const {
        fail(source_, ": line ", line_, ", column ", fields_.size() + 1, ": ", what);
    }

    std::string field() {
        skip_blanks();
        std::string value;
        quoted_ = in_.skip('"');
        if (!quoted_) {
            while (!field_ends()) value += not_nul(in_.next());
            return value.erase(value.find_last_not_of(" \t") + 1);
        }
        for (;;) {
            const int c = in_.next();
            if (c == data::StreamBytes::end) wrong("the quotes are never closed");
            if (c == '"' && !in_.skip('"')) break;
            if (c == '\n') ++next_line_;
            value += not_nul(c);
        }
        skip_blanks();
        if (!field_ends()) wrong("text after the closing quotes");
        return value;
    }

    std::string source_;
    data::StreamBytes in_;
    char delimiter_, comment_;
    bool skip_blank_lines_;
    char decimal_;
    std::vector<std::string> fields_;
    bool quoted_ = false;  // the last field read
    Index line_ = 1, next_line_ = 1;
};

/// What a field says.
enum class CsvField { Number, Missing, TooLarge, Text };

/// Reads a number written with this decimal sign, whatever the locale; `value` is set for a number, and is NaN for what
/// is missing. A number too small for a double is 0; true and false, also True and TRUE, are 1 and 0.
inline CsvField parse_csv_number(std::string_view field, char decimal, double& value) {
    value = std::numeric_limits<double>::quiet_NaN();
    if (field.empty()) return CsvField::Missing;
    if (field == "true" || field == "True" || field == "TRUE" || field == "false" || field == "False" ||
        field == "FALSE") {
        value = (field[0] | 0x20) == 't';
        return CsvField::Number;
    }
    std::string plain{field};
    if (decimal != '.') {
        if (plain.find('.') != std::string::npos) return CsvField::Text;
        std::replace(plain.begin(), plain.end(), decimal, '.');
    }
    if (plain.size() > 1 && plain[0] == '+' && plain[1] != '-') plain.erase(0, 1);
    auto [length, in_range, parsed] = core::parse_number(plain);
    if (length == 0 || length != plain.size()) return CsvField::Text;
    if (!in_range) {
        const std::size_t exponent = plain.find_first_of("eE");
        const bool small = exponent != std::string::npos
                               ? plain[exponent + 1] == '-'
                               : plain.find('.') != std::string::npos &&
                                     std::min(plain.find_first_of("123456789"), plain.size()) > plain.find('.');
        if (!small) return CsvField::TooLarge;
        parsed = 0;
    } else if (!is_finite(parsed)) {
        return plain.find_first_of("aA") != std::string::npos ? CsvField::Missing : CsvField::TooLarge;  // nan; inf
    }
    value = parsed;
    return CsvField::Number;
}

// What is not for users.
namespace data {

/// Takes out what stands between groups of three digits, before the decimals; false if groups are of other sizes.
inline bool join_thousands(std::string& field, const std::string& separator, char decimal) {
    std::size_t at = field.find(separator);
    const std::size_t first = at;
    while (at < field.size()) {
        field.erase(at, separator.size());
        const std::size_t end = std::min(field.find_first_not_of("0123456789", at), field.size());
        const bool goes_on = field.compare(end, separator.size(), separator) == 0;
        if (end - at != 3 || !(goes_on || end == field.size() || field[end] == decimal)) return false;
        at = goes_on ? end : field.size();
    }
    // Before the first one stand a sign, perhaps, and up to three digits, of which the first is not 0.
    const std::size_t digits = field.find_first_of("123456789");
    return first == std::string::npos ||
           (digits < first && first - digits <= 3 && field.find_first_not_of("+-") == digits &&
            field.find_first_not_of("0123456789", digits) >= first && digits <= 1);
}

inline bool says_missing(const std::string& field, const CsvOptions& options) {
    return std::find(options.missing_values.begin(), options.missing_values.end(), field) !=
           options.missing_values.end();
}

}  // namespace data

/// What a field of a file with these options says, as `parse_csv_number` does, but for what stands between thousands
/// and for fields that mean a missing value.
inline CsvField parse_csv_field(const std::string& field, const CsvOptions& options, double& value) {
    value = std::numeric_limits<double>::quiet_NaN();
    if (data::says_missing(field, options)) return CsvField::Missing;
    if (options.thousands.empty() || field.find(options.thousands) == std::string::npos)
        return parse_csv_number(field, options.decimal, value);
    std::string joined = field;
    if (!data::join_thousands(joined, options.thousands, options.decimal)) return CsvField::Text;
    return parse_csv_number(joined, options.decimal, value);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
