// Activation densities, active and dead units, and the fraction of variance unexplained.
#include "hourglass/metrics/sparsity.hpp"

#include <Eigen/Core>
#include <limits>

#include "support/catch.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

Eigen::MatrixXd codes() {
    Eigen::MatrixXd c(4, 3);
    c << 0, 0, 0,       // dead
        1, 0, 2,        //
        0, -3, 0,       // active below 0
        0.1, 0.1, 0.1;  // faint
    return c;
}

}  // namespace

TEST_CASE("sparsity: densities, active and dead units by hand") {
    const Eigen::MatrixXd c = codes();
    CHECK(hg::activation_density(c).isApprox(Eigen::Vector4d(0, 2.0 / 3, 1.0 / 3, 1), 1e-15));
    CHECK(hg::mean_active_units(c) == Approx(2).epsilon(1e-15));
    CHECK(hg::dead_units(c) == 1);

    CHECK(hg::activation_density(c, 0.1).isApprox(Eigen::Vector4d(0, 2.0 / 3, 1.0 / 3, 0), 1e-15));
    CHECK(hg::mean_active_units(c, 0.1) == Approx(1).epsilon(1e-15));
    CHECK(hg::dead_units(c, 0.1) == 2);
    CHECK(hg::dead_units(c, 5) == 4);
}

TEST_CASE("sparsity: floats, blocks and expressions") {
    const Eigen::MatrixXf c = codes().cast<float>();
    CHECK(hg::mean_active_units(c) == Approx(2).epsilon(1e-15));
    CHECK(hg::dead_units(c.middleRows(1, 3)) == 0);
    CHECK(hg::dead_units(c.middleRows(1, 3).leftCols(1)) == 1);
    CHECK(hg::dead_units(2 * c) == 1);
    CHECK(hg::dead_units(c.transpose().eval()) == 0);
}

TEST_CASE("sparsity: fraction of variance unexplained") {
    Eigen::MatrixXd x(2, 4), rebuilt(2, 4);
    x << 1, 2, 3, 4, 10, 10, 14, 14;
    rebuilt << 1, 2, 3, 5, 10, 12, 14, 14;
    // The variances: 1.25 · 4 + 4 · 4 = 21; the errors: 1 + 4.
    CHECK(hg::fraction_of_variance_unexplained(x, rebuilt) == Approx(5.0 / 21).epsilon(1e-15));
    CHECK(hg::fraction_of_variance_unexplained(x, x) == 0);
    CHECK(hg::fraction_of_variance_unexplained(x, (x.rowwise().mean().replicate(1, 4)).eval()) ==
          Approx(1).epsilon(1e-15));
    CHECK(
        hg::fraction_of_variance_unexplained((x * 1000).cast<float>().eval(), (rebuilt * 1000).cast<float>().eval()) ==
        Approx(5.0 / 21).epsilon(1e-6));
    CHECK(hg::fraction_of_variance_unexplained(x.rightCols(2), rebuilt.rightCols(2)) == Approx(2).epsilon(1e-15));
}

TEST_CASE("sparsity: errors") {
    Eigen::MatrixXd c = codes();
    for (const double bad : {-1.0, not_a_number, std::numeric_limits<double>::infinity()})
        CHECK_THROWS_WITH(hg::activation_density(c, bad), ContainsSubstring("activation_density: the tolerance"));
    CHECK_THROWS_WITH(hg::mean_active_units(Eigen::MatrixXd(4, 0)), ContainsSubstring("the code is 4 x 0"));
    CHECK_THROWS_WITH(hg::fraction_of_variance_unexplained(c, c.topRows(2)),
                      ContainsSubstring("x is 4 x 3, but the reconstruction is 2 x 3"));
    const Eigen::MatrixXd equal = Eigen::MatrixXd::Ones(2, 3);
    CHECK_THROWS_WITH(hg::fraction_of_variance_unexplained(equal, equal), ContainsSubstring("all equal"));
    c(2, 1) = not_a_number;
    CHECK_THROWS_WITH(hg::dead_units(c), ContainsSubstring("value 2 of sample 1 of the code is nan"));
    CHECK_THROWS_WITH(hg::fraction_of_variance_unexplained(codes(), c),
                      ContainsSubstring("value 2 of sample 1 of the reconstruction is nan"));
}
