// Convolutions, poolings and layer normalisation against numbers frozen from another framework.
#include <string>

#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/conv1d_transpose.hpp"
#include "hourglass/layers/layer_normalization.hpp"
#include "hourglass/layers/pooling.hpp"
#include "support/layer_reference.hpp"

namespace hg = hourglass;

namespace {

const reference::Numbers& numbers() {
    static const reference::Numbers all("convolution.txt");
    return all;
}

template <hg::Shape In, class Layer>
void check(const Layer& layer, const std::string& name) {
    reference::check_layer<In>(layer, numbers(), name);
}

constexpr auto valid = hg::Padding::Valid, same = hg::Padding::Same, causal = hg::Padding::Causal;

}  // namespace

TEST_CASE("convolutions agree with the frozen numbers") {
    check<hg::Shape{1, 7}>(hg::Conv1D<2, 3>{}, "conv_f2k3s1validd1_1x7");
    check<hg::Shape{1, 7}>(hg::Conv1D<2, 3, 1, same>{}, "conv_f2k3s1samed1_1x7");
    check<hg::Shape{2, 7}>(hg::Conv1D<3, 3, 2>{}, "conv_f3k3s2validd1_2x7");
    check<hg::Shape{2, 7}>(hg::Conv1D<3, 3, 2, same>{}, "conv_f3k3s2samed1_2x7");
    check<hg::Shape{2, 8}>(hg::Conv1D<3, 3, 2>{}, "conv_f3k3s2validd1_2x8");
    check<hg::Shape{2, 8}>(hg::Conv1D<3, 3, 2, same>{}, "conv_f3k3s2samed1_2x8");
    check<hg::Shape{3, 8}>(hg::Conv1D<2, 4, 2>{}, "conv_f2k4s2validd1_3x8");
    check<hg::Shape{3, 8}>(hg::Conv1D<2, 4, 2, same>{}, "conv_f2k4s2samed1_3x8");
    check<hg::Shape{2, 11}>(hg::Conv1D<5, 7, 3>{}, "conv_f5k7s3validd1_2x11");
    check<hg::Shape{2, 11}>(hg::Conv1D<5, 7, 3, same>{}, "conv_f5k7s3samed1_2x11");
    check<hg::Shape{2, 9}>(hg::Conv1D<2, 2, 3>{}, "conv_f2k2s3validd1_2x9");
    check<hg::Shape{2, 9}>(hg::Conv1D<2, 2, 3, same>{}, "conv_f2k2s3samed1_2x9");
    check<hg::Shape{3, 6}>(hg::Conv1D<2, 1, 2>{}, "conv_f2k1s2validd1_3x6");
    check<hg::Shape{3, 6}>(hg::Conv1D<2, 1, 2, same>{}, "conv_f2k1s2samed1_3x6");
    check<hg::Shape{2, 9}>(hg::Conv1D<3, 3, 1, valid, 2>{}, "conv_f3k3s1validd2_2x9");
    check<hg::Shape{2, 9}>(hg::Conv1D<3, 3, 1, same, 2>{}, "conv_f3k3s1samed2_2x9");
    check<hg::Shape{1, 8}>(hg::Conv1D<2, 4, 1, valid, 2>{}, "conv_f2k4s1validd2_1x8");
    check<hg::Shape{1, 8}>(hg::Conv1D<2, 4, 1, same, 2>{}, "conv_f2k4s1samed2_1x8");
    check<hg::Shape{2, 5}>(hg::Conv1D<2, 9, 1, same>{}, "conv_f2k9s1samed1_2x5");
    check<hg::Shape{2, 4}>(hg::Conv1D<2, 9, 2, same>{}, "conv_f2k9s2samed1_2x4");
    check<hg::Shape{5, 12}>(hg::Conv1D<17, 3, 2, same, 1, false>{}, "conv_f17k3s2samed1_5x12");
}

TEST_CASE("causal convolutions agree with the frozen numbers") {
    check<hg::Shape{2, 7}>(hg::Conv1D<3, 3, 1, causal>{}, "conv_f3k3s1causald1_2x7");
    check<hg::Shape{2, 7}>(hg::Conv1D<3, 3, 2, causal>{}, "conv_f3k3s2causald1_2x7");
    check<hg::Shape{3, 8}>(hg::Conv1D<2, 4, 2, causal>{}, "conv_f2k4s2causald1_3x8");
    check<hg::Shape{2, 11}>(hg::Conv1D<5, 7, 3, causal>{}, "conv_f5k7s3causald1_2x11");
    check<hg::Shape{2, 9}>(hg::Conv1D<3, 3, 1, causal, 2>{}, "conv_f3k3s1causald2_2x9");
    check<hg::Shape{1, 8}>(hg::Conv1D<2, 4, 1, causal, 3>{}, "conv_f2k4s1causald3_1x8");
    check<hg::Shape{2, 5}>(hg::Conv1D<2, 9, 1, causal>{}, "conv_f2k9s1causald1_2x5");
}

TEST_CASE("transposed convolutions agree with the frozen numbers") {
    check<hg::Shape{1, 7}>(hg::Conv1DTranspose<2, 3>{}, "transpose_f2k3s1validd1_1x7");
    check<hg::Shape{1, 7}>(hg::Conv1DTranspose<2, 3, 1, same>{}, "transpose_f2k3s1samed1_1x7");
    check<hg::Shape{2, 7}>(hg::Conv1DTranspose<3, 3, 2>{}, "transpose_f3k3s2validd1_2x7");
    check<hg::Shape{2, 7}>(hg::Conv1DTranspose<3, 3, 2, same>{}, "transpose_f3k3s2samed1_2x7");
    check<hg::Shape{2, 8}>(hg::Conv1DTranspose<3, 3, 2>{}, "transpose_f3k3s2validd1_2x8");
    check<hg::Shape{2, 8}>(hg::Conv1DTranspose<3, 3, 2, same>{}, "transpose_f3k3s2samed1_2x8");
    check<hg::Shape{3, 8}>(hg::Conv1DTranspose<2, 4, 2>{}, "transpose_f2k4s2validd1_3x8");
    check<hg::Shape{3, 8}>(hg::Conv1DTranspose<2, 4, 2, same>{}, "transpose_f2k4s2samed1_3x8");
    check<hg::Shape{2, 11}>(hg::Conv1DTranspose<5, 7, 3>{}, "transpose_f5k7s3validd1_2x11");
    check<hg::Shape{2, 11}>(hg::Conv1DTranspose<5, 7, 3, same>{}, "transpose_f5k7s3samed1_2x11");
    check<hg::Shape{2, 9}>(hg::Conv1DTranspose<2, 2, 3>{}, "transpose_f2k2s3validd1_2x9");
    check<hg::Shape{2, 9}>(hg::Conv1DTranspose<2, 2, 3, same>{}, "transpose_f2k2s3samed1_2x9");
    check<hg::Shape{3, 6}>(hg::Conv1DTranspose<2, 1, 2>{}, "transpose_f2k1s2validd1_3x6");
    check<hg::Shape{3, 6}>(hg::Conv1DTranspose<2, 1, 2, same>{}, "transpose_f2k1s2samed1_3x6");
    check<hg::Shape{2, 9}>(hg::Conv1DTranspose<3, 3, 1, valid, 2>{}, "transpose_f3k3s1validd2_2x9");
    check<hg::Shape{2, 9}>(hg::Conv1DTranspose<3, 3, 1, same, 2>{}, "transpose_f3k3s1samed2_2x9");
    check<hg::Shape{1, 8}>(hg::Conv1DTranspose<2, 4, 1, valid, 2>{}, "transpose_f2k4s1validd2_1x8");
    check<hg::Shape{1, 8}>(hg::Conv1DTranspose<2, 4, 1, same, 2>{}, "transpose_f2k4s1samed2_1x8");
    check<hg::Shape{2, 5}>(hg::Conv1DTranspose<2, 9, 1, same>{}, "transpose_f2k9s1samed1_2x5");
    check<hg::Shape{2, 4}>(hg::Conv1DTranspose<2, 9, 2, same>{}, "transpose_f2k9s2samed1_2x4");
    check<hg::Shape{5, 12}>(hg::Conv1DTranspose<17, 3, 2, same, 1, false>{}, "transpose_f17k3s2samed1_5x12");
}

TEST_CASE("poolings agree with the frozen numbers") {
    check<hg::Shape{2, 8}>(hg::MaxPooling1D{}, "max_p2s2valid_2x8");
    check<hg::Shape{2, 7}>(hg::MaxPooling1D{}, "max_p2s2valid_2x7");
    check<hg::Shape{2, 8}>(hg::MaxPooling1D<3, 2>{}, "max_p3s2valid_2x8");
    check<hg::Shape{2, 8}>(hg::MaxPooling1D<2, 3>{}, "max_p2s3valid_2x8");
    check<hg::Shape{2, 7}>(hg::MaxPooling1D<2, 2, same>{}, "max_p2s2same_2x7");
    check<hg::Shape{2, 8}>(hg::MaxPooling1D<3, 2, same>{}, "max_p3s2same_2x8");
    check<hg::Shape{2, 7}>(hg::MaxPooling1D<3, 2, same>{}, "max_p3s2same_2x7");
    check<hg::Shape{2, 6}>(hg::MaxPooling1D<4, 1, same>{}, "max_p4s1same_2x6");
    check<hg::Shape{1, 8}>(hg::MaxPooling1D{}, "max_ties");
    check<hg::Shape{2, 8}>(hg::AveragePooling1D{}, "average_p2s2valid_2x8");
    check<hg::Shape{2, 7}>(hg::AveragePooling1D{}, "average_p2s2valid_2x7");
    check<hg::Shape{2, 8}>(hg::AveragePooling1D<3, 2>{}, "average_p3s2valid_2x8");
    check<hg::Shape{2, 8}>(hg::AveragePooling1D<2, 3>{}, "average_p2s3valid_2x8");
    check<hg::Shape{2, 7}>(hg::AveragePooling1D<2, 2, same>{}, "average_p2s2same_2x7");
    check<hg::Shape{2, 8}>(hg::AveragePooling1D<3, 2, same>{}, "average_p3s2same_2x8");
    check<hg::Shape{2, 7}>(hg::AveragePooling1D<3, 2, same>{}, "average_p3s2same_2x7");
    check<hg::Shape{2, 6}>(hg::AveragePooling1D<4, 1, same>{}, "average_p4s1same_2x6");
    check<hg::Shape{2, 3}>(hg::UpSampling1D<2>{}, "up_2");
    check<hg::Shape{1, 4}>(hg::UpSampling1D<3>{}, "up_3");
}

TEST_CASE("layer normalisation agrees with the frozen numbers") {
    check<hg::Shape{5, 3}>(hg::LayerNormalization{}, "normalization_5");
    check<hg::Shape{1, 3}>(hg::LayerNormalization{0.1}, "normalization_1");
}
