// Whole models against dual numbers: terms, tied weights, dropout, nested chains, in-place activations together.
#include <limits>

#include "hourglass/hourglass.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using oracle::check_model;
using oracle::values;

namespace {

const Eigen::MatrixXd x = values(6, 4, 21, 0.05, 0.95), target = values(6, 4, 22, 0.05, 0.95);

template <class Encoder, class Decoder, class... Rest>
auto build(const Rest&... rest) {
    return [=]<class T>(hg::Rng& rng) { return hg::autoencoder<Encoder, Decoder, T>(rng, rest...); };
}

using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::Tanh, hg::Dense<3>, hg::Sigmoid>;
using Decoder = hg::Chain<Encoder::output, hg::Dense<5>, hg::SiLU, hg::Dense<6>, hg::Sigmoid>;

}  // namespace

TEST_CASE("plain models") {
    check_model(build<Encoder, Decoder>(hg::MeanSquaredError{}), x, target);
    check_model(build<Encoder, Decoder>(hg::MeanAbsoluteError{}), x, target);
    check_model(build<Encoder, Decoder>(hg::Huber{0.1}), x, target);
    check_model(build<Encoder, Decoder>(hg::BinaryCrossEntropy{}), x, target);
}

TEST_CASE("a model of groups of features with missing values") {
    using Loss = hg::FeatureGroups<hg::Group<2, hg::Masked<hg::MeanSquaredError>>,
                                   hg::Group<3, hg::Masked<hg::CategoricalCrossEntropy>>,
                                   hg::Group<1, hg::Masked<hg::BinaryCrossEntropy>>>;
    using Imputed = hg::Chain<hg::Shape{6}, hg::ZeroImputation, hg::Dense<5>, hg::Tanh, hg::Dense<3>>;
    using Probabilities = hg::Chain<Imputed::output, hg::Dense<6>, hg::OutputActivation<Loss>>;
    constexpr double missing = std::numeric_limits<double>::quiet_NaN();
    Eigen::MatrixXd table(6, 4);
    table << 0.5, missing, -1, missing, 2, 0, missing, missing, 0, missing, 0, missing, 1, missing, 0, missing, 0,
        missing, 1, missing, 1, 0, missing, missing;
    check_model(build<Imputed, Probabilities>(Loss{{}, {.weight = 0.5}, {}}), table, table);
}

constexpr auto behind = oracle::InputGradient::BehindCorruption;

TEST_CASE("corruption and code terms together") {
    // Noise in float is drawn from fewer random bits than the oracle's: these are compared in double alone.
    oracle::check_model_in<double>(
        build<Encoder, Decoder>(hg::BinaryCrossEntropy{}, hg::GaussianNoise{0.3}, hg::MaskingNoise{0.25}, hg::L1{0.2}),
        x, target, behind);
    oracle::check_model_in<double>(
        build<Encoder, Decoder>(hg::MeanSquaredError{}, hg::L1{0.2}, hg::SaltAndPepperNoise{0.3}, hg::L1{0.1}), x,
        target, behind);
}

TEST_CASE("mirrored and tied decoders") {
    check_model(build<Encoder, hg::Mirror<Encoder, hg::Sigmoid>>(hg::BinaryCrossEntropy{}), x, target);
    check_model(build<Encoder, hg::Tied<Encoder>>(hg::MeanSquaredError{}), x, target);
    check_model(
        build<Encoder, hg::Tied<Encoder, hg::Sigmoid>>(hg::BinaryCrossEntropy{}, hg::MaskingNoise{0.2}, hg::L1{0.1}), x,
        target, behind);
    using Bare = hg::Chain<hg::Shape{6}, hg::Dense<4, false>, hg::SELU, hg::Dense<2, false>>;
    check_model(build<Bare, hg::Tied<Bare>>(hg::MeanSquaredError{}), x, target);
    using OnSequence = hg::Chain<hg::Shape{3, 2}, hg::Dense<2>, hg::Flatten, hg::ELU, hg::Dense<2>>;
    check_model(build<OnSequence, hg::Tied<OnSequence>>(hg::MeanSquaredError{}), x, target);
}

TEST_CASE("layers that share memory, and layers that must not") {
    using Awkward = hg::Chain<hg::Shape{3, 2}, hg::Flatten, hg::Tanh, hg::Sigmoid, hg::Reshape<2, 3>, hg::Softplus,
                              hg::Dense<4>, hg::Flatten, hg::ReLU, hg::Dropout, hg::GELU, hg::LeakyReLU, hg::Dense<4>>;
    using Back =
        hg::Chain<Awkward::output, hg::Tanh, hg::Dense<6>, hg::Softmax, hg::ELU, hg::Sigmoid, hg::Reshape<3, 2>>;
    check_model(build<Awkward, Back>(hg::MeanSquaredError{}, hg::L1{0.1}), x, target);
    check_model(build<Awkward, Back>(hg::BinaryCrossEntropy{}), x, target);
    using OnlyActivation = hg::Chain<hg::Shape{6}, hg::Sigmoid>;
    check_model(build<OnlyActivation, hg::Chain<hg::Shape{6}, hg::Sigmoid>>(hg::BinaryCrossEntropy{}), x, target);
    check_model(build<OnlyActivation, hg::Chain<hg::Shape{6}>>(hg::MeanSquaredError{}), x, target);
}

TEST_CASE("chains inside chains") {
    using Block = hg::Chain<hg::Shape{5}, hg::Tanh, hg::Dense<5>>;
    using Nested = hg::Chain<hg::Shape{6}, hg::Dense<5>, Block, hg::Chain<hg::Shape{5}, Block, hg::Dense<3>>>;
    static_assert(Nested::depth == 6);
    static_assert(Nested::parameters == (6 * 5 + 5) + 2 * (5 * 5 + 5) + (5 * 3 + 3));
    check_model(build<Nested, hg::Mirror<Nested>>(hg::MeanSquaredError{}), x, target);
    check_model(build<Nested, hg::Tied<Nested>>(hg::MeanSquaredError{}), x, target);
}
