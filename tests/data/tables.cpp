// Small files as people have them: exports of spreadsheets in three languages, dumps of pandas and R, what loggers and
// databases write. Each is read right with an option or two (one needs three), or refused in a sentence that names the
// option.
#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "hourglass/data/csv.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using Names = std::vector<std::string>;

namespace {

const std::filesystem::path folder = std::filesystem::path(HOURGLASS_TEST_DIR) / "data" / "tables";

const double missing = std::nan("");

// The files that were read: none is to lie there unread.
std::set<std::string>& named() {
    static std::set<std::string> names;
    return names;
}

// The numbers sample by sample, as they stand in the file.
void check(const char* name, const hg::CsvOptions& options, hg::Index features, const std::vector<double>& numbers,
           const Names& header = {}) {
    INFO(name);
    named().insert(name);
    hg::Csv csv;
    REQUIRE_NOTHROW(csv = hg::read_csv(folder / name, options));
    REQUIRE(csv.values.rows() == features);
    REQUIRE(csv.values.size() == static_cast<hg::Index>(numbers.size()));
    for (hg::Index i = 0; i < csv.values.size(); ++i) {
        const double expected = numbers[static_cast<std::size_t>(i)];
        CHECK((csv.values.data()[i] == expected || (std::isnan(expected) && std::isnan(csv.values.data()[i]))));
    }
    if (!header.empty()) CHECK(csv.header == header);
}

void check_refused(const char* name, const hg::CsvOptions& options, const char* sentence, const char* option) {
    INFO(name);
    named().insert(name);
    CHECK_THAT(
        error_of([&] { hg::read_csv(folder / name, options); }),
        ContainsSubstring(std::string("/") + name + ": ") && ContainsSubstring(sentence) && ContainsSubstring(option));
}

void check_spreadsheets() {
    check("excel_german.csv", {.decimal = ','}, 3, {0, -3.5, 41.25, 1, -4.1, 42.5, 2, -4, 43},
          {"Stunde", "Außentemperatur", "Vorlauf"});
    check_refused("excel_german.csv", {}, "one field and holds ';': say delimiter = ';' (and decimal = ','",
                  "delimiter");
    check_refused("excel_german.csv", {.delimiter = ';'}, "\"-3,5\" is not a number", "decimal");
    check("excel_german_latin1.csv", {.decimal = ','}, 2, {0, -3.5, 1, -4.1},
          {"Stunde",
           "Au\xDF"
           "entemperatur"});
    check("excel_german_thousands.csv", {.decimal = ',', .thousands = "."}, 3,
          {1, 12345.6, 1200, 2, 9876.5, 980.25, 3, 1234567.89, -1100});
    check_refused("excel_german_thousands.csv", {.decimal = ','}, "\"12.345,60\" is not a number", "thousands");
    check("excel_french.csv", {.decimal = ',', .thousands = "\u202f"}, 3, {1, 12345.6, 1200, 2, 9876.5, 980.25});
    check_refused("excel_french.csv", {.decimal = ','}, "345,60\" is not a number", "thousands");
    check("excel_swiss.csv", {.delimiter = ';', .thousands = "'"}, 2, {1, 12345.6, 2, 9876.5});
    check("excel_sep_line.csv", {.decimal = ','}, 2, {0, 1.5, 1, 2.5}, {"hour", "level"});
    check_refused("excel_sep_line.csv", {}, "line 3, column 2 (level): \"1,5\" is not a number", "decimal");
    check("excel_sep_tab.csv", {}, 2, {0, 1.5, 1, 2.5}, {"hour", "level"});
    check("excel_english_thousands.csv", {.thousands = ","}, 2, {1, 12345.6, 2, 9876.5, 3, 980});
    check_refused("excel_english_thousands.csv", {}, "\"12,345.60\" is not a number", "thousands");
    check("excel_errors.csv", {.missing = hg::CsvMissing::NaN, .missing_values = {"#DIV/0!", "#N/A"}}, 3,
          {1, 2, 0.5, 1, 0, missing, 3, missing, missing});
    check_refused("excel_errors.csv", {}, "line 3, column 3 (ratio): \"#DIV/0!\" is not a number", "missing_values");
    check("excel_booleans.csv", {}, 2, {1.5, 1, 0.5, 0});
    check_refused("excel_utf16le.csv", {}, "the file is UTF-16", "save it as UTF-8");
    check_refused("excel_utf16be.csv", {}, "the file is UTF-16", "save it as UTF-8");
    check_refused("excel_utf16_unmarked.csv", {}, "is the file UTF-16?", "Save it as UTF-8");
    check("excel_tabs.txt", {.delimiter = '\t'}, 2, {0, 1.5, 1, 2.5});
    check_refused("excel_tabs.txt", {}, "one field and holds '\\t'", "delimiter = '\\t'");
    check("excel_old_mac.csv", {}, 2, {0, 1.5, 1, 2.5}, {"hour", "level"});
    check("excel_empty_columns.csv", {.numeric_only = true}, 2, {1, 2, 3, 4}, {"a", "b"});
    check_refused("excel_empty_columns.csv", {}, "line 2, column 3 (): the field is empty", "numeric_only");
    check("libreoffice_all_quoted.csv", {.numeric_only = true}, 2, {1, 2.5, 2, 3.5}, {"name, unit", "level"});
}

void check_pandas_and_r() {
    check("pandas_index.csv", {.except = {0}}, 2, {1.5, 2, 2.5, 3, 3.5, 4}, {"a", "b"});
    check_refused("pandas_index.csv", {}, "the first column has no name", "except = {0}");
    check("pandas_index_twice.csv", {.except = {0}}, 2, {1.5, 2, 2.5, 3});
    check_refused("pandas_index_twice.csv", {}, "the first column has no name", "except = {0}");
    check("pandas_named_index.csv", {.numeric_only = true}, 2, {1.5, 2, 2.5, 3}, {"level", "flow"});
    check_refused("pandas_named_index.csv", {}, "line 2, column 1 (time): \"2024-01-01 00:00:00\" is not a number",
                  "numeric_only");
    check("pandas_gaps.csv", {.missing = hg::CsvMissing::Mean}, 2, {1, 6, 2, 4, 3, 8});
    check_refused("pandas_gaps.csv", {}, "line 2, column 2 (b): the field is empty", "missing");
    check("pandas_booleans.csv", {}, 2, {1.5, 1, 2.5, 0});
    check("pandas_column_numbers.csv", {.header = hg::CsvHeader::Present}, 3, {0.5, 1.5, 2.5, 3.5, 4.5, 5.5},
          {"0", "1", "2"});
    check_refused("pandas_column_numbers.csv", {}, "it may number the columns", "CsvHeader::Present");
    check("pandas_categories.csv", {.categories = {"species"}}, 5,
          {5.1, 3.5, 1, 0, 0, 7, 3.2, 0, 1, 0, 6.3, 3.3, 0, 0, 1, 4.9, 3, 1, 0, 0},
          {"length", "width", "species=setosa", "species=versicolor", "species=virginica"});
    check_refused("pandas_categories.csv", {}, "line 2, column 3 (species): \"setosa\" is not a number", "categories");
    check("pandas_no_header_dates.csv", {.except = {0}}, 1, {1.5, 2.5});
    check_refused("pandas_no_header_dates.csv", {}, "line 1, column 1: \"2024-01-01\" is not a number", "except");
    check("r_write_csv.csv", {.except = {0}, .categories = {"species"}}, 3, {5.1, 1, 0, 7, 0, 1});
    check_refused("r_write_csv.csv", {}, "the first column has no name", "except = {0}");
    check("r_write_csv2.csv", {.decimal = ',', .except = {0}}, 2, {5.1, 3.5, 7, 3.2});
    check_refused("r_write_table.txt", {.delimiter = ' '}, "line 2 has 3 fields, the first line has 2",
                  "skip_lines = 1");
    check("r_write_table.txt", {.delimiter = ' ', .skip_lines = 1}, 3, {1, 5.1, 3.5, 2, 7, 3.2});
    check("r_missing.csv", {.missing = hg::CsvMissing::Drop, .missing_values = {"NA"}}, 2, {2, 3, 5, 6});
    check_refused("r_missing.csv", {}, "line 2, column 2 (b): \"NA\" is not a number", "missing_values");
}

void check_loggers() {
    check("logger_units.csv", {.skip_after_header = 1}, 3, {0, 20.5, 101.3, 1, 20.6, 101.2},
          {"time", "temperature", "pressure"});
    check_refused("logger_units.csv", {}, "the second holds no number either", "skip_after_header");
    check("logger_comments.csv", {.comment = '#'}, 2, {0, 20.5, 1, 20.6}, {"time", "temperature"});
    check_refused("logger_comments.csv", {}, "line 2 has 1 fields, the first line has 2", "comment");
    check("logger_preamble.csv", {.skip_lines = 3}, 2, {0, 20.5, 1, 20.6}, {"time", "temperature"});
    check_refused("logger_preamble.csv", {}, "cannot be told", "skip_lines");
    check("logger_gaps.csv", {.skip_blank_lines = true}, 2, {0, 20.5, 1, 20.6, 5, 20.9});
    check_refused("logger_gaps.csv", {}, "line 3 is blank", "skip_blank_lines");
    check("logger_marks.csv", {.missing = hg::CsvMissing::NaN, .missing_values = {"-", "---"}}, 3,
          {0, 20.5, missing, 1, missing, 3.5, 2, 20.7, 3.6});
    check_refused("logger_marks.csv", {}, "line 2, column 3 (flow): \"-\" is not a number", "missing_values");
    check("logger_ids.csv", {.header = hg::CsvHeader::Present, .except = {0}}, 2, {67, 61, 65, 60},
          {"773869", "767541"});
    check("logger_ids.csv", {.columns = {"773869"}}, 1, {67, 65});
    check_refused("logger_ids.csv", {.columns = {1}}, "\"timestamp\" may be a name and \"767541\" is none",
                  "CsvHeader::Present");
    check("logger_late_sensor.csv", {.header = hg::CsvHeader::Absent, .missing = hg::CsvMissing::Drop}, 3,
          {1, 2, 3, 4, 5, 6});
    check_refused("logger_late_sensor.csv", {}, "none of its fields is a name or a number", "CsvHeader::Absent");
    check("logger_trailing_delimiter.csv", {.numeric_only = true}, 2, {0, 1.5, 1, 2.5});
    check_refused("logger_trailing_delimiter.csv", {}, "line 2, column 3 (): the field is empty", "numeric_only");
    check("logger_iso_semicolon.csv", {.delimiter = ';', .columns = {"wert"}}, 1, {1.5, 2.5});
    check("matlab_ascii.txt", {.delimiter = ' '}, 2, {1, 2.5, 3, -0.45});
    check_refused("matlab_ascii.txt", {}, "cannot be told", "delimiter");
    check("gnuplot.dat", {.delimiter = ' ', .comment = '#'}, 2, {0, 1, 0.5, 0.877});
}

void check_databases_and_surveys() {
    check("database_nulls.csv", {.missing = hg::CsvMissing::Fill, .missing_values = {"null", "N/A"}}, 3,
          {1, 9.5, 0, 2, 0, 3, 3, 8.5, 4});
    check_refused("database_nulls.csv", {}, "\"null\" is not a number", "missing_values");
    check("database_pipe.csv", {.delimiter = '|'}, 2, {1, 9.5, 2, 8.5});
    check_refused("database_pipe.csv", {}, "one field and holds '|'", "delimiter = '|'");
    check("survey_text.csv", {.missing = hg::CsvMissing::Mean, .missing_values = {"n/a"}, .numeric_only = true}, 2,
          {34, 52000, 29, 52000});
}

}  // namespace

TEST_CASE("tables as people have them are read right, or refused with the option to set") {
    check_spreadsheets();
    check_pandas_and_r();
    check_loggers();
    check_databases_and_surveys();
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        INFO(file.path() << " is no test's");
        CHECK(named().count(file.path().filename().string()) == 1);
    }
    CHECK(named().size() >= 40);
}
