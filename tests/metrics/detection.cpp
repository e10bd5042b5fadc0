// Classification at a threshold, ROC-AUC, and the ways to choose a threshold. Frozen figures were computed with
// scikit-learn 1.2.1 (precision_score, recall_score, f1_score, roc_auc_score) and numpy 1.24.2 (quantile, mean, std).
#include <Eigen/Dense>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "hourglass/metrics/classification.hpp"
#include "hourglass/metrics/thresholds.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::vector<double> scores = {0.1, 0.4, 0.35, 0.8, 0.8, 0.2, 0.65, 0.4, 0.9, 0.05};
const std::vector<int> labels = {0, 0, 1, 1, 0, 0, 1, 1, 1, 0};

// What every function here says to scores that are none.
template <class T, class Call>
void check_scores(const std::string& name, Call call) {
    CHECK_THAT(error_of([&] { call(Eigen::VectorX<T>(0)); }), ContainsSubstring(name + ": there are no scores"));
    for (const T bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
        Eigen::VectorX<T> spoilt = Eigen::VectorX<T>::LinSpaced(200, 0, 1);
        spoilt[150] = bad;
        CHECK_THAT(error_of([&] { call(spoilt); }), ContainsSubstring(name + ": score 150 is "));
    }
}

// … and to labels that do not fit.
template <class Call>
void check_labels(const std::string& name, Call call) {
    CHECK_THAT(error_of([&] { call(scores, std::vector<int>(9, 1)); }),
               ContainsSubstring(name + ": there are 10 scores and 9 labels"));
    std::vector<double> wrong(labels.begin(), labels.end());
    for (const double bad : {2.0, -1.0, 0.5, std::numeric_limits<double>::quiet_NaN()}) {
        wrong[3] = bad;
        CHECK_THAT(error_of([&] { call(scores, wrong); }), ContainsSubstring(name + ": label 3 is " + hg::text(bad)));
    }
}

}  // namespace

TEST_CASE("precision, recall, F1 and accuracy are scikit-learn's") {
    const hg::Classification counts = hg::classify(scores, labels, 0.4);  // 0.4 itself is not above 0.4
    CHECK(counts == hg::Classification{3, 1, 4, 2});
    CHECK(counts.precision() == 0.75);
    CHECK(counts.recall() == 0.6);
    CHECK(counts.f1() == Approx(2.0 / 3).epsilon(1e-15));
    CHECK(counts.accuracy() == 0.7);
    CHECK(hg::Classification{}.accuracy() == 0);
    CHECK(hg::classify(scores, labels, 0.39) == hg::Classification{4, 2, 3, 1});

    const hg::Classification none = hg::classify(scores, labels, 0.9);
    CHECK(none == hg::Classification{0, 0, 5, 5});
    CHECK(none.precision() == 0);  // zero_division=0
    CHECK(none.recall() == 0);
    CHECK(none.f1() == 0);
    const hg::Classification all = hg::classify(scores, labels, -1);
    CHECK(all.precision() == 0.5);
    CHECK(all.recall() == 1);
    CHECK(hg::classify(scores, std::vector<int>(10, 0), 0.5).recall() == 0);  // one class will do here
}

TEST_CASE("ROC-AUC is scikit-learn's") {
    CHECK(hg::roc_auc(scores, labels) == 0.8);
    CHECK(hg::roc_auc(std::vector<double>{0.1, 0.4, 0.35, 0.8}, std::vector<int>{0, 0, 1, 1}) == 0.75);
    CHECK(hg::roc_auc(std::vector{1.0, 2.0, 3.0}, std::vector{0, 0, 1}) == 1);
    CHECK(hg::roc_auc(std::vector{3.0, 2.0, 1.0}, std::vector{0, 0, 1}) == 0);
    CHECK(hg::roc_auc(std::vector{7.0, 7.0, 7.0, 7.0}, std::vector{0, 1, 1, 1}) == 0.5);  // all tied
    CHECK(hg::roc_auc(std::vector{0.0, -0.0, 1.0}, std::vector{1, 0, 0}) == 0.25);
}

TEMPLATE_TEST_CASE("ROC-AUC counts pairs", "", float, double) {
    // The definition: an anomaly above a normal sample counts 1, beside it one half.
    Eigen::VectorX<TestType> values = Eigen::VectorX<TestType>::Random(301);
    values = (values.array() * 20).round();
    const Eigen::VectorXi anomalous = (Eigen::VectorXd::Random(301).array() > 0.4).cast<int>();
    double won = 0, pairs = 0;
    for (Eigen::Index i = 0; i < 301; ++i)
        for (Eigen::Index j = 0; j < 301; ++j)
            if (anomalous[i] == 1 && anomalous[j] == 0) {
                won += values[i] > values[j] ? 1 : values[i] == values[j] ? 0.5 : 0;
                ++pairs;
            }
    CHECK(hg::roc_auc(values, anomalous) == Approx(won / pairs).epsilon(1e-14));
}

TEST_CASE("metrics take any vector") {
    const Eigen::VectorXf floats = Eigen::Map<const Eigen::VectorXd>(scores.data(), 10).cast<float>();
    const Eigen::Map<const Eigen::VectorXi> integers(labels.data(), 10);
    Eigen::MatrixXd table(2, 10);
    table << floats.cast<double>().transpose(), integers.cast<double>().transpose();
    const std::array<bool, 10> array = {false, false, true, true, false, false, true, true, true, false};
    CHECK(hg::roc_auc(floats, integers) == 0.8);
    CHECK(hg::roc_auc(table.row(0), table.row(1)) == 0.8);
    CHECK(hg::roc_auc(2 * table.row(0).array() - 1, array) == 0.8);
    CHECK(hg::roc_auc(std::span<const double>(scores), std::vector<bool>(array.begin(), array.end())) == 0.8);
}

TEST_CASE("quantiles are numpy's") {
    const std::vector<double> values = {3, 1, 4, 1, 5, 9, 2, 6};
    CHECK(hg::quantile_threshold(values, 0) == 1);
    CHECK(hg::quantile_threshold(values, 0.5) == 3.5);
    CHECK(hg::quantile_threshold(values, 0.1) == 1);
    CHECK(hg::quantile_threshold(values, 0.37) == Approx(2.59).epsilon(1e-15));
    CHECK(hg::quantile_threshold(values, 0.95) == Approx(7.95).epsilon(1e-15));
    CHECK(hg::quantile_threshold(values, 1) == 9);
    CHECK(hg::quantile_threshold(std::vector{-1e308, 1e308}, 0.5) == 0);
    CHECK(hg::quantile_threshold(std::vector{0.7f}, 0.3) == static_cast<double>(0.7f));
    for (const double q :
         {0.0, 0.03, 0.06, 0.12, 0.3, 0.77, 0.9, 1.0})  // nothing exceeds the quantile of constant scores
        for (const double value : {0.1, 0.7, 1e308}) {
            CHECK(hg::quantile_threshold(Eigen::VectorXd::Constant(7, value), q) == value);
            CHECK(hg::quantile_threshold(Eigen::VectorXd::Constant(10, value), q) == value);
        }
    CHECK_THAT(error_of([&] { hg::quantile_threshold(values, -0.01); }), ContainsSubstring("in [0, 1], got -0.01"));
    CHECK_THAT(error_of([&] { hg::quantile_threshold(values, 1.01); }), ContainsSubstring("in [0, 1], got 1.01"));
    CHECK_THAT(error_of([&] { hg::quantile_threshold(values, std::nan("")); }), ContainsSubstring("got nan"));
}

TEST_CASE("mean plus k sigma") {
    const std::vector<double> values = {3, 1, 4, 1, 5, 9, 2, 6};  // mean 3.875, σ = √6.609375
    CHECK(hg::sigma_threshold(values, 0) == Approx(3.875).epsilon(1e-15));
    CHECK(hg::sigma_threshold(values, 1) == Approx(6.445870475150391).epsilon(1e-14));
    CHECK(hg::sigma_threshold(values, 3) == Approx(11.587611425451176).epsilon(1e-14));
    // A spread of √1.25 around 1e9 keeps its digits.
    CHECK(hg::sigma_threshold(std::vector{1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3}, 1) ==
          Approx(1e9 + 1.5 + std::sqrt(1.25)).epsilon(1e-15));
    // Nothing exceeds the threshold of constant scores: not even by rounding.
    for (const double value : {0.0, 0.1, -1e6 / 3, 1e300})
        for (const Eigen::Index n : {1, 3, 7, 1000})
            CHECK(hg::sigma_threshold(Eigen::VectorXd::Constant(n, value), 3) == value);
    CHECK_THAT(error_of([&] { hg::sigma_threshold(values, -1); }), ContainsSubstring("at least 0, got -1"));
    CHECK_THAT(error_of([&] { hg::sigma_threshold(values, std::nan("")); }), ContainsSubstring("got nan"));
    CHECK_THAT(error_of([&] { hg::sigma_threshold(values, std::numeric_limits<double>::infinity()); }),
               ContainsSubstring("got inf"));
    CHECK_THAT(error_of([&] { hg::sigma_threshold(std::vector{-1e308, 1e308}, 3); }), ContainsSubstring("overflows"));
}

TEST_CASE("the threshold of the best F1 on labelled data") {
    // Sorted: 0.9+ 0.8+ 0.8- 0.65+ 0.4+ 0.4- 0.35+ 0.2- …; flagged down to 0.35, F1 is 2·5/(7 + 5) = 10/12.
    const double best = hg::best_f1_threshold(scores, labels);
    CHECK(best == Approx(0.275).epsilon(1e-15));
    CHECK(hg::classify(scores, labels, best).f1() == Approx(10.0 / 12).epsilon(1e-15));

    CHECK(hg::best_f1_threshold(std::vector{1.0, 2.0, 3.0}, std::vector{0, 0, 1}) == 2.5);
    CHECK(hg::best_f1_threshold(std::vector{1.0, 2.0, 3.0, 4.0}, std::vector{0, 1, 1, 1}) == 1.5);
    // Of equal F1 the highest: {9} and {9, 7, 5, 3} reach 2/3.
    CHECK(hg::best_f1_threshold(std::vector{9.0, 7.0, 5.0, 3.0, 1.0}, std::vector{1, 0, 0, 1, 0}) == 8);
}

TEMPLATE_TEST_CASE("the best F1 is the best of all", "", float, double) {
    Eigen::VectorX<TestType> values = Eigen::VectorX<TestType>::Random(101);
    values = (values.array() * 30).round();
    const Eigen::VectorXd noisy = values.template cast<double>() / 30 + Eigen::VectorXd::Random(101);
    const Eigen::VectorXi anomalous = (noisy.array() > 0.5).cast<int>();
    const double best = hg::classify(values, anomalous, hg::best_f1_threshold(values, anomalous)).f1();
    double highest = 0;
    for (int i = -63; i <= 63; ++i) highest = std::max(highest, hg::classify(values, anomalous, i / 2.0).f1());
    CHECK(best == highest);
    CHECK(best > 0);
}

TEST_CASE("the best F1 of awkward scores") {
    // Constant scores: all or nothing, and all is better.
    for (const double value : {0.0, 1.0, -3.0, 1e30}) {
        const Eigen::VectorXd constant = Eigen::VectorXd::Constant(4, value);
        const double threshold = hg::best_f1_threshold(constant, std::vector{1, 0, 0, 0});
        CHECK(std::isfinite(threshold));
        CHECK(hg::classify(constant, std::vector{1, 0, 0, 0}, threshold) == hg::Classification{1, 3, 0, 0});
    }
    // Neighbouring numbers, whose middle rounds to the lower or to the higher one, and huge ones of both signs.
    for (double low = 1; low < 1 + 4e-16; low = std::nextafter(low, 2.0)) {
        const std::vector<double> neighbours = {low, std::nextafter(low, 2.0)};
        const double threshold = hg::best_f1_threshold(neighbours, std::vector{0, 1});
        CHECK(hg::classify(neighbours, std::vector{0, 1}, threshold).f1() == 1);
    }
    CHECK(hg::best_f1_threshold(std::vector{-1.5e308, 1.5e308}, std::vector{0, 1}) == 0);
    // The anomalies score lowest: flagging everything is all that is left.
    const std::vector<double> reversed = {1, 2, 3};
    CHECK(hg::best_f1_threshold(reversed, std::vector{1, 0, 0}) < 1);
}

TEMPLATE_TEST_CASE("metrics refuse what has no answer", "", float, double) {
    const std::vector<int> some(200, 1);
    check_scores<TestType>("classify", [&](const auto& s) { hg::classify(s, some, 0.5); });
    check_scores<TestType>("roc_auc", [&](const auto& s) { hg::roc_auc(s, some); });
    check_scores<TestType>("best_f1_threshold", [&](const auto& s) { hg::best_f1_threshold(s, some); });
    check_scores<TestType>("quantile_threshold", [](const auto& s) { hg::quantile_threshold(s, 0.5); });
    check_scores<TestType>("sigma_threshold", [](const auto& s) { hg::sigma_threshold(s, 3); });
    check_labels("classify", [](const auto& s, const auto& l) { hg::classify(s, l, 0.5); });
    check_labels("roc_auc", [](const auto& s, const auto& l) { hg::roc_auc(s, l); });
    check_labels("best_f1_threshold", [](const auto& s, const auto& l) { hg::best_f1_threshold(s, l); });
    for (const int only : {0, 1}) {
        const std::vector<int> one_class(10, only);
        const std::string got = only == 1 ? "got 10 labelled 1 and 0 labelled 0" : "got 0 labelled 1 and 10 labelled 0";
        CHECK_THAT(error_of([&] { hg::roc_auc(scores, one_class); }),
                   ContainsSubstring("roc_auc: ") && ContainsSubstring(got));
        CHECK_THAT(error_of([&] { hg::best_f1_threshold(scores, one_class); }), ContainsSubstring(got));
    }
    CHECK_THAT(error_of([] { hg::classify(scores, labels, std::nan("")); }),
               ContainsSubstring("must be finite, got nan"));
}
