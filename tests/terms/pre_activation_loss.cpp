// PreActivationLoss: which units it acts on, its gradient, and dead units that come back.
#include <cmath>
#include <limits>

#include "hourglass/hourglass.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using oracle::read;
using oracle::values;
using oracle::write;

TEST_CASE("PreActivationLoss: acts on units that no sample activates, below the threshold") {
    Eigen::MatrixXd x(3, 2), code(3, 2), expected(3, 2);
    x << 0.5, 2,  // dead; the second sample is above the threshold
        -3, -4,   // dead
        -3, 0.2;  // active
    code << 0, 0, 0, 0, 0, 0.2;
    expected << 10 - 0.35, 10, 10 - 0.35, 10 - 0.35, 10, 10;
    const hg::PreActivationLoss term{.weight = 0.7, .threshold = 1};
    CHECK(term.value<double>(read(x), read(code)) == Approx(0.7 / 2 * (0.5 + 4 + 5)).epsilon(1e-14));
    Eigen::MatrixXd dx = Eigen::MatrixXd::Constant(3, 2, 10);
    CHECK(term.gradient<double>(read(x), read(code), write(dx)) == term.value<double>(read(x), read(code)));
    CHECK(dx.isApprox(expected, 1e-14));
    const Eigen::MatrixXd other(2, 2);
    CHECK_THROWS_WITH(term.value<double>(read(x), read(other)),
                      ContainsSubstring("PreActivationLoss: the code has 2 units, expected 3"));
}

TEST_CASE("PreActivationLoss: a whole model, with and without a term that makes the code") {
    // 70 units of which four samples activate few: both stretches of units hold dead ones.
    using Encoder = hg::Chain<hg::Shape{3}, hg::Dense<70>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<3>>;
    const Eigen::MatrixXd x = values(3, 4, 21, 0.05, 0.95);
    const auto check = [&](const auto&... terms) {
        oracle::check_model(
            [=]<class T>(hg::Rng& rng) {
                return hg::autoencoder<Encoder, Decoder, T>(rng, hg::MeanSquaredError{}, terms...);
            },
            x, x);
    };
    const hg::PreActivationLoss dead{.weight = 0.3, .threshold = 0.4};
    check(hg::TopK<2>{}, dead);
    check(dead, hg::L1{0.1}, hg::BatchTopK<2>{});
    check(dead);

    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder, double>(rng, hg::MeanSquaredError{}, hg::TopK<2>{}, dead);
    auto tape = model.tape();
    CHECK(model.gradient(x, tape, rng) == Approx(model.loss(x)).epsilon(1e-14));
    CHECK(tape.penalty() > 1);
}

TEST_CASE("PreActivationLoss: dead units come back", "[statistics]") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<40>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<6>>;
    const Eigen::MatrixXf x = values(6, 200, 4).cast<float>();
    const auto dead_after_training = [&](double weight) {
        hg::Rng rng{5};
        auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, hg::TopK<4>{},
                                                       hg::PreActivationLoss{.weight = weight});
        model.encoder_parameters().tail(20).setConstant(-5);  // the biases of the last twenty units
        auto tape = model.tape();
        hg::Adam adam{{.learning_rate = 1e-2}};
        for (int step = 0; step < 1000; ++step) {
            model.gradient(x, tape, rng);
            adam.step(model.parameters(), tape.gradient());
        }
        return hg::dead_units(model.encode(x));
    };
    CHECK(dead_after_training(0) >= 20);
    CHECK(dead_after_training(1e-3) < 5);
}

TEST_CASE("PreActivationLoss: hyperparameters out of range are refused") {
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    for (const double bad : {-1.0, nan, infinity})
        CHECK_THROWS_WITH(hg::PreActivationLoss{.weight = bad}.check(),
                          ContainsSubstring("PreActivationLoss: the weight"));
    for (const double bad : {nan, infinity, -infinity})
        CHECK_THROWS_WITH((hg::PreActivationLoss{1, bad}.check()),
                          ContainsSubstring("PreActivationLoss: the threshold"));
}
