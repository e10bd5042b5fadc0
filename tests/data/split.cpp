// Every sample is in one part, with its label; classes keep their shares; the same generator parts alike.
#include "hourglass/data/split.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

// Sample j holds j and -j.
Eigen::MatrixXf numbered(Eigen::Index n) {
    Eigen::MatrixXf x(2, n);
    for (Eigen::Index j = 0; j < n; ++j) x.col(j) << static_cast<float>(j), -static_cast<float>(j);
    return x;
}

std::vector<float> samples_of(const Eigen::MatrixXf& train, const Eigen::MatrixXf& test) {
    std::vector<float> all(train.row(0).begin(), train.row(0).end());
    all.insert(all.end(), test.row(0).begin(), test.row(0).end());
    CHECK(train.row(0) == -train.row(1));
    CHECK(test.row(0) == -test.row(1));
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace

TEST_CASE("every sample goes to one part, in an order that the generator draws") {
    const Eigen::MatrixXf x = numbered(103);
    hg::Rng rng{1}, again{1};
    const auto [train, test] = hg::train_test_split(x, 0.25, rng);
    CHECK(test.cols() == 26);
    CHECK(train.cols() == 77);
    const std::vector<float> all = samples_of(train, test);
    for (std::size_t j = 0; j < 103; ++j) CHECK(all[j] == static_cast<float>(j));
    CHECK(!std::is_sorted(train.row(0).begin(), train.row(0).end()));
    CHECK(hg::train_test_split(x, 0.25, again).test == test);
    CHECK(hg::train_test_split(x, 0.25, again).test != test);
    // Of a block, whose samples do not lie behind each other.
    CHECK(hg::train_test_split(x.bottomRows(1), 0.5, rng).train.maxCoeff() <= 0);
}

TEST_CASE("both parts have each class's share") {
    const Eigen::MatrixXf x = numbered(200);
    Eigen::VectorXi labels(200);
    for (Eigen::Index j = 0; j < 200; ++j) labels[j] = j % 20 == 0 ? 7 : j % 2 == 0 ? -1 : 3;  // 10, 90 and 100
    hg::Rng rng{1};
    const auto [train, test, train_labels, test_labels] = hg::train_test_split(x, labels, 0.2, rng);
    CHECK(samples_of(train, test).size() == 200);
    CHECK(test_labels.size() == 40);
    CHECK((test_labels.array() == 7).count() == 2);
    CHECK((test_labels.array() == -1).count() == 18);
    CHECK((test_labels.array() == 3).count() == 20);
    for (Eigen::Index j = 0; j < train.cols(); ++j)
        CHECK(train_labels[j] == labels[static_cast<Eigen::Index>(train(0, j))]);
    for (Eigen::Index j = 0; j < test.cols(); ++j)
        CHECK(test_labels[j] == labels[static_cast<Eigen::Index>(test(0, j))]);
    CHECK(!std::is_sorted(test_labels.begin(), test_labels.end()));
}

TEST_CASE("no part and no class goes without") {
    const Eigen::MatrixXf x = numbered(12);
    hg::Rng rng{1};
    CHECK(hg::train_test_split(x, 0.01, rng).test.cols() == 1);
    CHECK(hg::train_test_split(x, 0.99, rng).train.cols() == 1);
    Eigen::VectorXi labels = Eigen::VectorXi::Zero(12);
    labels.tail(2).setOnes();
    CHECK(hg::train_test_split(x, labels, 0.1, rng).test_labels.sum() == 1);
    CHECK(hg::train_test_split(x, labels, 0.9, rng).train_labels.sum() == 1);
}

TEST_CASE("what cannot be parted is refused") {
    const Eigen::MatrixXf x = numbered(3);
    hg::Rng rng{1};
    for (const double test_size : {0.0, 1.0, -0.5, 2.0, std::nan("")})
        CHECK_THAT(error_of([&] { hg::train_test_split(x, test_size, rng); }),
                   ContainsSubstring("must lie between 0 and 1"));
    CHECK_THAT(error_of([&] { hg::train_test_split(x.leftCols(1), 0.5, rng); }),
               ContainsSubstring("expected at least two samples, one to train and one to test, got 1"));
    CHECK_THAT(error_of([&] { hg::train_test_split(x, Eigen::VectorXi::Zero(2), 0.5, rng); }),
               ContainsSubstring("there are 3 samples and 2 labels"));
    CHECK_THAT(error_of([&] {
                   hg::train_test_split(x, Eigen::Vector3i{1, 7, 1}, 0.5, rng);
               }),
               ContainsSubstring("label 7 has one sample"));
}
