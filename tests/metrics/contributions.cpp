#include "hourglass/metrics/contributions.hpp"

#include <Eigen/Dense>
#include <limits>
#include <string>
#include <vector>

#include "hourglass/layers/dense.hpp"
#include "hourglass/losses/mean_squared_error.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

TEMPLATE_TEST_CASE("contributions are squared errors divided by the features", "", float, double) {
    using Matrix = Eigen::MatrixX<TestType>;
    Matrix x(4, 2), rebuilt(4, 2), expected(4, 2);
    x << 1, 0, 2, 0, 3, 0, 4, -1;
    rebuilt << 1, 2, 0, 0, 4, 1, 4, 1;
    expected << 0, 1, 1, 0, 0.25, 0.25, 0, 1;
    const Matrix contributions = hg::error_contributions(x, rebuilt);
    CHECK(contributions == expected);
    CHECK(hg::error_contributions(x.rightCols(1), rebuilt.rightCols(1)) == expected.rightCols(1));
    CHECK(hg::error_contributions(x, rebuilt + Matrix::Zero(4, 2)) == expected);
}

TEMPLATE_TEST_CASE("contributions sum to the reconstruction error", "", float, double) {
    using Encoder = hg::Chain<hg::Shape{7}, hg::Dense<3>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<7>>;
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, Decoder, TestType>(rng, hg::MeanSquaredError{});
    const Eigen::MatrixX<TestType> x = Eigen::MatrixX<TestType>::Random(7, 20);
    auto tape = model.tape();
    const Eigen::MatrixX<TestType> contributions = hg::error_contributions(x, model.reconstruct(x, tape));
    const double tolerance = 4 * static_cast<double>(std::numeric_limits<TestType>::epsilon());
    CHECK(contributions.colwise().sum().transpose().isApprox(model.reconstruction_error(x),
                                                             static_cast<TestType>(tolerance)));
}

TEST_CASE("the features with the largest contribution to a score") {
    const Eigen::Vector4f contributions(0.5f, 0, 1, 0.5f);
    const std::vector<std::string> names = {"age", "size", "weight", "height"};
    const std::vector<hg::Contribution> top = hg::top_contributions(contributions, 3, names);
    REQUIRE(top.size() == 3);
    CHECK(top[0].name == "weight");
    CHECK(top[0].feature == 2);
    CHECK(top[0].value == 1);
    CHECK(top[0].share == 0.5);
    CHECK(top[1].name == "age");  // as large as the next: the first one comes first
    CHECK(top[2].name == "height");
    CHECK(top[2].share == 0.25);
    CHECK(hg::top_contributions(contributions, 1, {"age", "size", "weight", names[3]})[0].name == "weight");
    CHECK(hg::top_contributions(contributions, 1, {})[0].name == "feature 2");
    CHECK(hg::top_contributions(contributions, 9).size() == 4);
    CHECK(hg::top_contributions(contributions, 1)[0].name == "feature 2");
    CHECK(hg::top_contributions(Eigen::Vector2d(0, 0), 1)[0].share == 0);  // a perfect reconstruction
}

TEST_CASE("contributions refuse what makes no sense") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    Eigen::MatrixXd x = Eigen::MatrixXd::Zero(3, 5), rebuilt = x;
    CHECK_THAT(error_of([&] { hg::error_contributions(x, rebuilt.leftCols(4)); }),
               ContainsSubstring("x is 3 x 5 and its reconstruction 3 x 4"));
    CHECK_THAT(error_of([&] { hg::error_contributions(x.topRows(2), rebuilt); }), ContainsSubstring("x is 2 x 5"));
    CHECK_THAT(error_of([&] { hg::error_contributions(x.leftCols(0), rebuilt.leftCols(0)); }),
               ContainsSubstring("3 x 0: it is empty"));
    rebuilt(1, 4) = nan;
    CHECK_THAT(error_of([&] { hg::error_contributions(x, rebuilt); }),
               ContainsSubstring("feature 1 of sample 4 is 0, rebuilt as nan"));
    rebuilt(1, 4) = 1e200;
    CHECK_THAT(error_of([&] { hg::error_contributions(x, rebuilt); }), ContainsSubstring("rebuilt as 1e+200"));

    x(2, 3) = nan;  // what came in broken is named, not the first value it broke
    rebuilt.col(3).setConstant(nan);
    CHECK_THAT(error_of([&] { hg::error_contributions(x, rebuilt); }),
               ContainsSubstring("x is not finite: feature 2 of sample 3 is nan"));

    const Eigen::Vector3d spoilt(1, nan, 2);
    CHECK_THAT(error_of([&] { hg::top_contributions(spoilt, 2); }), ContainsSubstring("score 1 is nan"));
    CHECK_THAT(error_of([] { hg::top_contributions(Eigen::Vector2d(1, 2), 0); }),
               ContainsSubstring("at least 1, got 0"));
    CHECK_THAT(error_of([] { hg::top_contributions(Eigen::VectorXd(0), 1); }),
               ContainsSubstring("there are no scores"));
    CHECK_THAT(error_of([] { hg::top_contributions(Eigen::Vector2d(1, 2), 1, std::vector<std::string>{"only one"}); }),
               ContainsSubstring("1 names for 2 features"));
    CHECK_THAT(error_of([] {
                   hg::top_contributions(Eigen::Vector2d(1, 2), 1, {"one", "two", "three"});
               }),
               ContainsSubstring("3 names for 2 features"));
}
