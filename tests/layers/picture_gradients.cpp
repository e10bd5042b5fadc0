// Layers over pictures against dual numbers: one line a layer. Rows and columns differ in number everywhere, and so do
// a kernel's and a stride's.
#include "hourglass/core/mirror.hpp"
#include "hourglass/layers/activations.hpp"
#include "hourglass/layers/batch_normalization.hpp"
#include "hourglass/layers/borders.hpp"
#include "hourglass/layers/condition.hpp"
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/conv2d.hpp"
#include "hourglass/layers/dense.hpp"
#include "hourglass/layers/dropout.hpp"
#include "hourglass/layers/pooling.hpp"
#include "hourglass/layers/pooling2d.hpp"
#include "hourglass/layers/reshape.hpp"
#include "hourglass/layers/residual.hpp"
#include "hourglass/losses/binary_cross_entropy.hpp"
#include "hourglass/losses/mean_squared_error.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/terms/contractive.hpp"
#include "hourglass/terms/l1.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using hg::Extent;
using oracle::check_layer;

namespace {

constexpr hg::Shape grey{1, 5, 7}, colour{3, 5, 4}, narrow{2, 3, 1};
constexpr auto valid = hg::Padding::Valid, same = hg::Padding::Same;

}  // namespace

TEST_CASE("gradients of 2-D convolutions agree with dual numbers") {
    check_layer<grey>(hg::Conv2D<2, 3>{});
    check_layer<grey>(hg::Conv2D<3, Extent{3, 2}, Extent{2, 1}>{});
    check_layer<grey>(hg::Conv2D<2, Extent{2, 3}, Extent{1, 2}, same>{});
    check_layer<colour>(hg::Conv2D<4, 1>{});
    check_layer<colour>(hg::Conv2D<4, 1, 2>{});
    check_layer<colour>(hg::Conv2D<4, Extent{3, 2}, 1, same>{});
    check_layer<colour>(hg::Conv2D<2, Extent{2, 3}, 1, valid, Extent{2, 1}>{});
    check_layer<colour>(hg::Conv2D<2, Extent{3, 2}, 1, same, Extent{1, 3}>{});
    check_layer<colour>(hg::Conv2D<2, Extent{2, 2}, 2, valid, 1, false>{});
    check_layer<colour>(hg::Conv2D<2, Extent{9, 7}, 1, same>{});  // the kernel sticks out at all sides at once
    check_layer<colour>(hg::Conv2D<6, Extent{3, 2}, 1, same, 1, true, 3>{});
    check_layer<hg::Shape{4, 3, 5}>(hg::Conv2D<2, Extent{2, 3}, Extent{1, 2}, same, 1, false, 2>{});
    check_layer<hg::Shape{5, 4, 3}>(hg::Conv2D<5, 3, 1, same, 1, true, 5>{});
    check_layer<narrow>(hg::Conv2D<2, Extent{2, 1}>{});
}

TEST_CASE("gradients of transposed 2-D convolutions agree with dual numbers") {
    check_layer<grey>(hg::Conv2DTranspose<2, 3>{});
    check_layer<grey>(hg::Conv2DTranspose<1, Extent{3, 2}, Extent{2, 1}>{});
    check_layer<hg::Shape{2, 3, 4}>(hg::Conv2DTranspose<2, Extent{2, 3}, Extent{1, 2}, same>{});
    check_layer<hg::Shape{2, 3, 4}>(hg::Conv2DTranspose<3, 3, 2, same>{});
    check_layer<colour>(hg::Conv2DTranspose<4, 1>{});
    check_layer<hg::Shape{2, 3, 2}>(hg::Conv2DTranspose<2, Extent{1, 2}, 3>{});
    check_layer<hg::Shape{2, 3, 2}>(hg::Conv2DTranspose<2, Extent{2, 3}, 1, valid, Extent{2, 1}>{});
    check_layer<hg::Shape{2, 3, 2}>(hg::Conv2DTranspose<2, Extent{3, 2}, 2, same, Extent{1, 2}, false>{});
    check_layer<hg::Shape{4, 3, 2}>(hg::Conv2DTranspose<2, Extent{3, 2}, Extent{1, 2}, same, 1, true, 2>{});
}

TEST_CASE("gradients of grouped 1-D convolutions agree with dual numbers") {
    check_layer<hg::Shape{4, 8}>(hg::Conv1D<6, 3, 2, same, 1, true, 2>{});
    check_layer<hg::Shape{4, 8}>(hg::Conv1D<4, 3, 1, valid, 2, false, 4>{});
    check_layer<hg::Shape{4, 5}>(hg::Conv1DTranspose<6, 3, 2, same, 1, true, 2>{});
}

TEST_CASE("gradients of poolings, upsamplings and borders of pictures agree with dual numbers") {
    check_layer<grey>(hg::MaxPooling2D{});
    check_layer<colour>(hg::MaxPooling2D<Extent{2, 3}, Extent{1, 2}>{});
    check_layer<colour>(hg::MaxPooling2D<Extent{3, 2}, Extent{2, 1}, same>{});
    check_layer<grey>(hg::AveragePooling2D{});
    check_layer<colour>(hg::AveragePooling2D<Extent{2, 3}, Extent{1, 2}>{});
    check_layer<colour>(hg::AveragePooling2D<Extent{3, 2}, Extent{2, 1}, same>{});
    check_layer<colour>(hg::UpSampling2D{});
    check_layer<grey>(hg::UpSampling2D<Extent{1, 3}>{});
    check_layer<colour>(hg::UpSampling2D<Extent{2, 3}, hg::Interpolation::Bilinear>{});
    check_layer<hg::Shape{2, 1, 3}>(hg::UpSampling2D<3, hg::Interpolation::Bilinear>{});
    check_layer<colour>(hg::GlobalAveragePooling2D{});
    check_layer<colour>(hg::ZeroPadding2D{});
    check_layer<colour>(hg::ZeroPadding2D<Extent{1, 0}, Extent{2, 3}>{});
    check_layer<colour>(hg::Cropping2D{});
    check_layer<colour>(hg::Cropping2D<Extent{1, 0}, Extent{2, 3}>{});
    check_layer<hg::Shape{3, 6}>(hg::ZeroPadding1D<1, 2>{});
    check_layer<hg::Shape{3, 6}>(hg::Cropping1D<1, 2>{});
    check_layer<colour>(hg::SpatialDropout{0.4});
    check_layer<hg::Shape{3, 6}>(hg::SpatialDropout{0.4});
}

namespace {

template <class Encoder, class Decoder, class... Rest>
auto build(const Rest&... rest) {
    return [=]<class T>(hg::Rng& rng) { return hg::autoencoder<Encoder, Decoder, T>(rng, rest...); };
}
constexpr hg::Shape picture{2, 4, 6};
const Eigen::MatrixXd x = oracle::values(48, 4, 21, 0.05, 0.95), target = oracle::values(48, 4, 22, 0.05, 0.95);

}  // namespace

TEST_CASE("models over pictures agree with dual numbers") {
    using Encoder = hg::Chain<picture, hg::Conv2D<4, Extent{3, 2}, Extent{2, 1}, same>, hg::BatchNormalization,
                              hg::Tanh, hg::MaxPooling2D<Extent{1, 2}>, hg::Flatten, hg::Dense<3>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<12>, hg::Reshape<2, 2, 3>, hg::ELU, hg::SpatialDropout,
                              hg::Conv2DTranspose<3, Extent{2, 3}, Extent{2, 1}, same>, hg::UpSampling2D<Extent{1, 2}>,
                              hg::Conv2D<2, 3, 1, same>>;
    oracle::check_model(build<Encoder, Decoder>(hg::MeanSquaredError{}, hg::L1{0.1}), x, target);
    oracle::check_model(build<Encoder, hg::Mirror<Encoder, hg::Sigmoid>>(hg::BinaryCrossEntropy{}), x, target);
    oracle::check_model(build<Encoder, hg::Tied<Encoder>>(hg::MeanSquaredError{}, hg::L1{0.1}), x, target);
    using Grouped = hg::Chain<picture, hg::Conv2D<4, Extent{3, 2}, 1, valid, 1, true, 2>, hg::SiLU, hg::ZeroPadding2D<>,
                              hg::AveragePooling2D<Extent{2, 1}>, hg::Residual<hg::Conv2D<4, 3, 1, same>, hg::Tanh>>;
    oracle::check_model(build<Grouped, hg::Mirror<Grouped>>(hg::MeanSquaredError{}), x, target);
    oracle::check_model(build<Grouped, hg::Tied<Grouped, hg::Sigmoid>>(hg::BinaryCrossEntropy{}), x, target);
}

TEST_CASE("the contractive penalty over pictures agrees with dual numbers") {
    using Encoder =
        hg::Chain<picture, hg::Conv2D<3, Extent{3, 2}, Extent{1, 2}, same>, hg::Tanh, hg::MaxPooling2D<Extent{2, 1}>,
                  hg::Conv2DTranspose<2, 2, 1, valid, 1, true>, hg::Sigmoid, hg::AveragePooling2D<Extent{1, 2}>,
                  hg::UpSampling2D<Extent{2, 1}, hg::Interpolation::Bilinear>, hg::ZeroPadding2D<1, 0>,
                  hg::Cropping2D<0, 1>, hg::GlobalAveragePooling2D>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<48>, hg::Reshape<picture>>;
    oracle::check_model(build<Encoder, Decoder>(hg::MeanSquaredError{}, hg::Contractive{0.3}), x, target);
}
