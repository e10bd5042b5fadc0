#include "hourglass/train/progress.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <set>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

double now = 0;  // what the bars of these tests take for the time
double clock_of_tests() { return now; }

hg::ProgressBar::Options to(std::ostream& out, hg::ProgressStyle style) {
    return {.out = out, .style = style, .clock = &clock_of_tests};
}

/// A stream of which nothing can be written any more once it is cut.
struct Cable : std::streambuf {
    bool cut = false;
    int overflow(int c) override { return cut ? traits_type::eof() : c; }
};

/// A terminal of this program's own in the place of its standard error.
class Terminal {
  public:
    explicit Terminal(unsigned short columns) : ours_(::posix_openpt(O_RDWR | O_NOCTTY)), kept_(::dup(2)) {
        const bool open = ours_ >= 0 && ::grantpt(ours_) == 0 && ::unlockpt(ours_) == 0;
        const int theirs = open ? ::open(::ptsname(ours_), O_RDWR | O_NOCTTY) : -1;
        if (theirs < 0) return;
        winsize size{};
        size.ws_col = columns;
        works = ::ioctl(theirs, TIOCSWINSZ, &size) == 0 && ::dup2(theirs, 2) == 2;
        ::close(theirs);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    ~Terminal() {
        std::clog.flush();
        ::dup2(kept_, 2);
        ::close(kept_);
        ::close(ours_);
    }
    /// What has been written to it.
    std::string text() const {
        std::string all(1000, ' ');
        all.resize(static_cast<std::size_t>(std::max<::ssize_t>(::read(ours_, all.data(), all.size()), 0)));
        return all;
    }

    bool works = false;

  private:
    int ours_, kept_;
};

}  // namespace

TEST_CASE("on a terminal one line is drawn over") {
    std::ostringstream out;
    now = 1000;
    {
        hg::ProgressBar bar{2, 1000, to(out, hg::ProgressStyle::Bar)};
        now += 1;
        bar.advance(250, {{"loss", 0.75}});
        now += 1;
        bar.advance(250, {{"loss", 0.5}});
        now += 3;
        bar.end_epoch({{"loss", 0.5}, {"val_loss", 0.625}});
        now += 1;
        bar.advance(999);
        now += 1;
        bar.advance(1, {{"loss", 0.25f}});
        bar.end_epoch();
    }
    CHECK(out.str() ==
          "\repoch 1/2 [====>              ]   25%    250 samples/s   0:07 left  loss 0.7500"
          "\repoch 1/2 [=========>         ]   50%    250 samples/s   0:06 left  loss 0.5000"
          "\repoch 1/2 [=============]    250 samples/s   0:05  loss 0.5000  val_loss 0.6250\n"
          "\repoch 2/2 [============>]   99%    999 samples/s   0:00 left"
          "\repoch 2/2 [=============]  100%    500 samples/s   0:00 left  loss 0.2500"
          "\repoch 2/2 [=============]    500 samples/s   0:02                        \n");
}

TEST_CASE("elsewhere a few plain lines are written") {
    std::ostringstream out;
    now = 5;
    {
        hg::ProgressBar bar{10, 1000, to(out, hg::ProgressStyle::Lines)};
        for (int step = 0; step < 1000; ++step) {
            now += 0.5;
            bar.advance(1, {{"loss", 1.5}});
        }
        bar.end_epoch({{"loss", 1.25}});
        for (int step = 0; step < 1000; ++step) {  // too quick for lines in between
            now += 0.0009;
            bar.advance(1, {{"loss", 1.5}});
        }
        bar.end_epoch({{"loss", 1}});
        now += 100;
        bar.advance(100, {{"loss", 2}});
    }
    CHECK(out.str() ==
          "epoch  1/10   25%    2.0 samples/s  1:21:15 left  loss 1.5000\n"
          "epoch  1/10   50%    2.0 samples/s  1:19:10 left  loss 1.5000\n"
          "epoch  1/10   75%    2.0 samples/s  1:17:05 left  loss 1.5000\n"
          "epoch  1/10  100%    2.0 samples/s   8:20  loss 1.2500\n"
          "epoch  2/10  100%   1111 samples/s   0:01  loss 1.0000\n");
}

TEST_CASE("figures stand still: four decimals, a rate of five characters") {
    std::ostringstream out;
    now = 0;
    hg::ProgressBar bar{1000, 1, to(out, hg::ProgressStyle::Lines)};
    const auto epoch = [&](double seconds, hg::Metrics metrics) {
        out.str("");
        bar.advance(1);
        now += seconds;
        bar.advance(hg::Index{1} << 40);
        bar.end_epoch(metrics);
        return out.str();
    };
    const double infinite = std::numeric_limits<double>::infinity();
    CHECK_THAT(epoch(1, {{"a", 0}, {"b", -12.34567}, {"c", 0.001}, {"d", 0.0009876}, {"e", 1234567}, {"f", infinite}}),
               ContainsSubstring("  a 0.0000  b -12.3457  c 0.0010  d 9.876e-04  e 1.235e+06  f inf\n"));
    const double samples = 1 + std::ldexp(1.0, 40);
    CHECK_THAT(epoch(samples / 7.25, {}), ContainsSubstring("100%    7.2 samples/s"));
    CHECK_THAT(epoch(samples / 99.96, {}), ContainsSubstring("100%    100 samples/s"));
    CHECK_THAT(epoch(samples / 99999, {}), ContainsSubstring("100%  99999 samples/s"));
    CHECK_THAT(epoch(samples / 99999.7, {}), ContainsSubstring("100%   100k samples/s"));
    CHECK_THAT(epoch(samples / 9999400, {}), ContainsSubstring("100%  9999k samples/s"));
    CHECK_THAT(epoch(samples / 10e6, {}), ContainsSubstring("100%    10M samples/s"));
}

TEST_CASE(
    "the bar of a usual training keeps its length, also where an epoch ends, on a narrow terminal without the rate") {
    for (const int columns : {80, 60}) {
        INFO(columns << " columns");
        std::vector<std::string> lines;
        bool works = false;
        {
            const Terminal terminal{static_cast<unsigned short>(columns)};
            works = terminal.works;
            now = 0;
            hg::ProgressBar bar{30, 54000, {.clock = &clock_of_tests}};
            for (int epoch = 0; works && epoch < 12; ++epoch) {
                now += 0.31 + 0.01 * epoch;
                bar.advance(27000, {{"loss", 0.31 - 0.003 * epoch}});
                lines.push_back(terminal.text());
                now += 0.3;
                bar.advance(27000, {{"loss", 0.3}});
                terminal.text();
                bar.end_epoch({{"loss", 0.3}, {"val_loss", 0.31 - 0.003 * epoch}});
                lines.push_back(terminal.text());
            }
        }
        if (!works) {
            WARN("there are no terminals here");
            return;
        }
        std::set<std::size_t> lengths;
        for (std::size_t i = 1; i < lines.size(); ++i) {
            const std::size_t begin = lines[i].find('['), end = lines[i].find(']');
            CHECK((end - begin) > 8);
            CHECK(lines[i].size() <=
                  static_cast<std::size_t>(columns) + (i % 2 == 1 ? 2 : 0));  // the return, and an end of a line
            CHECK((lines[i].find("samples/s") != lines[i].npos) == (columns == 80));
            if (i % 2 == 0) lengths.insert(end - begin);
        }
        CHECK(lengths.size() == 1);
    }
}

TEST_CASE("the bar is redrawn ten times a second at most") {
    std::ostringstream out;
    now = 0;
    hg::ProgressBar bar{1, 100000, to(out, hg::ProgressStyle::Bar)};
    for (int step = 0; step < 100000; ++step) {
        now += 1.0 / 65536;
        bar.advance(1);
    }
    const std::string text = out.str();
    CHECK(std::count(text.begin(), text.end(), '\r') == 16);  // the first step, then every 0.1 of 1.53 s
}

TEST_CASE("a line left open is closed at the end, also by an exception") {
    std::ostringstream out;
    now = 0;
    try {
        hg::ProgressBar bar{1, 4, to(out, hg::ProgressStyle::Bar)};
        bar.advance(1);
        throw std::runtime_error("the loop failed");
    } catch (const std::runtime_error&) {
        out << "next";
    }
    CHECK(out.str() == "\repoch 1/1 [=====>              ]   25%\nnext");
    out.str("");
    { hg::ProgressBar bar{1, 4, to(out, hg::ProgressStyle::Bar)}; }
    { hg::ProgressBar bar{1, 4, to(out, hg::ProgressStyle::Lines)}; }
    CHECK(out.str().empty());
}

TEST_CASE("a line is cut at the width of the terminal and survives odd counts") {
    std::ostringstream out;
    now = 0;
    hg::ProgressBar bar{1, 4, {.unit = "steps", .out = out, .style = hg::ProgressStyle::Bar, .clock = &clock_of_tests}};
    now += 8;
    bar.advance(9, {{"a_rather_long_name_for_a_figure", 1}, {"another_rather_long_name", 2}});  // more than announced
    CHECK(out.str().size() == 80);                                              // the return and 79 characters
    CHECK_THAT(out.str(), ContainsSubstring("\repoch 1/1  100%   0:00 left"));  // no room for bar and rate
    bar.end_epoch();
    bar.advance(1);  // an epoch more than announced
    bar.end_epoch();
    CHECK_THAT(out.str(), ContainsSubstring("\repoch 1/1"));
}

TEST_CASE("a bar that is closed on a stream that throws ends no program") {
    Cable cable;
    std::ostream out(&cable);
    out.exceptions(std::ios::badbit);
    now = 0;
    {
        hg::ProgressBar bar{1, 4, to(out, hg::ProgressStyle::Bar)};
        bar.advance(1);
        CHECK(out.good());
        cable.cut = true;
    }
    CHECK(out.bad());
}

TEST_CASE("a terminal is found, and how wide it is") {
    std::string shown;
    hg::Index width = 0, unknown = 0;
    bool works = false;
    {
        const Terminal terminal{50};
        works = terminal.works;
        width = hg::train::terminal_width(std::clog);
        now = 0;
        hg::ProgressBar bar{1, 4, {.clock = &clock_of_tests}};
        bar.advance(1, {{"a_rather_long_name_for_a_figure", 1}});
        if (works) shown = terminal.text();
        bar.end_epoch();
    }
    {
        const Terminal terminal{0};
        unknown = hg::train::terminal_width(std::cerr);
    }
    if (!works) {
        WARN("there are no terminals here");
        return;
    }
    CHECK(width == 50);
    CHECK(unknown == 80);  // one that does not say
    CHECK(shown == "\repoch 1/1   25%  a_rather_long_name_for_a_figure ");
}

TEST_CASE("seconds go by and never back") {
    const double first = hg::train::seconds();
    double later = first;
    for (int i = 0; i < 100'000'000 && later == first; ++i) later = hg::train::seconds();
    CHECK(later > first);
    CHECK(later < first + 60);
}

TEST_CASE("a stream that is no terminal gets lines") {
    std::ostringstream out;
    CHECK(hg::train::terminal_width(out) == 0);
    now = 0;
    hg::ProgressBar bar{1, 4, {.out = out, .clock = &clock_of_tests}};
    bar.advance(4);
    bar.end_epoch();
    CHECK(out.str() == "epoch 1/1  100%   0:00\n");
}

TEST_CASE("ProgressBar refuses to count to nothing") {
    CHECK_THAT(error_of([] { hg::ProgressBar(0, 10); }),
               ContainsSubstring("number of epochs must be at least 1, got 0"));
    CHECK_THAT(error_of([] { hg::ProgressBar(1, -1); }),
               ContainsSubstring("samples per epoch must be at least 1, got -1"));
}
