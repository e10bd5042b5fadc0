// Shapes, weights, counterparts and wrong arguments of the layers over sequences.
#include <limits>
#include <string>
#include <type_traits>

#include "hourglass/core/mirror.hpp"
#include "hourglass/layers/activations.hpp"
#include "hourglass/layers/batch_normalization.hpp"
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/group_normalization.hpp"
#include "hourglass/layers/layer_normalization.hpp"
#include "hourglass/layers/pooling.hpp"
#include "hourglass/layers/prelu.hpp"
#include "hourglass/models/network.hpp"
#include "support/gradient_check.hpp"

namespace hg = hourglass;
using hg::Shape;

namespace {

constexpr auto valid = hg::Padding::Valid, same = hg::Padding::Same;

// Lengths as Keras's table of shapes has them.
static_assert(hg::Conv1D<4, 7, 2, same>::output(Shape{1, 288}) == Shape{4, 144});
static_assert(hg::Conv1D<4, 7, 2, same>::output(Shape{1, 287}) == Shape{4, 144});
static_assert(hg::Conv1D<4, 7, 2>::output(Shape{1, 288}) == Shape{4, 141});
static_assert(hg::Conv1D<4, 7>::output(Shape{1, 7}) == Shape{4, 1});
static_assert(hg::Conv1D<4, 3, 1, valid, 3>::output(Shape{1, 7}) == Shape{4, 1});
static_assert(hg::Conv1D<4, 7, 2, hg::Padding::Causal>::output(Shape{1, 287}) == Shape{4, 144});
static_assert(hg::Conv1D<4, 3, 1, hg::Padding::Causal, 4>::output(Shape{1, 7}) == Shape{4, 7});
static_assert(hg::Conv1DTranspose<4, 7, 2, same>::output(Shape{9, 144}) == Shape{4, 288});
static_assert(hg::Conv1DTranspose<4, 7, 2>::output(Shape{9, 144}) == Shape{4, 293});
static_assert(hg::Conv1DTranspose<4, 2, 5>::output(Shape{9, 3}) == Shape{4, 15});
static_assert(hg::MaxPooling1D<>::output(Shape{5, 7}) == Shape{5, 3});
static_assert(hg::MaxPooling1D<2, 2, same>::output(Shape{5, 7}) == Shape{5, 4});
static_assert(hg::AveragePooling1D<3, 1>::output(Shape{5, 7}) == Shape{5, 5});
static_assert(hg::UpSampling1D<3>::output(Shape{5, 7}) == Shape{5, 21});

static_assert(hg::Conv1D<4, 7>::parameters(Shape{3, 9}) == 4 * 3 * 7 + 4);
static_assert(hg::Conv1D<4, 7, 1, valid, 1, false>::parameters(Shape{3, 9}) == 4 * 3 * 7);
static_assert(hg::Conv1DTranspose<4, 7>::parameters(Shape{3, 9}) == 4 * 3 * 7 + 4);
static_assert(hg::LayerNormalization::parameters(Shape{3, 9}) == 6);

template <class Layer>
bool weights_fill(Shape in) {
    hg::Index sum = 0;
    for (const hg::Weight& weight : Layer::weights(in)) sum += weight.size();
    return sum == Layer::parameters(in);
}

std::string message_of(auto call) {
    try {
        call();
    } catch (const hg::Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

}  // namespace

TEST_CASE("weights of convolutions and layer normalisation have names and extents") {
    constexpr Shape in{3, 9};
    CHECK(weights_fill<hg::Conv1D<4, 7>>(in));
    CHECK(weights_fill<hg::Conv1D<4, 7, 1, valid, 1, false>>(in));
    CHECK(weights_fill<hg::Conv1DTranspose<4, 7>>(in));
    CHECK(weights_fill<hg::LayerNormalization>(in));
    CHECK(weights_fill<hg::GroupNormalization<3>>(in));
    CHECK(weights_fill<hg::PReLU>(in));
    const auto kernel = hg::Conv1D<4, 7>::weights(in)[0], bias = hg::Conv1D<4, 7>::weights(in)[1];
    CHECK(kernel.name == "kernel");
    CHECK(kernel.extents.values == std::array<hg::Index, 4>{4, 3, 7, 1});
    CHECK(kernel.decays);
    CHECK(bias.name == "bias");
    CHECK_FALSE(bias.decays);
    CHECK(hg::Conv1DTranspose<4, 7>::weights(in)[0].extents.values == std::array<hg::Index, 4>{3, 4, 7, 1});
    for (const hg::Weight& weight : hg::LayerNormalization::weights(in)) CHECK_FALSE(weight.decays);
}

TEST_CASE("mirrors of layers over sequences give back the input's shape") {
    using Encoder = hg::Chain<Shape{2, 48}, hg::Conv1D<8, 7, 2, same>, hg::ReLU, hg::MaxPooling1D<>,
                              hg::Conv1D<4, 3, 3>, hg::LayerNormalization, hg::UpSampling1D<3>,
                              hg::AveragePooling1D<2, 2, same>, hg::Conv1D<3, 3, 1, valid, 2>>;
    using Decoder = hg::Mirror<Encoder>;
    static_assert(Decoder::output == Encoder::input);
    static_assert(std::is_same_v<Decoder::Layer<0>, hg::Conv1DTranspose<4, 3, 1, valid, 2>>);
    static_assert(std::is_same_v<Decoder::Layer<1>, hg::UpSampling1D<2>>);
    static_assert(std::is_same_v<Decoder::Layer<2>, hg::AveragePooling1D<3>>);
    static_assert(std::is_same_v<Decoder::Layer<3>, hg::LayerNormalization>);
    static_assert(std::is_same_v<Decoder::Layer<4>, hg::Conv1DTranspose<8, 3, 3>>);
    static_assert(std::is_same_v<Decoder::Layer<7>, hg::Conv1DTranspose<2, 7, 2, same>>);
    // A stride longer than the kernel goes back too when nothing is left over.
    static_assert(hg::Mirror<hg::Chain<Shape{2, 9}, hg::Conv1D<4, 2, 3>>>::output == Shape{2, 9});
    using Tied = hg::Tied<Encoder>;
    static_assert(Tied::output == Encoder::input);
    static_assert(Tied::parameters == 4 + 2 * 4 + 8 + 2);  // the biases, gamma and beta
    const auto encoder =
        hg::chain<Shape{2, 8}>(hg::Conv1D<4, 3, 1, same>{hg::Initializer::HeNormal}, hg::LayerNormalization{0.5});
    CHECK(hg::mirror(encoder).layer<0>().epsilon == 0.5);
    CHECK(hg::mirror(encoder).layer<1>().kernel_initializer == hg::Initializer::HeNormal);
    CHECK(hg::tie(encoder).layer<0>().epsilon == 0.5);
    const auto pooled = hg::chain<Shape{2, 12}>(hg::MaxPooling1D<>{}, hg::LeakyReLU{0.5}, hg::AveragePooling1D<3>{},
                                                hg::BatchNormalization{0.75, 0.5}, hg::UpSampling1D<2>{});
    const auto back = hg::mirror(pooled, hg::Sigmoid{});
    CHECK(back.layer<1>().momentum == 0.75);
    CHECK(back.layer<1>().epsilon == 0.5);
    CHECK(back.layer<3>().negative_slope == 0.5);
    CHECK(hg::tie(pooled).layer<1>().momentum == 0.75);
    hg::Rng rng{1};
    const auto network = hg::network(hg::chain<Shape{2, 12}>(pooled, back), rng);
    CHECK(network.evaluate(Eigen::VectorXf::Zero(24)) == Eigen::VectorXf::Constant(24, 0.5f));
}

TEST_CASE("wrong arguments of layers over sequences are refused in words") {
    CHECK(message_of([] {
              (void)hg::Conv1D<4, 7>::output(Shape{1, 6});
          }) ==
          "Conv1D: a window covers 7 positions, but the sequence has only 6; Padding::Same lets windows stick out");
    CHECK(message_of([] {
              (void)hg::MaxPooling1D<4>::output(Shape{1, 3});
          }) ==
          "MaxPooling1D: a window covers 4 positions, but the sequence has only 3; Padding::Same lets windows stick "
          "out");
    const auto refused = [](const std::string& layer, Shape (*output)(Shape)) {
        CHECK(message_of([&] {
                  (void)output(Shape{3, 8, 6});
              }) == layer + ": the input has rows and columns, 8 x 6, expected a series of positions");
    };
    refused("Conv1D", hg::Conv1D<4, 3>::output);
    refused("Conv1D", hg::Conv1D<4, 3, 2, same>::output);
    refused("Conv1DTranspose", hg::Conv1DTranspose<4, 3>::output);
    refused("MaxPooling1D", hg::MaxPooling1D<>::output);
    refused("AveragePooling1D", hg::AveragePooling1D<>::output);
    refused("UpSampling1D", hg::UpSampling1D<2>::output);
    for (const double epsilon : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
        CHECK_THROWS_AS(hg::LayerNormalization{epsilon}, hg::Error);
    CHECK(message_of([] { (void)hg::GroupNormalization<2>{0.0}; }) ==
          "GroupNormalization: epsilon must be finite and positive, got 0");
    CHECK(message_of([] {
              (void)hg::GroupNormalization<2>::output(Shape{5, 3});
          }) == "GroupNormalization: 5 channels do not fall into 2 groups of as many");
    CHECK(message_of([] { (void)hg::PReLU{std::numeric_limits<double>::infinity()}; }) ==
          "PReLU: the initial slope must be finite, got inf");
    CHECK(message_of([] { (void)hg::LayerNormalization{0.0}; }) ==
          "LayerNormalization: epsilon must be finite and positive, got 0");
}

TEST_CASE("NaN passes through the largest value of a window, wherever it stands") {
    constexpr Shape in{1, 6};
    const float nan = std::numeric_limits<float>::quiet_NaN();
    Eigen::MatrixXf x(6, 3), y(2, 3);
    x << nan, 1, 2, 1, nan, 1, 2, 3, nan, 4, 4, 4, 5, 5, 5, 6, 6, 6;
    hg::MaxPooling1D<3>{}.forward<in, float>({}, oracle::read(x), oracle::write(y), {});
    for (const float value : y.row(0)) CHECK(value != value);
    CHECK(y.row(1) == Eigen::RowVector3f::Constant(6));
    Eigen::MatrixXf dx = Eigen::MatrixXf::Zero(6, 3);
    const Eigen::MatrixXf dy = Eigen::MatrixXf::Ones(2, 3);
    hg::MaxPooling1D<3>{}.backward<in, float>({}, oracle::read(x), oracle::read(y), oracle::read(dy), oracle::write(dx),
                                              {});
    CHECK(dx.topRows(3) == Eigen::Matrix3f::Identity());
}

TEST_CASE("layer normalisation of a constant position is beta") {
    constexpr Shape in{4, 2};
    constexpr hg::LayerNormalization layer;
    Eigen::VectorXf w(8);
    hg::Rng rng{1};
    layer.initialize<in, float>(std::span<float, 8>(w.data(), 8), rng);
    CHECK(w == (Eigen::VectorXf(8) << 1, 1, 1, 1, 0, 0, 0, 0).finished());
    w.tail(4) << 1, 2, 3, 4;
    const Eigen::MatrixXf x = Eigen::MatrixXf::Constant(8, 1, 1e6f);
    Eigen::MatrixXf y(8, 1);
    layer.forward<in, float>(std::span<const float, 8>(w.data(), 8), oracle::read(x), oracle::write(y), {});
    CHECK(y == (Eigen::VectorXf(8) << 1, 2, 3, 4, 1, 2, 3, 4).finished());
}
