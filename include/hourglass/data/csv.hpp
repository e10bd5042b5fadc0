// Reader of CSV files (RFC 4180 and what is found in practice) into a matrix of numbers, one column per line of the
// file. The same file gives the same numbers whatever the global locale; what is not a number is an error, not a guess.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <concepts>
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
#include "hourglass/data/stream_bytes.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Whether the first line holds names. Detect: it does if none of its fields is a number or empty, or if columns are
/// chosen by name.
enum class CsvHeader { Detect, Present, Absent };

/// What becomes of a field that is empty or says NaN.
enum class CsvMissing { Refuse, NaN };

/// A column of a file, by its name or by its position from 0.
struct CsvColumn {
    std::string name;
    Index position = -1;

    CsvColumn(const char* by_name) : name(by_name) {}
    CsvColumn(std::string by_name) : name(std::move(by_name)) {}
    template <std::integral I>
    CsvColumn(I by_position) : position(static_cast<Index>(by_position)) {}
};

/// How a file is written and what to read of it.
struct CsvOptions {
    char delimiter = ',';                     ///< Between fields: often ';' or '\t'.
    char decimal = '.';                       ///< Before the decimals: '.' or ','.
    CsvHeader header = CsvHeader::Detect;     ///< Whether the first line holds names.
    CsvMissing missing = CsvMissing::Refuse;  ///< Whether missing values are an error or become NaN.
    std::vector<CsvColumn> columns = {};      ///< The columns to read, in this order; empty: all.
    std::vector<CsvColumn> except = {};       ///< Columns to leave out.
};

/// The numbers of a file: one row per chosen column of the file (a feature), one column per line (a sample).
struct Csv {
    std::vector<std::string> header;  ///< Names of the rows of `values`; empty if the file has none.
    Matrix<double> values;

    /// The row of `values` that holds the column of this name. `Error` if there is none.
    Index row(std::string_view name) const {
        const auto found = std::find(header.begin(), header.end(), name);
        if (found == header.end()) fail("Csv: there is no column \"", name, "\" among the ", header.size(), " read");
        return found - header.begin();
    }
};

/// Takes a stream apart into lines of fields: for files that are no table of numbers.
class CsvLines {
  public:
    CsvLines(std::istream& in, char delimiter) : in_(in, "read_csv"), delimiter_(delimiter) {
        if (in_.skip('\xEF') && !(in_.skip('\xBB') && in_.skip('\xBF')))
            fail("read_csv: the file begins with a broken UTF-8 byte order mark");
    }

    /// Reads the next line that is not blank; false at the end of the file. `Error` for a blank line that is not at the
    /// end: leaving it out would shift a time series.
    bool next() {
        if (!read()) return false;
        if (!blank()) return true;
        const Index blank_line = line_;
        while (read())
            if (!blank()) fail("read_csv: line ", blank_line, " is blank, and the file goes on after it");
        return false;
    }

    /// The fields of the line. What stands between quotes is as it was; around anything else, blanks are cut off.
    const std::vector<std::string>& fields() const { return fields_; }
    /// The number, from 1, of the line of the file on which the fields began.
    Index line() const { return line_; }

  private:
    bool blank() const { return fields_.size() == 1 && fields_[0].empty() && !quoted_; }

    bool read() {
        fields_.clear();
        line_ = next_line_;
        if (in_.peek() == data::StreamBytes::end) return false;
        do fields_.push_back(field());
        while (in_.skip(delimiter_));
        in_.skip('\r');
        in_.skip('\n');
        ++next_line_;
        return true;
    }

    bool field_ends() {
        const int c = in_.peek();
        return c == data::StreamBytes::end || c == '\n' || c == '\r' || c == static_cast<unsigned char>(delimiter_);
    }

    void skip_blanks() {
        while (!field_ends() && (in_.skip(' ') || in_.skip('\t'))) continue;
    }

    std::string field() {
        skip_blanks();
        std::string value;
        quoted_ = in_.skip('"');
        if (!quoted_) {
            while (!field_ends()) value += static_cast<char>(in_.next());
            return value.erase(value.find_last_not_of(" \t") + 1);
        }
        for (;;) {
            const int c = in_.next();
            if (c == data::StreamBytes::end)
                fail("read_csv: line ", line_, ", column ", fields_.size() + 1, ": the quotes are never closed");
            if (c == '"' && !in_.skip('"')) break;
            if (c == '\n') ++next_line_;
            value += static_cast<char>(c);
        }
        skip_blanks();
        if (!field_ends())
            fail("read_csv: line ", line_, ", column ", fields_.size() + 1, ": text after the closing quotes");
        return value;
    }

    data::StreamBytes in_;
    char delimiter_;
    std::vector<std::string> fields_;
    bool quoted_ = false;  // the last field read
    Index line_ = 1, next_line_ = 1;
};

/// What a field says.
enum class CsvField { Number, Missing, TooLarge, Text };

/// Reads a number written with this decimal sign, whatever the locale; `value` is set for a number, and is NaN for what
/// is missing. A number too small for a double is 0.
inline CsvField parse_csv_number(std::string_view field, char decimal, double& value) {
    value = std::numeric_limits<double>::quiet_NaN();
    if (field.empty()) return CsvField::Missing;
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

/// The positions of the columns that the options choose in a file with these names (none: no header) and so many
/// columns. `Error` for names and positions that the file does not have, or has twice.
inline std::vector<Index> choose_csv_columns(const CsvOptions& options, const std::vector<std::string>& names,
                                             Index columns) {
    const auto position = [&](const CsvColumn& column) -> Index {
        if (column.name.empty()) {
            if (column.position < 0 || column.position >= columns)
                fail("read_csv: there is no column ", column.position, ": the file has ", columns, ", counted from 0");
            return column.position;
        }
        const auto found = std::find(names.begin(), names.end(), column.name);
        if (found == names.end()) {
            std::string known;
            for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
            fail("read_csv: there is no column \"", column.name, "\"; the file has ", known);
        }
        if (std::find(found + 1, names.end(), column.name) != names.end())
            fail("read_csv: there is more than one column \"", column.name, "\"; choose it by its position");
        return found - names.begin();
    };
    std::vector<Index> chosen;
    if (options.columns.empty())
        for (Index i = 0; i < columns; ++i) chosen.push_back(i);
    for (const CsvColumn& column : options.columns) chosen.push_back(position(column));
    for (const CsvColumn& column : options.except)
        chosen.erase(std::remove(chosen.begin(), chosen.end(), position(column)), chosen.end());
    if (chosen.empty()) fail("read_csv: no column is left to read");
    return chosen;
}

}  // namespace data

/// Reads the numbers of a CSV file.
///
/// `in`: a stream at the start of the file; it is read to its end. `options`: how the file is written, which columns to
/// read. Lines end in LF or CRLF, a UTF-8 byte order mark is skipped, "quoted fields" may hold delimiters, line breaks
/// and doubled quotes, blank lines at the end do not count. Columns that are not read may hold any text.
///
///     std::ifstream file("art_daily_small_noise.csv");
///     const Eigen::MatrixXf series = hg::read_csv(file, {.columns = {"value"}}).values.cast<float>();      // 1 × n
///
/// Returns names and values, one column of the matrix per line of the file.
/// Errors name the line and the column, from 1: a field that is not a finite number, a missing value (unless
/// `CsvMissing::NaN`), a line of another number of fields than the first, a blank line amidst others, quotes that are
/// not closed; also no data at all, unknown columns, impossible options.
inline Csv read_csv(std::istream& in, const CsvOptions& options = {}) {
    if (options.decimal != '.' && options.decimal != ',')
        fail("read_csv: the decimal sign must be . or , and not ", std::string(1, options.decimal));
    if (options.delimiter == options.decimal)
        fail("read_csv: delimiter and decimal sign are both ", std::string(1, options.decimal));
    if (std::string_view{"\"\r\n"}.find(options.delimiter) != std::string_view::npos)
        fail("read_csv: quotes and line breaks cannot be the delimiter");

    CsvLines lines{in, options.delimiter};
    if (!lines.next()) fail("read_csv: the file holds no data");
    const std::vector<std::string> first = lines.fields();

    const auto by_name = [](const std::vector<CsvColumn>& columns) {
        return std::any_of(columns.begin(), columns.end(), [](const CsvColumn& c) { return !c.name.empty(); });
    };
    const bool named = by_name(options.columns) || by_name(options.except);
    if (named && options.header == CsvHeader::Absent)
        fail("read_csv: columns of a file without a header can only be chosen by position");
    double value = 0;
    const bool has_header =
        options.header == CsvHeader::Present || named ||
        (options.header == CsvHeader::Detect && std::all_of(first.begin(), first.end(), [&](const std::string& field) {
             return parse_csv_number(field, options.decimal, value) == CsvField::Text;
         }));

    const std::vector<Index> chosen = data::choose_csv_columns(options, has_header ? first : std::vector<std::string>{},
                                                               static_cast<Index>(first.size()));
    Csv csv;
    if (has_header)
        for (const Index column : chosen) csv.header.push_back(first[static_cast<std::size_t>(column)]);

    std::vector<double> values;
    for (bool more = has_header ? lines.next() : true; more; more = lines.next()) {
        const std::vector<std::string>& fields = lines.fields();
        if (fields.size() != first.size())
            fail("read_csv: line ", lines.line(), " has ", fields.size(), " fields, the first line has ", first.size());
        for (const Index column : chosen) {
            const std::string& field = fields[static_cast<std::size_t>(column)];
            const CsvField kind = parse_csv_number(field, options.decimal, value);
            if (kind == CsvField::Number || (kind == CsvField::Missing && options.missing == CsvMissing::NaN)) {
                values.push_back(value);
                continue;
            }
            std::string where = "read_csv: line " + text(lines.line()) + ", column " + text(column + 1);
            if (has_header) where += " (" + first[static_cast<std::size_t>(column)] + ")";
            if (field.empty()) fail(where, ": the field is empty");
            fail(where, ": \"", field.substr(0, 60), "\" is ",
                 kind == CsvField::Missing    ? "a missing value"
                 : kind == CsvField::TooLarge ? "not a finite number"
                                              : "not a number");
        }
    }
    if (values.empty()) fail("read_csv: the file holds no data after its header");
    const Index rows = static_cast<Index>(chosen.size());
    csv.values.resize(rows, static_cast<Index>(values.size()) / rows);
    std::copy(values.begin(), values.end(), csv.values.data());
    return csv;
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
