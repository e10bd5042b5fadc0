// Every loss against dual numbers: one line a loss.
#include "hourglass/hourglass.hpp"
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
    check_loss(hg::BinaryCrossEntropy::from_logits(), logits.topRows(3).leftCols(2), unit_t.topRows(3).leftCols(2));
}
