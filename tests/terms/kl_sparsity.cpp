// KlSparsity: its formula, its gradient, and what happens where a unit is always or never active.
#include <cmath>
#include <limits>

#include "hourglass/hourglass.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using oracle::read;
using oracle::values;
using oracle::write;

namespace {

double divergence(double target, double mean) {
    return target * std::log(target / mean) + (1 - target) * std::log((1 - target) / (1 - mean));
}

}  // namespace

TEST_CASE("KlSparsity: the formula on means known by hand") {
    Eigen::MatrixXd code(2, 4);
    code << 0.1, 0.2, 0.3, 0.4,  // mean 0.25
        0.9, 0.5, 0.7, 0.3;      // mean 0.6
    const hg::KlSparsity term{.target = 0.05, .weight = 3};
    CHECK(term.value<double>(read(code)) ==
          Approx(3 * (divergence(0.05, 0.25) + divergence(0.05, 0.6))).epsilon(1e-14));

    Eigen::MatrixXd even = Eigen::MatrixXd::Constant(700, 7, 0.05);
    CHECK(std::abs(term.value<double>(read(even))) < 1e-12);
    even.row(70).setConstant(0.5);  // beyond the first block of the first shard's units
    CHECK(term.value<double>(read(even)) == Approx(3 * divergence(0.05, 0.5)).epsilon(1e-12));
}

TEST_CASE("KlSparsity: gradients agree with dual numbers") {
    oracle::check_code_term(hg::KlSparsity{.target = 0.05, .weight = 1}, values(6, 5, 1, 0.05, 0.95));
    oracle::check_code_term(hg::KlSparsity{0.3f, 0.25f}, values(700, 2, 2, 0.2, 0.8));
}

TEST_CASE("KlSparsity: a whole model") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::Tanh, hg::Dense<4>, hg::Sigmoid>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<6>, hg::Sigmoid>;
    oracle::check_model(
        []<class T>(hg::Rng& rng) {
            return hg::autoencoder<Encoder, Decoder, T>(rng, hg::BinaryCrossEntropy{},
                                                        hg::KlSparsity{.target = 0.1, .weight = 0.3});
        },
        values(6, 4, 21, 0.05, 0.95), values(6, 4, 22, 0.05, 0.95));
}

TEST_CASE("KlSparsity: units that are always or never active stay finite and are pushed back") {
    Eigen::MatrixXf code(2, 3);
    code << 0, 0, 0, 1, 1, 1;
    const hg::KlSparsity term{.target = 0.05, .weight = 1};
    Eigen::MatrixXf d = Eigen::MatrixXf::Zero(2, 3);
    const float value = term.gradient<float>(read(code), write(d));
    CHECK(static_cast<double>(value) == Approx(divergence(0.05, 1e-6) + divergence(0.05, 1 - 1e-6)).epsilon(1e-6));
    CHECK(d.allFinite());
    CHECK(d.row(0).maxCoeff() < 0);  // a step against the gradient raises the first unit
    CHECK(d.row(1).minCoeff() > 0);
}

TEST_CASE("KlSparsity: NaN is not hidden") {
    Eigen::MatrixXd code = values(3, 2, 1, 0.1, 0.9);
    code(1, 1) = std::numeric_limits<double>::quiet_NaN();
    CHECK(!hg::is_finite(hg::KlSparsity{.target = 0.05, .weight = 1}.value<double>(read(code))));
}

TEST_CASE("KlSparsity: hyperparameters out of range are refused") {
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    for (const double target : {0.0, 1.0, -0.1, 1.5, nan})
        CHECK_THROWS_WITH((hg::KlSparsity{target, 1}.check()), ContainsSubstring("KlSparsity: the target"));
    for (const double weight : {-1.0, nan, infinity})
        CHECK_THROWS_WITH((hg::KlSparsity{0.05, weight}.check()), ContainsSubstring("KlSparsity: the weight"));
    CHECK_NOTHROW((hg::KlSparsity{.target = 0.05, .weight = 0}.check()));

    hg::Rng rng{1};
    using Encoder = hg::Chain<hg::Shape{4}, hg::Dense<3>, hg::Sigmoid>;
    CHECK_THROWS_AS((hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{},
                                                                   hg::KlSparsity{.target = 0, .weight = 1})),
                    hg::Error);
}
