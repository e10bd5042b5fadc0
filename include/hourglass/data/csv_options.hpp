// How a CSV file is written, and what to read of it.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Whether the first line holds names. Detect: it does if columns are chosen by name or lines are skipped after it, or
/// if all its fields have a letter or are empty, none stands there twice, and one stands above a number or the file
/// ends there. It does not if no field has a letter and one is a number, unless three or more count 0, 1, 2 … or 1, 2,
/// 3 …, or the first is empty where that below is not. What is neither is an error that asks for one of the other two.
enum class CsvHeader { Detect, Present, Absent };

/// What becomes of a missing value, a field that is empty, says NaN or is one of `CsvOptions::missing_values`: an
/// error, NaN, its line is dropped, it becomes `CsvOptions::fill_value`, or the mean of what its column has in this
/// file (another file has other means: for training data).
enum class CsvMissing { Refuse, NaN, Drop, Fill, Mean };

/// A column of a file, by its name or by its position from 0.
struct CsvColumn {
    std::string name;     ///< As the header has it; empty where the position counts.
    Index position = -1;  ///< From 0.

    CsvColumn(const char* by_name) : name(by_name) {}
    CsvColumn(std::string by_name) : name(std::move(by_name)) {}
    template <std::integral I>
    CsvColumn(I by_position) : position(static_cast<Index>(by_position)) {}
};

/// A column of text that is read as categories, one row of 0 and 1 for each of its values, called "column=value".
/// Without values, those of the file are taken, sorted. What was found stands in `CsvTable::categories`, to be given
/// for the next file.
struct CsvCategories {
    CsvColumn column;  ///< Which column of the file.
    /// Its values, in the order of the rows; another one in the file is an error.
    std::vector<std::string> values = {};

    template <std::convertible_to<CsvColumn> Column>
    CsvCategories(Column by) : column(std::move(by)) {}
    CsvCategories(CsvColumn by, std::vector<std::string> its_values)
        : column(std::move(by)), values(std::move(its_values)) {}
};

/// How a file is written and what to read of it.
struct CsvOptions {
    char delimiter = '\0';  ///< Between fields; unless said ',', or ';' beside a decimal comma. ' ': blanks and tabs.
    char decimal = '.';     ///< Before the decimals: '.' or ','.
    std::string thousands = {};               ///< Between groups of three digits: "." or "'" or " "; empty: nothing.
    char comment = '\0';                      ///< Lines that begin with it are left out: '#'.
    Index skip_lines = 0;                     ///< Lines to leave out at the beginning, before any header.
    Index skip_after_header = 0;              ///< Lines to leave out after the header: units, say.
    bool skip_blank_lines = false;            ///< Else a blank line amidst others is an error.
    CsvHeader header = CsvHeader::Detect;     ///< Whether the first line holds names.
    CsvMissing missing = CsvMissing::Refuse;  ///< What becomes of missing values.
    std::vector<std::string> missing_values = {};  ///< Fields that say so: {"NA", "?", "-"}.
    double fill_value = 0;                         ///< What `CsvMissing::Fill` puts in their place.
    std::vector<CsvColumn> columns = {};           ///< The columns to read, in this order; empty: all.
    std::vector<CsvColumn> except = {};            ///< Columns to leave out.
    /// Leave out columns whose first value is text (a number further down is an error then), or that have none.
    bool numeric_only = false;
    std::vector<CsvCategories> categories = {};  ///< Columns of text to read as categories.
};

// What is not for users.
namespace data {

/// What stands between fields, unless the file's first line says `sep=;`.
inline char csv_delimiter(const CsvOptions& options) {
    if (options.delimiter != '\0') return options.delimiter;
    return options.decimal == ',' ? ';' : ',';
}

/// `Error` under the name of `source` for options that contradict each other.
inline void check_csv_options(const CsvOptions& options, std::string_view source) {
    if (options.decimal != '.' && options.decimal != ',')
        fail(source, ": the decimal sign must be . or , and not ", std::string(1, options.decimal));
    if (options.thousands.find_first_of(std::string{"0123456789+-eE"} + options.decimal) != std::string::npos)
        fail(source, ": \"", options.thousands, "\" cannot stand between thousands");
    if (options.comment != '\0' &&
        std::string_view{"\"\r\n0123456789+-.,"}.find(options.comment) != std::string_view::npos)
        fail(source, ": quotes, line breaks and what may begin a number cannot begin a comment");
    if (options.skip_lines < 0 || options.skip_after_header < 0)
        fail(source, ": lines to skip: ", std::min(options.skip_lines, options.skip_after_header));
    if (options.skip_after_header > 0 && options.header == CsvHeader::Absent)
        fail(source, ": skip_after_header, for a file without a header");
    if (options.missing == CsvMissing::Fill && !is_finite(options.fill_value))
        fail(source, ": the value for what is missing must be finite, got ", options.fill_value,
             "; missing = CsvMissing::NaN gives NaN");
    for (const CsvCategories& categories : options.categories) {
        if (std::find(categories.values.begin(), categories.values.end(), std::string{}) != categories.values.end())
            fail(source, ": an empty field is a missing value, and cannot be a category");
        for (auto value = categories.values.begin(); value != categories.values.end(); ++value)
            if (std::find(categories.values.begin(), value, *value) != value)
                fail(source, ": the category \"", *value, "\" is given twice");
    }
}

/// `Error` for a delimiter that the file cannot have.
inline void check_csv_delimiter(char delimiter, const CsvOptions& options, std::string_view source) {
    if (delimiter == options.decimal) fail(source, ": delimiter and decimal sign are both ", std::string(1, delimiter));
    if (std::string_view{"\"\r\n"}.find(delimiter) != std::string_view::npos)
        fail(source, ": quotes and line breaks cannot be the delimiter");
    if (delimiter == ' ' && options.thousands.find(' ') != std::string::npos)
        fail(source, ": blanks stand between fields and between thousands");
    if (delimiter == options.comment)
        fail(source, ": the delimiter ", std::string(1, delimiter), " also begins comments");
}

/// Whether a column is chosen by its name.
inline bool chooses_by_name(const CsvOptions& options) {
    const auto by_name = [](const CsvColumn& column) { return !column.name.empty(); };
    return std::any_of(options.columns.begin(), options.columns.end(), by_name) ||
           std::any_of(options.except.begin(), options.except.end(), by_name) ||
           std::any_of(options.categories.begin(), options.categories.end(),
                       [&](const CsvCategories& each) { return by_name(each.column); });
}

/// Whether text is UTF-8 (RFC 3629): no other bytes, none cut off, and no character in more bytes than it needs.
inline bool is_utf8(std::string_view words) {
    for (std::size_t i = 0; i < words.size();) {
        const auto byte = [&](std::size_t at) {
            return at < words.size() ? static_cast<unsigned char>(words[at]) : 0u;
        };
        const unsigned lead = byte(i++);
        if (lead < 0x80) continue;
        if (lead < 0xC2 || lead > 0xF4) return false;
        const unsigned lowest = lead == 0xE0   ? 0xA0
                                : lead == 0xF0 ? 0x90
                                               : 0x80,
                       highest = lead == 0xED   ? 0x9F
                                 : lead == 0xF4 ? 0x8F
                                                : 0xBF;
        if (byte(i) < lowest || byte(i) > highest) return false;
        for (const std::size_t end = i++ + (lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3); i < end; ++i)
            if ((byte(i) & 0xC0) != 0x80) return false;
    }
    return true;
}
inline constexpr const char* not_utf8 = " is not UTF-8: save the file as UTF-8";

/// The `Error` for a name that is none of those that `owner`, "the file", has.
[[noreturn]] inline void no_such_column(std::string_view source, std::string_view name, const char* owner,
                                        const std::vector<std::string>& names) {
    constexpr std::size_t shown = 20;  // of what may be a million
    std::string known;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!is_utf8(names[i]))
            fail(source, ": there is no column \"", name, "\"; the name of column ", i + 1, not_utf8);
        if (i < shown) (known += i == 0 ? "" : ", ") += names[i];
    }
    if (names.size() > shown) known += ", … (" + std::to_string(names.size()) + " in all)";
    fail(source, ": there is no column \"", name, "\"; ", owner, " has ", names.empty() ? "no names" : known);
}

/// The positions of the columns that the options choose in a file with these names (none: no header) and so many
/// columns. `Error` for names and positions that the file does not have, or has twice.
class CsvChoice {
  public:
    CsvChoice(const CsvOptions& options, const std::vector<std::string>& names, Index columns, std::string_view source)
        : names_(names), columns_(columns), source_(source) {
        const auto take_out = [&](Index column) {
            chosen_.erase(std::remove(chosen_.begin(), chosen_.end(), column), chosen_.end());
        };
        if (options.columns.empty())
            for (Index i = 0; i < columns; ++i) chosen_.push_back(i);
        for (const CsvColumn& column : options.columns) chosen_.push_back(position(column));
        for (const CsvColumn& column : options.except) take_out(position(column));
        std::vector<Index> as_categories;
        for (const CsvCategories& each : options.categories) {
            const Index column = position(each.column);
            for (const CsvColumn& out : options.except)
                if (position(out) == column)
                    fail(source_, ": column ", column, " is both among the categories and in except");
            if (std::find(as_categories.begin(), as_categories.end(), column) != as_categories.end())
                fail(source_, ": column ", column, " is twice among the categories");
            as_categories.push_back(column);
            if (!has(column)) chosen_.push_back(column);
        }
        if (chosen_.empty()) fail(source_, ": no column is left to read");
        if (options.columns.empty() && !names.empty() && has(0) && (names[0].empty() || names[0] == "Unnamed: 0"))
            fail(source_,
                 ": the first column has no name; if it holds row numbers, as pandas and R write them, leave it "
                 "out with except = {0}, else name the columns to read in columns");
    }

    const std::vector<Index>& columns() const { return chosen_; }

    Index position(const CsvColumn& column) const {
        if (column.name.empty()) {
            if (column.position < 0 || column.position >= columns_)
                fail(source_, ": there is no column ", column.position, ": the file has ", columns_,
                     ", counted from 0");
            return column.position;
        }
        const auto found = std::find(names_.begin(), names_.end(), column.name);
        if (found == names_.end()) no_such_column(source_, column.name, "the file", names_);
        if (std::find(found + 1, names_.end(), column.name) != names_.end())
            fail(source_, ": there is more than one column \"", column.name, "\"; choose it by its position");
        return found - names_.begin();
    }

  private:
    bool has(Index column) const { return std::find(chosen_.begin(), chosen_.end(), column) != chosen_.end(); }

    const std::vector<std::string>& names_;
    Index columns_;
    std::string_view source_;
    std::vector<Index> chosen_;
};

}  // namespace data
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
