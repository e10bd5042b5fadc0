#include "hourglass/data/csv.hpp"

#include <clocale>
#include <cmath>
#include <fstream>
#include <locale>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/files.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

using Names = std::vector<std::string>;

hg::Csv read(const std::string& text, const hg::CsvOptions& options = {}) {
    std::istringstream in(text);
    return hg::read_csv(in, options);
}

Eigen::MatrixXd matrix(Eigen::Index rows, std::initializer_list<double> by_sample) {
    return Eigen::Map<const Eigen::MatrixXd>(by_sample.begin(), rows,
                                             static_cast<Eigen::Index>(by_sample.size()) / rows);
}

std::string error_in(const std::string& text, const hg::CsvOptions& options = {}) {
    return error_of([&] { read(text, options); });
}

// Germany's way of writing numbers, whether or not the machine knows the country.
struct CommaDecimals : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
};

}  // namespace

TEST_CASE("one line of the file is one column of the matrix") {
    const hg::Csv csv = read("a,b,c\n1,2.5,-3\n4e2,.5,6.\n+7,0,1E-3\n");
    CHECK(csv.header == Names{"a", "b", "c"});
    CHECK(csv.values == matrix(3, {1, 2.5, -3, 400, 0.5, 6, 7, 0, 0.001}));
    CHECK(csv.row("c") == 2);
    CHECK_THAT(error_of([&] { csv.row("d"); }),
               ContainsSubstring("Csv: there is no column \"d\"; the table has a, b, c"));
    CHECK_THAT(error_of([] { read("1,2\n").row("d"); }), ContainsSubstring("no column \"d\"; the table has no names"));
    std::string wide = "n0", numbers = "0";
    for (int i = 1; i < 30'000; ++i) wide += ",n" + std::to_string(i), numbers += ",1";
    const std::string message = error_of([&] { read(wide + "\n" + numbers + "\n").row("d"); });
    CHECK_THAT(message, ContainsSubstring("the table has n0, n1, ") && ContainsSubstring("n19, … (30000 in all)"));
    CHECK_THAT(error_of([] { read("a,\xE4\n1,2\n").row("d"); }),
               ContainsSubstring("no column \"d\"; the name of column 2 is not UTF-8"));
}

TEST_CASE("a header is found, or stated") {
    CHECK(read("1,2\n3,4\n").values == matrix(2, {1, 2, 3, 4}));
    CHECK(read("1,2\n3,4\n").header.empty());
    CHECK(read("1,2\n3,4\n", {.header = hg::CsvHeader::Present}).values == matrix(2, {3, 4}));
    CHECK(read("1,2\n3,4\n", {.header = hg::CsvHeader::Present}).header == Names{"1", "2"});
    CHECK_THAT(error_in("a,b\n2,3\n", {.header = hg::CsvHeader::Absent}), ContainsSubstring("line 1, column 1"));
    CHECK_THAT(error_in("2014-04-01,\n2014-04-02,8\n", {.header = hg::CsvHeader::Absent, .columns = {1}}),
               ContainsSubstring("line 1, column 2: the field is empty"));
    CHECK(read("2014-04-01,7\n2014-04-02,8\n", {.header = hg::CsvHeader::Absent, .columns = {1}}).values ==
          matrix(1, {7, 8}));
}

TEST_CASE("a header is never guessed in silence") {
    // Text above a number is a name, a date is none.
    CHECK(read("a,,c\n1,2,3\n").header == Names{"a", "", "c"});
    CHECK(read("2014-04-01,7\n2014-04-02,8\n", {.columns = {1}}).values == matrix(1, {7, 8}));
    CHECK(read("time,773869\nx,1\n", {.columns = {"773869"}}).values == matrix(1, {1}));
    CHECK(read("time,773869\nm,s\n3,1\n", {.skip_after_header = 1}).header == Names{"time", "773869"});
    const auto asks = [](const std::string& text, const char* why, const hg::CsvOptions& options = {}) {
        INFO(text);
        CHECK_THAT(error_in(text, options),
                   ContainsSubstring("whether the first line holds names cannot be told, as ") &&
                       ContainsSubstring(why) &&
                       ContainsSubstring("say header = CsvHeader::Present or CsvHeader::Absent"));
    };
    // What is missing, too, may be text above a number, and a file of categories is text altogether.
    for (const std::string text : {"time,773869\n2014-04-01,5\n", "a,1\n2,3\n", "who,7\n12,8\n", "a,2014-04-01\n3,5\n"})
        asks(text, "may be a name and", {.columns = {1}});
    asks("err2,err2\n1,2\n", "a name stands there twice");
    asks("2014-04-01,NA\n2014-04-02,5\n", "none of its fields is a name or a number", {.numeric_only = true});
    CHECK_THAT(error_in("n/a,7\n12,8\n"), ContainsSubstring("line 1, column 1: \"n/a\" is not a number"));
    CHECK_THAT(error_in("\u22123,5;4\n980,10;3,5\n", {.decimal = ','}), ContainsSubstring("line 1, column 1"));
    CHECK(read("Größe,長さ\n1,2\n").header == Names{"Größe", "長さ"});
    asks("p,x\ne,s\n", "the second holds no number either", {.categories = {0, 1}});
    asks("2014-04-01,\n2014-04-02,8\n", "none of its fields is a name or a number", {.columns = {1}});
    asks(",\n1,2\n", "none of its fields is a name or a number", {.missing = hg::CsvMissing::NaN});
    for (const std::string text : {"0,1,2\n0.5,1.5,2.5\n", "1,2,3\n7,8,9\n", ",0,1\n0,0.5,1.5\n1,2.5,3.5\n"})
        asks(text, "it may number the columns", {.except = {0}});
    CHECK(read(",2,5\n,4,5\n", {.missing = hg::CsvMissing::Fill}).values == matrix(3, {0, 2, 5, 0, 4, 5}));
    // Row numbers of pandas and R are no feature.
    for (const std::string text :
         {",a,b\n0,1,2\n1,3,4\n", "\"\",\"a\",\"b\"\n\"1\",1,2\n\"2\",3,4\n", "Unnamed: 0,a,b\n0,1,2\n1,3,4\n"}) {
        CHECK_THAT(error_in(text),
                   ContainsSubstring("the first column has no name") && ContainsSubstring("except = {0}"));
        CHECK(read(text, {.except = {0}}).values == matrix(2, {1, 2, 3, 4}));
        CHECK(read(text, {.columns = {0, 1}}).values.rows() == 2);
    }
}

TEST_CASE("columns are chosen by name or position, or left out") {
    const std::string text = "timestamp,value,label,note\n2014-04-01 00:00:00,1.5,0,x\n2014-04-01 00:05:00,2.5,1,y\n";
    const hg::Csv value = read(text, {.columns = {"value"}});
    CHECK(value.values == matrix(1, {1.5, 2.5}));
    CHECK(value.header == Names{"value"});
    CHECK(read(text, {.columns = {"label", "value"}}).values == matrix(2, {0, 1.5, 1, 2.5}));
    CHECK(read(text, {.columns = {2, 1}}).values == matrix(2, {0, 1.5, 1, 2.5}));
    CHECK(read(text, {.columns = {2, "value"}}).header == Names{"label", "value"});
    const std::string by_name = "label";
    CHECK(read(text, {.columns = {by_name}}).values == matrix(1, {0, 1}));
    CHECK(read("5,6\n7,8\n", {.columns = {0}}).values == matrix(1, {5, 7}));
    const hg::Csv rest = read(text, {.except = {"timestamp", 3}});
    CHECK(rest.header == Names{"value", "label"});
    CHECK(rest.values == matrix(2, {1.5, 0, 2.5, 1}));
    CHECK(read(text, {.columns = {"value", "label"}, .except = {"label"}}).values == matrix(1, {1.5, 2.5}));

    CHECK_THAT(error_in(text, {.columns = {"values"}}),
               ContainsSubstring("no column \"values\"; the file has timestamp, value, label, note"));
    CHECK_THAT(error_in(text, {.except = {"values"}}), ContainsSubstring("no column \"values\""));
    CHECK_THAT(error_in(text, {.columns = {4}}), ContainsSubstring("no column 4: the file has 4, counted from 0"));
    CHECK_THAT(error_in(text, {.columns = {-1}}), ContainsSubstring("no column -1"));
    CHECK_THAT(error_in("a,a\n1,2\n", {.columns = {"a"}}), ContainsSubstring("more than one column \"a\""));
    CHECK_THAT(error_in("1,2\n", {.header = hg::CsvHeader::Absent, .columns = {"a"}}),
               ContainsSubstring("without a header can only be chosen by position"));
    CHECK_THAT(error_in("a,b\n1,2\n", {.except = {0, 1}}), ContainsSubstring("no column is left"));
    CHECK_THAT(error_in(text),
               ContainsSubstring("line 2, column 1 (timestamp): \"2014-04-01 00:00:00\" is not a number"));
}

TEST_CASE("line ends, marks and blanks of every provenance") {
    const Eigen::MatrixXd expected = matrix(2, {1, 2, 3, 4});
    const Names names{"a", "b"};
    for (const std::string text : {"a,b\n1,2\n3,4\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r\n1,2\r\n3,4",
                                   "\xEF\xBB\xBF"
                                   "a,b\n1,2\n3,4\n",
                                   "a,b\n1,2\n3,4\n\n", "a,b\r\n1,2\r\n3,4\r\n\r\n \r\n", " a , b\n 1,2 \n\t3 , 4\t\n",
                                   "\"a\",\"b\"\n\"1\",\"2\"\n3,\"4\"\n", "a, \"b\" \n1,2\n3,4\n", "a,b\r1,2\r3,4\r"}) {
        INFO(text);
        const hg::Csv csv = read(text);
        CHECK(csv.header == names);
        CHECK(csv.values == expected);
    }
    CHECK(read("\xEF\xBB\xBF"
               "1,2\n3,4\n")
              .values == expected);
    CHECK_THAT(error_in("\xEF\xBB"
                        "1,2\n"),
               ContainsSubstring("broken UTF-8 byte order mark"));
}

TEST_CASE("quoted fields hold delimiters, quotes and line breaks") {
    const hg::Csv csv = read("\"a,b\",\"say \"\"c\"\"\",\"two\nlines\"\n1,2,3\n");
    CHECK(csv.header == Names{"a,b", "say \"c\"", "two\nlines"});
    CHECK(csv.values == matrix(3, {1, 2, 3}));
    CHECK(read("note,x\n5\" pipe,1\n,2\n", {.columns = {"x"}}).values == matrix(1, {1, 2}));
    // The line named is the file's, not the record's.
    CHECK_THAT(error_in("a,b\n\"1\n\",2\n3,x\n", {.columns = {"b"}}), ContainsSubstring("line 4, column 2 (b): \"x\""));
    CHECK_THAT(error_in("a,b\n1,\"2\n3,4\n"), ContainsSubstring("line 2, column 2: the quotes are never closed"));
    CHECK_THAT(error_in("a,b\n\"1\"2,3\n"), ContainsSubstring("line 2, column 1: text after the closing quotes"));
}

TEST_CASE("other delimiters and the decimal comma") {
    CHECK(read("a;b\n1,5;-2\n3;4,25e1\n", {.delimiter = ';', .decimal = ','}).values == matrix(2, {1.5, -2, 3, 42.5}));
    CHECK(read("a\tb\n1\t2\n", {.delimiter = '\t'}).values == matrix(2, {1, 2}));
    CHECK(read("\"1,5\"\n", {.delimiter = ';', .decimal = ','}).values == matrix(1, {1.5}));
    CHECK_THAT(error_in("a;b\n1.234,5;2\n3;4\n", {.delimiter = ';', .decimal = ','}),
               ContainsSubstring("\"1.234,5\" is not a number (thousands says"));
    CHECK_THAT(error_in("a;b\n1,5;2\n", {.delimiter = ';'}),
               ContainsSubstring("\"1,5\" is not a number (decimal says"));
    CHECK_THAT(error_in("1,5;2\n", {.delimiter = ';'}),
               ContainsSubstring("line 1, column 1: \"1,5\" is not a number (decimal says"));
    // What leads away from the delimiter or the decimal sign costs two more tries.
    CHECK_THAT(error_in("a,b\n1,2\n", {.delimiter = ';'}),
               ContainsSubstring("delimiter says what stands between fields"));
    CHECK_THAT(error_in("a;b\n1,5;2,5\n", {.delimiter = ';'}), ContainsSubstring("decimal says whether the comma"));
    CHECK_THAT(error_in("a\n1,5\n"), ContainsSubstring("line 2 has 2 fields") && ContainsSubstring("decimal says"));
    CHECK_THAT(error_in("a,b\n1,2\n", {.decimal = ','}), ContainsSubstring("the first line has no ; but a comma"));
    CHECK(read("Druck, bar\n1,5\n", {.delimiter = ';', .decimal = ','}).values == matrix(1, {1.5}));
    // What a spreadsheet writes first says the delimiter.
    for (const char delimiter : {',', ';', '\t'})
        for (const std::string text : {"sep=;\na;b\n1;2\n", "sep=\t\na\tb\n1\t2\n", "\xEF\xBB\xBFsep=;\r\n1;2\r\n"}) {
            INFO(text << " by " << int{delimiter});
            CHECK(read(text, {.delimiter = delimiter}).values == matrix(2, {1, 2}));
        }
    CHECK_THAT(error_in("sep=,\n1,5\n", {.delimiter = ';', .decimal = ','}),
               ContainsSubstring("delimiter and decimal sign are both ,"));
    CHECK(read("1,5;2\n", {.decimal = ','}).values == matrix(2, {1.5, 2}));
    CHECK(read("  1 \t 2.5 \n\t3\t4\t\n", {.delimiter = ' '}).values == matrix(2, {1, 2.5, 3, 4}));
    CHECK_THAT(error_in("1\n", {.delimiter = ',', .decimal = ','}),
               ContainsSubstring("delimiter and decimal sign are both ,"));
    CHECK_THAT(error_in("1\n", {.decimal = 'x'}), ContainsSubstring("must be . or , and not x"));
    CHECK_THAT(error_in("1\n", {.delimiter = '"'}), ContainsSubstring("cannot be the delimiter"));
}

TEST_CASE("a first line that was not divided is named before anything else") {
    for (const std::string sign : {";", "|", "\t"}) {
        const std::string shown = sign == "\t" ? "\\t" : sign,
                          undivided = "the first line is one field and holds '" + shown + "': say delimiter = '" +
                                      shown + "' (and decimal = ',' where numbers are written 1,5); ";
        const auto begins = [&](const std::string& text, const std::string& rest) {
            const std::string message = error_in(text);
            INFO(message);
            CHECK(message.find(": " + undivided + rest) == message.find(": "));
        };
        const std::string names = "a" + sign + "b\n",
                          choice =
                              "if it is one, whether it is a name cannot be told: say header = CsvHeader::Present or "
                              "CsvHeader::Absent, or leave it out with skip_lines = 1";
        begins(names + "1" + sign + "2\n", choice);
        begins(names + "x" + sign + "y\n", choice);
        begins("1" + sign + "2\n3" + sign + "4\n", choice);
        begins(names + "1,5" + sign + "2,5\n", "line 2 has 3 fields (skip_lines leaves out");
        begins(names + "1" + sign + "2,5\n", "line 2 has 2 fields");
    }
    // A sign that is none, and the sign that divides the lines already.
    CHECK(read("Druck; bar\n1.5\n").values == matrix(1, {1.5}));
    CHECK_THAT(error_in("\"a;b\"\nx\n", {.delimiter = ';'}), !ContainsSubstring("is one field and holds"));
    CHECK_THAT(error_in("a b\n1 2\n"), ContainsSubstring("delimiter says what stands between fields"));
}

TEST_CASE("what stands between thousands") {
    const hg::CsvOptions german{.delimiter = ';', .decimal = ',', .thousands = "."}, american{.thousands = ","},
        french{.delimiter = ';', .decimal = ',', .thousands = "\xE2\x80\xAF"};
    CHECK(read("a;b\n1.234,5;-1.234.567\n12;1234,25\n", german).values == matrix(2, {1234.5, -1234567, 12, 1234.25}));
    CHECK(read("\"1,234.5\",\"12,000\"\n", american).values == matrix(2, {1234.5, 12000}));
    CHECK(read("1\xE2\x80\xAF"
               "234,5\n",
               french)
              .values == matrix(1, {1234.5}));
    for (const std::string text : {"1.23", "1.2345", "1.234.5", "1234.567", ".123", "1..234", "1.234.", "1.234x",
                                   "-.123", "0.125", "-0.125", "2e.005", "--1.234"})
        CHECK_THAT(error_in("a;b\n1;" + text + "\n", german), ContainsSubstring("\"" + text + "\" is not a number"));
    CHECK_THAT(error_in("1\n", {.thousands = "."}), ContainsSubstring("\".\" cannot stand between thousands"));
}

TEST_CASE("lines that are no data are left out by choice") {
    const hg::CsvOptions logger{.comment = '#', .skip_lines = 2, .skip_after_header = 1, .skip_blank_lines = true};
    const hg::Csv csv = read(
        "Logger 7, \"unclosed\nstarted; 2014\n# a comment\ntime,t\ns,degC\n1,20\n\n# gap, here\n3,22\n#\n", logger);
    CHECK(csv.header == Names{"time", "t"});
    CHECK(csv.values == matrix(2, {1, 20, 3, 22}));
    CHECK(csv.lines == std::vector<hg::Index>{6, 9});
    CHECK_THAT(error_in("x\n", {.skip_lines = 2}), ContainsSubstring("holds no data"));
    CHECK_THAT(error_in("x\n", {.skip_lines = -1}), ContainsSubstring("lines to skip: -1"));
    CHECK_THAT(error_in("1\n", {.skip_after_header = 1, .header = hg::CsvHeader::Absent}),
               ContainsSubstring("skip_after_header, for a file without a header"));
    CHECK_THAT(error_in("1\n", {.comment = '"'}), ContainsSubstring("cannot begin a comment"));
    for (const char comment : {'-', '7', '.', ','})
        CHECK_THAT(error_in("1\n", {.comment = comment}), ContainsSubstring("cannot begin a comment"));
    CHECK_THAT(error_in("1\n", {.delimiter = '#', .comment = '#'}), ContainsSubstring("also begins comments"));
    CHECK_THAT(error_in("1\n", {.delimiter = ' ', .thousands = " "}), ContainsSubstring("blanks stand between fields"));
}

TEST_CASE("columns of text are left out, or read as categories") {
    const std::string text =
        "date,colour,x,flag,empty\n2014-04-01,red,,True,\n2014-04-02,blue,2,false,\n,red,3,TRUE,\n";
    const hg::Csv numbers = read(text, {.missing = hg::CsvMissing::NaN, .numeric_only = true});
    CHECK(numbers.header == Names{"x", "flag"});
    CHECK(numbers.dropped == Names{"date", "colour", "empty"});
    CHECK(numbers.values.row(1) == matrix(3, {1, 0, 1}).transpose());
    // A column of numbers is not dropped for a mark that was not named.
    CHECK_THAT(error_in("a,b\n1,NA\n2,3\n", {.numeric_only = true}),
               ContainsSubstring("line 3, column 2 (b): \"3\" is a number in a column that begins with text"));
    CHECK_THAT(error_in("a,b\nNaN,2\n1,3\n", {.numeric_only = true}),
               ContainsSubstring("line 2, column 1 (a): \"NaN\" is a missing value"));
    // What is text later on is no column of text, and what is missing before the first number still is.
    CHECK_THAT(error_in("a,b\n1,2\n3,x\n", {.numeric_only = true}), ContainsSubstring("line 3, column 2 (b): \"x\""));
    CHECK_THAT(error_in("a,b\n,2\n1,3\n", {.numeric_only = true}),
               ContainsSubstring("line 2, column 1 (a): the field is empty"));
    CHECK_THAT(error_in("a,b\nx,y\n", {.header = hg::CsvHeader::Present, .numeric_only = true}),
               ContainsSubstring("no column holds numbers"));

    const hg::Csv colours =
        read(text, {.missing = hg::CsvMissing::Fill, .columns = {"colour", "x"}, .categories = {"colour"}});
    CHECK(colours.header == Names{"colour=blue", "colour=red", "x"});
    CHECK(colours.values == matrix(3, {0, 1, 0, 1, 0, 2, 0, 1, 3}));
    REQUIRE(colours.categories.size() == 1);
    CHECK(colours.categories[0].values == Names{"blue", "red"});
    // The next file has fewer of them, and the same rows.
    const hg::CsvOptions again{.columns = {"x"}, .categories = colours.categories};
    CHECK(read("x,colour\n5,red\n", again).values == matrix(3, {5, 0, 1}));
    CHECK_THAT(error_in("x,colour\n5,green\n", again),
               ContainsSubstring("line 2, column 2 (colour): \"green\" is none of the 2 categories given (blue, red); "
                                 ".missing_values = {\"green\"} with .missing = CsvMissing::NaN takes it for missing"));
    hg::CsvOptions lenient{.missing = hg::CsvMissing::NaN, .columns = {"x"}, .categories = colours.categories};
    CHECK_THAT(error_in("x,colour\n5,green\n", lenient),
               EndsWith("(blue, red); .missing_values = {\"green\"} takes it for missing"));
    lenient.missing_values = {"green"};  // as it says
    const Eigen::MatrixXd gap = read("x,colour\n5,green\n", lenient).values;
    CHECK((gap(0, 0) == 5 && std::isnan(gap(1, 0)) && std::isnan(gap(2, 0))));
    CHECK_THAT(error_in("c\nz\n", {.categories = {{"c", {"0", "1", "2", "3", "4", "5", "6", "7", "8"}}}}),
               ContainsSubstring("of the 9 categories given (0, 1, 2, 3, 4, 5, 6, 7, …);"));
    CHECK_THAT(error_in("x,shade\n5,red\n", again), ContainsSubstring("no column \"colour\""));
    CHECK(read("x,c\n1,S\n2,L\n", {.categories = {{"c", {"S", "M", "L"}}}}).values ==
          matrix(4, {1, 1, 0, 0, 2, 0, 0, 1}));
    CHECK_THAT(error_in("c\nS\n", {.categories = {{"c", {"", "S"}}}}),
               ContainsSubstring("an empty field is a missing value"));
    CHECK_THAT(error_in("c\nS\n", {.categories = {{"c", {"S", "M", "S"}}}}),
               ContainsSubstring("the category \"S\" is given twice"));
    // Without names, positions.
    const hg::Csv unnamed = read("5,b\n6,a\n", {.header = hg::CsvHeader::Absent, .categories = {1}});
    CHECK(unnamed.header == Names{"0", "1=a", "1=b"});
    CHECK(read("7,a\n", {.header = hg::CsvHeader::Absent, .categories = unnamed.categories}).values ==
          matrix(3, {7, 1, 0}));
    CHECK_THAT(error_in("c,x\n,1\n", {.categories = {"c"}}),
               ContainsSubstring("line 2, column 1 (c): the field is empty"));
    CHECK_THAT(error_in("c,x\nNaN,1\nb,2\n", {.categories = {"c"}}), ContainsSubstring("\"NaN\" is a missing value"));
    CHECK(read("c\nNaN\n", {.categories = {{"c", {"NaN"}}}}).values == matrix(1, {1}));
    // A name that two columns have does not choose one, here or in the next file.
    const hg::CsvHeader present = hg::CsvHeader::Present;
    const hg::Csv twins = read("c,c,x\na,b,1\n", {.header = present, .categories = {0, 1}});
    CHECK(read("c,c,x\na,b,1\n", {.header = present, .categories = twins.categories}).values == twins.values);
    CHECK_THAT(error_in("c,x\na,1\n", {.except = {"c"}, .categories = {"c"}}),
               ContainsSubstring("column 0 is both among the categories and in except"));
    CHECK_THAT(error_in("c,x\na,1\n", {.categories = {"c", {"c", {"a"}}}}),
               ContainsSubstring("column 0 is twice among the categories"));
    CHECK_THAT(error_in("c,x\n,1\n", {.missing = hg::CsvMissing::NaN, .categories = {"c"}}),
               ContainsSubstring("column c holds no category"));
}

TEST_CASE("the scalar type is the caller's choice") {
    std::istringstream in("a,b\n0.1,1e38\n"), large("a,b\n0.1,1e39\n"), gap("a,b\n1,\n");
    CHECK_THAT(error_of([&] { hg::read_csv<float>(gap, {.missing = hg::CsvMissing::Fill, .fill_value = 1e39}); }),
               ContainsSubstring("fill_value is 1e+39, beyond the numbers of the type asked for"));
    const hg::CsvTable<float> table = hg::read_csv<float>(in);
    CHECK(table.values(0, 0) == 0.1f);
    CHECK(table.values(1, 0) == 1e38f);
    CHECK_THAT(error_of([&] { hg::read_csv<float>(large); }),
               ContainsSubstring("line 2, column 2 (b): \"1e39\" is not a finite number of the type asked for"));
}

TEST_CASE("a path is named by what is wrong with its file") {
    const Folder folder("csv");
    const std::string path = folder / "pump.csv";
    std::ofstream(path) << "a,b\n1,2\n3,x\n";
    CHECK(hg::read_csv(path, {.except = {"b"}}).values == matrix(1, {1, 3}));
    CHECK(hg::read_csv(folder.path / "pump.csv", {.except = {"b"}}).values == matrix(1, {1, 3}));
    CHECK_THAT(error_of([&] { hg::read_csv(path); }),
               ContainsSubstring("read_csv: " + path + ": line 3, column 2 (b)"));
    CHECK_THAT(error_of([&] { hg::read_csv("/there/is/no/such/file"); }),
               ContainsSubstring("/there/is/no/such/file cannot be opened: No such file or directory"));
    CHECK_THAT(error_of([&] { hg::read_csv(folder.path.string()); }),
               ContainsSubstring("read_csv: " + folder.path.string()));
}

TEST_CASE("categories that are not UTF-8 are refused, and no message shows such a name") {
    // A spreadsheet's CP1252: ä is E4, ß is DF, ° is B0.
    const std::string text = "Zeit,L\xE4nge,Zustand\n# gem\xE4\xDFigt\n1,2,zu\n2,x,hei\xDF\n";
    const std::string advice = "is not UTF-8: save the file as UTF-8";
    const auto refused = [&](const hg::CsvOptions& options) { return error_in(text, options); };
    const std::string category = "read_csv: line 4, column 3 (Zustand): the category " + advice;
    CHECK(refused({.comment = '#', .columns = {0}, .categories = {"Zustand"}}) == category);
    CHECK(refused({.comment = '#', .columns = {0}, .categories = {{"Zustand", {"zu"}}}}) == category);
    CHECK(refused({.comment = '#', .columns = {"L\u00E4nge"}}) ==
          "read_csv: there is no column \"L\u00E4nge\"; the name of column 2 " + advice);
    CHECK_THAT(refused({.comment = '#', .header = hg::CsvHeader::Present, .columns = {1}}),
               StartsWith("read_csv: line 4, column 2 (its name " + advice + "): \"x\" is not a number"));
    CHECK(error_in("L\xE4nge,x\n,1\n", {.missing = hg::CsvMissing::Mean}) ==
          "read_csv: column 0, whose name " + advice + ", has no value to take the mean of, all is missing");
    CHECK_THAT(error_in("L\xE4nge,2\n1,2\n"), EndsWith("it " + advice));
    // Comments, units, columns that are left out and names that nobody asks for may hold anything; so may what was
    // given.
    CHECK(read(text, {.comment = '#', .columns = {"Zeit"}}).values == matrix(1, {1, 2}));
    CHECK(read("Temp \xB0,Art\n\xB0"
               "C,-\n1,hei\xDF\n",
               {.skip_after_header = 1, .numeric_only = true})
              .values == matrix(1, {1}));
    CHECK(read("c\nhei\xDF\n", {.categories = {{"c", {"hei\xDF"}}}}).values == matrix(1, {1}));
    // What is UTF-8, of one byte to four, and what nearly is.
    for (const std::string word : {"a", "\u00E4", "\u20AC", "\uFFFD", "\U0001F600", "\U0010FFFF"})
        CHECK(read("x,c\n1," + word + "\n", {.categories = {"c"}}).header[1] == "c=" + word);
    for (const std::string word : {"a\x80", "\xC0\xAF", "\xC3", "\xE2\x82", "\xE0\x9F\xBF", "\xED\xA0\x80",
                                   "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE4nge"})
        CHECK_THAT(error_in("x,c\n1," + word + "\n", {.categories = {"c"}}), EndsWith(advice));
}

TEST_CASE("UTF-16 is named") {
    CHECK_THAT(error_in(std::string("\xFF\xFE"
                                    "a\0,\0",
                                    6)),
               ContainsSubstring("the file is UTF-16"));
    CHECK_THAT(error_in(std::string("\xFE\xFF"
                                    "\0a\0,",
                                    6)),
               ContainsSubstring("the file is UTF-16"));
    CHECK_THAT(error_in("\xFEyngd,x\n1,2\n"), ContainsSubstring("the file is not UTF-8, by its first byte"));
    const std::string nul = error_in(std::string("a\0,\0b\0\n\0", 8));
    CHECK_THAT(nul, ContainsSubstring("line 1, column 1: a NUL byte; is the file UTF-16?"));
    CHECK(nul.find('\0') == std::string::npos);
}

TEST_CASE("the locale changes nothing") {
    const std::locale before = std::locale::global(std::locale(std::locale::classic(), new CommaDecimals));
    const std::string c_before = std::setlocale(LC_ALL, nullptr);
    std::setlocale(LC_ALL, "de_DE.UTF-8");  // where it is installed
    std::istringstream in("a,b\n1234.5,2.25\n-0.5,1e3\n");
    REQUIRE(std::use_facet<std::numpunct<char>>(in.getloc()).decimal_point() == ',');
    const hg::Csv csv = hg::read_csv(in);
    const std::string message = error_in("a,b\n1,2\n3,\n");
    std::setlocale(LC_ALL, c_before.c_str());
    std::locale::global(before);
    CHECK(csv.values == matrix(2, {1234.5, 2.25, -0.5, 1000}));
    CHECK_THAT(message, ContainsSubstring("line 3, column 2 (b)"));
}

TEST_CASE("missing values are an error, or NaN by choice") {
    CHECK_THAT(error_in("a,b\n1,2\n3,\n"), ContainsSubstring("line 3, column 2 (b): the field is empty"));
    CHECK_THAT(error_in("a,b\n1,2\n,3\n"), ContainsSubstring("line 3, column 1 (a): the field is empty"));
    CHECK_THAT(error_in("a,b\n1,NaN\n"), ContainsSubstring("line 2, column 2 (b): \"NaN\" is a missing value"));
    const Eigen::MatrixXd values = read("a,b\n1,\n nan ,\"\"\n", {.missing = hg::CsvMissing::NaN}).values;
    CHECK(values(0, 0) == 1);
    CHECK((std::isnan(values(1, 0)) && std::isnan(values(0, 1)) && std::isnan(values(1, 1))));
    CHECK_THAT(error_in("a,b\n1,x\n", {.missing = hg::CsvMissing::NaN}), ContainsSubstring("\"x\" is not a number"));

    const std::string gaps = "a,b\n1,?\nNA,4\n5,8\n";
    const Names names{"?", "NA"};
    CHECK_THAT(error_in(gaps), ContainsSubstring("\"?\" is not a number (missing_values names"));
    CHECK_THAT(error_in(gaps, {.missing_values = names}),
               ContainsSubstring("line 2, column 2 (b): \"?\" is a missing value"));
    const auto with = [&](hg::CsvMissing missing) {
        return read(gaps, {.missing = missing, .missing_values = names, .fill_value = -1});
    };
    CHECK(with(hg::CsvMissing::Fill).values == matrix(2, {1, -1, -1, 4, 5, 8}));
    CHECK(with(hg::CsvMissing::Mean).values == matrix(2, {1, 6, 3, 4, 5, 8}));
    CHECK(with(hg::CsvMissing::Drop).values == matrix(2, {5, 8}));
    CHECK(with(hg::CsvMissing::Drop).lines == std::vector<hg::Index>{4});
    CHECK(std::isnan(with(hg::CsvMissing::NaN).values(1, 0)));
    CHECK(read("c\na\n?\nb\na\n", {.missing = hg::CsvMissing::Drop, .missing_values = names, .categories = {"c"}})
              .values == matrix(2, {1, 0, 0, 1, 1, 0}));
    CHECK(read("c,x\na,1\n?,1\nb,1\n", {.missing = hg::CsvMissing::Mean, .missing_values = names, .categories = {"c"}})
              .values.col(1) == matrix(3, {0.5, 0.5, 1}));
    CHECK_THAT(error_in("a,b\n1,?\n", {.missing = hg::CsvMissing::Drop, .missing_values = names}),
               ContainsSubstring("no line is left"));
    CHECK_THAT(error_in("a,b\n1,?\n", {.missing = hg::CsvMissing::Mean, .missing_values = names}),
               ContainsSubstring("column b has no value to take the mean of"));
    CHECK(read("x,y\n1e308,1\n1e308,1\n,1\n", {.missing = hg::CsvMissing::Mean}).values(0, 2) == Approx(1e308));
    CHECK_THAT(error_in("1\n", {.missing = hg::CsvMissing::Fill, .fill_value = NAN}),
               ContainsSubstring("must be finite, got nan"));
}

TEST_CASE("what is not a finite number is refused") {
    for (const std::string text : {"abc", "1x", "0x10", "1e", "--1", "+-1", "1 2", "1,", "e5", "-", "+", "1_000", "."})
        CHECK_THAT(error_in("a;b\n1;" + text + "\n", {.delimiter = ';'}),
                   ContainsSubstring("line 2, column 2 (b): \"" + text + "\" is not a number"));
    for (const std::string text : {"inf", "-Infinity", "1e999", "-1e999", "+1e400"})
        CHECK_THAT(error_in("a,b\n1," + text + "\n"), ContainsSubstring("is not a finite number"));
    CHECK_THAT(error_in(std::string(400, '9')), ContainsSubstring("is not a finite number"));
    // Too small is not wrong.
    CHECK(read("1e-999\n").values(0, 0) == 0);
    CHECK(read("0." + std::string(400, '0') + "1\n").values(0, 0) == 0);
    CHECK(read("4.9406564584124654e-324\n").values(0, 0) == 4.9406564584124654e-324);
}

TEST_CASE("ragged lines, blank lines and empty files are refused") {
    CHECK_THAT(error_in("a,b\n1,2\n3\n"), ContainsSubstring("line 3 has 1 fields, the first line has 2"));
    CHECK_THAT(error_in("a,b\n1,2,\n3,4\n"), ContainsSubstring("line 2 has 3 fields, the first line has 2"));
    CHECK_THAT(error_in("a,b\n1,2\n\n3,4\n"), ContainsSubstring("line 3 is blank, and the file goes on"));
    CHECK_THAT(error_in("\na,b\n1,2\n"), ContainsSubstring("line 1 is blank"));
    for (const std::string text : {"", "\n", "\r\n\r\n", "\xEF\xBB\xBF", " \n"})
        CHECK_THAT(error_in(text), ContainsSubstring("the file holds no data"));
    CHECK_THAT(error_in("a,b\n"), ContainsSubstring("the file holds no data after its header"));
    CHECK_THAT(error_in("a,b"), ContainsSubstring("after its header"));
    std::ifstream missing("/there/is/no/such/file");
    CHECK_THAT(error_of([&] { hg::read_csv(missing); }), ContainsSubstring("was the file opened?"));
}

TEST_CASE("a stream told to throw at its end does not") {
    std::istringstream in("1\n2\n");
    in.exceptions(std::ios::failbit | std::ios::badbit | std::ios::eofbit);
    CHECK(hg::read_csv(in).values == matrix(1, {1, 2}));
}

TEST_CASE("public files are read") {
    const std::string directory = HOURGLASS_DATA_DIR;
    std::ifstream digits(directory + "/optdigits/optdigits.tra"), series(directory + "/nab/art_daily_small_noise.csv"),
        cardio(directory + "/adbench/6_cardio.csv");
    if (directory.empty() || !digits || !series || !cardio) {
        WARN("skipped: HOURGLASS_DATA_DIR names no folder with optdigits, nab and adbench");
        return;
    }
    const hg::Csv pixels = hg::read_csv(digits);
    CHECK(pixels.header.empty());
    CHECK(pixels.values.rows() == 65);
    CHECK(pixels.values.cols() == 3823);
    CHECK(pixels.values.topRows(64).minCoeff() == 0);
    CHECK(pixels.values.topRows(64).maxCoeff() == 16);
    CHECK(pixels.values.row(64).maxCoeff() == 9);

    const hg::Csv values = hg::read_csv(series, {.columns = {"value"}});
    CHECK(values.values.rows() == 1);
    CHECK(values.values.cols() == 4032);
    CHECK(values.values(0, 0) == 18.324918539200002);

    const hg::Csv anomalies = hg::read_csv(cardio);
    CHECK(anomalies.values.rows() == 22);
    CHECK(anomalies.values.cols() == 1831);
    CHECK(anomalies.values.row(anomalies.row("anomaly")).sum() == 176);
}
