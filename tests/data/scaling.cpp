#include "hourglass/data/scaling.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <hourglass/workers.hpp>
#include <limits>
#include <string>
#include <type_traits>

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/reference.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;

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

    CHECK_THAT(
        error_of([&] { scaler.transform(data.topRows(2)); }),
        ContainsSubstring("was fitted on 3 features (rows), the data has 2") && !ContainsSubstring("transposed"));
    CHECK_THAT(error_of([&] { scaler.transform(data.transpose()); }),
               ContainsSubstring("was fitted on 3 features (rows), the data has 5; it has as many columns: is it "
                                 "transposed?"));
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

TEMPLATE_TEST_CASE("MinMaxScaler takes all features together where it is told to", "", float, double) {
    Eigen::MatrixX<TestType> data(3, 2);
    data << 1, 2, 3, 5, 4, 4;
    hg::MinMaxScaler<TestType> scaler{{.together = true}};
    Eigen::MatrixX<TestType> expected(3, 2);
    expected << 0, 0.25, 0.5, 1, 0.75, 0.75;  // (x − 1)/4
    CHECK(scaler.fit_transform(data) == expected);
    CHECK(scaler.min() == Eigen::Vector3d::Constant(1));
    CHECK(scaler.range() == Eigen::Vector3d::Constant(4));
    CHECK(scaler.inverse_transform(expected) == data);
    CHECK(hg::MinMaxScaler<TestType>{{.together = true}}.fit_transform(Eigen::MatrixX<TestType>::Ones(2, 3)).isZero());
    CHECK_THAT(error_of([] {
                   hg::MinMaxScaler<double>{{.together = true}}.fit(Eigen::Vector2d{-1e308, 1e308});
               }),
               ContainsSubstring("the range of feature 0 overflows"));
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

TEST_CASE("what is constant up to rounding is decided as scikit-learn decides") {
    const reference::Numbers numbers("scaling.txt");
    hg::StandardScaler<double> scaler;
    scaler.fit(numbers["data"].matrix<double>());
    const Eigen::VectorXd mean = numbers["mean"].vector<double>(), scale = numbers["scale"].vector<double>();
    for (Eigen::Index i = 0; i < scale.size(); ++i) {
        INFO("feature " << i);
        CHECK(scaler.mean()[i] == Approx(mean[i]).epsilon(1e-13).margin(1e-216));
        CHECK(scaler.scale()[i] == Approx(scale[i]).epsilon(1e-7));
        CHECK((scaler.scale()[i] == 1) == (scale[i] == 1));
    }
    const Eigen::VectorXd scaled = scaler.transform(numbers["other"].matrix<double>());
    const Eigen::VectorXd expected = numbers["scaled"].vector<double>();
    for (Eigen::Index i = 0; i < scale.size(); ++i) {
        INFO("feature " << i);
        CHECK(scaled[i] == Approx(expected[i]).epsilon(1e-6).margin(1e-9));
    }

    hg::StandardScaler in_float;
    in_float.fit(numbers["float/data"].matrix<float>());
    CHECK(in_float.scale().isApprox(numbers["float/scale"].vector<double>(), 1e-12));
}

TEST_CASE("scaled values that are no finite number are refused") {
    const Eigen::Matrix2d data{{0, 1e-30}, {0, 1}};
    const Eigen::Matrix2f in_float = data.cast<float>();
    Eigen::Matrix2f large = in_float;
    large(0, 1) = 1e30f;
    hg::StandardScaler standard;
    standard.fit(in_float);
    CHECK_THAT(error_of([&] { standard.transform(large); }),
               ContainsSubstring("StandardScaler::transform: feature 0 of sample 1 is 1e+30, which would become 2e+60, "
                                 "beyond the numbers of float"));
    hg::MinMaxScaler min_max;
    min_max.fit(in_float);
    CHECK_THAT(error_of([&] { min_max.transform(large); }),
               ContainsSubstring("MinMaxScaler::transform: feature 0 of sample 1 is 1e+30, which would become 1e+60"));
    hg::MinMaxScaler clipped{{.clip = true}};
    clipped.fit(in_float);
    CHECK(clipped.transform(large) == Eigen::Matrix2f{{0, 1}, {0, 1}});  // clipped before it is rounded

    // The way back, and in double.
    const Eigen::Matrix2d wide{{0, 1e300}, {0, 1e300}};
    const Eigen::Matrix2d far = Eigen::Matrix2d::Constant(1e10);
    hg::StandardScaler<double> standard_double;
    standard_double.fit(wide * 1e-150);
    CHECK(standard_double.inverse_transform(far).allFinite());
    CHECK_THAT(error_of([&] { standard_double.inverse_transform(far * 1e200); }),
               ContainsSubstring("StandardScaler::inverse_transform: feature 0 of sample 0 is 1e+210"));
    hg::MinMaxScaler<double> min_max_double;
    min_max_double.fit(wide);
    CHECK_THAT(error_of([&] { min_max_double.inverse_transform(far); }),
               ContainsSubstring("would become inf, beyond the numbers of double"));
    CHECK_THAT(error_of([] { hg::MinMaxScaler<double>{{.low = -1e308, .high = 1e308}}; }),
               ContainsSubstring("the range must be finite"));
    CHECK_THAT(error_of([] { hg::MinMaxScaler<float>{{.high = 1e39}}; }),
               ContainsSubstring("the range must be finite"));
}

TEMPLATE_TEST_CASE("scalers are made again from what they have learned", "", float, double) {
    const Eigen::MatrixX<TestType> data = Eigen::MatrixX<TestType>::Random(3, 20), other = TestType(2) * data;
    hg::StandardScaler<TestType> standard;
    standard.fit(data);
    const hg::StandardScaler<TestType> standard_again{standard.mean(), standard.scale()};
    CHECK(standard_again.transform(other) == standard.transform(other));
    CHECK(standard_again.inverse_transform(other) == standard.inverse_transform(other));
    hg::MinMaxScaler<TestType> min_max{{.clip = true}};
    min_max.fit(data);
    const hg::MinMaxScaler<TestType> min_max_again{min_max.min(), min_max.range(), {.clip = true}};
    CHECK(min_max_again.transform(other) == min_max.transform(other));
    CHECK(min_max_again.inverse_transform(data) == min_max.inverse_transform(data));
    hg::StandardScaler by_default{standard.mean(), standard.scale()};
    static_assert(std::is_same_v<decltype(by_default), hg::StandardScaler<float>>);
    CHECK(by_default.scale() == standard.scale());
}

TEST_CASE("scalers are not made from what no scaler has learned") {
    using Eigen::Vector2d;
    const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    const Eigen::VectorXd fine = Vector2d(1, 2), three = Eigen::Vector3d::Ones(), none;
    const auto standard = [](const Eigen::VectorXd& mean, const Eigen::VectorXd& scale) {
        return error_of([&] { hg::StandardScaler<float>{mean, scale}; });
    };
    const auto min_max = [](const Eigen::VectorXd& smallest, const Eigen::VectorXd& range) {
        return error_of([&] { hg::MinMaxScaler<float>{smallest, range}; });
    };
    CHECK(standard(fine, three) == "StandardScaler: mean has 2 values and scale 3, expected one per feature in both");
    CHECK(min_max(three, fine) == "MinMaxScaler: smallest has 3 values and range 2, expected one per feature in both");
    CHECK(standard(none, none) == "StandardScaler: mean and scale are empty");
    CHECK(min_max(none, none) == "MinMaxScaler: smallest and range are empty");
    for (const double bad : {nan, inf, -inf}) {
        CHECK_THAT(standard(Vector2d(1, bad), fine), ContainsSubstring("mean of feature 1 must be finite, got "));
        CHECK_THAT(min_max(Vector2d(1, bad), fine), ContainsSubstring("smallest of feature 1 must be finite, got "));
    }
    for (const double bad : {nan, inf, 0.0, -1.0}) {
        CHECK_THAT(standard(fine, Vector2d(bad, 1)),
                   ContainsSubstring("scale of feature 0 must be finite and larger than 0, got "));
        CHECK_THAT(min_max(fine, Vector2d(bad, 1)),
                   ContainsSubstring("range of feature 0 must be finite and larger than 0, got "));
    }
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

TEST_CASE("Scaling on threads gives the same values and errors") {
    hg::Workers workers{3};
    hg::Matrix<float> data = hg::Matrix<float>::Random(5, 200);
    const hg::MinMaxScaler<float> minmax = hg::MinMaxScaler<float>{}.fit(data);
    const hg::StandardScaler<float> standard = hg::StandardScaler<float>{}.fit(data);
    CHECK(minmax.transform(data, workers) == minmax.transform(data));
    CHECK(minmax.inverse_transform(data, workers) == minmax.inverse_transform(data));
    CHECK(standard.transform(data, workers) == standard.transform(data));
    CHECK(standard.inverse_transform(data, workers) == standard.inverse_transform(data));
    data(2, 90) = data(4, 170) = std::numeric_limits<float>::quiet_NaN();
    CHECK_THAT(error_of([&] { standard.transform(data, workers); }),
               ContainsSubstring("StandardScaler::transform: feature 2 of sample 90 is nan"));
}

TEST_CASE("scalers that take missing values leave them out and let them be") {
    const double missing = std::numeric_limits<double>::quiet_NaN();
    Eigen::MatrixXd data(3, 5);
    data << 1, missing, 3, 5, missing, 7, 7, missing, 7, 7, missing, -2, 2, 6, missing;
    hg::StandardScaler<double> standard{{.missing = true}};
    const Eigen::MatrixXd scaled = standard.fit_transform(data);
    CHECK(standard.mean() == Eigen::Vector3d{3, 7, 2});
    CHECK(std::abs(standard.scale()[0] - std::sqrt(8.0 / 3)) < 1e-15);
    CHECK(standard.scale()[1] == 1);
    hg::MinMaxScaler<double> range{{.clip = true, .missing = true}};
    const Eigen::MatrixXd ranged = range.fit_transform(data);
    CHECK(range.min() == Eigen::Vector3d{1, 7, -2});
    CHECK(range.range() == Eigen::Vector3d{4, 1, 8});
    const Eigen::MatrixXd back = standard.inverse_transform(scaled);
    for (Eigen::Index i = 0; i < data.size(); ++i) {
        const bool gap = !hg::is_finite(data.reshaped()[i]);
        CHECK(hg::is_finite(scaled.reshaped()[i]) == !gap);
        CHECK(hg::is_finite(ranged.reshaped()[i]) == !gap);
        if (!gap) CHECK(std::abs(back.reshaped()[i] - data.reshaped()[i]) < 1e-14);
    }
    data(2, 1) = std::numeric_limits<double>::infinity();
    CHECK_THAT(error_of([&] { (void)standard.transform(data); }),
               ContainsSubstring("StandardScaler::transform: feature 2 of sample 1 is inf, not a finite number"));
    hg::StandardScaler<double> strict;
    CHECK(error_of([&] { (void)standard.transform(data); }).ends_with("is inf, not a finite number"));
    CHECK(error_of([&] { strict.fit(data); }) ==
          "StandardScaler::fit: feature 2 of sample 0 is nan, not a finite number; StandardScaler{{.missing = true}} "
          "lets missing values be");
    data.row(2).setConstant(missing);
    CHECK_THAT(error_of([&] { hg::MinMaxScaler<double>{}.fit(data); }),
               EndsWith("; MinMaxScaler{{.missing = true}} lets missing values be"));
    CHECK_THAT(error_of([&] { standard.fit(data); }),
               ContainsSubstring("StandardScaler::fit: feature 2 has no value, all are missing"));
    CHECK_THAT(error_of([&] { range.fit(data); }),
               ContainsSubstring("MinMaxScaler::fit: feature 2 has no value, all are missing"));
}
