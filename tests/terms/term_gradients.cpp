// Every code term against dual numbers: one line a term.
#include "hourglass/hourglass.hpp"
#include "support/gradient_check.hpp"

namespace hg = hourglass;

TEST_CASE("gradients of code terms agree with dual numbers") {
    const Eigen::MatrixXd code = oracle::values(6, 5, 1);
    oracle::check_code_term(hg::L1{0.3}, code);
    oracle::check_code_term(hg::KlSparsity{.target = 0.2, .weight = 0.3}, oracle::values(6, 5, 1, 0.05, 0.95));
}
