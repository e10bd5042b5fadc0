#include "hourglass/data/scaling.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <string>

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

// Errors that both scalers share.
template <class Scaler, class T>
void check_errors(const std::string& name) {
    Scaler scaler;
    const Eigen::MatrixX<T> data = Eigen::MatrixX<T>::Random(3, 5);
    CHECK_THAT(error_of([&] { scaler.transform(data); }),
               ContainsSubstring(name + "::transform: the scaler is not fitted"));
    CHECK_THAT(error_of([&] { scaler.inverse_transform(data); }), ContainsSubstring("not fitted"));
    scaler.fit(data);
    const Eigen::MatrixX<T> expected = scaler.transform(data);

    CHECK_THAT(error_of([&] { scaler.transform(data.topRows(2)); }),
               ContainsSubstring("was fitted on 3 features (rows), the data has 2"));
    CHECK_THAT(error_of([&] { scaler.inverse_transform(data.topRows(2)); }), ContainsSubstring("3 features"));
    CHECK_THAT(error_of([&] { scaler.fit(data.leftCols(0)); }), ContainsSubstring("3 x 0: it has no columns"));
    CHECK_THAT(error_of([&] { scaler.fit(data.topRows(0)); }), ContainsSubstring("0 x 5: it has no rows"));
    CHECK_THAT(error_of([&] { scaler.transform(data.leftCols(0)); }), ContainsSubstring("no columns"));
    for (const T bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
        Eigen::MatrixX<T> spoilt = 2 * data;
        spoilt(2, 4) = bad;
        CHECK_THAT(error_of([&] { scaler.fit(spoilt); }), ContainsSubstring(name + "::fit: feature 2 of sample 4 is "));
        CHECK_THAT(error_of([&] { scaler.fit_transform(spoilt); }), ContainsSubstring("not a finite number"));
        CHECK_THAT(error_of([&] { scaler.transform(spoilt); }), ContainsSubstring("feature 2 of sample 4"));
        CHECK_THAT(error_of([&] { scaler.inverse_transform(spoilt); }), ContainsSubstring("feature 2 of sample 4"));
    }
    CHECK(scaler.transform(data) == expected);  // what failed changed nothing
}

}  // namespace

TEMPLATE_TEST_CASE("MinMaxScaler maps the training data to the range", "", float, double) {
    Eigen::MatrixX<TestType> train(3, 4), test(3, 2), scaled(3, 4), unseen(3, 2);
    train << 0, 5, 10, 2.5, -1, 1, 0, 0, 7, 7, 7, 7;
    test << 20, -10, 0.5, 3, 8, 7;
    scaled << 0, 0.5, 1, 0.25, 0, 1, 0.5, 0.5, 0, 0, 0, 0;
    unseen << 2, -1, 0.75, 2, 1, 0;
    hg::MinMaxScaler<TestType> scaler;
    CHECK(scaler.fit_transform(train) == scaled);
    CHECK(scaler.transform(test) == unseen);
    CHECK(scaler.inverse_transform(scaled) == train);
    CHECK(scaler.inverse_transform(unseen) == test);

    hg::MinMaxScaler<TestType> wide{{.low = -1, .high = 3, .clip = true}};
    CHECK(wide.fit_transform(train) == ((scaled.array() * 4) - 1).matrix());
    CHECK(wide.transform(test) == ((unseen.array().max(TestType(0)).min(TestType(1)) * 4) - 1).matrix());
    CHECK(wide.inverse_transform(wide.transform(train)) == train);
    CHECK(wide.min() == Eigen::Vector3d(0, -1, 7));
    CHECK(wide.range() == Eigen::Vector3d(10, 2, 1));
}

TEMPLATE_TEST_CASE("MinMaxScaler never leaves [0, 1] on its training data", "", float, double) {
    const Eigen::MatrixX<TestType> train = 1e3 * Eigen::MatrixX<TestType>::Random(200, 50);
    const Eigen::MatrixX<TestType> scaled = hg::MinMaxScaler<TestType>{}.fit_transform(train);
    for (Eigen::Index i = 0; i < scaled.rows(); ++i) {
        CHECK(scaled.row(i).minCoeff() == 0);
        CHECK(scaled.row(i).maxCoeff() == 1);
    }
}

TEMPLATE_TEST_CASE("StandardScaler gives mean 0 and variance 1", "", float, double) {
    Eigen::MatrixX<TestType> train(2, 4), scaled(2, 4);
    train << 1, 3, 1, 3, 10, 20, 30, 40;
    const auto outer = static_cast<TestType>(3 / std::sqrt(5.0)), inner = static_cast<TestType>(1 / std::sqrt(5.0));
    scaled << -1, 1, -1, 1, -outer, -inner, inner, outer;
    hg::StandardScaler<TestType> scaler;
    CHECK(scaler.fit_transform(train).isApprox(scaled));
    CHECK(scaler.mean() == Eigen::Vector2d(2, 25));
    CHECK(scaler.scale().isApprox(Eigen::Vector2d(1, std::sqrt(125.0))));  // divided by n, not n − 1
    CHECK(scaler.inverse_transform(scaler.transform(train)).isApprox(train));
    CHECK(scaler.transform(train.array() + 2).row(0).isApprox(Eigen::RowVector4<TestType>(1, 3, 1, 3)));
}

TEST_CASE("StandardScaler keeps a small spread around a large mean") {
    // In float, one unit around 1e6 is 16 steps; Σx² − n·mean² would lose it entirely.
    Eigen::MatrixXf data(2, 10000);
    for (Eigen::Index j = 0; j < data.cols(); ++j) {
        data(0, j) = 1e6f + static_cast<float>(j % 5) - 2;
        data(1, j) = -1e7f + static_cast<float>(j % 2);
    }
    hg::StandardScaler scaler;
    const Eigen::MatrixXd scaled = scaler.fit_transform(data).cast<double>();
    CHECK(scaler.mean()[0] == Approx(1e6).epsilon(1e-14));
    CHECK(scaler.scale()[0] == Approx(std::sqrt(2.0)).epsilon(1e-12));
    CHECK(scaler.mean()[1] == Approx(-1e7 + 0.5).epsilon(1e-14));
    CHECK(scaler.scale()[1] == Approx(0.5).epsilon(1e-12));
    for (Eigen::Index i = 0; i < 2; ++i) {
        CHECK(std::abs(scaled.row(i).mean()) < 1e-7);
        CHECK(scaled.row(i).squaredNorm() / 1e4 == Approx(1).epsilon(1e-6));
    }
    hg::StandardScaler<double> fine;
    Eigen::MatrixXd shifted = Eigen::RowVectorXd::LinSpaced(1001, -1, 1).array() + 1e9;
    fine.fit(shifted);
    CHECK(fine.scale()[0] == Approx(std::sqrt(1002.0 / 3000.0)).epsilon(1e-7));  // √((n + 1) / (3 (n − 1))), n = 1001
}

TEMPLATE_TEST_CASE("constant features survive", "", float, double) {
    // 0.1 has no exact sum: the mean of three of them is not 0.1 in every arithmetic.
    for (const Eigen::Index n : {1, 3, 7, 1000}) {
        Eigen::MatrixX<TestType> data(3, n);
        data.row(0).setConstant(TestType(0.1));
        data.row(1).setConstant(TestType(-1e6 / 3));
        data.row(2).setZero();
        hg::StandardScaler<TestType> standard;
        CHECK(standard.fit_transform(data) == Eigen::MatrixX<TestType>::Zero(3, n));
        CHECK(standard.scale() == Eigen::Vector3d::Ones());
        CHECK(standard.inverse_transform(standard.transform(data)) == data);
        hg::MinMaxScaler<TestType> min_max{{.low = 2, .high = 3}};
        CHECK(min_max.fit_transform(data) == Eigen::MatrixX<TestType>::Constant(3, n, 2));
        CHECK(min_max.inverse_transform(min_max.transform(data)) == data);
    }
}

TEST_CASE("the spread of tiny and huge values") {
    Eigen::MatrixXd data(1, 2);
    data << 0, std::numeric_limits<double>::denorm_min();
    CHECK(hg::MinMaxScaler<double>{}.fit_transform(data) == Eigen::RowVector2d(0, 1));
    CHECK(hg::StandardScaler<double>{}.fit_transform(data).allFinite());
    data << -1e308, 1e308;
    CHECK_THAT(error_of([&] { hg::MinMaxScaler<double>{}.fit(data); }),
               ContainsSubstring("range of feature 0 overflows"));
    CHECK_THAT(error_of([&] { hg::StandardScaler<double>{}.fit(data); }),
               ContainsSubstring("variance of feature 0 overflows"));
    const Eigen::MatrixXf large = data.cwiseMin(3e38).cwiseMax(-3e38).cast<float>();
    CHECK(hg::MinMaxScaler<float>{}.fit_transform(large) == Eigen::RowVector2f(0, 1));
    CHECK(hg::StandardScaler<float>{}.fit_transform(large) == Eigen::RowVector2f(-1, 1));
}

TEMPLATE_TEST_CASE("scalers refuse data that does not fit", "", float, double) {
    check_errors<hg::MinMaxScaler<TestType>, TestType>("MinMaxScaler");
    check_errors<hg::StandardScaler<TestType>, TestType>("StandardScaler");
    CHECK_THAT(error_of([] { hg::MinMaxScaler<TestType>{{.low = 1, .high = 1}}; }),
               ContainsSubstring("low < high, got [1, 1]"));
    CHECK_THAT(error_of([] { hg::MinMaxScaler<TestType>{{.low = std::numeric_limits<double>::quiet_NaN()}}; }),
               ContainsSubstring("got [nan, 1]"));
}
