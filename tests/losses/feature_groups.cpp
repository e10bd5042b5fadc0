// Losses of groups of features, masks for missing targets and class weights: against dual numbers and frozen numbers,
// what they refuse, and what they are called.
#include <limits>
#include <string>

#include "hourglass/hourglass.hpp"
#include "support/error_of.hpp"
#include "support/gradient_check.hpp"
#include "support/reference.hpp"

namespace hg = hourglass;

namespace {

using Catch::Matchers::ContainsSubstring;
using oracle::check_loss, oracle::read, oracle::values, oracle::write;

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

using Table = hg::FeatureGroups<hg::Group<2, hg::Masked<hg::MeanSquaredError>>,
                                hg::Group<3, hg::Masked<hg::CategoricalCrossEntropy>>,
                                hg::Group<2, hg::Masked<hg::BinaryCrossEntropy>>>;

Table table() { return Table{{}, {hg::Masked{hg::CategoricalCrossEntropy{.label_smoothing = 0.1}}, 0.5}, {{}, 2}}; }

/// Every so many values missing, and all of one sample's.
Eigen::MatrixXd with_gaps(Eigen::MatrixXd target) {
    for (hg::Index i = 0; i < target.size(); i += 5) target.reshaped()[i] = missing;
    target.col(1).setConstant(missing);
    return target;
}
/// Columns of the table above, `positions` of them in a sample, with gaps.
Eigen::MatrixXd targets(hg::Index positions, hg::Index samples) {
    hg::Rng rng{3};
    Eigen::MatrixXd t = Eigen::MatrixXd::Zero(7, positions * samples);
    for (hg::Index j = 0; j < t.cols(); ++j) {
        t.col(j).head(2) << rng.uniform(-1, 1), rng.uniform(-1, 1);
        t(2 + j % 3, j) = 1;
        t.col(j).tail(2) << static_cast<double>(j % 2), rng.uniform();
        if (j % 4 == 1) t(1, j) = missing;
        if (j % 4 == 2) t.col(j).segment(2, 3).setConstant(missing);
        if (j % 5 == 3) t.col(j).tail(2).setConstant(missing);
    }
    t.leftCols(positions).setConstant(missing);
    return t.reshaped(7 * positions, samples);
}

template <class T, class Loss>
void check_frozen_in(const Loss& loss, const std::string& name) {
    const reference::Numbers numbers("feature_groups.txt");
    const hg::Matrix<T> x = numbers[name + "/x"].matrix<T>(),
                        target = numbers[name + "/target"].matrix<T>().unaryExpr(
                            [](T value) { return value == T(99) ? static_cast<T>(missing) : value; });
    hg::Matrix<T> dx(x.rows(), x.cols());
    const T value = loss.template gradient<T>(read(x), read(target), write(dx));
    CHECK(std::abs(static_cast<double>(value) - numbers[name + "/value"].number()) <= oracle::tolerance<T>);
    CHECK(oracle::difference(dx, numbers[name + "/dx"].matrix<double>()) <= oracle::tolerance<T>);
}
template <class Loss>
void check_frozen(const Loss& loss, const std::string& name) {
    CAPTURE(name);
    check_frozen_in<double>(loss, name);
    check_frozen_in<float>(loss, name);
}

}  // namespace

TEST_CASE("class weights, masks and groups agree with PyTorch") {
    const hg::CategoricalCrossEntropy weighted{.class_weights = {0.5, 2, 1.25}},
        smoothed{.label_smoothing = 0.1, .class_weights = {0.5, 2, 1.25}};
    check_frozen(weighted.from_logits<hg::Shape{3}>(), "class_weights");
    check_frozen(smoothed.from_logits<hg::Shape{3}>(), "class_weights_smoothed");
    check_frozen(hg::Masked<hg::MeanSquaredError>{}, "masked_squares");
    const Table loss = table();
    check_frozen(loss.from_logits<hg::Shape{7}>(), "groups");
}

TEST_CASE("gradients of masked losses, of groups and with class weights agree with dual numbers") {
    const Eigen::MatrixXd p = values(7, 9, 1), unit = values(7, 9, 2, 0.02, 0.98), logits = values(14, 9, 5, -9, 9);
    check_loss(hg::Masked{hg::Huber{0.3}}, p, with_gaps(values(7, 9, 3)));
    check_loss(hg::Masked{hg::GaussianLikelihood{0.7}}, p, with_gaps(values(7, 9, 3)));
    check_loss(hg::Masked<hg::BinaryCrossEntropy>{}, unit, with_gaps(values(7, 9, 4, 0, 1)));
    const Table loss = table();
    check_loss(loss.from_logits<hg::Shape{7}>(), logits.topRows(7), targets(1, 9));
    check_loss(loss.from_output<hg::Shape{7}>(), unit, targets(1, 9));
    check_loss(loss.from_logits<hg::Shape{7, 2}>(), logits, targets(2, 9));
    const hg::CategoricalCrossEntropy weighted{.label_smoothing = 0.2, .class_weights = {0.5, 2, 0}};
    const Eigen::MatrixXd kinds = targets(1, 9).rightCols(1).middleRows(2, 3).replicate(2, 9);
    check_loss(weighted.from_logits<hg::Shape{3, 2}>(), logits.topRows(6), kinds);
    check_loss(weighted.from_output<hg::Shape{3, 2}>(), unit.topRows(6), kinds);
}

TEST_CASE("a masked loss is the loss of what is there, and nothing of what is not") {
    const Eigen::MatrixXd p = values(6, 3, 1);
    Eigen::MatrixXd t = values(6, 3, 2), d(6, 3);
    const auto whole = [&](hg::Index rows, hg::Index column) {
        return (p.col(column).head(rows) - t.col(column).head(rows)).squaredNorm() / static_cast<double>(rows);
    };
    t.col(0).tail(2).setConstant(missing);
    t.col(2).setConstant(missing);
    const double expected = (whole(4, 0) + whole(6, 1)) / 3;
    const hg::Masked<hg::MeanSquaredError> loss;
    CHECK(loss.gradient<double>(read(p), read(t), write(d)) == Approx(expected).epsilon(1e-14));
    CHECK((d.col(0).tail(2).array() == 0).all());
    CHECK((d.col(2).array() == 0).all());
    CHECK((d.col(0).head(4) - (p - t).col(0).head(4) / 6).cwiseAbs().maxCoeff() < 1e-15);
    // A part of a batch has its share of the mean.
    CHECK(loss.from_output<hg::Shape{6}>().gradient_of_part<double>(
              {p.data(), 6, 1}, {t.data(), 6, 1}, {d.data(), 6, 1}, 3) == Approx(whole(4, 0) / 3).epsilon(1e-14));
    // A prediction that is not finite costs nothing where the target is missing.
    Eigen::MatrixXd lost = p;
    lost(5, 0) = lost(3, 2) = missing;
    CHECK(loss.value<double>(read(lost), read(t)) == Approx(expected).epsilon(1e-14));
    // Nothing at all.
    t.setConstant(missing);
    CHECK(loss.gradient<double>(read(p), read(t), write(d)) == 0);
    CHECK((d.array() == 0).all());
    // An infinite target is there.
    t(1, 1) = std::numeric_limits<double>::infinity();
    CHECK(!hg::is_finite(loss.value<double>(read(p), read(t))));
}

TEST_CASE("what groups and masks refuse is named by its row in the table") {
    const Eigen::MatrixXd p = values(7, 3, 2, 0.02, 0.98);
    Eigen::MatrixXd t = targets(1, 3), d(7, 3);
    const Table loss = table();
    const auto message = [&] { return error_of([&] { (void)loss.value<double>(read(p), read(t)); }); };
    t.col(1) << 0, missing, 0, 1, 0, 1, 1.5;
    CHECK(message() == "BinaryCrossEntropy: targets must lie in [0, 1]; feature 6 of sample 1 is 1.5");
    t.col(1) << 0, missing, 0, 1, 1, missing, 1;
    CHECK_THAT(message(), ContainsSubstring("must sum to 1; those of position 0 of sample 1 do not (features 2 to 4)"));
    CHECK_THAT(error_of([] {
                   Table{{}, {{}, -1}, {}}.check();
               }),
               ContainsSubstring("FeatureGroups: the weight of group 1 must be finite and at least 0, got -1"));
    CHECK_THAT(error_of([] {
                   Table{{}, {hg::Masked{hg::CategoricalCrossEntropy{.label_smoothing = 1}}, 1}, {}}.check();
               }),
               ContainsSubstring("the label smoothing must be"));
    CHECK_THAT(error_of([] {
                   hg::CategoricalCrossEntropy{.class_weights = {1, missing}}.check();
               }),
               ContainsSubstring("the weight of class 1 must be finite and at least 0, got nan"));
    const hg::CategoricalCrossEntropy two{.class_weights = {1, 2}};
    const Eigen::MatrixXd kinds = targets(1, 9).col(1).segment(2, 3);
    CHECK_THAT(error_of([&] {
                   (void)two.value<double>({p.data(), 3, 1}, read(kinds));
               }),
               ContainsSubstring("CategoricalCrossEntropy: there are 2 class weights for 3 classes"));
}

TEST_CASE("groups say what they are made of, and which features may be missing") {
    using Some = hg::FeatureGroups<hg::Group<12, hg::Huber>, hg::Group<3, hg::Masked<hg::BernoulliLikelihood>>>;
    static_assert(Some::name == "FeatureGroups<12 Huber, 3 Masked<BernoulliLikelihood>>");
    static_assert(!Some::may_be_missing(11) && Some::may_be_missing(12) && Some::may_be_missing(14) &&
                  !Some::may_be_missing(15));
    static_assert(!Some::is_likelihood && Some::needs_unit_range);
    static_assert(hg::FeatureGroups<hg::Group<2, hg::GaussianLikelihood>,
                                    hg::Group<3, hg::Masked<hg::BernoulliLikelihood>>>::is_likelihood);
    std::string names;
    const Table loss = table();
    Table::each_hyperparameter(
        loss, [&](std::string_view name, double value) { names += std::string{name} + " " + hg::text(value) + ", "; });
    CHECK(names == "0.weight 1, 1.weight 0.5, 1.label_smoothing 0.1, 2.weight 2, ");
}
