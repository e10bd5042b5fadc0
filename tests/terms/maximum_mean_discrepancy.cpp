#include "hourglass/terms/maximum_mean_discrepancy.hpp"

#include <Eigen/Core>
#include <limits>

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

template <class T>
void check_finite(const hg::MaximumMeanDiscrepancy& term) {
    const Eigen::MatrixX<T> code = Eigen::MatrixX<T>::Random(3, 5);
    Eigen::MatrixX<T> dcode = Eigen::MatrixX<T>::Zero(3, 5);
    const hg::ConstView<T> view(code.data(), 3, 5);
    CHECK(hg::is_finite(term.value<T>(view)));
    CHECK(hg::is_finite(term.gradient<T>(view, hg::View<T>(dcode.data(), 3, 5))));
    CHECK(hg::first_non_finite(dcode.data(), dcode.size()) < 0);
}

}  // namespace

TEST_CASE("weights that are no weights, and bandwidths whose square leaves the numbers, are refused") {
    const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    for (const double bad : {1e-200, 1e-30, -1.0, 1e16, nan, inf})
        CHECK_THAT(error_of([&] { hg::MaximumMeanDiscrepancy{.bandwidth = bad}.check(); }),
                   ContainsSubstring("MaximumMeanDiscrepancy: the bandwidth must be 0 or from 1e-15 to 1e15, got "));
    for (const double bad : {-1.0, 1e31, nan, inf})
        CHECK_THAT(error_of([&] { hg::MaximumMeanDiscrepancy{.weight = bad}.check(); }),
                   ContainsSubstring("MaximumMeanDiscrepancy: the weight must be finite and at least 0, got "));
    CHECK_THAT(error_of([] { hg::MaximumMeanDiscrepancy{.weight = 1e20, .bandwidth = 1e-15}.check(); }),
               ContainsSubstring("the weight divided by the squared bandwidth must be at most 1e30"));
    for (const double weight : {0.0, 1.0, 1e30})
        for (const double bandwidth : {0.0, 1e-15, 1e-10, 1.0, 1e15}) {
            const hg::MaximumMeanDiscrepancy term{.weight = weight, .bandwidth = bandwidth};
            if (error_of([&] { term.check(); }) != "nothing was thrown") continue;
            INFO("weight " << weight << ", bandwidth " << bandwidth);
            check_finite<float>(term);
            check_finite<double>(term);
        }
}
