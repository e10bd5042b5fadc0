// read_csv under every kind of options. What it has read, written out and read again, is the same.
#include <cmath>
#include <hourglass/data/csv.hpp>
#include <sstream>

#include "target.hpp"

namespace hg = hourglass;

const bool prefixes_may_be_valid = true;

static std::string written(const hg::Csv& csv) {
    std::string all;
    for (std::size_t i = 0; i < csv.header.size(); ++i) {
        all += i > 0 ? ",\"" : "\"";
        for (const char c : csv.header[i]) all.append(c == '"' ? 2 : 1, c);
        all += '"';
    }
    if (!csv.header.empty()) all += '\n';
    for (hg::Index column = 0; column < csv.values.cols(); ++column)
        for (hg::Index row = 0; row < csv.values.rows(); ++row)
            ((all += hg::core::exact_text(csv.values(row, column))) += row + 1 < csv.values.rows() ? ',' : '\n');
    return all;
}

static bool read(std::string_view file, const hg::CsvOptions& options) {
    std::istringstream in{std::string{file}};
    hg::Csv csv;
    try {
        csv = hg::read_csv(in, options);
    } catch (const hg::Error& error) {
        HOURGLASS_REQUIRE(std::string_view{error.what()}.starts_with("read_csv: "));
        return false;
    }
    HOURGLASS_REQUIRE(csv.values.size() > 0);
    HOURGLASS_REQUIRE(csv.header.empty() || static_cast<hg::Index>(csv.header.size()) == csv.values.rows());
    HOURGLASS_REQUIRE(csv.lines.size() == static_cast<std::size_t>(csv.values.cols()));
    HOURGLASS_REQUIRE(options.missing == hg::CsvMissing::NaN || csv.values.allFinite());
    HOURGLASS_REQUIRE(!csv.values.array().isInf().any());
    std::istringstream again_in{written(csv)};
    std::vector<hg::CsvColumn> all;  // a column without a name is wanted in words
    for (hg::Index i = 0; i < csv.values.rows(); ++i) all.push_back(i);
    const hg::Csv again =
        hg::read_csv(again_in, {.header = csv.header.empty() ? hg::CsvHeader::Absent : hg::CsvHeader::Present,
                                .missing = hg::CsvMissing::NaN,
                                .columns = all});
    HOURGLASS_REQUIRE(again.header == csv.header && again.values.cols() == csv.values.cols());
    for (hg::Index i = 0; i < csv.values.size(); ++i) {
        const double a = csv.values.data()[i], b = again.values.data()[i];
        HOURGLASS_REQUIRE(a == b || (std::isnan(a) && std::isnan(b)));
    }
    return true;
}

bool accepts(std::string_view file) {
    bool any = false;
    for (const hg::CsvOptions& options :
         {hg::CsvOptions{}, hg::CsvOptions{.delimiter = ';', .decimal = ','},
          hg::CsvOptions{.header = hg::CsvHeader::Absent, .missing = hg::CsvMissing::NaN, .columns = {1, 0}},
          hg::CsvOptions{.header = hg::CsvHeader::Present, .except = {0}},
          hg::CsvOptions{.delimiter = '\t', .missing = hg::CsvMissing::NaN, .columns = {"a"}},
          hg::CsvOptions{.decimal = ',', .thousands = ".", .missing = hg::CsvMissing::Mean, .numeric_only = true},
          hg::CsvOptions{.comment = '#',
          .skip_lines = 1,
          .skip_after_header = 1,
          .skip_blank_lines = true,
          .missing = hg::CsvMissing::Drop,
          .missing_values = {"NA"}},
          hg::CsvOptions{.delimiter = ' ',
          .header = hg::CsvHeader::Absent,
          .missing = hg::CsvMissing::Fill,
          .missing_values = {"?"},
          .categories = {0, {1, {"x", "y"}}}}})
        any |= read(file, options);
    return any;
}

std::vector<std::string> valid_files() {
    return {
        "a,b\n1,2.5\n-3e-2,.5\n",
        "1;-2,5\r\n3;4e300\r\n\r\n",
        "\xEF\xBB\xBF\"a\"\t\"say \"\"b\"\"\"\n+7\t\n nan \t1e-999\n",
        "\"two\nlines\",\" x,y\"\n5,6\n",
        "sep=;\r\ntime;t\r\n1.234,5;\r\n-12.000;7,5\r\n",
        "logger\n#\ntime,t\ns,K\n1,20\n\nNA,21\n2,true\n",
        "a  x 1\nb y ?\na y 3 \n",
        "0." + std::string(330, '0') + "1," + std::string(300, '9') + "\n",
    };
}

std::vector<std::string> malformed_files() {
    return {"",
            "\n \r\n",
            "\xEF\xBB",
            "\xEF\xBB\xBF",
            "a",
            "a,b\n",
            "a,b\n1,\"2\n",
            "a,b\n\"1\"2,3\n",
            "a,b\n1,2,3\n4,5,6\n",
            "x,y\n1,inf\n",
            "x\n" + std::string(400, '9') + "\n",
            "x,y\n1,1e999\n",
            "x,y\n1,0x10\n",
            "x,y\n1,--1\n",
            "x,y\n1,+-1\n",
            "x,y\n1,-\n",
            "1,x\n",
            "\xFF\xFEx\n",
            std::string("x\0\n", 3),
            std::string(50'000, '"') + "x",
            std::string(50'000, ',') + "\nx\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    accepts({reinterpret_cast<const char*>(data), size});
    return 0;
}
