#include "hourglass/train/history.hpp"

#include <fstream>
#include <limits>
#include <locale>
#include <sstream>
#include <string>

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

struct CommaDecimals : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
};

}  // namespace

TEST_CASE("a history is a table with named columns") {
    hg::History history;
    CHECK(history.rows() == 0);
    CHECK(history.names().empty());
    history.add({{"loss", 0.5f}, {"val_loss", 0.75}});
    history.add({{"val_loss", 0.625}, {"loss", 0.25}});  // in any order
    CHECK(history.rows() == 2);
    CHECK(history.names() == std::vector<std::string>{"loss", "val_loss"});
    CHECK(history["loss"] == std::vector<double>{0.5, 0.25});
    CHECK(history["val_loss"] == std::vector<double>{0.75, 0.625});
}

TEST_CASE("a history writes CSV that reads back the same, whatever the locale") {
    hg::History history;
    history.add({{"loss", 0.1}, {"a,b", 1234567}, {"say \"c\"", -1e-300}});
    history.add({{"loss", 1.0 / 3}, {"a,b", 0}, {"say \"c\"", std::numeric_limits<double>::quiet_NaN()}});
    std::ostringstream out;
    out.imbue(std::locale(std::locale::classic(), new CommaDecimals));
    out.precision(2);
    history.write_csv(out);
    CHECK(out.str() ==
          "loss,\"a,b\",\"say \"\"c\"\"\"\n"
          "0.1,1234567,-1e-300\n"
          "0.3333333333333333,0,nan\n");
    std::ostringstream empty;
    hg::History{}.write_csv(empty);
    CHECK(empty.str() == "\n");
}

TEST_CASE("a history is made again of its names and columns, when those make a table") {
    const hg::History history{{"loss", "val_loss"}, {{0.5, 0.25}, {0.75, 0.625}}};
    CHECK(history.rows() == 2);
    CHECK(history["val_loss"] == std::vector<double>{0.75, 0.625});
    CHECK(error_of([] { hg::History({"loss", "val_loss"}, {{1}}); }) == "History: there are 1 columns for 2 names");
    CHECK(error_of([] { hg::History({"loss", "loss"}, {{1}, {2}}); }) == "History: \"loss\" stands twice");
    CHECK(error_of([] {
              hg::History({"a", "b"}, {{1, 2}, {3}});
          }) == "History: column \"b\" has 1 rows, the first one 2");
    CHECK(error_of([] { hg::History({"a"}, {{}}); }) == "History: column \"a\" has 0 rows, the first one 0");
}

TEST_CASE("a row with other names is refused and changes nothing") {
    hg::History history;
    CHECK_THAT(error_of([&] { history.add({}); }), ContainsSubstring("there are no metrics"));
    CHECK_THAT(error_of([&] { history.add({{"loss", 1}, {"loss", 2}}); }), ContainsSubstring("\"loss\" stands twice"));
    CHECK_THAT(error_of([&] { history["loss"]; }), ContainsSubstring("no column \"loss\"; there are none"));
    CHECK(history.names().empty());
    history.add({{"loss", 1}, {"val_loss", 2}});
    CHECK_THAT(error_of([&] {
                   history.add({{"loss", 1}});
               }),
               ContainsSubstring("the columns are loss, val_loss, row 2 has loss"));
    CHECK_THAT(error_of([&] { history.add({{"loss", 1}, {"val", 2}}); }), ContainsSubstring("row 2 has loss, val"));
    CHECK_THAT(error_of([&] { history.add({{"loss", 1}, {"val_loss", 2}, {"mse", 3}}); }), ContainsSubstring("mse"));
    CHECK_THAT(error_of([&] { history["val"]; }), ContainsSubstring("no column \"val\"; there are loss, val_loss"));
    CHECK(history.rows() == 1);
    CHECK(history["val_loss"] == std::vector<double>{2});
    std::ostringstream out;
    out.setstate(std::ios::badbit);
    CHECK_THAT(error_of([&] { history.write_csv(out); }), ContainsSubstring("writing to the stream failed"));
    std::ofstream full("/dev/full");
    full.exceptions(std::ios::badbit | std::ios::failbit);
    CHECK(error_of([&] { history.write_csv(full); }) == "History::write_csv: writing to the stream failed");
}
