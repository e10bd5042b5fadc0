// What models make of unusual arguments: matrices that share memory, values that are not finite, positions in messages,
// models that were moved from, and what looks at the whole chain or the whole batch.
#include "hourglass/hourglass.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "support/error_of.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using oracle::values;

namespace {

using Encoder = hg::Chain<hg::Shape{12}, hg::Dense<8>, hg::ReLU, hg::Dense<3>>;
using Decoder = hg::Chain<Encoder::output, hg::Dense<8>, hg::ReLU, hg::Dense<12>, hg::Sigmoid>;
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();

Eigen::MatrixXf batch(hg::Index n) { return values(12, n, 7, 0, 1).cast<float>(); }

template <class Loss = hg::MeanSquaredError, class... Terms>
auto model_of(const Loss& loss = {}, const Terms&... terms) {
    hg::Rng rng{1};
    return hg::autoencoder<Encoder, Decoder>(rng, loss, terms...);
}

}  // namespace

TEST_CASE("matrices that begin at one place are not taken for one matrix") {
    const auto model = model_of();
    auto tape = model.tape(), other = model.tape();
    hg::Rng rng{1};
    const Eigen::MatrixXf w = batch(32), x = w.leftCols(16);
    const Eigen::Map<const Eigen::MatrixXf, 0, Eigen::OuterStride<>> even(w.data(), 12, 16, Eigen::OuterStride<>(24));
    const Eigen::MatrixXf target = even;
    const float loss = model.gradient(x, target, tape, rng);
    CHECK(model.gradient(w.leftCols(16), even, other, rng) == loss);
    CHECK(other.gradient() == tape.gradient());
    CHECK(loss != model.gradient(x, other, rng));
    CHECK(model.loss(w.leftCols(16), even) == model.loss(x, target));
    CHECK(model.reconstruction_error(w.leftCols(16), even) == model.reconstruction_error(x, target));
    // A classifier whose classes stand in the top rows of its own input.
    const auto classifier = hg::autoencoder<Encoder, hg::Chain<Encoder::output, hg::Dense<2>, hg::Softmax>>(
        rng, hg::CategoricalCrossEntropy{});
    Eigen::MatrixXf both = batch(9);
    both.row(1) = 1 - both.row(0).array();
    const Eigen::MatrixXf classes = both.topRows(2);
    auto classifying = classifier.tape();
    CHECK(classifier.gradient(both, both.topRows(2), classifying, rng) ==
          classifier.gradient(both, classes, classifying, rng));
}

TEST_CASE("dx may be any matrix, and is touched only when all is well") {
    const auto model = model_of();
    auto tape = model.tape();
    hg::Rng rng{1};
    const Eigen::MatrixXf a = batch(6), target = batch(6).array().square();
    Eigen::MatrixXf dx, x = a, t = target;
    const float loss = model.gradient(a, target, tape, rng, dx);
    CHECK(model.gradient(x, target, tape, rng, x) == loss);
    CHECK(x == dx);
    CHECK(model.gradient(a, t, tape, rng, t) == loss);
    CHECK(t == dx);
    x = a;
    const float itself = model.gradient(a, a, tape, rng, dx);
    CHECK(model.gradient(x, x, tape, rng, x) == itself);
    CHECK(x == dx);

    Eigen::MatrixXf kept = Eigen::MatrixXf::Constant(2, 3, 5);
    CHECK_THROWS_AS(model.gradient(a.topRows(11), target, tape, rng, kept), hg::Error);
    CHECK_THROWS_AS(model.gradient(a, target.leftCols(2), tape, rng, kept), hg::Error);
    Eigen::MatrixXf bad = a;
    bad(0, 0) = not_a_number;
    CHECK_THROWS_AS(model.gradient(bad, target, tape, rng, kept), hg::Error);
    CHECK(kept == Eigen::MatrixXf::Constant(2, 3, 5));
}

TEST_CASE("a view of a result may be an argument of the same tape, however much it grows") {
    const auto model = model_of();
    const Eigen::MatrixXf x = batch(3), many = batch(700);
    auto tape = model.tape();
    CHECK(model.decode(model.encode(x, tape), tape) == model.reconstruct(x));
    CHECK(model.decode(model.encode(many, tape), tape) == model.reconstruct(many));
    CHECK(model.encode(model.decode(model.encode(many, tape), tape), tape) == model.encode(model.reconstruct(many)));
    const auto rebuilt = model.reconstruct(x, tape);
    CHECK(model.loss(x, rebuilt, tape) == model.loss(x, model.reconstruct(x)));
}

TEST_CASE("what is not finite is named: the value and where it stands, or the layer behind which it began") {
    auto model = model_of();
    auto tape = model.tape();
    Eigen::MatrixXf x = batch(700), target = batch(700);
    x(5, 600) = not_a_number;
    const std::string there = ": the loss is not finite (nan): x is not finite: feature 5 of sample 600 is nan";
    CHECK_THAT(error_of([&] { model.loss(x); }), ContainsSubstring("Autoencoder::loss" + there));
    CHECK_THAT(error_of([&] { model.loss(x, tape); }), ContainsSubstring("Autoencoder::loss" + there));
    CHECK_THAT(error_of([&] { model.reconstruction_error(x); }),
               ContainsSubstring("Autoencoder::reconstruction_error" + there));
    hg::Rng rng{1};
    CHECK_THAT(
        error_of([&] { model.gradient(x, tape, rng); }),
        ContainsSubstring("Autoencoder::gradient: the objective is not finite: MeanSquaredError is nan, the code "
                          "terms add 0; x is not finite: feature 5 of sample 600 is nan"));
    x(5, 600) = 0.5f;
    target(11, 699) = infinity;
    CHECK_THAT(error_of([&] { model.loss(x, target); }),
               ContainsSubstring("the target is not finite: feature 11 of sample 699 is inf"));
    Eigen::MatrixXf code = model.encode(x);
    code(2, 300) = -infinity;
    CHECK_THAT(error_of([&] { model.decoding_error(code, x); }),
               ContainsSubstring("Autoencoder::decoding_error: the loss is not finite"));
    code(2, 300) = 0;

    // Weights that are not finite: the first layer behind which it shows, and the first sample.
    model.decoder_parameters()[0] = not_a_number;
    const std::string layer = "the first value that is not comes out of layer decoder.0 (Dense), for sample 0";
    CHECK_THAT(error_of([&] { model.loss(x); }), ContainsSubstring(layer));
    CHECK_THAT(error_of([&] { model.reconstruction_error(x); }), ContainsSubstring(layer));
    CHECK_THAT(error_of([&] { model.decoding_error(code, x); }), ContainsSubstring(layer));
    CHECK_THAT(error_of([&] { model.gradient(x, tape, rng); }), ContainsSubstring(layer));

    // The tape's policy turns it off; what only passes values on passes these on.
    tape.non_finite = hg::NonFinite::Continue;
    CHECK(!hg::is_finite(model.loss(x, tape)));
    CHECK(!hg::is_finite(model.reconstruction_error(x, tape)[0]));
    CHECK(!hg::is_finite(model.decoding_error(model.encode(x), x, tape)[0]));
    CHECK(!hg::is_finite(model.gradient(x, tape, rng)));
    CHECK(!hg::is_finite(model.reconstruct(x)(0, 0)));
    x(0, 1) = not_a_number;
    const Eigen::MatrixXf codes = model.encode(x);
    CHECK(hg::is_finite(codes(0, 0)));
    CHECK(!hg::is_finite(codes(0, 1)));
}

TEST_CASE("code terms that are not finite are told from the loss") {
    auto model = model_of(hg::MeanSquaredError{}, hg::L1{1e30});
    model.parameters().setZero();
    model.encoder_parameters().tail(1)[0] = 1e20f;           // a code that the decoder does not look at
    const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(12, 5);  // and its output is ½
    CHECK(error_of([&] { model.loss(x); }) == "Autoencoder::loss: the code terms are not finite; the loss is 0.25");
    auto tape = model.tape();
    tape.non_finite = hg::NonFinite::Continue;
    CHECK(!hg::is_finite(model.loss(x, tape)));
}

TEST_CASE("a target out of range is named by its place in the whole batch, its value and the function") {
    const auto model = model_of(hg::BinaryCrossEntropy{});
    Eigen::MatrixXf x = batch(1000);
    x(4, 700) = 1.25f;
    auto tape = model.tape();
    hg::Rng rng{1};
    const std::string there = ": BinaryCrossEntropy: targets must lie in [0, 1]; feature 4 of sample 700 is 1.25";
    CHECK_THAT(error_of([&] { model.loss(x); }), ContainsSubstring("Autoencoder::loss" + there));
    CHECK_THAT(error_of([&] { model.reconstruction_error(x); }),
               ContainsSubstring("Autoencoder::reconstruction_error" + there));
    CHECK_THAT(error_of([&] { model.decoding_error(model.encode(x), x); }),
               ContainsSubstring("Autoencoder::decoding_error" + there));
    CHECK_THAT(error_of([&] { model.gradient(x, tape, rng); }), ContainsSubstring("Autoencoder::gradient" + there));
}

TEST_CASE("fusion looks at the whole chain: a decoder that is only an activation") {
    hg::Rng rng{1};
    // Scores made by the encoder's last layer.
    auto classifier = hg::autoencoder<hg::Chain<hg::Shape{2}, hg::Dense<2>>, hg::Chain<hg::Shape{2}, hg::Softmax>>(
        rng, hg::CategoricalCrossEntropy{}, hg::L1{0});
    classifier.parameters() << 0, 0, 0, 0, 0, 50;
    const Eigen::MatrixXf zero = Eigen::MatrixXf::Zero(2, 1);
    Eigen::MatrixXf first(2, 1);
    first << 1, 0;
    auto tape = classifier.tape();
    CHECK(classifier.gradient(zero, first, tape, rng) == 50);
    CHECK(tape.gradient().tail(2) == Eigen::Vector2f(-1, 1));
    CHECK(classifier.loss(zero, first) == 50);
    auto judge = hg::autoencoder<hg::Chain<hg::Shape{2}, hg::Dense<2>>,
                                 hg::Chain<hg::Shape{2}, hg::Sigmoid, hg::Reshape<1, 2>, hg::Flatten>>(
        rng, hg::BinaryCrossEntropy{});
    judge.parameters() << 0, 0, 0, 0, 200, -200;
    auto judging = judge.tape();
    Eigen::MatrixXf wrong(2, 1);
    wrong << 0, 1;
    CHECK(judge.gradient(zero, wrong, judging, rng) == 200);
    CHECK(judging.gradient().tail(2) == Eigen::Vector2f(0.5f, -0.5f));
    // A sequence's targets, which a loss that saw columns alone refused.
    using Scores = hg::Chain<hg::Shape{2, 3}, hg::Dense<2>>;
    const auto positions =
        hg::autoencoder<Scores, hg::Chain<Scores::output, hg::Softmax>>(rng, hg::CategoricalCrossEntropy{});
    Eigen::MatrixXf classes(6, 1);
    classes << 1, 0, 0, 1, 1, 0;
    auto sorting = positions.tape();
    CHECK(hg::is_finite(positions.gradient(Eigen::MatrixXf::Ones(6, 1), classes, sorting, rng)));
    // The activation belongs to the code where the encoder ends in it: the loss then takes probabilities.
    using Coded = hg::Chain<hg::Shape{6}, hg::Dense<6>, hg::Sigmoid>;
    oracle::check_model(
        []<class T>(hg::Rng& born) {
            return hg::autoencoder<Coded, hg::Chain<hg::Shape{6}>, T>(born, hg::BinaryCrossEntropy{},
                                                                      hg::KlSparsity{0.1, 0.2});
        },
        values(6, 4, 21, 0.05, 0.95), values(6, 4, 22, 0.05, 0.95));
    using Classes = hg::Chain<hg::Shape{2}, hg::Dense<2>, hg::Softmax>;
    auto coded =
        hg::autoencoder<Classes, hg::Chain<hg::Shape{2}>>(rng, hg::CategoricalCrossEntropy{}, hg::KlSparsity{0.5, 0});
    coded.parameters() << 0, 0, 0, 0, 0, std::log(3.0f);
    CHECK(coded.loss(zero, first) == Approx(std::log(4.0)));
    Eigen::MatrixXf impossible(2, 1);
    impossible << 1, 1;
    CHECK_THAT(error_of([&] { coded.loss(zero, impossible); }), ContainsSubstring("Autoencoder::loss: "));
    // The classes are those of each position: the same loss as where it is computed from the scores.
    using Series = hg::Chain<hg::Shape{2, 3}, hg::Dense<2>>;
    using Whole = hg::Chain<hg::Shape{2, 3}, hg::Dense<2>, hg::Softmax>;
    hg::Rng one{2}, other{2};
    const auto scored =
        hg::autoencoder<Series, hg::Chain<hg::Shape{2, 3}, hg::Softmax>>(one, hg::CategoricalCrossEntropy{});
    const auto shown = hg::autoencoder<Whole, hg::Chain<hg::Shape{2, 3}>>(other, hg::CategoricalCrossEntropy{});
    const Eigen::MatrixXf some = values(6, 1, 5).cast<float>();
    CHECK(shown.loss(some, classes) == Approx(scored.loss(some, classes)));
    auto by_scores = scored.tape(), by_values = shown.tape();
    scored.gradient(some, classes, by_scores, rng);
    shown.gradient(some, classes, by_values, rng);
    CHECK((by_scores.gradient() - by_values.gradient()).norm() < 1e-5f);
    using Only = hg::Chain<hg::Shape{6}, hg::Dense<6>>;
    oracle::check_model(
        []<class T>(hg::Rng& born) {
            return hg::autoencoder<Only, hg::Chain<hg::Shape{6}, hg::Sigmoid>, T>(born, hg::BinaryCrossEntropy{},
                                                                                  hg::L1{0.1}, hg::Contractive{0.1});
        },
        values(6, 4, 21, 0.05, 0.95), values(6, 4, 22, 0.05, 0.95));
}

TEST_CASE("terms that look across the batch see all of it in model.loss") {
    hg::Rng rng{1};
    using Coded = hg::Chain<hg::Shape{12}, hg::Dense<5>, hg::Sigmoid>;
    const Eigen::MatrixXf x = batch(600);
    const auto penalty = [&](const auto& term) {
        hg::Rng same{1};
        auto model = hg::autoencoder<Coded, hg::Mirror<Coded>>(same, hg::MeanSquaredError{}, term);
        const Eigen::MatrixXf code = model.encode(x);
        const float with = model.loss(x), without = model.reconstruction_error(x).mean();
        CHECK(static_cast<double>(with - without) ==
              Approx(static_cast<double>(term.template value<float>(oracle::read(code)))).epsilon(1e-3));
    };
    penalty(hg::KlSparsity{0.1, 3.0});
    penalty(hg::MaximumMeanDiscrepancy{.weight = 5});
    auto latent = hg::autoencoder<hg::Chain<hg::Shape{12}, hg::Dense<4>>, hg::Chain<hg::Shape{2}, hg::Dense<12>>>(
        rng, hg::GaussianLikelihood{}, hg::GaussianLatent{.free_bits = 0.5});
    const auto posterior = latent.posterior(x);
    double expected = 0;
    for (hg::Index i = 0; i < 2; ++i) {
        const Eigen::ArrayXd m = posterior.mean.row(i).cast<double>(), v = posterior.variance.row(i).cast<double>();
        expected += std::max(0.5, 0.5 * (m.square() + v - 1 - v.log()).mean());
    }
    CHECK(static_cast<double>(latent.loss(x) - latent.reconstruction_error(x).mean()) ==
          Approx(expected).epsilon(1e-4));
}

TEST_CASE("hyperparameters and sizes that cannot be computed with are refused in words") {
    hg::Rng rng{1};
    using Latent = hg::Chain<hg::Shape{12}, hg::Dense<4>>;
    auto model = hg::autoencoder<Latent, hg::Chain<hg::Shape{2}, hg::Dense<12>>>(rng, hg::GaussianLikelihood{},
                                                                                 hg::GaussianLatent{});
    auto tape = model.tape();
    const Eigen::MatrixXf one = batch(1);
    const Eigen::Map<const Eigen::MatrixXf> endless(one.data(), 12, hg::Index{1} << 56);
    CHECK(error_of([&] { model.gradient(endless, tape, rng); }) ==
          "Tape: a pass of 72057594037927936 samples, 1 codes each, is more than memory can be addressed");
    model.term<hg::GaussianLatent>().samples = hg::Index{1} << 60;
    CHECK_THAT(error_of([&] { model.gradient(batch(4), tape, rng); }),
               ContainsSubstring("GaussianLatent: samples must lie in"));
    model.term<hg::GaussianLatent>().samples = 2;
    CHECK(hg::is_finite(model.gradient(batch(4), tape, rng)));
}

TEST_CASE("a model that has been moved from says so") {
    auto model = model_of();
    auto tape = model.tape();
    hg::Rng rng{1};
    const auto moved = std::move(model);
    CHECK(moved.encode(batch(2)).rows() == 3);
    const std::string gone = "the model has no parameters any more: it has been moved from";
    CHECK_THAT(error_of([&] { model.encode(batch(2)); }), ContainsSubstring(gone));  // NOLINT(bugprone-use-after-move)
    CHECK_THAT(error_of([&] { model.loss(batch(2)); }), ContainsSubstring(gone));
    CHECK_THAT(error_of([&] { model.gradient(batch(2), tape, rng); }), ContainsSubstring(gone));
    const auto& last = model;
    CHECK_THAT(error_of([&] { model.encoder_parameters(); }), ContainsSubstring(gone));
    CHECK_THAT(error_of([&] { last.encoder_parameters(); }), ContainsSubstring(gone));
    CHECK_THAT(error_of([&] { model.decoder_parameters(); }), ContainsSubstring(gone));
    CHECK_THAT(error_of([&] { last.decoder_parameters(); }), ContainsSubstring(gone));
    CHECK_THAT(error_of([&] { model.each_weight([](auto, auto, auto) {}); }), ContainsSubstring(gone));
    CHECK_THAT(error_of([&] { model.each_state([](auto, auto, auto) {}); }), ContainsSubstring(gone));
    CHECK_THAT(error_of([&] { model.each_layer([](const auto&, const auto&) {}); }), ContainsSubstring(gone));
}

TEST_CASE("a model whose only parameters are its loss's says so too") {
    hg::Rng rng{1};
    using Same = hg::Chain<hg::Shape{12}>;
    auto model = hg::autoencoder<Same, Same>(rng, hg::LearnedGaussianLikelihood{});
    const auto moved = std::move(model);
    CHECK(hg::is_finite(moved.loss(batch(2))));
    const std::string gone = "it has been moved from";
    CHECK_THAT(error_of([&] { model.loss(batch(2)); }), ContainsSubstring(gone));  // NOLINT(bugprone-use-after-move)
    CHECK_THAT(error_of([&] { model.each_weight([](auto, auto, auto) {}); }), ContainsSubstring(gone));
}

namespace {

/// A code term with running values: the code less its running mean.
struct Centred {
    static constexpr hg::Slot slot = hg::Slot::Code;
    static constexpr hg::Traits traits{.needs_input = false, .needs_output = false};
    static constexpr hg::Shape output(hg::Shape in) { return in; }
    static constexpr hg::Index state(hg::Shape in) { return in.size(); }
    constexpr void check() const {}

    template <hg::Shape In, class T>
    void initialize_state(std::span<T> state) const {
        std::fill(state.begin(), state.end(), T(0));
    }
    template <hg::Shape In, class T>
    void fold(std::span<T> state, std::span<const T> of_batch) const {
        std::copy(of_batch.begin(), of_batch.end(), state.begin());
    }
    template <hg::Shape In, class T>
    void forward(std::span<const T, 0>, hg::ConstView<T> x, hg::View<T> y, const hg::Context<T>& context) const {
        for (hg::Index i = 0; i < In.size(); ++i) {
            const auto at = static_cast<std::size_t>(i);
            if (context.training) context.statistics[at] = x.row(i).mean();
            for (hg::Index j = 0; j < x.cols(); ++j) y(i, j) = x(i, j) - (context.training ? T(0) : context.state[at]);
        }
    }
    template <hg::Shape In, class T>  // without a context: it always adds
    void backward(std::span<const T, 0>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T> dy,
                  hg::View<T> dx) const {
        dx += dy;
    }
};

}  // namespace

TEST_CASE("running values of a term that makes the code are the model's") {
    using Normed = hg::Chain<hg::Shape{12}, hg::Dense<3>, hg::BatchNormalization>;
    hg::Rng rng{1};
    auto model = hg::autoencoder<Normed, Decoder>(rng, hg::MeanSquaredError{}, Centred{});
    CHECK(model.state().size() == 6 + 3);
    std::string names;
    model.each_state([&](std::string_view name, std::span<const hg::Index>, auto) { (names += name) += ' '; });
    CHECK(names == "encoder.1.moving_mean encoder.1.moving_variance code.state ");
    auto tape = model.tape();
    const Eigen::MatrixXf x = batch(20), before = model.encode(x);
    model.parameters().segment(12 * 3 + 3 + 3, 3).setConstant(2);  // β, which is the mean of the code in training
    model.gradient(x, tape, rng);
    CHECK(model.fold(tape));
    CHECK(Eigen::VectorXf(model.state().tail(3)).isApproxToConstant(2, 1e-5f));
    CHECK(model.encode(x) != before);
    Eigen::MatrixXf bad = x;
    bad(0, 0) = not_a_number;
    const Eigen::VectorXf state = model.state();
    tape.non_finite = hg::NonFinite::Continue;
    model.gradient(bad, tape, rng);
    CHECK(!model.fold(tape));
    CHECK(Eigen::VectorXf(model.state()) == state);
}

TEST_CASE("one step of the loop folds running values in: evaluation after training sees them") {
    using Normed = hg::Chain<hg::Shape{12}, hg::Dense<8>, hg::BatchNormalization, hg::ReLU, hg::Dense<3>>;
    hg::Rng rng{1};
    auto model = hg::autoencoder<Normed, Decoder>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    hg::Adam adam{{.non_finite = hg::NonFinite::Skip}};
    const Eigen::VectorXf before = model.state();
    model.gradient(batch(20), tape, rng);
    CHECK(adam.step(model, tape));
    const Eigen::VectorXf after = model.state();
    CHECK(after != before);
    Eigen::MatrixXf bad = batch(20);
    bad(0, 0) = not_a_number;
    tape.non_finite = hg::NonFinite::Continue;
    model.gradient(bad, tape, rng);
    CHECK(!adam.step(model, tape));
    CHECK(Eigen::VectorXf(model.state()) == after);
}

TEST_CASE("dx of a contractive model without parameters") {
    using Alone = hg::Chain<hg::Shape{4}, hg::Sigmoid>;
    oracle::check_model_in<double>(
        []<class T>(hg::Rng& rng) {
            return hg::autoencoder<Alone, hg::Chain<hg::Shape{4}, hg::Tanh>, T>(rng, hg::MeanSquaredError{},
                                                                                hg::Contractive{0.3});
        },
        values(4, 3, 21), values(4, 3, 22), oracle::InputGradient::Check);
}
