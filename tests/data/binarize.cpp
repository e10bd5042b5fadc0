// Pictures of 0 and 1: drawn with the right probabilities, anew each time, or by a threshold.
#include "hourglass/data/binarize.hpp"

#include <Eigen/Dense>
#include <limits>

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

TEMPLATE_TEST_CASE("binarize draws each pixel with its own probability", "", float, double) {
    constexpr hg::Index pixels = 300, n = 2000;  // more than the block that is drawn at a time
    Eigen::VectorX<TestType> grey = Eigen::VectorX<TestType>::LinSpaced(pixels, 0, 1);
    hg::Rng rng{7};
    const hg::Matrix<TestType> x = grey.replicate(1, n), drawn = hg::binarize(x, rng);
    CHECK((drawn.array() == 0 || drawn.array() == 1).all());
    CHECK((drawn.row(0).array() == 0).all());
    CHECK((drawn.row(pixels - 1).array() == 1).all());
    const Eigen::VectorXd share = drawn.template cast<double>().rowwise().mean(), p = grey.template cast<double>();
    // Five standard deviations of a mean of n.
    CHECK(((share - p).array().abs() <= 5 * (p.array() * (1 - p.array()) / double{n}).sqrt()).all());
    CHECK(drawn.col(0) != drawn.col(1));
    const hg::Matrix<TestType> even = hg::binarize(hg::Matrix<TestType>::Constant(pixels, 1, TestType(0.5)), rng);
    CHECK(even.topRows(40) != even.middleRows(40, 40));
    CHECK(even.topRows(44) != even.bottomRows(44));  // number 256 is the first that is drawn anew

    CHECK(hg::binarize(x, rng) != drawn);  // anew
    hg::Rng again{7};
    hg::Matrix<TestType> same = x;
    const TestType* const memory = same.data();
    hg::binarize(same, again, same);  // in place, without other memory
    CHECK(same == drawn);
    CHECK(same.data() == memory);
    again = hg::Rng{7};
    CHECK(hg::binarize(x.leftCols(3), again) == drawn.leftCols(3));  // a sample's numbers are its own
    again = hg::Rng{7};
    same = x;
    hg::binarize(same.leftCols(1500), again, same);  // a part of what becomes the result
    CHECK(same == drawn.leftCols(1500));
}

TEST_CASE("binarize by a threshold, and what it refuses") {
    Eigen::MatrixXf x(2, 2);
    x << 0.2f, 0.5f, 0.51f, 1;
    CHECK(hg::binarize(x) == (Eigen::MatrixXf(2, 2) << 0, 0, 1, 1).finished());
    CHECK(hg::binarize(x, 0.1) == Eigen::MatrixXf::Ones(2, 2));
    CHECK(hg::binarize(x, 0.2)(0, 0) == 0);  // though the float is above the double
    CHECK(hg::binarize(-2 * x, -0.6) == (Eigen::MatrixXf(2, 2) << 1, 0, 0, 0).finished());

    hg::Rng rng{1};
    const hg::Rng before = rng;
    Eigen::MatrixXf drawn = Eigen::MatrixXf::Constant(1, 1, 7);
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    for (const float bad : {-0.1f, 1.1f, nan}) {
        x(1, 0) = bad;
        CHECK_THAT(error_of([&] { hg::binarize(x, rng, drawn); }),
                   ContainsSubstring("binarize: value 1 of sample 0 is ") &&
                       ContainsSubstring(", expected a probability, from 0 to 1"));
    }
    CHECK(drawn == Eigen::MatrixXf::Constant(1, 1, 7));
    CHECK(rng == before);
    CHECK_THAT(error_of([&] { hg::binarize(x); }), ContainsSubstring("binarize: value 1 of sample 0 is nan"));
    CHECK_THAT(error_of([&] { hg::binarize(x, double{nan}); }), ContainsSubstring("binarize: the threshold is nan"));
}
