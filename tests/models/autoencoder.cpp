// What a model does for its caller: views, blocks, targets, errors, repeatability, threads.
#include "hourglass/hourglass.hpp"

#include <limits>
#include <thread>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

using Encoder = hg::Chain<hg::Shape{12}, hg::Dense<8>, hg::ReLU, hg::Dense<3>>;
using Decoder = hg::Chain<Encoder::output, hg::Dense<8>, hg::ReLU, hg::Dense<12>, hg::Sigmoid>;

// The sentences for calls that are wrong take none that is right, whatever is said by hand.
template <class... Arguments>
constexpr bool builds = std::is_same_v<decltype(hg::autoencoder<float, Encoder, Decoder>(std::declval<Arguments>()...)),
                                       hg::Autoencoder<Encoder, Decoder, hg::MeanSquaredError>>;
static_assert(builds<Encoder&, Decoder&, hg::Rng&, hg::MeanSquaredError>);
static_assert(builds<Encoder, const Decoder&, hg::Rng&, const hg::MeanSquaredError&>);

Eigen::MatrixXf batch(hg::Index n, std::uint64_t seed = 1) {
    hg::Rng rng{seed};
    Eigen::MatrixXf x(12, n);
    for (float& v : x.reshaped()) v = static_cast<float>(rng.uniform());
    return x;
}

}  // namespace

TEST_CASE("the pieces agree with each other") {
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{}, hg::L1{0.1});
    const Eigen::MatrixXf x = batch(700);  // more than two blocks of evaluation
    auto tape = model.tape();
    const Eigen::MatrixXf code = model.encode(x), rebuilt = model.decode(code);
    CHECK(code.rows() == 3);
    CHECK(model.reconstruct(x) == rebuilt);
    CHECK(model.encode(x, tape) == code);
    CHECK(model.decode(code, tape) == rebuilt);
    CHECK(model.reconstruct(x, tape) == rebuilt);
    CHECK(rebuilt.minCoeff() > 0);
    CHECK(rebuilt.maxCoeff() < 1);

    const double penalty = 0.1 * static_cast<double>(code.cwiseAbs().sum()) / 700;
    const Eigen::ArrayXXf p = rebuilt.array(), t = x.array();
    const double bce = -static_cast<double>((t * p.log() + (1 - t) * (1 - p).log()).mean());
    CHECK(static_cast<double>(model.reconstruction_error(x).mean()) == Approx(bce).epsilon(1e-5));
    CHECK(static_cast<double>(model.loss(x)) == Approx(bce + penalty).epsilon(1e-5));
    CHECK(model.loss(x, tape) == model.loss(x));
    CHECK(static_cast<double>(model.gradient(x, tape, rng)) == Approx(bce + penalty).epsilon(1e-5));
    CHECK(static_cast<double>(tape.reconstruction()) == Approx(bce).epsilon(1e-5));
    CHECK(static_cast<double>(tape.penalty()) == Approx(penalty).epsilon(1e-5));
    // One sample alone costs what it costs among others.
    CHECK(static_cast<double>(model.reconstruction_error(x.col(300))[0]) ==
          Approx(static_cast<double>(model.reconstruction_error(x)[300])).epsilon(1e-5));
}

TEST_CASE("any Eigen matrix will do") {
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    const Eigen::MatrixXf x = batch(20);
    const Eigen::MatrixXf code = model.encode(x);
    const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows = x;
    Eigen::MatrixXf larger = Eigen::MatrixXf::Constant(15, 20, 7);
    larger.middleRows(2, 12) = x;
    CHECK(model.encode(rows) == code);
    CHECK(model.encode(larger.middleRows(2, 12)) == code);
    CHECK(model.encode(0.5f * (x + x)) == code);
    CHECK(model.encode(x.middleCols(3, 5)).isApprox(code.middleCols(3, 5), 1e-6f));
    CHECK(model.encode(Eigen::Map<const Eigen::MatrixXf>(x.data(), 12, 20)) == code);
    CHECK(model.encode(Eigen::VectorXf(x.col(0))).isApprox(code.col(0), 1e-6f));

    auto tape = model.tape(), other = model.tape();
    const float loss = model.gradient(x, tape, rng);
    CHECK(model.gradient(larger.middleRows(2, 12), other, rng) == loss);
    CHECK(other.gradient() == tape.gradient());
    CHECK(model.gradient(x, larger.middleRows(2, 12), other, rng) == loss);
    CHECK(other.gradient() == tape.gradient());
}

TEST_CASE("wrong batches are refused in words, and nothing changes") {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{});
    auto tape = model.tape();
    const Eigen::MatrixXf x = batch(4);
    model.gradient(x, tape, rng);
    const Eigen::VectorXf parameters = model.parameters(), gradient = tape.gradient();
    const hg::Rng before = rng;
    CHECK_THAT(
        error_of([&] { model.gradient(Eigen::MatrixXf::Zero(11, 4), tape, rng); }),
        ContainsSubstring("Autoencoder::gradient: x has 11 rows, expected 12") && !ContainsSubstring("transposed"));
    CHECK_THAT(error_of([&] { model.encode(Eigen::MatrixXf::Zero(300, 12)); }),
               ContainsSubstring("Autoencoder::encode: x has 300 rows, expected 12") &&
                   ContainsSubstring("it has as many columns: is it transposed?"));
    CHECK_THAT(error_of([&] { model.encode(Eigen::MatrixXf(12, 0)); }),
               ContainsSubstring("Autoencoder::encode: x has no columns"));
    CHECK_THAT(error_of([&] { model.encode(Eigen::MatrixXf()); }),
               ContainsSubstring("Autoencoder::encode: x has 0 rows, expected 12"));
    CHECK_THAT(error_of([&] { model.decode(Eigen::MatrixXf::Zero(12, 4)); }),
               ContainsSubstring("Autoencoder::decode: the code has 12 rows, expected 3"));
    CHECK_THAT(error_of([&] { model.reconstruct(Eigen::MatrixXf::Zero(3, 4)); }), ContainsSubstring("reconstruct"));
    CHECK_THAT(error_of([&] { model.loss(Eigen::MatrixXf::Zero(3, 4)); }), ContainsSubstring("loss"));
    CHECK_THAT(error_of([&] { model.reconstruction_error(Eigen::MatrixXf::Zero(3, 4)); }),
               ContainsSubstring("reconstruction_error"));
    CHECK_THAT(error_of([&] { model.gradient(x, batch(5), tape, rng); }),
               ContainsSubstring("the target has 5 columns, expected 4 as x has"));
    CHECK_THAT(error_of([&] { model.gradient(x, Eigen::MatrixXf::Zero(13, 4), tape, rng); }),
               ContainsSubstring("the target has 13 rows, expected 12"));
    hg::Tape<float> foreign(5);
    CHECK_THAT(error_of([&] { model.gradient(x, foreign, rng); }),
               ContainsSubstring("the tape holds 5 parameters and 0 statistics, the model has 271 and 0"));
    CHECK(model.parameters() == parameters);
    CHECK(tape.gradient() == gradient);
    CHECK(rng == before);
}

TEST_CASE("targets of a cross-entropy outside [0, 1] are named") {
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{});
    auto tape = model.tape();
    for (const float wrong : {-0.001f, 1.001f, 255.0f}) {
        Eigen::MatrixXf x = batch(4);
        x(7, 2) = wrong;
        CHECK_THAT(error_of([&] { model.gradient(x, tape, rng); }), ContainsSubstring("feature 7 of sample 2"));
        CHECK_THAT(error_of([&] { model.loss(x); }),
                   ContainsSubstring("BinaryCrossEntropy: targets must lie in [0, 1]"));
    }
    Eigen::MatrixXf x = batch(4);
    x(0, 0) = 0, x(1, 1) = 1;
    CHECK(model.loss(x) > 0);
}

TEST_CASE("NaN is not swallowed by any activation") {
    const auto reaches_the_loss = []<class Activation>(const Activation& activation) {
        hg::Rng rng{1};
        const auto encoder = hg::chain<hg::Shape{12}>(hg::Dense<20>{}, activation, hg::Dense<12>{});
        const auto model = hg::autoencoder(encoder, hg::Chain<hg::Shape{12}>{}, rng, hg::MeanSquaredError{});
        Eigen::MatrixXf x = batch(4), zero = Eigen::MatrixXf::Zero(12, 4);
        x(3, 1) = std::numeric_limits<float>::quiet_NaN();
        auto tape = model.tape();
        tape.non_finite = hg::NonFinite::Continue;
        const bool passed_on = !hg::is_finite(model.loss(x, zero, tape));
        CHECK_THAT(error_of([&] { model.loss(x, zero); }),
                   ContainsSubstring("Autoencoder::loss: the loss is not finite (nan): x is not finite: feature 3 of "
                                     "sample 1 is nan"));
        return passed_on;
    };
    CHECK(reaches_the_loss(hg::ReLU{}));
    CHECK(reaches_the_loss(hg::LeakyReLU{}));
    CHECK(reaches_the_loss(hg::ELU{}));
    CHECK(reaches_the_loss(hg::SELU{}));
    CHECK(reaches_the_loss(hg::GELU{}));
    CHECK(reaches_the_loss(hg::GELU{true}));
    CHECK(reaches_the_loss(hg::SiLU{}));
    CHECK(reaches_the_loss(hg::Mish{}));
    CHECK(reaches_the_loss(hg::HardSwish{}));
    CHECK(reaches_the_loss(hg::PReLU{}));
    CHECK(reaches_the_loss(hg::Sigmoid{}));
    CHECK(reaches_the_loss(hg::Tanh{}));
    CHECK(reaches_the_loss(hg::Softplus{}));
    CHECK(reaches_the_loss(hg::Softmax{}));
}

TEST_CASE("saturated logits give finite losses and exact gradients") {
    hg::Rng rng{1};
    auto model =
        hg::autoencoder<hg::Chain<hg::Shape{2}, hg::Dense<1>>, hg::Chain<hg::Shape{1}, hg::Dense<2>, hg::Sigmoid>>(
            rng, hg::BinaryCrossEntropy{});
    auto tape = model.tape();
    model.parameters().setZero();
    model.parameters().tail(2) << 200, -200;  // the decoder's biases are the logits
    Eigen::MatrixXf x(2, 1);
    x << 0, 1;  // both wrong: the loss is |z|, the gradient ±1/2
    CHECK(model.gradient(x, tape, rng) == 200);
    CHECK(tape.gradient().tail(2) == Eigen::Vector2f(0.5f, -0.5f));
    x << 1, 0;
    CHECK(model.gradient(x, tape, rng) == 0);
    CHECK(tape.gradient().tail(2).isZero(0));
}

TEST_CASE("hyperparameters out of range are refused, also when a loop sets them later") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double rate : {-0.1, 1.0, 1.5, nan}) {
        CHECK_THROWS_AS(hg::Dropout{rate}, hg::Error);
        CHECK_THROWS_AS(hg::MaskingNoise{rate}, hg::Error);
        CHECK_THROWS_AS(hg::SaltAndPepperNoise{rate}, hg::Error);
    }
    for (const double weight : {-0.1, nan, std::numeric_limits<double>::infinity()}) {
        CHECK_THROWS_AS(hg::GaussianNoise{weight}, hg::Error);
        CHECK_THROWS_AS(hg::L1{weight}, hg::Error);
        CHECK_THROWS_AS(hg::LeakyReLU{weight}, hg::Error);
        CHECK_THROWS_AS(hg::Huber{weight}, hg::Error);
        CHECK_THROWS_AS(hg::ELU{weight}, hg::Error);
    }
    CHECK_THROWS_AS(hg::Huber{0.0}, hg::Error);
    CHECK_THROWS_AS((hg::SaltAndPepperNoise{0.1, 1, 0}), hg::Error);

    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, hg::L1{0.1});
    auto tape = model.tape();
    model.term<hg::L1>().weight = nan;
    CHECK_THAT(error_of([&] { model.gradient(batch(4), tape, rng); }), ContainsSubstring("L1: the weight"));
    model.term<hg::L1>().weight = 0;
    model.gradient(batch(4), tape, rng);
    CHECK(tape.penalty() == 0);
}

TEST_CASE("the same seed gives the same bits, another step other noise") {
    const auto run = [] {
        hg::Rng rng{9};
        auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, hg::GaussianNoise{0.2});
        auto tape = model.tape();
        hg::Sgd sgd{{.learning_rate = 0.1}};
        for (int step = 0; step < 5; ++step) {
            model.gradient(batch(16), tape, rng);
            sgd.step(model.parameters(), tape.gradient());
        }
        return Eigen::VectorXf(model.parameters());
    };
    CHECK(run() == run());

    hg::Rng rng{9};
    const auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, hg::GaussianNoise{0.2});
    auto tape = model.tape();
    const float first = model.gradient(batch(16), tape, rng);
    CHECK(model.gradient(batch(16), tape, rng) != first);
    CHECK(model.loss(batch(16)) == model.loss(batch(16)));
}

TEST_CASE("a copy is a model of its own") {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, hg::Tied<Encoder>>(rng, hg::MeanSquaredError{});
    auto copy = model;
    const Eigen::VectorXf before = copy.parameters();
    model.parameters().setZero();
    CHECK(copy.parameters() == before);
    copy = model;
    CHECK(copy.parameters().isZero(0));
}

TEST_CASE("threads share one model, each with its own tape") {
    hg::Rng seed{1};
    const auto model =
        hg::autoencoder<Encoder, Decoder>(seed, hg::BinaryCrossEntropy{}, hg::MaskingNoise{0.3}, hg::L1{0.1});
    const auto work = [&](std::uint64_t which) {
        hg::Rng rng{which};
        auto tape = model.tape();
        for (int step = 0; step < 20; ++step) model.gradient(batch(30, which), tape, rng);
        return std::pair{Eigen::VectorXf(tape.gradient()), Eigen::MatrixXf(model.encode(batch(30, which), tape))};
    };
    std::vector<std::pair<Eigen::VectorXf, Eigen::MatrixXf>> results(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < results.size(); ++i) threads.emplace_back([&, i] { results[i] = work(i); });
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < results.size(); ++i) CHECK(results[i] == work(i));
}

TEST_CASE("double throughout, and the aliases") {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder, double>(rng, hg::BinaryCrossEntropy{});
    static_assert(std::is_same_v<decltype(model)::Scalar, double>);
    const Eigen::MatrixXd x = batch(5).cast<double>();
    auto tape = model.tape();
    CHECK(model.gradient(x, tape, rng) == Approx(model.loss(x)).epsilon(1e-14));
    const auto value = hg::autoencoder<double>(Encoder{}, Decoder{}, rng, hg::MeanSquaredError{});
    static_assert(std::is_same_v<decltype(value)::Scalar, double>);

    hg::DenoisingAutoencoder<Encoder, Decoder> denoising(rng, hg::MeanSquaredError{}, hg::GaussianNoise{0.1});
    hg::SparseAutoencoder<Encoder, Decoder, hg::BinaryCrossEntropy> sparse(rng, hg::BinaryCrossEntropy{}, hg::L1{0.1});
    static_assert(std::is_same_v<decltype(denoising),
                                 hg::Autoencoder<Encoder, Decoder, hg::MeanSquaredError, hg::GaussianNoise>>);
    CHECK(denoising.encode(batch(2)).rows() == 3);
    CHECK(sparse.encode(batch(2)).rows() == 3);
}

TEST_CASE("a linear autoencoder learns a plane") {
    // Data on a two-dimensional plane in twelve: a code of two suffices, and training must find it.
    hg::Rng rng{4};
    Eigen::MatrixXd basis(12, 2), spread(2, 200);
    for (double& v : basis.reshaped()) v = rng.normal();
    for (double& v : spread.reshaped()) v = rng.normal();
    const Eigen::MatrixXd x = basis * spread;
    using E = hg::Chain<hg::Shape{12}, hg::Dense<2>>;
    auto model = hg::autoencoder<E, hg::Mirror<E>, double>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    hg::Adam adam{{.learning_rate = 0.02}};
    const double start = model.loss(x);
    for (int step = 0; step < 1500; ++step) {
        model.gradient(x, tape, rng);
        adam.step(model.parameters(), tape.gradient());
    }
    CHECK(model.loss(x) < 1e-6 * start);
}

TEST_CASE("chains without layers hand their input on") {
    using Nothing = hg::Chain<hg::Shape{5}>;
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Nothing, Nothing>(rng, hg::MeanSquaredError{});
    const Eigen::MatrixXf x = Eigen::MatrixXf::Random(5, 3);
    CHECK(model.encode(x) == x);
    CHECK(model.decode(x) == x);
    CHECK(model.reconstruct(x) == x);
    CHECK(model.loss(x) == 0);
}

TEST_CASE("a Reshape behind a fused Softmax does not move the classes") {
    using Short = hg::Chain<hg::Shape{4}, hg::Dense<3>>;
    using Plain = hg::Chain<hg::Shape{3}, hg::Dense<6>, hg::Reshape<3, 2>, hg::Softmax>;
    using Flat = hg::Chain<hg::Shape{3}, hg::Dense<6>, hg::Reshape<3, 2>, hg::Softmax, hg::Flatten>;
    hg::Rng rng{1}, same{1};
    const auto plain = hg::autoencoder<Short, Plain>(rng, hg::CategoricalCrossEntropy{});
    const auto flat = hg::autoencoder<Short, Flat>(same, hg::CategoricalCrossEntropy{});
    const Eigen::MatrixXf x = Eigen::MatrixXf::Random(4, 5);
    Eigen::MatrixXf target = Eigen::MatrixXf::Zero(6, 5);
    target.row(1).setOnes();
    target.row(3).setOnes();
    CHECK(flat.loss(x, target) == plain.loss(x, target));
}
