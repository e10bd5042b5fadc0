// Layers over pictures against numbers frozen from another framework.
#include <string>

#include "hourglass/layers/borders.hpp"
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/conv2d.hpp"
#include "hourglass/layers/pooling2d.hpp"
#include "support/layer_reference.hpp"

namespace hg = hourglass;
using hg::Extent;
using hg::Shape;

namespace {

template <Shape In, class Layer>
void check(const Layer& layer, const std::string& name) {
    static const reference::Numbers numbers("pictures.txt");
    reference::check_layer<In>(layer, numbers, name);
}

template <hg::Padding Pad>
void check_windows(const std::string& padding) {
    check<Shape{1, 5, 7}>(hg::Conv2D<2, 3, 1, Pad>{}, "conv_f2k3_" + padding);
    check<Shape{2, 5, 7}>(hg::Conv2D<3, Extent{3, 2}, Extent{2, 1}, Pad>{}, "conv_f3k3x2s2x1_" + padding);
    check<Shape{2, 4, 6}>(hg::Conv2D<2, Extent{3, 2}, 2, Pad>{}, "conv_f2k3x2s2_" + padding);
    check<Shape{2, 5, 4}>(hg::Conv2D<2, Extent{2, 3}, 1, Pad, Extent{2, 1}>{}, "conv_f2k2x3d2x1_" + padding);
    check<Shape{6, 4, 5}>(hg::Conv2D<4, Extent{3, 2}, 1, Pad, 1, true, 2>{}, "conv_f4k3x2g2_" + padding);
    check<Shape{1, 4, 3}>(hg::Conv2DTranspose<2, 3, 1, Pad>{}, "transpose_f2k3_" + padding);
    check<Shape{2, 3, 4}>(hg::Conv2DTranspose<3, Extent{3, 2}, Extent{2, 1}, Pad>{}, "transpose_f3k3x2s2x1_" + padding);
    check<Shape{2, 3, 2}>(hg::Conv2DTranspose<2, Extent{2, 3}, Extent{1, 3}, Pad>{}, "transpose_f2k2x3s1x3_" + padding);
    check<Shape{2, 3, 2}>(hg::Conv2DTranspose<1, 3, 2, Pad>{}, "transpose_f1k3s2_" + padding);
    check<Shape{2, 7, 5}>(hg::MaxPooling2D<2, 2, Pad>{}, "max_p2_" + padding);
    check<Shape{2, 7, 5}>(hg::AveragePooling2D<2, 2, Pad>{}, "average_p2_" + padding);
    check<Shape{2, 4, 5}>(hg::MaxPooling2D<Extent{3, 2}, Extent{2, 1}, Pad>{}, "max_p3x2s2x1_" + padding);
    check<Shape{2, 4, 5}>(hg::AveragePooling2D<Extent{3, 2}, Extent{2, 1}, Pad>{}, "average_p3x2s2x1_" + padding);
}

}  // namespace

TEST_CASE("convolutions and poolings over pictures agree with the frozen numbers") {
    check_windows<hg::Padding::Valid>("valid");
    check_windows<hg::Padding::Same>("same");
    check<Shape{1, 3, 4}>(hg::Conv2D<2, Extent{9, 7}, 1, hg::Padding::Same, 1, false>{}, "conv_f2k9x7_same");
    check<Shape{6, 7}>(hg::Conv1D<4, 3, 2, hg::Padding::Same, 1, true, 2>{}, "conv1d_f4k3s2g2_same");
}

TEST_CASE("upsamplings and borders agree with the frozen numbers") {
    check<Shape{2, 3, 2}>(hg::UpSampling2D<Extent{2, 3}>{}, "up_2x3");
    check<Shape{2, 3, 2}>(hg::UpSampling2D<Extent{2, 3}, hg::Interpolation::Bilinear>{}, "bilinear_2x3");
    check<Shape{1, 2, 3}>(hg::UpSampling2D<Extent{4, 1}, hg::Interpolation::Bilinear>{}, "bilinear_4x1");
    check<Shape{3, 4, 2}>(hg::GlobalAveragePooling2D{}, "global_average");
    check<Shape{2, 3}>(hg::ZeroPadding1D<1, 2>{}, "zeros_1d");
    check<Shape{2, 3, 2}>(hg::ZeroPadding2D<Extent{1, 0}, Extent{2, 3}>{}, "zeros_2d");
    check<Shape{2, 5}>(hg::Cropping1D<1, 2>{}, "cropping_1d");
    check<Shape{2, 5, 5}>(hg::Cropping2D<Extent{1, 0}, Extent{2, 3}>{}, "cropping_2d");
}
