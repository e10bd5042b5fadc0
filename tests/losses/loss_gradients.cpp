// Every loss against dual numbers: one line a loss.
#include "hourglass/hourglass.hpp"
#include "support/error_of.hpp"
#include "support/gradient_check.hpp"

namespace hg = hourglass;
using oracle::check_loss;
using oracle::values;

TEST_CASE("gradients of losses agree with dual numbers") {
    // 37 × 29 = 1073 values: more than a block of each loss, and not a multiple of any vector width.
    const Eigen::MatrixXd p = values(37, 29, 1), t = values(37, 29, 2);
    const Eigen::MatrixXd unit_p = values(37, 29, 3, 0.02, 0.98), unit_t = values(37, 29, 4, 0, 1);
    const Eigen::MatrixXd logits = values(37, 29, 5, -12, 12);
    check_loss(hg::MeanSquaredError{}, p, t);
    check_loss(hg::MeanAbsoluteError{}, p, t);
    check_loss(hg::Huber{}, p, t);
    check_loss(hg::Huber{0.3}, p, t);
    check_loss(hg::BinaryCrossEntropy{}, unit_p, unit_t);
    check_loss(hg::BinaryCrossEntropy::from_logits(), logits, unit_t);
    check_loss(hg::BernoulliLikelihood{}, unit_p, unit_t);
    check_loss(hg::BernoulliLikelihood::from_logits(), logits, unit_t);
    check_loss(hg::GaussianLikelihood{0.7}, p, t);
    check_loss(hg::BinaryCrossEntropy::from_output(), unit_p, unit_t);
    check_loss(hg::BernoulliLikelihood::from_output<hg::Shape{37}>(), unit_p, unit_t);
    check_loss(hg::BinaryCrossEntropy::from_logits(), logits.topRows(3).leftCols(2), unit_t.topRows(3).leftCols(2));
}

TEST_CASE("cross-entropies: the gradient is that of the value, also beyond the clip") {
    // Per value: below 1e-7 and above 1 - 1e-7, just inside, and far inside; each with targets of both kinds.
    Eigen::MatrixXd p(6, 4), t(6, 4);
    p << 0, 0, 0, 0, 5e-8, 5e-8, 5e-8, 5e-8, 1e-3, 1e-3, 1e-3, 1e-3,  //
        0.7, 0.7, 0.7, 0.7, 1 - 1e-3, 1 - 1e-3, 1 - 1e-3, 1 - 1e-3, 1, 1, 1, 1;
    for (hg::Index i = 0; i < p.rows(); ++i) t.row(i) << 0, 1, 0.25, 0.75;
    const auto check = [&](const auto& loss) {
        oracle::check_loss_in<double>(loss, p, t);
        oracle::check_loss_in<float>(loss, p.topRows(5), t.topRows(5));  // as a float, 1 - 1e-7 is 1 - 1.2e-7
    };
    check(hg::BinaryCrossEntropy{});
    check(hg::BernoulliLikelihood{});
    check(hg::BinaryCrossEntropy::from_output());

    Eigen::MatrixXd d(6, 4);
    hg::BinaryCrossEntropy{}.gradient<double>(oracle::read(p), oracle::read(t), oracle::write(d));
    for (const hg::Index outside : {0, 1, 5}) CHECK(d.row(outside) == Eigen::RowVectorXd::Zero(4));
    for (const hg::Index inside : {2, 3, 4}) CHECK((d.row(inside).array() != 0).all());
}

TEST_CASE("cross-entropies refuse targets outside [0, 1], from logits and from probabilities") {
    const Eigen::MatrixXd p = values(3, 4, 1, 0.1, 0.9);
    Eigen::MatrixXd t = values(3, 4, 2, 0, 1), d(3, 4);
    Eigen::VectorXd each(4);
    t(1, 2) = -0.25;
    const auto check = [&](const auto& loss, const std::string& expected) {
        CHECK(error_of([&] { (void)loss.template value<double>(oracle::read(p), oracle::read(t)); }) == expected);
        CHECK(error_of([&] { loss.template gradient<double>(oracle::read(p), oracle::read(t), oracle::write(d)); }) ==
              expected);
        CHECK(error_of([&] {
                  loss.template samples<double>(oracle::read(p), oracle::read(t), {each.data(), each.size()});
              }) == expected);
    };
    const std::string binary = "BinaryCrossEntropy: targets must lie in [0, 1]; feature 1 of sample 2 is -0.25";
    const std::string bernoulli = "BernoulliLikelihood: targets must lie in [0, 1]; feature 1 of sample 2 is -0.25";
    check(hg::BinaryCrossEntropy{}, binary);
    check(hg::BinaryCrossEntropy::from_output(), binary);
    check(hg::BinaryCrossEntropy::from_logits(), binary);
    check(hg::BernoulliLikelihood{}, bernoulli);
    check(hg::BernoulliLikelihood::from_logits(), bernoulli);
    check(hg::BinaryCrossEntropy::from_output({.function = "Autoencoder::loss", .first_sample = 256}),
          "Autoencoder::loss: BinaryCrossEntropy: targets must lie in [0, 1]; feature 1 of sample 258 is -0.25");
    t(1, 2) = 1.5;
    CHECK_THROWS_AS(hg::BinaryCrossEntropy{}.value<double>(oracle::read(p), oracle::read(t)), hg::Error);
}
