// How often the largest probability is the label's.
#include <cmath>

#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("accuracy counts the samples whose largest probability is their label's") {
    const Eigen::MatrixXf p{{0.5f, 0.1f, 0.3f, 0.4f}, {0.2f, 0.7f, 0.3f, 0.4f}, {0.3f, 0.2f, 0.4f, 0.2f}};
    CHECK(hg::accuracy(p, Eigen::VectorXi{{0, 1, 2, 0}}) == 1);  // of equal ones the first
    CHECK(hg::accuracy(p, Eigen::VectorXi{{0, 1, 2, 1}}) == 0.75);
    CHECK(hg::accuracy(p, Eigen::VectorXi{{1, 2, 0, 2}}) == 0);
    CHECK(hg::accuracy(p.cast<double>() * 2, Eigen::VectorXi{{0, 0, 2, 1}}) == 0.5);
    CHECK(hg::accuracy(p.middleCols(1, 2), Eigen::VectorXi{{1, 1}}) == 0.5);
}

TEST_CASE("accuracy refuses what does not fit") {
    Eigen::MatrixXf p{{0.5f, 0.1f}, {0.5f, 0.9f}};
    CHECK_THROWS_WITH(hg::accuracy(p, Eigen::VectorXi{{1}}),
                      ContainsSubstring("accuracy: there are 2 samples and 1 labels, expected one label per sample"));
    CHECK_THROWS_WITH(hg::accuracy(p, Eigen::VectorXi{{1, 2}}),
                      ContainsSubstring("accuracy: label 1 is 2, expected one of 0 to 1"));
    CHECK_THROWS_AS(hg::accuracy(p, Eigen::VectorXi{{1, -1}}), hg::Error);
    CHECK_THROWS_AS(hg::accuracy(p.leftCols(0), Eigen::VectorXi{}), hg::Error);
    p(1, 0) = std::nanf("");
    CHECK_THROWS_WITH(hg::accuracy(p, Eigen::VectorXi{{0, 0}}),
                      ContainsSubstring("accuracy: the probabilities of sample 0 are not all finite"));
}
