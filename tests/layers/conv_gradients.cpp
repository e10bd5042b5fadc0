// Convolutions, poolings and layer normalisation against dual numbers: one line a layer.
#include "hourglass/core/mirror.hpp"
#include "hourglass/layers/activations.hpp"
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/conv1d_transpose.hpp"
#include "hourglass/layers/dense.hpp"
#include "hourglass/layers/dropout.hpp"
#include "hourglass/layers/layer_normalization.hpp"
#include "hourglass/layers/pooling.hpp"
#include "hourglass/layers/reshape.hpp"
#include "hourglass/losses/binary_cross_entropy.hpp"
#include "hourglass/losses/mean_squared_error.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/terms/corruption.hpp"
#include "hourglass/terms/l1.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using oracle::check_layer;

namespace {

constexpr hg::Shape series{1, 11}, sequence{3, 8}, wide{9, 6};
constexpr auto valid = hg::Padding::Valid, same = hg::Padding::Same;

}  // namespace

TEST_CASE("gradients of convolutions agree with dual numbers") {
    check_layer<series>(hg::Conv1D<2, 3>{});
    check_layer<series>(hg::Conv1D<5, 4, 2>{});
    check_layer<series>(hg::Conv1D<1, 5, 1, same>{});
    check_layer<series>(hg::Conv1D<9, 7, 3, same>{});
    check_layer<sequence>(hg::Conv1D<4, 1>{});
    check_layer<sequence>(hg::Conv1D<4, 3, 1, same>{});
    check_layer<sequence>(hg::Conv1D<4, 3, 2, same>{});
    check_layer<sequence>(hg::Conv1D<4, 2, 3, same>{});
    check_layer<sequence>(hg::Conv1D<2, 2, 3>{});
    check_layer<sequence>(hg::Conv1D<2, 3, 1, valid, 2>{});
    check_layer<sequence>(hg::Conv1D<4, 3, 1, same, 2>{});
    check_layer<sequence>(hg::Conv1D<4, 2, 2, same, 3>{});
    check_layer<sequence>(hg::Conv1D<4, 3, 2, valid, 1, false>{});
    check_layer<sequence>(hg::Conv1D<2, 13, 1, same>{});  // the kernel sticks out at both ends at once
    check_layer<wide>(hg::Conv1D<7, 3, 2, same>{});
}

TEST_CASE("gradients of transposed convolutions agree with dual numbers") {
    check_layer<series>(hg::Conv1DTranspose<2, 3>{});
    check_layer<series>(hg::Conv1DTranspose<5, 4, 2>{});
    check_layer<series>(hg::Conv1DTranspose<1, 5, 1, same>{});
    check_layer<sequence>(hg::Conv1DTranspose<4, 1>{});
    check_layer<sequence>(hg::Conv1DTranspose<4, 3, 1, same>{});
    check_layer<sequence>(hg::Conv1DTranspose<4, 7, 2, same>{});
    check_layer<sequence>(hg::Conv1DTranspose<4, 2, 3, same>{});
    check_layer<sequence>(hg::Conv1DTranspose<2, 2, 3>{});
    check_layer<sequence>(hg::Conv1DTranspose<2, 3, 1, valid, 2>{});
    check_layer<sequence>(hg::Conv1DTranspose<4, 3, 1, same, 2>{});
    check_layer<sequence>(hg::Conv1DTranspose<4, 2, 2, same, 3>{});
    check_layer<sequence>(hg::Conv1DTranspose<4, 3, 2, valid, 1, false>{});
    check_layer<wide>(hg::Conv1DTranspose<7, 3, 2, same>{});
}

TEST_CASE("gradients of poolings and layer normalisation agree with dual numbers") {
    check_layer<sequence>(hg::MaxPooling1D{});
    check_layer<series>(hg::MaxPooling1D<3>{});
    check_layer<sequence>(hg::MaxPooling1D<3, 2>{});
    check_layer<sequence>(hg::MaxPooling1D<3, 2, same>{});
    check_layer<sequence>(hg::MaxPooling1D<2, 3, same>{});
    check_layer<sequence>(hg::AveragePooling1D{});
    check_layer<series>(hg::AveragePooling1D<3>{});
    check_layer<sequence>(hg::AveragePooling1D<3, 2>{});
    check_layer<sequence>(hg::AveragePooling1D<3, 2, same>{});
    check_layer<sequence>(hg::AveragePooling1D<4, 1, same>{});
    check_layer<sequence>(hg::UpSampling1D{});
    check_layer<sequence>(hg::UpSampling1D<3>{});
    check_layer<sequence>(hg::LayerNormalization{});
    check_layer<hg::Shape{5}>(hg::LayerNormalization{0.1});
}

namespace {

template <class Encoder, class Decoder, class... Rest>
auto build(const Rest&... rest) {
    return [=]<class T>(hg::Rng& rng) { return hg::autoencoder<Encoder, Decoder, T>(rng, rest...); };
}
const Eigen::MatrixXd x = oracle::values(24, 4, 21, 0.05, 0.95), target = oracle::values(24, 4, 22, 0.05, 0.95);

using Encoder = hg::Chain<hg::Shape{2, 12}, hg::Conv1D<4, 5, 2, same>, hg::Tanh, hg::LayerNormalization,
                          hg::Conv1D<3, 3>, hg::AveragePooling1D<>, hg::Flatten, hg::Dense<3>>;

}  // namespace

TEST_CASE("convolutional models agree with dual numbers") {
    using Decoder = hg::Chain<Encoder::output, hg::Dense<12>, hg::Reshape<4, 3>, hg::ELU, hg::Dropout,
                              hg::Conv1DTranspose<3, 4, 2, same>, hg::UpSampling1D<>, hg::Conv1D<2, 3, 1, same>>;
    oracle::check_model(build<Encoder, Decoder>(hg::MeanSquaredError{}, hg::L1{0.1}), x, target);
    oracle::check_model(build<Encoder, hg::Mirror<Encoder, hg::Sigmoid>>(hg::BinaryCrossEntropy{}), x, target);
    oracle::check_model(build<Encoder, hg::Tied<Encoder>>(hg::MeanSquaredError{}, hg::L1{0.1}), x, target);
    using Pooled = hg::Chain<hg::Shape{2, 12}, hg::Conv1D<3, 3, 1, same, 2>, hg::SiLU, hg::MaxPooling1D<>,
                             hg::Conv1D<2, 2, 2, valid, 1, false>>;
    oracle::check_model(build<Pooled, hg::Mirror<Pooled>>(hg::MeanSquaredError{}), x, target);
    oracle::check_model(build<Pooled, hg::Tied<Pooled, hg::Sigmoid>>(hg::BinaryCrossEntropy{}, hg::MaskingNoise{0.2}),
                        x, target, oracle::InputGradient::BehindCorruption);
}
