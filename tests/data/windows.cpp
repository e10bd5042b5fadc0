#include "hourglass/data/windows.hpp"

#include <Eigen/Dense>
#include <string>

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

TEMPLATE_TEST_CASE("windows of a series", "", float, double) {
    using Matrix = Eigen::MatrixX<TestType>;
    Matrix series(1, 6), expected(3, 4), strided(3, 2);
    series << 1, 2, 3, 4, 5, 6;
    expected << 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6;
    strided << 1, 3, 2, 4, 3, 5;  // the 6 would begin no whole window
    CHECK(hg::sliding_windows(series, 3) == expected);
    CHECK(hg::sliding_windows(series, 3, 2) == strided);
    CHECK(hg::sliding_windows(series, 6) == series.transpose());
    CHECK(hg::sliding_windows(series, 1) == series);
    CHECK(hg::sliding_windows(series, 2, 4) == (Matrix(2, 2) << 1, 5, 2, 6).finished());

    // Several channels: those of one step lie side by side.
    Matrix two(2, 4), pairs(4, 3);
    two << 1, 2, 3, 4, -1, -2, -3, -4;
    pairs << 1, 2, 3, -1, -2, -3, 2, 3, 4, -2, -3, -4;
    CHECK(hg::sliding_windows(two, 2) == pairs);
    CHECK(hg::sliding_windows(two.rightCols(3), 2) == pairs.rightCols(2));
    CHECK(hg::sliding_windows(two.row(1), 4) == two.row(1).transpose());
    CHECK(hg::sliding_windows(-1 * two, 2) == -pairs);
}

TEMPLATE_TEST_CASE("the mean over overlapping windows", "", float, double) {
    using Matrix = Eigen::MatrixX<TestType>;
    Matrix windows(3, 3);
    windows << 1, 4, 7, 2, 5, 8, 3, 6, 9;
    CHECK(hg::overlap_mean(windows, 1) == (Matrix(1, 5) << 1, 3, 5, 7, 9).finished());
    CHECK(hg::overlap_mean(windows, 1, 2) == (Matrix(1, 7) << 1, 2, 3.5, 5, 6.5, 8, 9).finished());
    CHECK(hg::overlap_mean(windows, 1, 3) == (Matrix(1, 9) << 1, 2, 3, 4, 5, 6, 7, 8, 9).finished());
    CHECK(hg::overlap_mean(windows, 3) == windows);

    // It undoes the windows: here of integers, whose means are exact.
    Matrix series(2, 23);
    for (Eigen::Index i = 0; i < series.size(); ++i) series.data()[i] = static_cast<TestType>(i * i % 31);
    for (const Eigen::Index length : {1, 2, 5, 23})
        for (const Eigen::Index stride : {1, 2, 3, 5})
            if (stride <= length) {
                const Matrix back = hg::overlap_mean(hg::sliding_windows(series, length, stride), 2, stride);
                CHECK(back == series.leftCols(back.cols()));
                CHECK(23 - back.cols() < stride);
            }
}

TEST_CASE("windows refuse what makes no sense") {
    const Eigen::MatrixXd series = Eigen::MatrixXd::Zero(2, 10);
    CHECK_THAT(error_of([&] { hg::sliding_windows(series, 0); }), ContainsSubstring("at least 1 step long, got 0"));
    CHECK_THAT(error_of([&] { hg::sliding_windows(series, 3, 0); }),
               ContainsSubstring("stride must be at least 1, got 0"));
    CHECK_THAT(error_of([&] { hg::sliding_windows(series, 3, -1); }), ContainsSubstring("got -1"));
    CHECK_THAT(error_of([&] { hg::sliding_windows(series, 11); }),
               ContainsSubstring("10 steps (columns), shorter than one window of 11"));
    CHECK_THAT(error_of([] { hg::sliding_windows(Eigen::VectorXf::Zero(100), 10); }),
               ContainsSubstring("one row per channel"));
    CHECK_THAT(error_of([&] { hg::sliding_windows(series.topRows(0), 3); }), ContainsSubstring("no rows (channels)"));
    CHECK_THAT(error_of([&] { hg::overlap_mean(series, 0); }), ContainsSubstring("at least 1, got 0"));
    CHECK_THAT(error_of([&] { hg::overlap_mean(series, 3); }), ContainsSubstring("2 x 10, expected"));
    CHECK_THAT(error_of([&] { hg::overlap_mean(series.leftCols(0), 1); }), ContainsSubstring("2 x 0, expected"));
    CHECK_THAT(error_of([&] { hg::overlap_mean(series, 1, 3); }),
               ContainsSubstring("at most the 2 steps of a window, got 3"));
    CHECK_THAT(error_of([&] { hg::overlap_mean(series, 1, 0); }), ContainsSubstring("got 0"));
}
