// Labels as targets.
#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("one_hot puts a 1 where the label is") {
    const Eigen::VectorXi labels{{2, 0, 1, 2}};
    CHECK(hg::one_hot(labels, 3) == Eigen::MatrixXf{{0, 1, 0, 0}, {0, 0, 1, 0}, {1, 0, 0, 1}});
    CHECK(hg::one_hot<double>(labels.head(2), 4) == Eigen::MatrixXd{{0, 1}, {0, 0}, {1, 0}, {0, 0}});
    CHECK(hg::one_hot(Eigen::VectorXi{}, 3).cols() == 0);
}

TEST_CASE("one_hot refuses labels outside the classes") {
    const Eigen::VectorXi labels{{2, 0, -1}};
    CHECK_THROWS_WITH(hg::one_hot(labels, 3), ContainsSubstring("one_hot: label 2 is -1, expected one of 0 to 2"));
    CHECK_THROWS_WITH(hg::one_hot(labels, 2), ContainsSubstring("one_hot: label 0 is 2, expected one of 0 to 1"));
    CHECK_THROWS_WITH(hg::one_hot(labels, 0), ContainsSubstring("one_hot: expected at least one class, got 0"));
}
