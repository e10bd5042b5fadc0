// Variational models: gradients, what is drawn, the bounds, and numbers that would overflow.
#include <Eigen/LU>
#include <cmath>
#include <string>

#include "hourglass/hourglass.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using oracle::values;

namespace {

const Eigen::MatrixXd x = values(6, 4, 21, 0.05, 0.95), target = values(6, 4, 22, 0.05, 0.95);

template <class Encoder, class Decoder, class... Rest>
auto build(const Rest&... rest) {
    return [=]<class T>(hg::Rng& rng) { return hg::autoencoder<Encoder, Decoder, T>(rng, rest...); };
}

// In double alone: noise in float is drawn from fewer random bits than the oracle's.
template <class Build>
void check(const Build& builder) {
    oracle::check_model_in<double>(builder, x, target, oracle::InputGradient::Check);
}

using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::Tanh, hg::Dense<4>>;
using Decoder = hg::Chain<hg::Shape{2}, hg::Dense<5>, hg::Tanh, hg::Dense<6>, hg::Sigmoid>;

// A linear model, whose p(x) is a normal density: x = W z + b + noise.
using LinearEncoder = hg::Chain<hg::Shape{3}, hg::Dense<2>>;
using LinearDecoder = hg::Chain<hg::Shape{1}, hg::Dense<3>>;
constexpr double noise_variance = 0.5;

// ln p(x) for x = w z + noise, z and the noise normal: column by column.
Eigen::VectorXd linear_log_likelihood(const Eigen::VectorXd& w, const Eigen::MatrixXd& points) {
    const Eigen::MatrixXd covariance = w * w.transpose() + noise_variance * Eigen::MatrixXd::Identity(3, 3);
    const Eigen::MatrixXd inverse = covariance.inverse();
    Eigen::VectorXd exact(points.cols());
    for (int j = 0; j < points.cols(); ++j)
        exact[j] = -0.5 * (points.col(j).dot(inverse * points.col(j)) + std::log(covariance.determinant()) +
                           3 * std::log(2 * M_PI));
    return exact;
}

// Sample by sample, the mean of 20 estimates by `estimate`. One is the logarithm of a mean, so its expectation lies
// half its variance below.
template <class Estimate>
void check_estimates(const Eigen::VectorXd& exact, Estimate estimate) {
    Eigen::MatrixXd many(exact.size(), 20);
    for (int round = 0; round < 20; ++round) many.col(round) = estimate();
    for (int j = 0; j < exact.size(); ++j) {
        const double mean = many.row(j).mean(), variance = (many.row(j).array() - mean).square().sum() / 19;
        CHECK(std::abs(mean + variance / 2 - exact[j]) < 4.5 * std::sqrt(variance / 20));  // 19 degrees of freedom
    }
}

// A linear model of points under a condition that the encoder, the decoder or both read.
template <class ConditionalEncoder, class ConditionalDecoder>
void check_conditional_bound() {
    hg::Rng rng{2};
    auto model = hg::autoencoder<ConditionalEncoder, ConditionalDecoder, double>(
        rng, hg::GaussianLikelihood{noise_variance}, hg::GaussianLatent{});
    model.parameters() += values(model.parameters().size(), 1, 5, -0.4, 0.4).col(0);
    const Eigen::MatrixXd points = values(3, 6, 9, -1, 1), condition = values(2, 6, 10, -1, 1);
    const Eigen::VectorXd decoder =
        model.decoder_parameters();  // a column for the code, columns for the condition, bias
    const Eigen::Index columns = decoder.size() / 3;
    Eigen::MatrixXd off = points.colwise() - decoder.tail(3);
    if (columns == 4) off -= decoder.segment(3, 6).reshaped(3, 2) * condition;
    check_estimates(linear_log_likelihood(decoder.head(3), off),
                    [&] { return hg::importance_weighted_bound(model, hg::given(points, condition), 4000, rng); });
}

}  // namespace

TEST_CASE("variational models: gradients agree with dual numbers") {
    check(build<Encoder, Decoder>(hg::BernoulliLikelihood{}, hg::GaussianLatent{.beta = 0.7}));
    check(build<Encoder, Decoder>(hg::GaussianLikelihood{0.3}, hg::GaussianLatent{}));
    check(build<Encoder, Decoder>(hg::LearnedGaussianLikelihood{}, hg::GaussianLatent{}));
    check(build<Encoder, Decoder>(hg::BernoulliLikelihood{}, hg::GaussianLatent{.free_bits = 0.05}));
}

TEST_CASE("variational models: the gradient of the importance-weighted bound") {
    check(build<Encoder, Decoder>(hg::BernoulliLikelihood{}, hg::GaussianLatent{.samples = 3}));
    check(build<Encoder, Decoder>(hg::GaussianLikelihood{0.3}, hg::GaussianLatent{.beta = 0.5, .samples = 4}));
}

TEST_CASE("variational models: denoising, sparse, convolutional and variational at once") {
    using Conv = hg::Chain<hg::Shape{1, 6}, hg::Conv1D<4, 3, 2, hg::Padding::Same>, hg::Softplus, hg::Dense<4>>;
    using Back = hg::Chain<hg::Shape{2, 3}, hg::Conv1DTranspose<3, 3, 2, hg::Padding::Same>, hg::Tanh, hg::Conv1D<1, 1>,
                           hg::Sigmoid>;
    oracle::check_model_in<double>(
        build<Conv, Back>(hg::BernoulliLikelihood{}, hg::GaussianNoise{0.1}, hg::GaussianLatent{.beta = 0.3},
                          hg::L1{0.2}, hg::MaximumMeanDiscrepancy{.weight = 0.5}),
        x, target, oracle::InputGradient::Check);
}

TEST_CASE("maximum mean discrepancy: gradient") {
    const Eigen::MatrixXd code = values(3, 5, 8, -1.5, 1.5);
    oracle::check_code_term(hg::MaximumMeanDiscrepancy{.weight = 0.7}, code);
    oracle::check_code_term(hg::MaximumMeanDiscrepancy{.weight = 2, .bandwidth = 0.5}, code);
    oracle::check_code_term(hg::MaximumMeanDiscrepancy{}, code.leftCols(1));
    // More samples than a block, and more than a shard; more values than a register.
    oracle::check_code_term(hg::MaximumMeanDiscrepancy{}, values(oracle::address_sanitizer ? 5 : 17, 70, 9));
}

TEST_CASE("maximum mean discrepancy: zero on average for draws from the prior, positive for others", "[statistics]") {
    const hg::Stream random{3, 1};
    constexpr int rounds = 400;
    double sum = 0, squares = 0, shifted = 0;
    for (int round = 0; round < rounds; ++round) {
        Eigen::MatrixXd code(2, 64);
        random.substream(static_cast<std::uint16_t>(round + 1)).normal(0, std::span<double>{code.data(), 128});
        const hg::MaximumMeanDiscrepancy mmd{};
        const double value = mmd.value<double>(hg::ConstView<double>{code.data(), 2, 64});
        sum += value, squares += value * value;
        code.array() *= 1.5;
        shifted += mmd.value<double>(hg::ConstView<double>{code.data(), 2, 64});
    }
    const double mean = sum / rounds, error = std::sqrt((squares / rounds - mean * mean) / rounds);
    CHECK(std::abs(mean) < 4 * error);  // four standard errors: wrong once in 16 000
    CHECK(shifted / rounds > 10 * error);
}

TEST_CASE("GaussianLatent: the divergence in closed form, and free bits") {
    constexpr hg::Shape in{4};
    const hg::GaussianLatent latent{.beta = 2};
    Eigen::MatrixXd raw(4, 2);
    raw << 0.5, -1, 0, 2, -0.3, 0.4, 0, 0;
    const hg::ConstView<double> view{raw.data(), 4, 2};
    const auto kl = [](double mean, double l) { return 0.5 * (mean * mean + std::exp(l) - 1 - l); };
    const double first = (kl(0.5, -0.3) + kl(-1, 0.4)) / 2, second = (kl(0, 0) + kl(2, 0)) / 2;
    CHECK(latent.penalty<in, double>({}, view, view) == Approx(2 * (first + second)).epsilon(1e-14));
    const hg::GaussianLatent free{.free_bits = 0.9};
    REQUIRE(first < 0.9);
    REQUIRE(second > 0.9);
    CHECK(free.penalty<in, double>({}, view, view) == Approx(0.9 + second).epsilon(1e-14));
}

TEST_CASE("GaussianLatent: what is drawn has the mean and the variance that were asked for") {
    constexpr hg::Shape in{2};
    constexpr hg::Index n = 40000;
    Eigen::MatrixXd raw(2, n), code(1, n), cache(2, n);
    raw.row(0).setConstant(0.7);
    raw.row(1).setConstant(std::log(0.25));
    const hg::Context<double> context{
        .training = true, .cache = {cache.data(), static_cast<std::size_t>(cache.size())}, .random = hg::Stream{5, 1}};
    hg::GaussianLatent{}.forward<in, double>({}, {raw.data(), 2, n}, {code.data(), 1, n}, context);
    const double mean = code.mean(), variance = (code.array() - mean).square().mean();
    CHECK(std::abs(mean - 0.7) < 4 * 0.5 / std::sqrt(n));
    CHECK(std::abs(variance - 0.25) < 4 * 0.25 * std::sqrt(2.0 / n));
}

TEST_CASE("variational models: evaluation is the means, and repeats itself") {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder, double>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    const auto posterior = model.posterior(x);
    CHECK(posterior.mean == model.encode(x));
    CHECK(posterior.variance.minCoeff() > 0);
    CHECK(model.loss(x) == model.loss(x));
    CHECK(model.reconstruct(x) == model.decode(model.encode(x)));
    CHECK(model.reconstruction_error(x) == model.decoding_error(model.encode(x), x));
    // The two parts: the loss of the reconstruction from the means, and the divergence.
    auto tape = model.tape();
    const double divergence = model.loss(x) - model.reconstruction_error(x).mean();
    model.gradient(x, tape, rng);
    CHECK(tape.penalty() == Approx(divergence).epsilon(1e-12));
    hg::Rng again{3}, same{3};
    CHECK(model.sample(5, again) == model.sample(5, same));
    CHECK(model.sample(5, again).cols() == 5);
    const Eigen::MatrixXd walk = model.interpolate(x.col(0), x.col(1), 7);
    CHECK((walk.col(0) - model.reconstruct(x.col(0))).norm() < 1e-14);
    CHECK((walk.col(6) - model.reconstruct(x.col(1))).norm() < 1e-14);
}

TEST_CASE("a loss that draws is the one that training sees, and on average above that of the means") {
    hg::Rng rng{1};
    auto model =
        hg::autoencoder<Encoder, Decoder, double>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{.beta = 2});
    auto tape = model.tape();
    double above = 0;
    for (int round = 0; round < 200; ++round) {
        hg::Rng same = rng;
        const double drawn = model.loss(x, target, tape, rng);
        CHECK(drawn == Approx(model.gradient(x, target, tape, same)).epsilon(1e-12));
        above += drawn - model.loss(x, target, tape);
    }
    CHECK(above > 0);
    // Terms see the code that was drawn, and a batch of several blocks has each sample's noise.
    const auto watched = hg::autoencoder<Encoder, Decoder, double>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{},
                                                                   hg::L1{0.3}, hg::MaximumMeanDiscrepancy{});
    auto watched_tape = watched.tape();
    const Eigen::MatrixXd many = x.replicate(1, 150);
    hg::Rng same = rng;
    CHECK(watched.loss(many, watched_tape, rng) == Approx(watched.gradient(many, watched_tape, same)).epsilon(1e-12));
    // Where only the drawn code is too much for the decoder, the decoder is named.
    hg::Rng anew{1};
    auto bold = hg::autoencoder<LinearEncoder, hg::Chain<hg::Shape{1}, hg::Dense<3>>>(anew, hg::GaussianLikelihood{},
                                                                                      hg::GaussianLatent{});
    bold.parameters().setZero();
    bold.encoder_parameters().tail(1).setConstant(15);     // the log-variance
    bold.decoder_parameters().head(3).setConstant(3e37f);  // times σ = 1 808
    auto bold_tape = bold.tape();
    CHECK(bold.loss(Eigen::Vector3f::Zero(), bold_tape) < 1e7f);
    CHECK_THROWS_WITH(bold.loss(Eigen::Vector3f::Zero(), bold_tape, rng),
                      Catch::Matchers::ContainsSubstring("comes out of layer decoder.0"));
    hg::Rng one{5}, two{5};
    CHECK(model.loss(x, tape, one) == model.loss(x, x, tape, two));
    CHECK(model.loss(x, tape, one) != model.loss(x, x, tape, one));

    using ConditionalDecoder = hg::Chain<hg::Shape{2}, hg::Condition<3>, hg::Dense<6>, hg::Sigmoid>;
    const auto conditional =
        hg::autoencoder<Encoder, ConditionalDecoder, double>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    auto other_tape = conditional.tape();
    const Eigen::MatrixXd labels = values(3, 4, 23, 0, 1);
    one = two;
    CHECK(conditional.loss(hg::given(x, labels), other_tape, one) ==
          Approx(conditional.gradient(hg::given(x, labels), other_tape, two)).epsilon(1e-12));
}

TEST_CASE("the importance-weighted bound approaches ln p(x) of a linear model, and the lower bound stays below",
          "[statistics]") {
    hg::Rng rng{2};
    auto model = hg::autoencoder<LinearEncoder, LinearDecoder, double>(rng, hg::GaussianLikelihood{noise_variance},
                                                                       hg::GaussianLatent{});
    model.parameters() += values(model.parameters().size(), 1, 5, -0.4, 0.4).col(0);
    const Eigen::MatrixXd points = values(3, 6, 9, -1, 1);
    const Eigen::VectorXd exact = linear_log_likelihood(model.decoder_parameters().head(3),
                                                        points.colwise() - model.decoder_parameters().tail(3));
    check_estimates(exact, [&] { return hg::importance_weighted_bound(model, points, 4000, rng); });
    // IWAE ≥ ELBO: the bounds of 1 and of 10 draws, each averaged over 400 repetitions.
    double one = 0, one_squares = 0, ten = 0;
    for (int round = 0; round < 400; ++round) {
        const double lower = hg::importance_weighted_bound(model, points, 1, rng).mean();
        one += lower / 400, one_squares += lower * lower / 400;
        ten += hg::importance_weighted_bound(model, points, 10, rng).mean() / 400;
    }
    const double error = std::sqrt((one_squares - one * one) / 400);
    CHECK(ten - one > 4 * error);
    CHECK(exact.mean() - one > 4 * error);
}

TEST_CASE("the importance-weighted bound of a conditional model approaches ln p(x|c)", "[statistics]") {
    using ConditionalEncoder = hg::Chain<hg::Shape{3}, hg::Condition<2>, hg::Dense<2>>;
    using ConditionalDecoder = hg::Chain<hg::Shape{1}, hg::Condition<2>, hg::Dense<3>>;
    check_conditional_bound<ConditionalEncoder, ConditionalDecoder>();
    check_conditional_bound<ConditionalEncoder, LinearDecoder>();
    check_conditional_bound<LinearEncoder, ConditionalDecoder>();
}

TEST_CASE("what needs both halves of a conditional model takes the condition that one of them reads") {
    using ConditionalDecoder = hg::Chain<hg::Shape{2}, hg::Condition<3>, hg::Dense<6>, hg::Sigmoid>;
    hg::Rng rng{1};
    const auto model =
        hg::autoencoder<Encoder, ConditionalDecoder, double>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    const Eigen::MatrixXd condition = values(3, 4, 23, 0, 1);
    const Eigen::MatrixXd codes = model.encode(x);
    CHECK_THROWS_WITH(model.encode(hg::given(x, condition)),
                      "Autoencoder::encode: x was given with a condition, but no Condition is read here");
    CHECK(model.posterior(hg::given(x, condition)).mean == codes);
    CHECK(model.reconstruct(hg::given(x, condition)) == model.decode(hg::given(codes, condition)));
    const Eigen::MatrixXd walk =
        model.interpolate(hg::given(x.col(0), condition.col(0)), hg::given(x.col(1), condition.col(1)), 3);
    CHECK((walk.col(0) - model.reconstruct(hg::given(x.col(0), condition.col(0)))).norm() < 1e-14);
    CHECK(model.sample(condition, rng).cols() == 4);
    CHECK_THROWS_WITH(model.posterior(hg::given(x, codes)),
                      "Autoencoder::posterior: the condition has 2 rows, expected 3");
    CHECK_THROWS_WITH(model.sample(codes, rng),
                      "Autoencoder::sample: the condition has 2 rows, the decoder's Condition reads 3");
    CHECK_THROWS_WITH(model.decode(codes), Catch::Matchers::ContainsSubstring("a Condition is read here"));
    CHECK_THROWS_WITH(model.interpolate(x.col(0), x.col(1), 3),
                      Catch::Matchers::ContainsSubstring("a Condition is read here"));
    const auto plain = hg::autoencoder<Encoder, Decoder, double>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    CHECK_THROWS_WITH(plain.encode(hg::given(x, condition)),
                      "Autoencoder::encode: x was given with a condition, but no Condition is read here");
}

TEST_CASE("the training objective with k samples is the bound", "[statistics]") {
    hg::Rng rng{2};
    auto model = hg::autoencoder<LinearEncoder, LinearDecoder, double>(rng, hg::GaussianLikelihood{noise_variance},
                                                                       hg::GaussianLatent{.samples = 8});
    const Eigen::MatrixXd points = values(3, 6, 9, -1, 1);
    auto tape = model.tape();
    double objective = 0, squares = 0, bound = 0;
    for (int round = 0; round < 400; ++round) {
        const double value = model.gradient(points, tape, rng);
        CHECK(tape.reconstruction() + tape.penalty() == Approx(value));
        objective += value / 400, squares += value * value / 400;
        bound += hg::importance_weighted_bound(model, points, 8, rng).mean() / 400;
    }
    const double error = std::sqrt(2 * (squares - objective * objective) / 400);
    CHECK(std::abs(objective + bound) < 4 * error);
}

TEST_CASE("a target out of range is named by its sample, however many codes are drawn of it") {
    hg::Rng rng{1};
    const auto model =
        hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{.samples = 5});
    auto tape = model.tape();
    for (const int sample : {7, 40}) {  // in the first and in a later shard
        Eigen::MatrixXf batch = values(6, 50, 3, 0, 1).cast<float>();
        batch(2, sample) = 1.5f;
        CHECK_THROWS_WITH(
            model.gradient(batch, tape, rng),
            "Autoencoder::gradient: BernoulliLikelihood: targets must lie in [0, 1]; feature 2 of sample " +
                std::to_string(sample) + " is 1.5");
    }
}

TEST_CASE("log-variances of ±1000 stay finite") {
    for (const double extreme : {1000.0, -1000.0}) {
        hg::Rng rng{1};
        auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
        model.encoder_parameters().tail(2).setConstant(static_cast<float>(extreme));  // the biases of the log-variances
        auto tape = model.tape();
        const Eigen::MatrixXf batch = x.cast<float>();
        CHECK(hg::is_finite(model.gradient(batch, tape, rng)));
        CHECK(hg::first_non_finite(tape.gradient().data(), tape.gradient().size()) == -1);
        CHECK(hg::is_finite(model.loss(batch)));
        const auto posterior = model.posterior(batch);
        CHECK(hg::first_non_finite(posterior.variance.data(), posterior.variance.size()) == -1);
    }
}

TEST_CASE("variational models: hyperparameters out of range are refused before anything changes") {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    auto tape = model.tape();
    const Eigen::MatrixXf batch = x.cast<float>();
    auto& latent = model.term<hg::GaussianLatent>();
    latent.beta = -1;
    CHECK_THROWS_WITH(model.gradient(batch, tape, rng), "GaussianLatent: beta must be finite and at least 0, got -1");
    latent.beta = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(model.gradient(batch, tape, rng), hg::Error);
    latent = {.free_bits = -0.5};
    CHECK_THROWS_AS(model.gradient(batch, tape, rng), hg::Error);
    latent = {.samples = 0};
    CHECK_THROWS_AS(model.gradient(batch, tape, rng), hg::Error);
    latent = {};
    CHECK_THROWS_AS(hg::GaussianLikelihood{0.0}, hg::Error);
    CHECK_THROWS_AS(model.sample(0, rng), hg::Error);
    CHECK_THROWS_AS(model.interpolate(batch, batch, 3), hg::Error);
    CHECK_THROWS_AS(model.interpolate(batch.col(0), batch.col(1), 1), hg::Error);
    CHECK_THROWS_AS(hg::importance_weighted_bound(model, batch, 0, rng), hg::Error);
    CHECK_THROWS_WITH(model.gradient((batch.array() + 1).matrix(), tape, rng),
                      Catch::Matchers::ContainsSubstring("BernoulliLikelihood: targets must lie in [0, 1]"));
    auto learned =
        hg::autoencoder<Encoder, Decoder>(rng, hg::LearnedGaussianLikelihood{}, hg::GaussianLatent{.samples = 2});
    auto other = learned.tape();
    CHECK_THROWS_WITH(learned.gradient(batch, other, rng),
                      Catch::Matchers::ContainsSubstring("needs a loss that learns nothing"));
}

TEST_CASE("annealing") {
    const hg::LinearAnnealing warm_up{.steps = 10, .to = 2};
    CHECK(warm_up(0) == 0);
    CHECK(warm_up(5) == 1);
    CHECK(warm_up(10) == 2);
    CHECK(warm_up(1000) == 2);
    const hg::CyclicalAnnealing cycles{.period = 8};
    CHECK(cycles(0) == 0);
    CHECK(cycles(2) == 0.5);
    CHECK(cycles(4) == 1);
    CHECK(cycles(7) == 1);
    CHECK(cycles(8) == 0);
    CHECK_THROWS_AS(hg::LinearAnnealing{.steps = 0}(1), hg::Error);
    CHECK_THROWS_AS((hg::CyclicalAnnealing{.period = 3, .ramp = 0})(1), hg::Error);
}
