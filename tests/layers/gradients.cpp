// Every layer against dual numbers: one line a layer.
#include "hourglass/hourglass.hpp"
#include "support/gradient_check.hpp"

namespace hg = hourglass;
using oracle::check_layer;

TEST_CASE("gradients of layers agree with dual numbers") {
    constexpr hg::Shape vector{5}, sequence{3, 4};
    check_layer<vector>(hg::Dense<4>{});
    check_layer<vector>(hg::Dense<4, false>{});
    check_layer<sequence>(hg::Dense<2>{});
    check_layer<sequence>(hg::Dense<2, false>{});
    check_layer<vector>(hg::ReLU{});
    check_layer<vector>(hg::LeakyReLU{});
    check_layer<vector>(hg::LeakyReLU{0.01});
    check_layer<vector>(hg::ELU{});
    check_layer<vector>(hg::ELU{0.5});
    check_layer<vector>(hg::SELU{});
    check_layer<vector>(hg::GELU{});
    check_layer<vector>(hg::GELU{true});
    check_layer<vector>(hg::SiLU{});
    check_layer<vector>(hg::Mish{});
    check_layer<vector>(hg::HardSwish{});
    check_layer<vector>(hg::PReLU{0.25});
    check_layer<sequence>(hg::PReLU{-0.5});
    check_layer<vector>(hg::Sigmoid{});
    check_layer<vector>(hg::Tanh{});
    check_layer<vector>(hg::Softplus{});
    check_layer<vector>(hg::Softmax{});
    check_layer<sequence>(hg::Softmax{});
    using Groups = hg::FeatureGroups<hg::Group<1, hg::BinaryCrossEntropy>, hg::Group<2, hg::CategoricalCrossEntropy>,
                                     hg::Group<2, hg::Huber>>;
    check_layer<vector>(hg::OutputActivation<Groups>{});
    check_layer<hg::Shape{5, 3}>(hg::OutputActivation<Groups>{});
    check_layer<vector>(hg::ZeroImputation{});
    check_layer<sequence>(hg::Flatten{});
    check_layer<sequence>(hg::Reshape<hg::Shape{6, 2}>{});
    check_layer<sequence>(hg::Reshape<2, 6>{});
    check_layer<sequence>(hg::Dropout{0.4});
    check_layer<vector>(hg::Dropout{0});
    check_layer<vector>(hg::Condition<2>{});
    check_layer<sequence>(hg::Condition<2>{});
    check_layer<vector>(hg::layers::Add<1>{});
    check_layer<sequence>(hg::layers::Add<3>{});
}

TEST_CASE("gradients of layers over pictures agree with dual numbers") {
    constexpr hg::Shape picture{2, 3, 2};
    check_layer<picture>(hg::Dense<4>{});
    check_layer<picture>(hg::Dense<4, false>{});
    check_layer<picture>(hg::LeakyReLU{});
    check_layer<picture>(hg::GELU{});
    check_layer<picture>(hg::Sigmoid{});
    check_layer<picture>(hg::Softmax{});
    check_layer<picture>(hg::Dropout{0.4});
    check_layer<picture>(hg::BatchNormalization{});
    check_layer<picture>(hg::LayerNormalization{});
    check_layer<picture>(hg::GroupNormalization<1>{});
    check_layer<picture>(hg::GroupNormalization<2>{0.1});
    check_layer<hg::Shape{6, 2, 3}>(hg::GroupNormalization<2>{});
    check_layer<hg::Shape{6}>(hg::GroupNormalization<3>{});
    check_layer<picture>(hg::PReLU{0.25});
    check_layer<picture>(hg::Flatten{});
    check_layer<picture>(hg::Reshape<hg::Shape{3, 2, 2}>{});
    check_layer<picture>(hg::Reshape<6, 2>{});
    check_layer<hg::Shape{12}>(hg::Reshape<picture>{});
    check_layer<picture>(hg::Condition<3>{});
    check_layer<picture>(hg::layers::Add<2>{});
}
