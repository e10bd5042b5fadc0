// Anomaly scores that see the code: Mahalanobis distance, nearest neighbours, and several scores made one. Frozen
// numbers are scikit-learn's (tests/reference/code_distances.py).
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "hourglass/core/random.hpp"
#include "hourglass/metrics/combined_score.hpp"
#include "hourglass/metrics/mahalanobis_distance.hpp"
#include "hourglass/metrics/nearest_neighbors.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/reference.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

template <class T>
double tolerance() {
    return sizeof(T) == 4 ? 1e-5 : 1e-11;
}

template <class T>
Eigen::MatrixX<T> random_codes(hg::Index code, hg::Index n, double mean, hg::Rng& rng) {
    Eigen::MatrixX<T> codes(code, n);
    for (T& value : codes.reshaped()) value = static_cast<T>(mean + rng.normal());
    return codes;
}

}  // namespace

TEMPLATE_TEST_CASE("the Mahalanobis distance is scikit-learn's", "", float, double) {
    const reference::Numbers numbers("code_distances.txt");
    const auto train = numbers["train"].matrix<TestType>(), test = numbers["test"].matrix<TestType>();
    hg::MahalanobisDistance mahalanobis;
    mahalanobis.fit(train);
    CHECK(mahalanobis.shrinkage() == Approx(numbers["shrinkage"].number()).epsilon(tolerance<TestType>()));
    CHECK(mahalanobis.mean().isApprox(numbers["mean"].vector<double>(), tolerance<TestType>()));
    CHECK(mahalanobis.covariance().isApprox(numbers["covariance"].matrix<double>(), tolerance<TestType>()));
    const auto expected = numbers["mahalanobis"].vector<TestType>();
    const auto close = static_cast<TestType>(tolerance<TestType>());
    const Eigen::VectorX<TestType> found = mahalanobis.distance(test);
    CHECK(found.isApprox(expected, close));
    for (hg::Index j = 0; j < test.cols(); ++j) CHECK(mahalanobis.distance(test.col(j))[0] == found[j]);
    const hg::MahalanobisDistance again{mahalanobis.mean(), mahalanobis.covariance()};
    CHECK(again.distance(test) == found);

    mahalanobis.fit(train.leftCols(4));
    CHECK(mahalanobis.shrinkage() == Approx(numbers["few/shrinkage"].number()).epsilon(tolerance<TestType>()));
    CHECK(mahalanobis.distance(test).isApprox(numbers["few/mahalanobis"].vector<TestType>(), close));
}

TEST_CASE("the Mahalanobis distance in closed form") {
    // Of shrinkage 0: S is 4 and 1 on the diagonal. Of 1: the sphere of their mean.
    const Eigen::MatrixXd codes{{2, -2, 2, -2}, {1, 1, -1, -1}}, one{{2}, {1}};
    CHECK(hg::MahalanobisDistance{0.0}.fit(codes).distance(one)[0] == Approx(std::sqrt(2.0)).epsilon(1e-14));
    CHECK(hg::MahalanobisDistance{1.0}.fit(codes).distance(one)[0] == Approx(std::sqrt(5 / 2.5)).epsilon(1e-14));
    CHECK(hg::MahalanobisDistance{}.fit(codes.topRows(1)).shrinkage() == 0);  // one value is its own target
    // Far from 0, in more than one block, the spread is not lost to rounding; expressions will do.
    hg::Rng rng{1};
    const Eigen::MatrixXd many = random_codes<double>(3, 200, 0, rng);
    const Eigen::MatrixXd far = many.array() + 1e8;
    CHECK(hg::MahalanobisDistance{}.fit(far).covariance().isApprox(hg::MahalanobisDistance{}.fit(many).covariance(),
                                                                   1e-6));
    CHECK(hg::MahalanobisDistance{0.0}.fit(2 * many).distance(2 * many).squaredNorm() / 200 ==
          Approx(3).epsilon(1e-10));  // the trace of Σ⁻¹ S
    // A dead unit: an active one there is far away, and does not make the others so.
    Eigen::MatrixXd dead = many;
    dead.row(1).setZero();
    const hg::MahalanobisDistance mahalanobis = hg::MahalanobisDistance{}.fit(dead);
    CHECK(mahalanobis.distance(Eigen::Vector3d(0, 1, 0))[0] > 3);
    CHECK(mahalanobis.distance(dead).maxCoeff() < 5);
    // A unit of the codes changes nothing, also where the squares of their squares are no numbers.
    const Eigen::MatrixXd stretched = Eigen::Vector3d(3, 1, 2).asDiagonal() * many;
    const double shrinkage = hg::MahalanobisDistance{}.fit(stretched).shrinkage();
    CHECK((shrinkage > 0.001 && shrinkage < 0.1));
    for (const double unit : {1e-90, 1e90})
        CHECK(hg::MahalanobisDistance{}.fit(unit * stretched).shrinkage() ==
              Approx(shrinkage).epsilon(1e-12).margin(0));
}

TEST_CASE("the Mahalanobis distance refuses what does not fit") {
    const auto said = [](auto call) { return error_of([&] { call(); }); };
    Eigen::MatrixXd codes{{0, 1, 2}, {0, 2, 4}};
    hg::MahalanobisDistance mahalanobis{0.0};
    CHECK_THAT(said([&] { hg::MahalanobisDistance{1.5}; }),
               ContainsSubstring("MahalanobisDistance: the shrinkage must be in [0, 1], got 1.5"));
    CHECK_THAT(said([&] { hg::MahalanobisDistance{missing}; }), ContainsSubstring("got nan"));
    CHECK_THAT(said([&] { mahalanobis.distance(codes); }),
               ContainsSubstring("MahalanobisDistance::distance: it is not fitted"));
    CHECK_THAT(said([&] { mahalanobis.fit(codes); }),
               ContainsSubstring("MahalanobisDistance::fit: the covariance of the codes has no inverse: value 1"));
    CHECK_THAT(said([&] { hg::MahalanobisDistance{}.fit(Eigen::MatrixXf::Ones(2, 9)); }),
               ContainsSubstring("no inverse: value 0"));
    CHECK_THAT(said([&] { hg::MahalanobisDistance{}.fit(codes.leftCols(2)); }), ContainsSubstring("no inverse"));
    CHECK_THAT(said([&] { mahalanobis.fit(codes.leftCols(0)); }), ContainsSubstring("the codes are 2 x 0"));
    CHECK_THAT(said([&] { mahalanobis.fit(codes * 1e160); }), ContainsSubstring("overflows"));
    codes(1, 2) = 5;
    mahalanobis.fit(codes);
    const Eigen::MatrixXd before = mahalanobis.covariance();
    codes(1, 2) = infinity;
    CHECK_THAT(said([&] { mahalanobis.fit(codes); }), ContainsSubstring("value 1 of sample 2 is inf"));
    CHECK(mahalanobis.covariance() == before);
    CHECK_THAT(said([&] { mahalanobis.distance(codes); }), ContainsSubstring("distance: value 1 of sample 2 is inf"));
    CHECK_THAT(said([&] { mahalanobis.distance(codes.topRows(1)); }),
               ContainsSubstring("fitted on codes of 2 values (rows), these have 1"));
    const Eigen::VectorXd mean = Eigen::VectorXd::Zero(2);
    CHECK_THAT(said([&] { hg::MahalanobisDistance(mean, Eigen::MatrixXd::Identity(2, 3)); }),
               ContainsSubstring("the covariance is 2 x 3 and the mean has 2 values"));
    CHECK_THAT(said([&] {
                   hg::MahalanobisDistance(mean, Eigen::MatrixXd{{1, 0.5}, {0, 1}});
               }),
               ContainsSubstring("is not symmetric: (0, 1) is 0.5 and (1, 0) is 0"));
    CHECK_THAT(said([&] {
                   hg::MahalanobisDistance(mean, Eigen::MatrixXd{{1, 2}, {2, 1}});
               }),
               ContainsSubstring("no inverse"));
    CHECK_THAT(said([&] { hg::MahalanobisDistance(Eigen::Vector2d(missing, 0), before); }),
               ContainsSubstring("value 0 of the mean is nan"));
}

TEMPLATE_TEST_CASE("nearest neighbours are scikit-learn's", "", float, double) {
    const reference::Numbers numbers("code_distances.txt");
    const auto train = numbers["train"].matrix<TestType>(), test = numbers["test"].matrix<TestType>();
    hg::NearestNeighbors<TestType> neighbors{4};
    neighbors.fit(train);
    for (const bool own : {false, true}) {
        const std::string name = own ? "own" : "neighbors";
        const auto found = own ? neighbors.kneighbors() : neighbors.kneighbors(test);
        const auto distances = numbers[name + "/distances"].template matrix<TestType>();
        CHECK(found.distances.isApprox(distances, static_cast<TestType>(tolerance<TestType>())));
        CHECK(found.indices == numbers[name + "/indices"].template matrix<hg::Index>());
        const Eigen::VectorX<TestType> mean = own ? neighbors.mean_distance() : neighbors.mean_distance(test);
        CHECK(mean.isApprox(distances.colwise().mean().transpose(), static_cast<TestType>(tolerance<TestType>())));
    }
}

TEMPLATE_TEST_CASE("nearest neighbours are exact where products of matrices are not", "", float, double) {
    // Far from 0, so that ‖a‖² + ‖b‖² − 2 aᵀb is all rounding, and in several blocks; some codes twice.
    hg::Rng rng{2};
    const TestType mean = sizeof(TestType) == 4 ? TestType(1e4) : TestType(1e8);
    const hg::Index n = 300;
    Eigen::MatrixX<TestType> codes = random_codes<TestType>(5, n, static_cast<double>(mean), rng);
    codes.col(299) = codes.col(3);
    const Eigen::MatrixX<TestType> both = codes.rightCols(200).leftCols(150), queries = both;
    const auto found = hg::NearestNeighbors<TestType>{7}.fit(codes).kneighbors(queries);
    for (hg::Index j = 0; j < queries.cols(); ++j) {
        const Eigen::VectorXd exact =
            (codes.template cast<double>().colwise() - queries.col(j).template cast<double>()).colwise().norm();
        std::vector<hg::Index> order(static_cast<std::size_t>(n));
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](hg::Index a, hg::Index b) { return exact[a] < exact[b]; });
        for (hg::Index i = 0; i < 7; ++i) {
            const hg::Index index = found.indices(i, j);
            REQUIRE(index == order[static_cast<std::size_t>(i)]);
            REQUIRE(found.distances(i, j) == Approx(exact[index]).epsilon(1e-6).margin(0));
        }
    }
    const auto twice = hg::NearestNeighbors<TestType>{1}.fit(codes).kneighbors();
    CHECK(twice.indices(0, 3) == 299);
    CHECK(twice.indices(0, 299) == 3);
    CHECK(twice.distances(0, 3) == 0);
    CHECK(twice.distances(0, 5) > 0);
}

TEST_CASE("a mean distance is the same alone and in a batch, and of one's own codes") {
    hg::Rng rng{3};
    const Eigen::MatrixXf codes = random_codes<float>(4, 300, 0, rng), queries = random_codes<float>(4, 300, 0, rng);
    hg::NearestNeighbors neighbors{7};
    neighbors.fit(codes);
    const Eigen::VectorXf mean = neighbors.mean_distance(queries);
    hg::Index others = 0;
    for (hg::Index j = 0; j < 300; ++j) others += neighbors.mean_distance(queries.col(j))[0] != mean[j];
    CHECK(others == 0);
    neighbors.fit(neighbors.codes().rightCols(100));
    CHECK(neighbors.codes() == codes.rightCols(100));
}

TEST_CASE("nearest neighbours refuse what does not fit") {
    const auto said = [](auto call) { return error_of([&] { call(); }); };
    Eigen::MatrixXf codes{{0, 1, 3}, {0, 0, 0}};
    hg::NearestNeighbors neighbors{3};
    CHECK_THAT(said([&] { hg::NearestNeighbors{0}; }), ContainsSubstring("must be at least 1, got 0"));
    CHECK_THAT(said([&] { neighbors.kneighbors(codes); }),
               ContainsSubstring("NearestNeighbors::kneighbors: it is not fitted"));
    CHECK_THAT(said([&] { neighbors.mean_distance(); }), ContainsSubstring("it is not fitted"));
    CHECK_THAT(said([&] { neighbors.fit(codes.leftCols(2)); }),
               ContainsSubstring("NearestNeighbors::fit: there are 2 samples, expected at least 3"));
    CHECK_THAT(said([&] { neighbors.fit(codes.topRows(0)); }), ContainsSubstring("the codes are 0 x 3"));
    neighbors.fit(codes);
    CHECK_THAT(said([&] { neighbors.kneighbors(); }), ContainsSubstring("fitted on 3 samples, expected more than 3"));
    CHECK_THAT(said([&] { neighbors.kneighbors(codes.topRows(1)); }),
               ContainsSubstring("fitted on codes of 2 values (rows), these have 1"));
    CHECK_THAT(said([&] { neighbors.kneighbors(codes.leftCols(0)); }), ContainsSubstring("the codes are 2 x 0"));
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), 1e19f}) {
        codes(1, 2) = bad;
        CHECK_THAT(said([&] { neighbors.fit(codes); }), ContainsSubstring("sample 2"));
        CHECK_THAT(said([&] { neighbors.mean_distance(codes); }), ContainsSubstring("sample 2"));
    }
    CHECK(neighbors.codes() == Eigen::MatrixXf{{0, 1, 3}, {0, 0, 0}});
    CHECK(neighbors.n_neighbors() == 3);
}

TEST_CASE("a combined score adds how rare its scores are") {
    const reference::Numbers numbers("code_distances.txt");
    const auto train = numbers["train"].matrix<double>(), test = numbers["test"].matrix<double>();
    const hg::MahalanobisDistance mahalanobis = hg::MahalanobisDistance{}.fit(train);
    const auto neighbors = hg::NearestNeighbors<double>{4}.fit(train);
    const Eigen::VectorXd first = mahalanobis.distance(train), second = neighbors.mean_distance();
    const Eigen::VectorXd a = mahalanobis.distance(test), b = neighbors.mean_distance(test);
    hg::CombinedScore combined;
    combined.fit(first, second);
    const Eigen::VectorXd scores = combined.score(a, b);
    CHECK(scores.isApprox(numbers["combined"].vector<double>(), 1e-10));
    CHECK(combined.score(first, second).isApprox(numbers["combined/train"].vector<double>(), 1e-10));
    for (hg::Index j = 0; j < a.size(); ++j) CHECK(combined.score(a.segment(j, 1), b.segment(j, 1))[0] == scores[j]);
    CHECK(hg::CombinedScore{combined.scores()}.score(a, b) == scores);
    // A score's unit and power are nothing.
    CHECK(hg::CombinedScore{}.fit(7 * first, second.cwiseAbs2()).score(7 * a, b.cwiseAbs2()).isApprox(scores, 1e-10));
}

TEST_CASE("a combined score rises with each of its scores") {
    const auto rises = [](const std::vector<double>& normal, const std::vector<double>& scores) {
        const Eigen::VectorXd found = hg::CombinedScore{}.fit(normal).score(scores);
        for (hg::Index i = 1; i < found.size(); ++i)
            if (!(found[i] > found[i - 1])) return false;
        return hg::first_non_finite(found.data(), found.size()) < 0 && found[0] >= 0;
    };
    std::vector<double> normal(40);
    std::iota(normal.begin(), normal.end(), 1);
    CHECK(rises(normal, {0, 1, 5.5, 36, 37, 39, 40, 41, 1e300}));
    std::fill(normal.begin() + 20, normal.end(), 50);  // more than a tenth tie at the top
    CHECK(rises(normal, {0, 19, 20, 30, 50, 51, 1e9}));
    std::fill(normal.begin(), normal.begin() + 38, 0);  // more than nine tenths at 0
    normal[38] = 5;
    CHECK(rises(normal, {0, 5, 6, 50, 51}));
    CHECK(rises({1, 2}, {0.5, 1, 1.5, 2, 3}));
    CHECK(rises({1e-300, 1e300, 1e301}, {1e-300, 1, 1e300, 1e305}));
    CHECK(rises({1, 1.00001}, {0, 1, 2}));
    std::fill(normal.begin(), normal.begin() + 30, 1);  // the highest tenth ties but for rounding
    std::fill(normal.begin() + 30, normal.end(), 2 - 1e-15);
    normal[39] = 2;
    CHECK(rises(normal, {0, 1, 1.5, 2, 3}));
    CHECK(hg::CombinedScore{}.fit(normal).score(std::vector{4.0})[0] < 10);
    // 2 of 20 beyond 18: p(18) = (2 + 1/2)/20, p(20) = 2/20 · (20/18)^−α.
    normal.resize(20);
    std::iota(normal.begin(), normal.end(), 1);
    const double exponent = 2 / (std::log(19 / 18.0) + std::log(20 / 18.0));
    const Eigen::VectorXd found = hg::CombinedScore{}.fit(normal).score(std::vector{18.0, 20.0, 36.0});
    CHECK(found[0] == Approx(-std::log(0.125)).epsilon(1e-14));
    CHECK(found[1] == Approx(-std::log(0.1) + exponent * std::log(20 / 18.0)).epsilon(1e-14));
    CHECK(found[2] == Approx(-std::log(0.1) + exponent * std::log(2.0)).epsilon(1e-14));
}

TEST_CASE("a combined score refuses what does not fit") {
    const auto said = [](auto call) { return error_of([&] { call(); }); };
    const std::vector<double> normal{1, 2, 3}, other{1, 2}, none;
    hg::CombinedScore combined;
    CHECK(combined.scores().size() == 0);
    CHECK_THAT(said([&] { combined.score(normal); }), ContainsSubstring("CombinedScore::score: it is not fitted"));
    CHECK_THAT(said([&] { combined.fit(normal, other); }),
               ContainsSubstring("CombinedScore::fit: there are 3 scores of kind 0 and 2 of kind 1"));
    CHECK_THAT(said([&] { combined.fit(none); }), ContainsSubstring("CombinedScore::fit: there are no scores"));
    CHECK_THAT(said([&] {
                   combined.fit(normal, std::vector{0.0, 0.0, 4.0});
               }),
               ContainsSubstring("no two scores of kind 1 that are above 0 differ"));
    CHECK_THAT(said([&] { combined.fit(std::vector{2.0}); }), ContainsSubstring("kind 0"));
    std::vector<float> constant(100, 0.1f);
    constant[7] = std::nextafter(0.1f, 1.0f);
    CHECK_THAT(said([&] { combined.fit(constant); }), ContainsSubstring("differ by more than rounding"));
    CHECK_THAT(said([&] {
                   combined.fit(std::vector{2.0, -1.0});
               }),
               ContainsSubstring("score 1 is -1, expected at least 0"));
    CHECK_THAT(said([&] { hg::CombinedScore{Eigen::MatrixXd(0, 0)}; }), ContainsSubstring("there are no scores"));
    combined.fit(normal, normal);
    CHECK_THAT(said([&] { combined.fit(std::vector{missing, 1.0}); }), ContainsSubstring("score 0 is nan"));
    CHECK(combined.scores() == Eigen::MatrixXd{{1, 1}, {2, 2}, {3, 3}});
    CHECK_THAT(said([&] { combined.score(normal); }), ContainsSubstring("fitted on 2 kinds of scores, got 1"));
    CHECK_THAT(said([&] { combined.score(normal, other); }),
               ContainsSubstring("CombinedScore::score: there are 3 scores of kind 0 and 2 of kind 1"));
    CHECK_THAT(said([&] { combined.score(std::vector{infinity}, other); }), ContainsSubstring("score 0 is inf"));
    CHECK_THAT(said([&] { combined.score(std::vector{-1.0}, other); }), ContainsSubstring("score 0 is -1"));
}
