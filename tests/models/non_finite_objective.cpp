// An objective that is not finite is found by its bits; this file is also compiled with -ffast-math.
#include <limits>
#include <string>

#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;

TEST_CASE("an objective that is not finite throws, unless the tape says otherwise") {
    using Encoder = hg::Chain<hg::Shape{12}, hg::Dense<8>, hg::Tanh, hg::Dense<3>>;
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{}, hg::L1{1});
    auto tape = model.tape();
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        Eigen::MatrixXf x = Eigen::MatrixXf::Constant(12, 4, 0.5f);
        x(3, 1) = bad;
        std::string message = "nothing was thrown";
        try {
            model.gradient(x, tape, rng);
        } catch (const hg::Error& error) {
            message = error.what();
        }
        CHECK_THAT(message, Catch::Matchers::ContainsSubstring(
                                "Autoencoder::gradient: the objective is not finite: MeanSquaredError is"));
        tape.non_finite = hg::NonFinite::Continue;
        CHECK(!hg::is_finite(model.gradient(x, tape, rng)));
        tape.non_finite = hg::NonFinite::Throw;
    }
    const Eigen::MatrixXf fine = Eigen::MatrixXf::Constant(12, 4, 0.5f);
    CHECK(hg::is_finite(model.gradient(fine, tape, rng)));
}

TEST_CASE("a log-variance that is not a number is not hidden by free bits") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<4>>;
    using Decoder = hg::Chain<hg::Shape{2}, hg::Dense<6>>;
    for (const double free_bits : {0.0, 0.5}) {
        hg::Rng rng{1};
        auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::GaussianLikelihood{1.0},
                                                       hg::GaussianLatent{.free_bits = free_bits});
        model.encoder_parameters().tail(1).setConstant(std::numeric_limits<float>::quiet_NaN());
        const Eigen::MatrixXf x = Eigen::MatrixXf::Constant(6, 4, 0.5f);
        auto tape = model.tape();
        std::string message = "nothing was thrown";
        try {
            model.loss(x, tape);  // whose codes are the means, all finite
        } catch (const hg::Error& error) {
            message = error.what();
        }
        CHECK_THAT(message, Catch::Matchers::ContainsSubstring("Autoencoder::loss: the code terms are not finite"));
        tape.non_finite = hg::NonFinite::Continue;
        CHECK(!hg::is_finite(model.loss(x, tape)));
    }
}
