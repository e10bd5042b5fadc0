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

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

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
    CHECK_THAT(error_of([&] { csv.row("d"); }), ContainsSubstring("there is no column \"d\" among the 3 read"));
}

TEST_CASE("a header is found, or stated") {
    CHECK(read("1,2\n3,4\n").values == matrix(2, {1, 2, 3, 4}));
    CHECK(read("1,2\n3,4\n").header.empty());
    CHECK(read("1,2\n3,4\n", {.header = hg::CsvHeader::Present}).values == matrix(2, {3, 4}));
    CHECK(read("1,2\n3,4\n", {.header = hg::CsvHeader::Present}).header == Names{"1", "2"});
    // A first line with one number in it is data: it is not passed over in silence.
    CHECK(read("2014-04-01,7\n2014-04-02,8\n", {.columns = {1}}).values == matrix(1, {7, 8}));
    CHECK_THAT(error_in("a,1\n2,3\n"), ContainsSubstring("line 1, column 1: \"a\" is not a number"));
    CHECK_THAT(error_in("a,b\n2,3\n", {.header = hg::CsvHeader::Absent}), ContainsSubstring("line 1, column 1"));
    CHECK_THAT(error_in("2014-04-01,\n2014-04-02,8\n", {.columns = {1}}),
               ContainsSubstring("line 1, column 2: the field is empty"));
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
    CHECK_THAT(error_in("1.234,5;2\n3;4\n", {.delimiter = ';', .decimal = ','}),
               ContainsSubstring("\"1.234,5\" is not a number"));
    CHECK_THAT(error_in("1,5;2\n", {.delimiter = ';'}), ContainsSubstring("\"1,5\" is not a number"));
    CHECK_THAT(error_in("1\n", {.decimal = ','}), ContainsSubstring("delimiter and decimal sign are both ,"));
    CHECK_THAT(error_in("1\n", {.decimal = 'x'}), ContainsSubstring("must be . or , and not x"));
    CHECK_THAT(error_in("1\n", {.delimiter = '"'}), ContainsSubstring("cannot be the delimiter"));
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
