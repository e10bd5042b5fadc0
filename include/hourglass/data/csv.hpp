// Reader of CSV files into a matrix of numbers, one column per line of the file. The same file gives the same numbers
// whatever the global locale; what is not a number is an error, not a guess.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <istream>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/data/csv_lines.hpp"
#include "hourglass/data/csv_options.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The numbers of a file: one row per chosen column of the file (a feature), one column per line (a sample).
template <std::floating_point T>
struct CsvTable {
    std::vector<std::string> header;        ///< Names of the rows of `values`; empty if the file has none and no
                                            ///< categories.
    Matrix<T> values;                       ///< Features × samples.
    std::vector<Index> lines;               ///< The line of the file, from 1, of each column of `values`.
    std::vector<CsvCategories> categories;  ///< The categories read, with their values: the option for the next file.
    std::vector<std::string> dropped;       ///< What `CsvOptions::numeric_only` left out: names, else positions.

    /// The row of `values` that holds the column of this name. `Error` if there is none.
    Index row(std::string_view name) const {
        const auto found = std::find(header.begin(), header.end(), name);
        if (found == header.end()) data::no_such_column("Csv", name, "the table", header);
        return found - header.begin();
    }
};
/// What `read_csv` gives where no type is named.
using Csv = CsvTable<double>;

// What is not for users.
namespace data {

/// Whether what was read as one field may be several, and what to say then.
inline bool may_hold_delimiter(const std::string& field) { return field.find_first_of(";\t| ,") != std::string::npos; }
inline constexpr const char* delimiter_advice =
    " (delimiter says what stands between fields, skip_lines leaves out lines before the header)";
inline constexpr const char* decimal_advice =
    " (decimal says whether the comma is the decimal sign, thousands what else it may be)";
/// The same of a first line that was not divided at all, as the beginning of a message; empty for any other.
inline std::string undivided_line(const std::vector<std::string>& first, char delimiter) {
    if (first.size() != 1) return {};
    for (const char other : {';', '\t', '|'}) {
        if (other == delimiter || first[0].find(other) == std::string::npos) continue;
        const std::string shown = other == '\t' ? "\\t" : std::string(1, other);
        return core::message_of(": the first line is one field and holds '", shown, "': say delimiter = '", shown,
                                "' (and decimal = ',' where numbers are written 1,5)");
    }
    return {};
}

/// Whether a field is a number but for its signs. Thin blanks take several bytes, none of ASCII's.
inline bool is_number_like(const std::string& field) {
    return field.find_first_of("0123456789") != std::string::npos &&
           std::all_of(field.begin(), field.end(), [](char c) {
               return std::string_view{"0123456789+-.,' eE"}.find(c) != std::string_view::npos || c < 0 || c > 126;
           });
}
/// The same, with a comma where that is no decimal sign.
inline bool has_decimal_comma(const std::string& field, const CsvOptions& options) {
    return options.decimal == '.' && is_number_like(field) && field.find(',') != std::string::npos;
}

/// Puts a table together, line by line. A template of its numbers' type so that programs without tables do not compile
/// it.
template <std::floating_point T>
class CsvBuilder {
  public:
    CsvBuilder(const CsvOptions& options, const std::vector<std::string>& names, Index columns, std::string_view source)
        : options_(options), names_(names), source_(source) {
        if (std::abs(options.fill_value) > static_cast<double>(std::numeric_limits<T>::max()))
            fail(source, ": fill_value is ", options.fill_value, ", beyond the numbers of the type asked for");
        const CsvChoice choice(options, names, columns, source);
        for (const Index column : choice.columns()) features_.push_back({column});
        for (const CsvCategories& each : options.categories) {
            const Index column = choice.position(each.column);
            for (Feature& feature : features_)
                if (feature.column == column) feature.kind = Kind::Categories, feature.categories = each.values;
        }
    }

    void add(const std::vector<std::string>& fields, Index line) {
        for (Feature& feature : features_) {
            const std::string& field = fields[static_cast<std::size_t>(feature.column)];
            if (feature.kind == Kind::Categories)
                add_category(feature, field, line);
            else if (feature.kind != Kind::Text)
                add_number(feature, field, line);
            else if (double value = 0; parse_csv_field(field, options_, value) == CsvField::Number)
                fail(where(feature, line), ": \"", field.substr(0, 60),
                     "\" is a number in a column that begins with text (missing_values names what means a missing one; "
                     "except leaves the column out)");
        }
        lines_.push_back(line);
    }

    /// The table of all lines, once.
    CsvTable<T> table() {
        if (lines_.empty()) fail(source_, ": the file holds no data", names_.empty() ? "" : " after its header");
        CsvTable<T> csv;
        drop_text(csv.dropped);
        std::vector<std::size_t> kept;
        for (std::size_t sample = 0; sample < lines_.size(); ++sample)
            if (options_.missing != CsvMissing::Drop || complete(sample)) kept.push_back(sample);
        if (kept.empty()) fail(source_, ": no line is left, as each has a missing value");
        for (const std::size_t sample : kept) csv.lines.push_back(lines_[sample]);

        Index rows = 0;
        for (Feature& feature : features_) {
            if (feature.kind == Kind::Categories) find_categories(feature, kept);
            rows += rows_of(feature);
        }
        csv.values.resize(rows, static_cast<Index>(kept.size()));
        rows = 0;
        for (const Feature& feature : features_) {
            write(feature, kept, csv.values.middleRows(rows, rows_of(feature)));
            describe(feature, csv);
            rows += rows_of(feature);
        }
        return csv;
    }

  private:
    enum class Kind { Unknown, Numbers, Text, Categories };
    // A column that is read, as numbers (NaN where one is missing) or as words (empty where one is missing).
    struct Feature {
        Index column;
        Kind kind = Kind::Unknown;
        std::vector<double> numbers = {};
        std::vector<std::string> words = {}, categories = {};
        Index missing_line = 0;          // of the first one, …
        std::string missing_field = {};  // … and what it says
    };

    static Index rows_of(const Feature& feature) {
        return feature.kind == Kind::Categories ? static_cast<Index>(feature.categories.size()) : 1;
    }

    // Whether a column is text is decided by its first value; until then what is missing in it is only noted.
    void add_number(Feature& feature, const std::string& field, Index line) {
        double value = 0;
        CsvField says = parse_csv_field(field, options_, value);
        if (says == CsvField::Number && std::abs(value) > static_cast<double>(std::numeric_limits<T>::max()))
            says = CsvField::TooLarge;
        const bool decided = feature.kind == Kind::Numbers || !options_.numeric_only;
        const bool refuse_missing = options_.missing == CsvMissing::Refuse;
        if (says == CsvField::Missing) {
            if (refuse_missing && decided) missing(feature, field, line);
            if (feature.missing_line == 0) feature.missing_line = line, feature.missing_field = field;
        } else if (says == CsvField::Text && !decided) {
            feature.kind = Kind::Text;
            feature.numbers = {};
            return;
        } else if (says != CsvField::Number) {
            fail(where(feature, line), ": \"", field.substr(0, 60),
                 says == CsvField::TooLarge ? "\" is not a finite number of the type asked for" : "\" is not a number",
                 says == CsvField::TooLarge ? "" : advice(field));
        } else {
            if (refuse_missing && feature.missing_line > 0)
                missing(feature, feature.missing_field, feature.missing_line);
            feature.kind = Kind::Numbers;
        }
        feature.numbers.push_back(value);
    }

    void add_category(Feature& feature, const std::string& field, Index line) {
        double number = 0;
        const bool given =
            std::find(feature.categories.begin(), feature.categories.end(), field) != feature.categories.end();
        const bool is_missing = !given && parse_csv_field(field, options_, number) == CsvField::Missing;
        if (is_missing && options_.missing == CsvMissing::Refuse) missing(feature, field, line);
        feature.words.push_back(is_missing ? std::string{} : field);
    }

    // The categories, unless they were given, and as each sample's number its position among them.
    void find_categories(Feature& feature, const std::vector<std::size_t>& kept) const {
        const bool given = !feature.categories.empty();
        std::vector<std::string>& all = feature.categories;
        if (!given) {
            std::vector<std::string_view> words;
            for (const std::size_t sample : kept)
                if (!feature.words[sample].empty()) words.push_back(feature.words[sample]);
            std::sort(words.begin(), words.end());
            all.assign(words.begin(), std::unique(words.begin(), words.end()));
            if (all.empty()) fail(source_, ": column ", shown_name(feature), " holds no category, all is missing");
        }
        feature.numbers.assign(lines_.size(), std::numeric_limits<double>::quiet_NaN());
        for (const std::size_t sample : kept) {
            const std::string& word = feature.words[sample];
            if (word.empty()) continue;
            const auto found =
                given ? std::find(all.begin(), all.end(), word) : std::lower_bound(all.begin(), all.end(), word);
            if ((!given || found == all.end()) && !is_utf8(word))
                fail(where(feature, lines_[sample]), ": the category", not_utf8);
            if (found == all.end()) unknown_category(feature, word, lines_[sample]);
            feature.numbers[sample] = static_cast<double>(found - all.begin());
        }
    }

    void drop_text(std::vector<std::string>& dropped) {
        if (!options_.numeric_only) return;
        const auto no_numbers = [](const Feature& feature) {
            return feature.kind == Kind::Text || feature.kind == Kind::Unknown;
        };
        for (const Feature& feature : features_)
            if (no_numbers(feature)) dropped.push_back(name_of(feature));
        features_.erase(std::remove_if(features_.begin(), features_.end(), no_numbers), features_.end());
        if (features_.empty()) fail(source_, ": no column holds numbers");
    }

    bool complete(std::size_t sample) const {
        return std::all_of(features_.begin(), features_.end(), [&](const Feature& feature) {
            return feature.kind == Kind::Categories ? !feature.words[sample].empty()
                                                    : is_finite(feature.numbers[sample]);
        });
    }

    // A row of numbers, or a row of 0 and 1 for each category, with what stands for missing values.
    void write(const Feature& feature, const std::vector<std::size_t>& kept, Eigen::Ref<Matrix<T>> rows) const {
        std::vector<double> row_values(kept.size());
        for (Index row = 0; row < rows.rows(); ++row) {
            double present = 0, mean = 0;
            for (Index i = 0; i < rows.cols(); ++i) {
                double& value = row_values[static_cast<std::size_t>(i)];
                value = feature.numbers[kept[static_cast<std::size_t>(i)]];
                if (!is_finite(value)) continue;
                if (feature.kind == Kind::Categories) value = static_cast<Index>(value) == row;
                ++present;
            }
            for (const double value : row_values)
                if (is_finite(value)) mean += value / present;  // a sum of them all may be beyond the numbers of double
            if (options_.missing == CsvMissing::Mean && present == 0)
                fail(source_, ": column ", shown_name(feature), " has no value to take the mean of, all is missing");
            const bool fills = options_.missing == CsvMissing::Mean || options_.missing == CsvMissing::Fill;
            const double instead = options_.missing == CsvMissing::Mean ? mean : options_.fill_value;
            for (Index i = 0; i < rows.cols(); ++i) {
                const double value = row_values[static_cast<std::size_t>(i)];
                rows(row, i) = static_cast<T>(fills && !is_finite(value) ? instead : value);
            }
        }
    }

    void describe(const Feature& feature, CsvTable<T>& csv) const {
        const std::string name = name_of(feature);
        if (feature.kind == Kind::Categories) {
            for (const std::string& value : feature.categories)
                csv.header.push_back(core::message_of(name, "=", value));
            const bool by_name = !name.empty() && std::count(names_.begin(), names_.end(), name) == 1;
            csv.categories.push_back({by_name ? CsvColumn{name} : CsvColumn{feature.column}, feature.categories});
        } else if (!names_.empty() || !options_.categories.empty()) {
            csv.header.push_back(name);
        }
    }

    std::string name_of(const Feature& feature) const {
        return names_.empty() ? text(feature.column) : names_[static_cast<std::size_t>(feature.column)];
    }
    // In messages: a name in other bytes than UTF-8 stays readable to programs alone.
    std::string shown_name(const Feature& feature) const {
        const std::string name = name_of(feature);
        return is_utf8(name) ? name : core::message_of(feature.column, ", whose name", not_utf8, ",");
    }
    std::string where(const Feature& feature, Index line) const {
        std::string place = core::message_of(source_, ": line ", line, ", column ", feature.column + 1);
        if (names_.empty()) return place;
        const std::string name = name_of(feature);
        return is_utf8(name) ? core::message_of(place, " (", name, ")")
                             : core::message_of(place, " (its name", not_utf8, ")");
    }
    [[noreturn]] void missing(const Feature& feature, const std::string& field, Index line) const {
        const char* const choice =
            " (missing says what becomes of it, numeric_only leaves out columns without a value)";
        if (field.empty()) fail(where(feature, line), ": the field is empty", choice);
        fail(where(feature, line), ": \"", field.substr(0, 60), "\" is a missing value", choice);
    }
    [[noreturn]] void unknown_category(const Feature& feature, const std::string& word, Index line) const {
        std::string known;
        for (std::size_t i = 0; i < feature.categories.size() && i < 8; ++i)
            (known += i == 0 ? "" : ", ") += feature.categories[i].substr(0, 60);
        if (feature.categories.size() > 8) known += ", …";
        const std::string shown = word.substr(0, 60);
        fail(where(feature, line), ": \"", shown, "\" is none of the ", feature.categories.size(),
             " categories given (", known, "); .missing_values = {\"", shown,
             options_.missing == CsvMissing::Refuse ? "\"} with .missing = CsvMissing::NaN takes it for missing"
                                                    : "\"} takes it for missing");
    }
    // Which option would read this text.
    const char* advice(const std::string& field) const {
        const bool number_like = is_number_like(field);
        if (field.find_first_of(";\t|") != std::string::npos) return delimiter_advice;
        if (has_decimal_comma(field, options_)) return decimal_advice;
        if (number_like && field.find(' ') != std::string::npos)
            return " (is the blank the delimiter? Else thousands says what stands between groups of three digits)";
        if (number_like && field.find_first_not_of("0123456789+-eE") != std::string::npos)
            return " (thousands says what stands between groups of three digits)";
        if (lines_.empty() && !names_.empty())
            return " (missing_values names what means a missing one, skip_after_header leaves out units; text goes to "
                   "categories, except or numeric_only)";
        return " (missing_values names what means a missing one; text goes to categories, except or numeric_only)";
    }

    const CsvOptions& options_;
    const std::vector<std::string>& names_;
    std::string_view source_;
    std::vector<Feature> features_;
    std::vector<Index> lines_;
};

/// `Error` unless a line has as many fields as the first.
inline void require_csv_fields(const CsvLines& lines, const std::vector<std::string>& first, std::string_view source) {
    const std::size_t fields = lines.fields().size();
    if (fields == first.size()) return;
    if (const std::string undivided = undivided_line(first, lines.delimiter()); !undivided.empty())
        fail(source, undivided, "; line ", lines.line(), " has ", fields,
             " fields (skip_lines leaves out lines before the header)");
    const char* advice = " (skip_lines and comment leave out lines of another kind)";
    if (first.size() == 1 && may_hold_delimiter(first[0]))
        advice = delimiter_advice;
    else if (first.size() == 1 && fields == 2 && lines.delimiter() == ',')
        advice = " (decimal says whether the comma is the decimal sign)";
    else if (fields == first.size() + 1)
        advice =
            " (if the first line lacks a name for row numbers, as R writes it, skip_lines = 1 leaves out the names and "
            "except = {0} the numbers)";
    fail(source, ": line ", lines.line(), " has ", fields, " fields, the first line has ", first.size(), advice);
}

/// Whether a field may be a name: text with a letter in it, which a date is not, and a number with foreign signs is not
/// either; and none of the words that mean a missing value in many files.
inline bool may_be_name(const std::string& field, const CsvOptions& options) {
    double value = 0;
    if (parse_csv_field(field, options, value) != CsvField::Text) return false;
    for (const std::string_view mark :
         {"NA", "N/A", "na", "n/a", "null", "NULL", "None", "none", "err", "\u2013", "\u2014"})
        if (field == mark) return false;
    const auto any = [&](auto is) { return std::any_of(field.begin(), field.end(), is); };
    const bool letter = any([](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
    return letter ||
           (any([](char c) { return c < 0 || c > 126; }) && !any([](char c) { return c >= '0' && c <= '9'; }));
}

/// Whether a line counts 0, 1, 2 … or 1, 2, 3 …, as pandas writes for columns without names.
inline bool counts_up(const std::vector<std::string>& fields) {
    const std::size_t start = fields[0] == "0" ? 0 : 1;
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (fields[i] != text(i + start)) return false;
    return fields.size() > 2;
}

/// Whether the first line holds names, where the options do not say so: by what its fields are and those of the second
/// line (empty: there is none), which are cut at `delimiter`. `Error` where that cannot be told.
inline bool has_csv_header(const std::vector<std::string>& first, const std::vector<std::string>& second,
                           char delimiter, const CsvOptions& options, std::string_view source) {
    const std::string *name = nullptr, *other = nullptr;  // the last of either kind
    std::vector<std::string_view> names;
    bool number = false, all_names = true, name_above_number = false, decimal_comma = false;
    double value = 0;
    for (std::size_t i = 0; i < first.size(); ++i) {
        const bool is_name = may_be_name(first[i], options);
        (is_name ? name : other) = &first[i];
        const CsvField above = parse_csv_field(first[i], options, value),
                       below = i < second.size() ? parse_csv_field(second[i], options, value) : CsvField::Missing;
        decimal_comma |= i < second.size() && has_decimal_comma(second[i], options);
        number |= above == CsvField::Number || above == CsvField::TooLarge;
        if (is_name) names.push_back(first[i]);
        all_names &= is_name || first[i].empty();
        name_above_number |= is_name && (below == CsvField::Number || below == CsvField::TooLarge);
    }
    std::sort(names.begin(), names.end());
    all_names &= std::adjacent_find(names.begin(), names.end()) == names.end();
    if (name && all_names && (name_above_number || (!other && second.empty()))) return true;
    if (!name && number && !counts_up(first) && !(first[0].empty() && !second.empty() && !second[0].empty()))
        return false;
    const char* const unknown = ": whether the first line holds names cannot be told, as ";
    const char* const choice = ": say header = CsvHeader::Present or CsvHeader::Absent";
    if (const std::string undivided = undivided_line(first, delimiter); !undivided.empty())
        fail(source, undivided, "; if it is one, whether it is a name cannot be told", choice,
             ", or leave it out with skip_lines = 1");
    if (!name)
        fail(source, unknown, number ? "it may number the columns" : "none of its fields is a name or a number",
             choice);
    if (all_names)
        fail(source, unknown, "the second holds no number either", choice,
             first.size() == 1 && may_hold_delimiter(first[0]) ? delimiter_advice
             : decimal_comma                                   ? decimal_advice
                                                               : "; skip_after_header = 1 leaves out a line of units");
    if (!other) fail(source, unknown, "a name stands there twice", choice);
    if (!is_utf8(*name) || !is_utf8(*other)) fail(source, unknown, "it", not_utf8);
    fail(source, unknown, "\"", name->substr(0, 60), "\" may be a name and \"", other->substr(0, 60), "\" is none",
         choice);
}

/// The table that a stream holds. Messages begin with `source`.
template <std::floating_point T>
CsvTable<T> read_csv_table(std::istream& in, const CsvOptions& options, const std::string& source) {
    const bool named = chooses_by_name(options);
    if (named && options.header == CsvHeader::Absent)
        fail(source, ": columns of a file without a header can only be chosen by position");

    CsvLines lines{in, options, source};
    if (!lines.next()) fail(source, ": the file holds no data");
    const std::vector<std::string> first = lines.fields();
    const Index first_line = lines.line();
    if (options.delimiter == '\0' && lines.delimiter() == ';' && first.size() == 1 &&
        first[0].find(',') != std::string::npos)
        fail(source,
             ": the first line has no ; but a comma: if it is one field, say delimiter = ';', else the comma is no "
             "decimal sign");
    bool has_header = options.header == CsvHeader::Present || named || options.skip_after_header > 0;
    if (has_header) lines.skip_lines(options.skip_after_header);
    bool more = lines.next();
    if (more) require_csv_fields(lines, first, source);
    if (!has_header && options.header == CsvHeader::Detect)
        has_header = has_csv_header(first, more ? lines.fields() : std::vector<std::string>{}, lines.delimiter(),
                                    options, source);

    const std::vector<std::string> names = has_header ? first : std::vector<std::string>{};
    CsvBuilder<T> builder(options, names, static_cast<Index>(first.size()), source);
    if (!has_header) builder.add(first, first_line);
    for (; more; more = lines.next()) {
        require_csv_fields(lines, first, source);
        builder.add(lines.fields(), lines.line());
    }
    return builder.table();
}

}  // namespace data

/// Reads the numbers of a CSV file.
///
/// `in`: a stream at the start of the file; it is read to its end. `options`: how the file is written, which columns to
/// read. Lines end in LF, CRLF or CR, a UTF-8 byte order mark is skipped, "quoted fields" may hold delimiters, line
/// breaks and doubled quotes, blank lines at the end do not count. Columns that are not read may hold any text. `T` is
/// the scalar type of the values, `read_csv<float>` for a model in float; numbers are read as double and rounded once.
///
///     std::ifstream file("art_daily_small_noise.csv");
///     const Eigen::MatrixXf series = hg::read_csv<float>(file, {.columns = {"value"}}).values;      // 1 × n
///
/// Returns names and values, one column of the matrix per line of the file.
/// Errors name the line and the column, from 1: a field that is not a finite number of `T`, a missing value (unless
/// `CsvOptions::missing` has another use for it), a line of another number of fields than the first, a blank line
/// amidst others, quotes that are not closed, a NUL byte (UTF-16); also a first line of which it cannot be told whether
/// it holds names, a category that is not among those given or not UTF-8, no data at all, unknown columns, impossible
/// options.
template <std::floating_point T = double>
CsvTable<T> read_csv(std::istream& in, const CsvOptions& options = {}) {
    return data::read_csv_table<T>(in, options, "read_csv");
}
/// The same from the file at `path`, which messages name.
template <std::floating_point T = double>
CsvTable<T> read_csv(const std::string& path, const CsvOptions& options = {}) {
    const std::string source = "read_csv: " + path;
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (const int error = errno; !file)
        fail(source, " cannot be opened", error == 0 ? "" : ": ", error == 0 ? "" : std::strerror(error));
    return data::read_csv_table<T>(file, options, source);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
