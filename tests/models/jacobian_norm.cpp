// The norm of the encoder's Jacobian at each sample, beside differences; its three ways of computing, and by probes.
#include "hourglass/models/jacobian_norm.hpp"

#include <Eigen/Dense>
#include <hourglass/workers.hpp>
#include <limits>

#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr hg::Index inputs = 6;

Eigen::MatrixXd samples(hg::Index n) {
    hg::Rng rng{4};
    return Eigen::MatrixXd::NullaryExpr(inputs, n, [&] { return rng.normal(); });
}

/// Differences of the code, sample by sample: wrong by some 1e-10.
Eigen::VectorXd by_differences(const auto& encode, const Eigen::MatrixXd& x) {
    constexpr double step = 1e-5;
    Eigen::VectorXd squares = Eigen::VectorXd::Zero(x.cols());
    for (hg::Index i = 0; i < inputs; ++i) {
        Eigen::MatrixXd after = x, before = x;
        after.row(i).array() += step, before.row(i).array() -= step;
        squares += ((encode(after) - encode(before)) / (2 * step)).colwise().squaredNorm().transpose();
    }
    return squares.cwiseSqrt();
}

template <class Encoder>
auto model_of() {
    hg::Rng rng{2};
    using Decoder = hg::Chain<Encoder::output, hg::Dense<inputs>>;
    return hg::autoencoder<Encoder, Decoder, double>(rng, hg::MeanSquaredError{});
}

}  // namespace

TEST_CASE("jacobian_norm is that of each sample, in every way that it is computed") {
    const Eigen::MatrixXd x = samples(300);  // more than a block
    const auto check = [&](const auto& model) {
        const Eigen::VectorXd expected = by_differences([&](const auto& at) { return model.encode(at); }, x);
        const Eigen::VectorXd norms = hg::jacobian_norm(model, x);
        CHECK((norms - expected).cwiseAbs().maxCoeff() < 1e-8);
        CHECK(expected.maxCoeff() > 1.1 * expected.minCoeff());
        CHECK(hg::jacobian_norm(model, x.col(299))[0] == Approx(norms[299]).epsilon(1e-12));
        hg::Workers workers{2};
        auto tape = model.tape(workers);
        CHECK(hg::jacobian_norm(model, x, tape) == norms);
    };
    check(model_of<hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::Sigmoid>>());                           // closed form
    check(model_of<hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::Tanh, hg::Dense<3>, hg::Softplus>>());  // condensed
    check(model_of<hg::Chain<hg::Shape{6}, hg::Tanh, hg::Dense<8>, hg::Sigmoid, hg::Dense<7>>>());   // swept
}

TEST_CASE("jacobian_norm by probes estimates the square") {
    const auto model = model_of<hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::Tanh, hg::Dense<3>, hg::Softplus>>();
    const Eigen::MatrixXd x = samples(3);
    const Eigen::VectorXd exact = hg::jacobian_norm(model, x), few = hg::jacobian_norm(model, x, 2),
                          many = hg::jacobian_norm(model, x, 4000);
    CHECK((many - exact).cwiseAbs().maxCoeff() < 0.05 * exact.maxCoeff());
    CHECK((few - exact).cwiseAbs().maxCoeff() > 1e-3 * exact.maxCoeff());
    CHECK(few == hg::jacobian_norm(model, x, 2));
}

TEST_CASE("jacobian_norm leaves terms, corruption and condition out of J, and refuses what does not fit") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Condition<2>, hg::Dense<4>, hg::Sigmoid>;
    hg::Rng rng{2};
    const auto model = hg::autoencoder<Encoder, hg::Chain<hg::Shape{4}, hg::Dense<6>>, double>(
        rng, hg::MeanSquaredError{}, hg::GaussianNoise{0.5}, hg::TopK<1>{});
    const Eigen::MatrixXd x = samples(5), condition = Eigen::MatrixXd::Random(2, 5);
    // The encoder's own output, which TopK makes the code of.
    const auto output = [&](const Eigen::MatrixXd& at) { return model.activation(hg::given(at, condition), 9); };
    CHECK((hg::jacobian_norm(model, hg::given(x, condition)) - by_differences(output, x)).cwiseAbs().maxCoeff() < 1e-8);
    CHECK_THAT(error_of([&] { hg::jacobian_norm(model, x); }), ContainsSubstring("jacobian_norm: a Condition is read"));
    CHECK_THAT(error_of([&] { hg::jacobian_norm(model, hg::given(x.topRows(5), condition)); }),
               ContainsSubstring("jacobian_norm: x has 5 rows, expected 6"));
    CHECK_THAT(error_of([&] { hg::jacobian_norm(model, hg::given(x, condition), -1); }),
               ContainsSubstring("jacobian_norm: the number of probes must be at least 0 (0: exact), got -1"));
}

TEST_CASE("jacobian_norm hides no value that is not finite") {
    constexpr double missing = std::numeric_limits<double>::quiet_NaN(),
                     infinity = std::numeric_limits<double>::infinity();
    const auto model = model_of<hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::ReLU>>();
    auto tape = model.tape();
    Eigen::MatrixXd x = samples(300);
    const Eigen::VectorXd expected = hg::jacobian_norm(model, x);
    for (const double bad : {missing, infinity}) {
        x(2, 280) = bad;
        tape.non_finite = hg::NonFinite::Throw;
        CHECK_THAT(error_of([&] { hg::jacobian_norm(model, x, tape); }),
                   ContainsSubstring("jacobian_norm: x is not finite: feature 2 of sample 280 is "));
        tape.non_finite = hg::NonFinite::Continue;
        const Eigen::VectorXd norms = hg::jacobian_norm(model, x, tape);
        CHECK_FALSE(hg::is_finite(norms[280]));
        CHECK(norms.head(280) == expected.head(280));
        CHECK(norms.tail(19) == expected.tail(19));
    }
    // What begins inside: the sum of finite values.
    x = samples(300);
    x.col(280) = 1e308 * model.parameters().head(24).reshaped(4, 6).row(0).transpose().cwiseSign();
    x.col(280) *= 1.7;
    auto large = model;
    large.parameters().head(24) *= 100;
    CHECK_THAT(error_of([&] { hg::jacobian_norm(large, x); }),
               ContainsSubstring("jacobian_norm: the code of sample 280 is not finite"));
    large.parameters().head(24) *= 1e160;
    CHECK_THAT(error_of([&] { hg::jacobian_norm(large, 1e-170 * samples(3)); }),
               ContainsSubstring("jacobian_norm: the norm of sample "));

    const auto imputed = model_of<hg::Chain<hg::Shape{6}, hg::ZeroImputation, hg::Dense<4>, hg::Sigmoid>>();
    Eigen::MatrixXd gaps = samples(2);
    gaps(3, 1) = missing;
    CHECK(hg::jacobian_norm(imputed, gaps)[1] > 0);
    gaps(3, 1) = infinity;
    CHECK_THAT(error_of([&] { hg::jacobian_norm(imputed, gaps); }), ContainsSubstring("feature 3 of sample 1 is inf"));
}

TEST_CASE("jacobian_norm of a code that stands still is 0 to rounding, of many samples too") {
    auto model = model_of<hg::Chain<hg::Shape{6}, hg::Dense<2>, hg::Tanh, hg::Dense<1>>>();
    const Eigen::MatrixXd x = samples(1).replicate(1, 5);
    hg::Rng rng{3};
    for (int turn = 0; turn < 100; ++turn) {
        // Two units that see the same, one more of it than the other, and undo each other behind.
        auto front = model.parameters().head(12).reshaped(2, 6);
        for (hg::Index k = 0; k < 6; ++k) front(0, k) = rng.uniform() - 0.5;
        front.row(1) = (0.5 + rng.uniform()) * front.row(0);
        const Eigen::Vector2d slope = 1 - (front * x.col(0)).array().tanh().square();
        model.parameters().segment(12, 2).setZero();
        model.parameters()[14] = 1;
        model.parameters()[15] = -slope[0] * front(0, 0) / (slope[1] * front(1, 0));
        CHECK(hg::jacobian_norm(model, x).maxCoeff() < 1e-7);
    }
}
