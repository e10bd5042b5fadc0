// Dead units: which values begin anew, which become 0, what the optimiser forgets, and what is refused.
#include "hourglass/train/revive.hpp"

#include <Eigen/Dense>
#include <array>
#include <set>
#include <string>
#include <utility>

#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using hg::Index;

namespace {

constexpr std::array<Index, 2> some{1, 3};

/// What revive makes of a model: which values of which arrays have changed, and to what. Every value is 5 before, every
/// moment 7.
struct Changes {
    std::set<std::string> first, zero;  // "encoder.0.kernel 3": a first value, or 0
    template <class Model>
    Changes(Model model, std::string_view layer, std::span<const Index> units) {
        model.parameters().setConstant(5);
        model.state().setConstant(5);
        hg::Adam adam{{.amsgrad = true}};
        adam.restore(Eigen::MatrixXf::Constant(model.parameters().size(), 3, 7), 9);
        hg::Rng rng{3};
        hg::revive(model, layer, units, rng, adam);
        const auto moments = adam.moments<float>();
        CHECK(adam.steps() == 9);
        Index at = 0;
        const auto look = [&](std::string_view name, std::span<const Index>, const auto& values) {
            for (Index i = 0; i < values.size(); ++i) {
                const bool changed = values[i] != 5;
                if (changed) (values[i] == 0 ? zero : first).insert(std::string(name) + " " + std::to_string(i));
                if (at >= 0) CHECK((moments.row(at++).array() == (changed ? 0.f : 7.f)).all());
            }
        };
        model.each_weight(look);
        at = -1;  // running values have no moments
        model.each_state(look);
    }
};
std::set<std::string> names(const std::string& array, std::initializer_list<int> places) {
    std::set<std::string> all;
    for (const int place : places) all.insert(array + " " + std::to_string(place));
    return all;
}
std::set<std::string> operator+(std::set<std::string> a, const std::set<std::string>& b) {
    a.insert(b.begin(), b.end());
    return a;
}

}  // namespace

TEST_CASE("a dense layer's units begin anew, and what reads them forgets them") {
    using Encoder = hg::Chain<hg::Shape{2}, hg::Dense<4>, hg::BatchNormalization, hg::ReLU>;
    using Decoder = hg::Chain<hg::Shape{4}, hg::Dropout, hg::Condition<2>, hg::Dense<2>>;
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, hg::JumpReLU{});
    const Changes changes(model, "encoder.0", some);
    CHECK(changes.first == names("encoder.0.kernel", {1, 3, 5, 7}) + names("encoder.1.gamma", {1, 3}) +
                               names("code.log_threshold", {1, 3}) + names("encoder.1.moving_variance", {1, 3}));
    CHECK(changes.zero == names("encoder.0.bias", {1, 3}) + names("encoder.1.beta", {1, 3}) +
                              names("decoder.2.kernel", {2, 3, 6, 7}) + names("encoder.1.moving_mean", {1, 3}));
}

TEST_CASE("a convolution's units are its filters, at every position and behind a Flatten") {
    using Encoder =
        hg::Chain<hg::Shape{1, 4}, hg::Conv1D<4, 3, 2, hg::Padding::Same>, hg::ReLU, hg::Flatten, hg::Dense<2>>;
    using Decoder = hg::Chain<hg::Shape{2}, hg::Dense<8>, hg::Reshape<4, 2>, hg::Conv1DTranspose<4, 2, 2>, hg::ReLU,
                              hg::Conv1DTranspose<1, 1>>;
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    const Changes first(model, "encoder.0", some);
    CHECK(first.first == names("encoder.0.kernel", {1, 3, 5, 7, 9, 11}));
    CHECK(first.zero ==
          names("encoder.0.bias", {1, 3}) +
              names("encoder.3.kernel", {2, 3, 6, 7, 10, 11, 14, 15}));  // 2 outputs, 4 channels, 2 places
    const Changes transposed(model, "decoder.2", some);                  // its kernel's inputs come first
    CHECK(transposed.first == names("decoder.2.kernel", {4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31}));
    CHECK(transposed.zero == names("decoder.2.bias", {1, 3}) + names("decoder.4.kernel", {1, 3}));

    using Pooled = hg::Chain<hg::Shape{1, 4, 4}, hg::Conv2D<4, 1>, hg::Dropout, hg::SpatialDropout, hg::MaxPooling2D<2>,
                             hg::AveragePooling2D<2>, hg::UpSampling2D<2>, hg::ZeroPadding2D<1>,
                             hg::GlobalAveragePooling2D, hg::Dense<1>>;
    const Changes pooled(hg::network<Pooled>(rng), "0", some);
    CHECK(pooled.zero == names("0.bias", {1, 3}) + names("8.kernel", {1, 3}));

    hg::Adam adam;
    auto changed = model;
    const auto refused = [&](std::string_view layer, Index unit) {
        return error_of([&] { hg::revive(changed, layer, std::array{unit}, rng, adam); });
    };
    CHECK(refused("decoder.0", 0) == "revive: decoder.0: a Reshape takes its units apart");
    CHECK(refused("decoder.4", 0) == "revive: decoder.4: no layer with weights reads its units");
    CHECK(refused("encoder.1", 0) ==
          "revive: encoder.1: it has no units of its own: name a Dense layer or a convolution");
    CHECK(refused("encoder.7", 0) == "revive: there is no layer encoder.7");
    CHECK(refused("encoder.0", 4) == "revive: there is no unit 4 in encoder.0, which has 4");
    CHECK(refused("encoder.0", -1) == "revive: there is no unit -1 in encoder.0, which has 4");
    Eigen::VectorXf other = Eigen::VectorXf::Ones(3);
    adam.step(other, other);
    CHECK_THAT(refused("encoder.0", 0),
               ContainsSubstring("the optimiser's steps were on 3 parameters, the model has "));
    CHECK(changed.parameters() == model.parameters());
}

TEST_CASE("units whose weights another layer shares, reads, or mixes are refused") {
    hg::Rng rng{1};
    hg::Adam adam;
    const auto refused = [&](auto model, std::string_view layer) {
        return error_of([&] { hg::revive(model, layer, some, rng, adam); });
    };
    using Deep = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::ReLU, hg::Dense<4>>;
    const auto tied = hg::autoencoder<Deep, hg::Tied<Deep>>(rng, hg::MeanSquaredError{});
    CHECK_THAT(refused(tied, "encoder.0"), ContainsSubstring("encoder.0: the weights of encoder.0 are shared (Tied)"));
    CHECK_THAT(refused(tied, "decoder.0"), ContainsSubstring("decoder.0: it has no units of its own"));
    using Late = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::Sigmoid, hg::Residual<hg::Dense<5>>, hg::ReLU, hg::Dense<6>>;
    const auto residual = hg::network<Late>(rng);
    CHECK(refused(residual, "0") == "revive: 0: a Residual reads its units, too");
    CHECK_THAT(refused(residual, "2.0"), ContainsSubstring("2.0: behind 2 (Add) its units cannot be told apart"));
    using Doubled = hg::Chain<hg::Shape{6}, hg::Dense<8>>;
    const auto variational = hg::autoencoder<Doubled, hg::Chain<hg::Shape{4}, hg::Dense<6>>>(
        rng, hg::GaussianLikelihood{}, hg::GaussianLatent{});
    CHECK(refused(variational, "encoder.0") ==
          "revive: encoder.0: behind code (GaussianLatent) its units cannot be told apart");
    using Grouped = hg::Chain<hg::Shape{4, 3}, hg::Conv1D<4, 1>, hg::Conv1D<4, 1, 1, hg::Padding::Valid, 1, true, 2>>;
    const auto grouped = hg::network<Grouped>(rng);
    CHECK(refused(grouped, "0") == "revive: 0: 1 has groups, which revive cannot tell apart");
    // What a unit gives moves all others' values.
    using Normalised = hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::LayerNormalization, hg::Dense<4>,
                                 hg::GroupNormalization<2>, hg::Dense<4>, hg::Softmax, hg::Dense<4>>;
    const auto normalised =
        hg::autoencoder<Normalised, hg::Chain<hg::Shape{4}, hg::Dense<6>>>(rng, hg::MeanSquaredError{}, hg::TopK<2>{});
    for (const auto& [layer, behind] : {std::pair{"encoder.0", "encoder.1 (LayerNormalization)"},
                                        {"encoder.2", "encoder.3 (GroupNormalization)"},
                                        {"encoder.4", "encoder.5 (Softmax)"}})
        CHECK(refused(normalised, layer) ==
              "revive: " + std::string(layer) + ": behind " + behind + " its units cannot be told apart");
    CHECK(refused(normalised, "encoder.6") == "nothing was thrown");  // TopK keeps a value or takes it away
}

TEST_CASE("units that no sample activates are found, leave the output as it is, and learn again") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::ReLU>;
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, hg::Chain<hg::Shape{5}, hg::Dense<6>>>(rng, hg::MeanSquaredError{});
    const Eigen::MatrixXf x = Eigen::MatrixXf::NullaryExpr(6, 40, [&] { return static_cast<float>(rng.normal()); });
    hg::Adam adam{{.learning_rate = 1e-2}};
    auto tape = model.tape();
    model.gradient(x, tape, rng), adam.step(model, tape);
    for (const int unit : {1, 3}) model.encoder_parameters()[30 + unit] = -100;  // biases
    CHECK(hg::dead_units(model.encode(x)) == 2);
    const Eigen::MatrixXf before = model.reconstruct(x);
    CHECK(hg::revive(model, "encoder.0", model.encode(x), rng, adam) == 2);
    CHECK(model.reconstruct(x).isApprox(before, 1e-6f));
    CHECK(hg::dead_units(model.encode(x)) == 0);
    CHECK(hg::revive(model, "encoder.0", model.encode(x), rng, adam) == 0);
    const Eigen::VectorXf untaught = model.decoder_parameters();
    model.gradient(x, tape, rng), adam.step(model, tape);
    CHECK((model.decoder_parameters() - untaught).segment(6, 6).cwiseAbs().minCoeff() > 1e-3f);

    CHECK_THAT(error_of([&] { hg::revive(model, "encoder.0", x, rng, adam); }),
               ContainsSubstring("revive: encoder.0 has 5 values, got activations of 6"));
    CHECK_THAT(error_of([&] { hg::revive(model, "encoder.0", Eigen::MatrixXf(5, 0), rng, adam); }),
               ContainsSubstring("activation_density: the code is 5 x 0"));
}

TEST_CASE("an optimiser that was moved from has no moments to forget, and one that refuses changes nothing") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::ReLU>;
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, hg::Chain<hg::Shape{5}, hg::Dense<6>>>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    hg::Adam adam, taken, none;
    model.gradient(Eigen::MatrixXf::Ones(6, 2), tape, rng), adam.step(model, tape);
    taken = std::move(adam);
    CHECK(taken.moments<float>().rows() == model.parameters().size());
    hg::revive(model, "encoder.0", some, rng, adam);  // NOLINT(bugprone-use-after-move)
    CHECK(model.decoder_parameters().segment(6, 6).isZero(0));
    CHECK_FALSE(model.decoder_parameters().segment(12, 6).isZero(0));

    Eigen::VectorXf nothing;
    none.step(nothing, nothing);
    const Eigen::VectorXf before = model.parameters();
    const auto at = rng.state();
    CHECK_THAT(error_of([&] { hg::revive(model, "encoder.0", some, rng, none); }),
               ContainsSubstring("earlier steps were on 0"));
    CHECK(model.parameters() == before);
    CHECK(rng.state().position == at.position);
    CHECK(rng.state().step == at.step);
}
