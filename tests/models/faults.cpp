// Faults of the data, of the caller and of the machine that no other test has: docs/faults.md lists them all.
#include <Eigen/Core>
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <limits>
#include <stdexcept>
#include <string>

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;

using Catch::Matchers::ContainsSubstring;

namespace {

using Encoder = hg::Chain<hg::Shape{12}, hg::Dense<8>, hg::BatchNormalization, hg::ReLU, hg::Dense<4>>;
using Decoder = hg::Chain<hg::Shape{4}, hg::Dense<12>>;

auto model_of(std::uint64_t seed = 1) {
    hg::Rng rng{seed};
    return hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
}
Eigen::MatrixXf batch(hg::Index n) {
    hg::Rng rng{5};
    return Eigen::MatrixXf::NullaryExpr(12, n, [&] { return static_cast<float>(rng.uniform()); });
}

}  // namespace

TEST_CASE("a batch of one sample trains and scores, and a batch may be larger than the data") {
    auto model = model_of();
    auto tape = model.tape();
    hg::Rng rng{2};
    hg::Adam adam;
    const Eigen::MatrixXf one = batch(1);
    CHECK(hg::is_finite(model.gradient(one, tape, rng)));
    CHECK(adam.step(model, tape));
    CHECK(model.reconstruction_error(one).size() == 1);
    const Eigen::MatrixXf many = batch(10);
    auto all = hg::minibatches(many, 1000, rng);
    REQUIRE(all.size() == 1);
    CHECK(all.batch(0).cols() == 10);
    for (const auto& lonely : hg::minibatches(many, 3)) CHECK(hg::is_finite(model.gradient(lonely, tape, rng)));
}

TEST_CASE("a code of one value, and one wider than the input") {
    hg::Rng rng{1};
    using Narrow = hg::Chain<hg::Shape{12}, hg::Dense<1>>;
    using Wide = hg::Chain<hg::Shape{12}, hg::Dense<40>, hg::Tanh>;
    auto narrow = hg::autoencoder<Narrow, hg::Mirror<Narrow>>(rng, hg::MeanSquaredError{});
    auto wide = hg::autoencoder<Wide, hg::Tied<Wide>>(rng, hg::MeanSquaredError{}, hg::L1{1e-3});
    const Eigen::MatrixXf x = batch(6);
    const auto improves = [&](auto& model) {
        auto tape = model.tape();
        hg::Adam adam{{.learning_rate = 1e-2}};
        const float before = model.loss(x);
        for (int step = 0; step < 50; ++step) {
            model.gradient(x, tape, rng);
            adam.step(model, tape);
        }
        CHECK(model.loss(x) < before);
    };
    improves(narrow), improves(wide);
    CHECK((narrow.encode(x).rows() == 1 && wide.encode(x).rows() == 40));
}

TEST_CASE("one cell of a batch that is huge, infinite, not a number or denormal") {
    auto model = model_of();
    auto tape = model.tape();
    hg::Rng rng{2};
    hg::Adam adam;
    Eigen::MatrixXf x = batch(5);
    const Eigen::VectorXf before = model.parameters(), state = model.state();
    for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        x(7, 3) = value;
        const auto named = ContainsSubstring("x is not finite: feature 7 of sample 3 is " + hg::text(value));
        CHECK_THAT(error_of([&] { model.gradient(x, tape, rng); }), named);
        CHECK_THAT(error_of([&] { model.loss(x, tape); }), named);
        CHECK_THAT(error_of([&] { model.reconstruction_error(x); }), named);
    }
    x(7, 3) = 1e38f;  // its square is no float: the loss says so, and nothing gets into the model
    CHECK_THAT(error_of([&] { model.gradient(x, tape, rng); }), ContainsSubstring("is not finite"));
    CHECK_THAT(error_of([&] { model.loss(x); }), ContainsSubstring("is not finite"));
    x(7, 3) = 1e-41f;
    CHECK(hg::is_finite(model.gradient(x, tape, rng)));
    CHECK((model.parameters() == before && model.state() == state));
    CHECK(adam.step(model, tape));
}

TEST_CASE("a gradient that turns NaN in the middle of an epoch costs that step and no more") {
    auto model = model_of(), same = model_of();
    auto tape = model.tape(), other = same.tape();
    hg::Rng rng{2};
    hg::Adam adam{{.non_finite = hg::NonFinite::Skip}}, twin;
    const Eigen::MatrixXf x = batch(8);
    for (int step = 0; step < 6; ++step) {
        hg::Rng again = rng;
        model.gradient(x, tape, rng);
        if (step == 3) {
            tape.gradient()[5] = std::numeric_limits<float>::quiet_NaN();
            CHECK_FALSE(adam.step(model, tape));
            continue;
        }
        CHECK(adam.step(model, tape));
        same.gradient(x, other, again);
        twin.step(same, other);
    }
    CHECK((model.parameters() == same.parameters() && model.state() == same.state()));
    CHECK(adam.steps() == 5);
}

TEST_CASE("learning rates of 0, and such as no step survives") {
    auto model = model_of();
    auto tape = model.tape();
    hg::Rng rng{2};
    const Eigen::MatrixXf x = batch(8);
    model.gradient(x, tape, rng);
    const Eigen::VectorXf before = model.parameters();
    hg::Adam still{{.learning_rate = 0}};
    CHECK(still.step(model, tape));
    CHECK(model.parameters() == before);
    for (const double rate : {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
        CHECK_THAT(error_of([&] { hg::Adam{{.learning_rate = rate}}; }), ContainsSubstring("Adam: learning_rate"));
    hg::Sgd wild{{.learning_rate = 1e30}};  // the first step is one of finite numbers; the loss behind it is none
    wild.step(model, tape);
    CHECK_THAT(error_of([&] { model.gradient(x, tape, rng); }), ContainsSubstring("not finite"));
}

TEST_CASE("logits of 10 000 have finite losses and gradients") {
    hg::Rng rng{1};
    using E = hg::Chain<hg::Shape{12}, hg::Dense<4>>;
    auto model =
        hg::autoencoder<E, hg::Chain<hg::Shape{4}, hg::Dense<12>, hg::Sigmoid>>(rng, hg::BernoulliLikelihood{});
    auto tape = model.tape();
    model.parameters().tail<12>() << 1e4f, -1e4f, 1e4f, -1e4f, 1e4f, -1e4f, 1e4f, -1e4f, 1e4f, -1e4f, 1e4f, -1e4f;
    const float loss = model.gradient(batch(4), tape, rng);
    CHECK((hg::is_finite(loss) && loss > 1e4f));
    CHECK(hg::first_non_finite(tape.gradient().data(), tape.gradient().size()) < 0);
}

TEST_CASE("memory of every kind gives the same bits: row-major, strided, unaligned, the tape's own results") {
    auto model = model_of();
    const Eigen::MatrixXf x = batch(6);
    const Eigen::VectorXf expected = model.reconstruction_error(x);
    const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows = x;
    CHECK(model.reconstruction_error(rows) == expected);
    CHECK(model.reconstruction_error(
              Eigen::Map<const Eigen::Matrix<float, -1, -1, Eigen::RowMajor>>(rows.data(), 12, 6)) == expected);
    Eigen::MatrixXf spaced(20, 12);
    Eigen::Map<Eigen::MatrixXf, 0, Eigen::OuterStride<>> strided(spaced.data() + 3, 12, 6, Eigen::OuterStride<>(40));
    strided = x;
    CHECK(model.reconstruction_error(strided) == expected);
    Eigen::VectorXf room(12 * 6 + 3);
    Eigen::Map<Eigen::MatrixXf> unaligned(room.data() + 1, 12, 6);
    unaligned = x;
    CHECK(model.reconstruction_error(unaligned) == expected);
    Eigen::MatrixXf over = x;
    over = model.reconstruct(over);
    CHECK(over == model.reconstruct(x));
    auto tape = model.tape();
    hg::Rng rng{3}, again{3};
    Eigen::MatrixXf dx = x, plain;
    model.gradient(dx, dx, tape, rng, dx);
    model.gradient(x, x, tape, again, plain);
    CHECK(dx == plain);
}

TEST_CASE("an exception of the caller's function passes through, and the model goes on") {
    hg::Rng rng{1};
    int calls = 0;
    using E = hg::Chain<hg::Shape{12}, hg::Dense<4>>;
    auto model = hg::autoencoder<E, hg::Mirror<E>>(
        rng, hg::MeanSquaredError{}, hg::Corruption{[&calls](hg::ConstView<float> x, hg::View<float> y, hg::Stream) {
            if (++calls == 2) throw std::runtime_error("the sensor's driver");
            y = x;
        }});
    auto tape = model.tape();
    const Eigen::MatrixXf x = batch(4);
    const float before = model.gradient(x, tape, rng);
    CHECK_THROWS_WITH(model.gradient(x, tape, rng), "the sensor's driver");
    CHECK(model.gradient(x, tape, rng) == before);
}

TEST_CASE("denormal weights and activations count as zero, and the processor is left as it was") {
    hg::Rng rng{1};
    auto network = hg::network<hg::Chain<hg::Shape{12}, hg::Dense<4>>>(rng);
    network.parameters().setConstant(1e-39f);
    const volatile float small = 1e-39f;
    CHECK(network.evaluate(Eigen::MatrixXf::Constant(12, 3, 1e3f)) == Eigen::MatrixXf::Zero(4, 3));
    CHECK(small * 0.5f > 0);  // here denormal numbers are numbers
    auto tape = network.tape();
    network.gradient(Eigen::MatrixXf::Constant(12, 3, 1.0f), Eigen::MatrixXf::Constant(4, 3, 1e-39f),
                     hg::MeanSquaredError{}, tape, rng);
    CHECK(small * 0.5f > 0);
}
