// Models of samples with missing values and of groups of features; this file is also compiled with -ffast-math.
#include <hourglass/freeze.hpp>
#include <hourglass/io/safetensors.hpp>
#include <hourglass/workers.hpp>
#include <limits>
#include <sstream>
#include <string>

#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;

namespace {

using Catch::Matchers::ContainsSubstring;

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

using Loss =
    hg::FeatureGroups<hg::Group<2, hg::Masked<hg::Huber>>, hg::Group<3, hg::Masked<hg::CategoricalCrossEntropy>>,
                      hg::Group<1, hg::Masked<hg::BinaryCrossEntropy>>>;
using Encoder = hg::Chain<hg::Shape{6}, hg::ZeroImputation, hg::Dense<8>, hg::Tanh, hg::Dense<2>>;
using Decoder = hg::Chain<hg::Shape{2}, hg::Dense<8>, hg::Tanh, hg::Dense<6>, hg::OutputActivation<Loss>>;

auto model_of(const Loss& loss = Loss{}) {
    hg::Rng rng{1};
    return hg::autoencoder<Encoder, Decoder>(rng, loss);
}

/// Two numbers, a category of three values that the first one tells, and whether the second one is positive.
Eigen::MatrixXf table(hg::Index n) {
    hg::Rng rng{2};
    Eigen::MatrixXf x = Eigen::MatrixXf::Zero(6, n);
    for (hg::Index j = 0; j < n; ++j) {
        for (hg::Index i = 0; i < 2; ++i) x(i, j) = static_cast<float>(rng.uniform(-1, 1));
        x(x(0, j) < -0.3F ? 2 : x(0, j) < 0.3F ? 3 : 4, j) = 1;
        x(5, j) = x(1, j) > 0 ? 1 : 0;
        if (j % 4 == 1) x(j % 2, j) = missing;
        if (j % 5 == 2) x.col(j).segment(2, 3).setConstant(missing);
        if (j % 7 == 3) x(5, j) = missing;
    }
    x.col(0).setConstant(missing);
    return x;
}
Eigen::MatrixXf filled(Eigen::MatrixXf x) {
    for (float& value : x.reshaped())
        if (!hg::is_finite(value)) value = 0;
    return x;
}

}  // namespace

TEST_CASE("a model learns a table of groups with gaps, and sees zeros there") {
    auto model = model_of();
    const Eigen::MatrixXf x = table(300);
    hg::Rng rng{3};
    hg::Adam adam{{.learning_rate = 1e-2F}};
    auto tape = model.tape();
    const float before = model.loss(x, tape);
    for (int step = 0; step < 300; ++step) {
        CHECK(hg::is_finite(model.gradient(x, tape, rng)));
        CHECK(adam.step(model, tape));
    }
    CHECK(model.loss(x, tape) < 0.3F * before);
    const Eigen::VectorXf each = model.reconstruction_error(x);
    CHECK(each[0] == 0);
    CHECK(std::abs(each.mean() - model.loss(x)) < 1e-6F);

    const Eigen::MatrixXf zeros = filled(x), rebuilt = model.reconstruct(x);
    CHECK(model.encode(x) == model.encode(zeros));
    CHECK(rebuilt == model.reconstruct(zeros));
    CHECK((rebuilt.middleRows(2, 3).colwise().sum().array() - 1).abs().maxCoeff() < 1e-6F);
    CHECK((rebuilt.row(5).array() > 0 && rebuilt.row(5).array() < 1).all());
    hg::Index right = 0;
    for (hg::Index j = 1; j < x.cols(); ++j) {  // what is missing is told by the number it follows from
        const hg::Index kind = x(0, j) < -0.3F ? 0 : x(0, j) < 0.3F ? 1 : 2;
        right += hg::is_finite(x(0, j)) && !hg::is_finite(x(2, j)) &&
                         rebuilt(2 + kind, j) == rebuilt.col(j).segment(2, 3).maxCoeff()
                     ? 1
                     : 0;
    }
    CHECK(right >= 40);

    const auto frozen = hg::freeze(model);
    Eigen::VectorXf code(2);
    frozen.encode(std::span<const float, 6>{x.col(1).data(), 6}, std::span<float, 2>{code.data(), 2});
    CHECK((code - model.encode(x.col(1))).cwiseAbs().maxCoeff() < 1e-6F);

    // Nothing at all to learn from.
    const Eigen::MatrixXf nothing = Eigen::MatrixXf::Constant(6, 5, missing);
    Eigen::MatrixXf dx;
    CHECK(model.gradient(nothing, nothing, tape, rng, dx) == 0);
    CHECK(tape.gradient().cwiseAbs().maxCoeff() == 0);
    CHECK(dx.cwiseAbs().maxCoeff() == 0);
    CHECK(model.loss(nothing) == 0);
    CHECK(model.reconstruction_error(nothing).cwiseAbs().maxCoeff() == 0);
}

TEST_CASE("what is not finite and not missing is named") {
    const auto model = model_of();
    auto tape = model.tape();
    hg::Rng rng{4};
    Eigen::MatrixXf x = table(8);
    x(1, 6) = std::numeric_limits<float>::infinity();
    const std::string expected = "x is not finite: feature 1 of sample 6 is inf";
    CHECK_THAT(error_of([&] { model.gradient(x, tape, rng); }), ContainsSubstring(expected));
    CHECK_THAT(error_of([&] { (void)model.loss(x); }), ContainsSubstring(expected));
    CHECK_THAT(error_of([&] { (void)model.reconstruction_error(x); }), ContainsSubstring(expected));
    Eigen::MatrixXf target = table(8);
    target(1, 6) = x(1, 6);
    CHECK_THAT(error_of([&] { (void)model.loss(filled(target), target); }),
               ContainsSubstring("the target is not finite: feature 1 of sample 6 is inf"));

    // An encoder that has not been told, and a group that is not masked.
    using Bare = hg::Chain<hg::Shape{6}, hg::Dense<2>>;
    using Linear = hg::Chain<hg::Shape{2}, hg::Dense<6>>;
    const auto bare = hg::autoencoder<Bare, Linear>(rng, hg::Masked<hg::MeanSquaredError>{});
    CHECK_THAT(error_of([&] { (void)bare.loss(table(4)); }),
               ContainsSubstring("x is not finite: feature 0 of sample 0 is nan; a chain that begins with "
                                 "ZeroImputation takes it for missing"));
    CHECK(hg::is_finite(bare.loss(filled(table(4)), table(4))));
    using Half = hg::FeatureGroups<hg::Group<2, hg::Masked<hg::MeanSquaredError>>, hg::Group<4, hg::Huber>>;
    const auto half = hg::autoencoder<Bare, Linear>(rng, Half{});
    CHECK_THAT(error_of([&] { (void)half.loss(filled(table(4)), table(4)); }),
               ContainsSubstring("the target is not finite: feature 2 of sample 0 is nan"));
}

TEST_CASE("groups and masks on several threads give the bits of one") {
    const auto model = model_of();
    const Eigen::MatrixXf x = table(70);
    auto tape = model.tape();
    hg::Rng rng{5};
    const float alone = model.gradient(x, tape, rng), loss = model.loss(x, tape);
    const Eigen::VectorXf gradient = tape.gradient();
    hg::Workers workers{3};
    auto shared = model.tape(workers);
    rng = hg::Rng{5};
    CHECK(model.gradient(x, shared, rng) == alone);
    CHECK(shared.gradient() == gradient);
    CHECK(model.loss(x, shared) == loss);
}

TEST_CASE("files hold the weights of groups and classes, and the groups are part of the architecture") {
    const auto model = model_of(
        Loss{{hg::Masked{hg::Huber{0.5}}},
             {hg::Masked{hg::CategoricalCrossEntropy{.label_smoothing = 0.1, .class_weights = {1, 2, 3}}}, 0.25},
             {}});
    const Eigen::MatrixXf x = table(20);
    std::stringstream file;
    hg::save(file, model);
    auto read = model_of(Loss{{}, {hg::Masked{hg::CategoricalCrossEntropy{.class_weights = {1, 1, 1}}}}, {}});
    hg::load(file, read);
    CHECK(read.loss(x) == model.loss(x));
    CHECK(read.loss_function().group<1>().loss.loss.class_weights[2] == 3);
    CHECK(read.loss_function().group<0>().loss.loss.delta == 0.5);
    file.clear();
    file.seekg(0);
    auto unweighted = model_of();
    CHECK_THAT(error_of([&] { hg::load(file, unweighted); }),
               ContainsSubstring("loss.1.class_weight.0 is not a hyperparameter"));
    using Others = hg::FeatureGroups<hg::Group<2, hg::Huber>, hg::Group<3, hg::Masked<hg::CategoricalCrossEntropy>>,
                                     hg::Group<1, hg::Masked<hg::BinaryCrossEntropy>>>;
    hg::Rng rng{6};
    auto others = hg::autoencoder<Encoder, Decoder>(rng, Others{});
    file.clear();
    file.seekg(0);
    CHECK_THAT(error_of([&] { hg::load(file, others); }), ContainsSubstring("FeatureGroups<2 Masked<Huber>"));
}

TEST_CASE("a mirrored decoder has nothing to impute, and a network takes masked targets") {
    using Mirrored = hg::Mirror<hg::Chain<hg::Shape{6}, hg::ZeroImputation, hg::Dense<2>>>;
    hg::Rng rng{7};
    auto decoder = hg::network<Mirrored>(rng);
    CHECK(!hg::is_finite(decoder.evaluate(Eigen::MatrixXf::Constant(2, 1, missing))(0, 0)));
    auto tape = decoder.tape();
    Eigen::MatrixXf target = Eigen::MatrixXf::Constant(6, 3, missing);
    const hg::Masked<hg::MeanAbsoluteError> loss;
    CHECK(decoder.gradient(Eigen::MatrixXf::Ones(2, 3), target, loss, tape, rng) == 0);
    target(4, 1) = std::numeric_limits<float>::infinity();
    CHECK_THAT(error_of([&] { decoder.gradient(Eigen::MatrixXf::Ones(2, 3), target, loss, tape, rng); }),
               ContainsSubstring("the target is not finite: feature 4 of sample 1 is inf"));
}
