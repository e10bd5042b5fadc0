// Shapes, weights and wrong arguments of the layers over pictures.
#include <string>

#include "hourglass/core/mirror.hpp"
#include "hourglass/layers/borders.hpp"
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/conv2d.hpp"
#include "hourglass/layers/dropout.hpp"
#include "hourglass/layers/pooling2d.hpp"
#include "support/error_of.hpp"
#include "support/gradient_check.hpp"

namespace hg = hourglass;
using hg::Extent;
using hg::Shape;

namespace {

constexpr auto valid = hg::Padding::Valid, same = hg::Padding::Same;

// Sizes as Keras's table of shapes has them.
static_assert(hg::Conv2D<4, 3, 2, same>::output(Shape{1, 28, 27}) == Shape{4, 14, 14});
static_assert(hg::Conv2D<4, 3, 2>::output(Shape{1, 28, 27}) == Shape{4, 13, 13});
static_assert(hg::Conv2D<4, Extent{5, 7}>::output(Shape{1, 5, 7}) == Shape{4, 1, 1});
static_assert(hg::Conv2D<4, Extent{3, 2}, 1, valid, Extent{2, 3}>::output(Shape{1, 5, 7}) == Shape{4, 1, 4});
static_assert(hg::Conv2DTranspose<4, 3, 2, same>::output(Shape{9, 7, 5}) == Shape{4, 14, 10});
static_assert(hg::Conv2DTranspose<4, 3, 2>::output(Shape{9, 7, 5}) == Shape{4, 15, 11});
static_assert(hg::Conv2DTranspose<4, 2, Extent{5, 1}>::output(Shape{9, 3, 4}) == Shape{4, 15, 5});
static_assert(hg::MaxPooling2D<>::output(Shape{5, 7, 8}) == Shape{5, 3, 4});
static_assert(hg::MaxPooling2D<2, 2, same>::output(Shape{5, 7, 8}) == Shape{5, 4, 4});
static_assert(hg::AveragePooling2D<Extent{3, 2}, 1>::output(Shape{5, 7, 8}) == Shape{5, 5, 7});
static_assert(hg::UpSampling2D<Extent{3, 2}>::output(Shape{5, 7, 8}) == Shape{5, 21, 16});
static_assert(hg::GlobalAveragePooling2D::output(Shape{5, 7, 8}) == Shape{5});
static_assert(hg::ZeroPadding2D<Extent{1, 2}, Extent{3, 4}>::output(Shape{5, 7, 8}) == Shape{5, 11, 14});
static_assert(hg::Cropping2D<Extent{1, 2}, Extent{3, 4}>::output(Shape{5, 7, 8}) == Shape{5, 3, 2});

static_assert(hg::Conv2D<4, Extent{3, 2}>::parameters(Shape{6, 9, 9}) == 4 * 6 * 6 + 4);
static_assert(hg::Conv2D<4, Extent{3, 2}, 1, same, 1, false, 2>::parameters(Shape{6, 9, 9}) == 4 * 3 * 6);
static_assert(hg::Conv2DTranspose<4, Extent{3, 2}, 1, same, 1, true, 2>::parameters(Shape{6, 9, 9}) == 6 * 2 * 6 + 4);

}  // namespace

TEST_CASE("weights of 2-D convolutions have names and extents") {
    const auto weights = hg::Conv2D<4, Extent{3, 2}, 1, same, 1, true, 2>::weights(Shape{6, 9, 9});
    CHECK(weights[0].name == "kernel");
    CHECK(weights[0].extents.values == std::array<hg::Index, 4>{4, 3, 2, 3});
    CHECK(weights[1].name == "bias");
    CHECK(weights[1].size() == 4);
    CHECK_FALSE(weights[1].decays);
}

TEST_CASE("layers over pictures say what they are") {
    CHECK(hg::Conv2D<4, 3>{}.hyperparameters() == "window 3");
    CHECK(hg::Conv2D<4, Extent{3, 2}, 2, same, Extent{1, 2}, true, 4>{}.hyperparameters() ==
          "window 3 x 2, stride 2, same, dilation 1 x 2, groups 4");
    CHECK(hg::MaxPooling2D<2, Extent{1, 2}>{}.hyperparameters() == "window 2, stride 1 x 2");
    CHECK(hg::UpSampling2D<2, hg::Interpolation::Bilinear>{}.hyperparameters() == "size 2, bilinear");
    CHECK(hg::ZeroPadding2D<Extent{1, 2}, 3>{}.hyperparameters() == "before 1 x 2, after 3");
}

TEST_CASE("counterparts give back the size") {
    using Encoder =
        hg::Chain<Shape{3, 8, 6}, hg::ZeroPadding2D<Extent{1, 0}>, hg::Conv2D<4, Extent{3, 1}, Extent{1, 3}>,
                  hg::Cropping2D<Extent{2, 0}>, hg::AveragePooling2D<Extent{2, 1}>>;
    static_assert(hg::Mirror<Encoder>::output == Shape{3, 8, 6});
    static_assert(hg::Tied<Encoder>::output == Shape{3, 8, 6});
    CHECK(Encoder::output == Shape{4, 2, 2});
}

TEST_CASE("wrong arguments of layers over pictures are refused in words") {
    CHECK(error_of([] {
              (void)hg::Conv2D<4, Extent{6, 2}>::output(Shape{1, 5, 7});
          }) == "Conv2D: a window covers 6 rows, but the picture has only 5; Padding::Same lets windows stick out");
    CHECK(error_of([] {
              (void)hg::Conv2D<4, Extent{2, 8}>::output(Shape{1, 5, 7});
          }) == "Conv2D: a window covers 8 columns, but the picture has only 7; Padding::Same lets windows stick out");
    CHECK(error_of([] {
              (void)hg::MaxPooling2D<4>::output(Shape{1, 5, 3});
          }) ==
          "MaxPooling2D: a window covers 4 columns, but the picture has only 3; Padding::Same lets windows stick out");
    CHECK(error_of([] {
              (void)hg::Conv2D<4, 3, 1, same, 1, true, 2>::output(Shape{3, 5, 7});
          }) == "Conv2D: 3 channels do not fall into 2 groups of as many");
    CHECK(error_of([] {
              (void)hg::Conv2DTranspose<4, 3, 1, same, 1, true, 2>::output(Shape{3, 5, 7});
          }) == "Conv2DTranspose: 3 channels do not fall into 2 groups of as many");
    CHECK(error_of([] {
              (void)hg::Conv1D<4, 3>::output(Shape{3, 5, 7});
          }) == "Conv1D: the input has rows and columns, 5 x 7, expected a series of positions");
    CHECK(error_of([] {
              (void)hg::Cropping2D<Extent{2, 0}, Extent{3, 0}>::output(Shape{3, 5, 7});
          }) == "Cropping2D: nothing is left of 3 x 5 x 7 when 5 rows and 0 columns are cut off");
    CHECK(error_of([] {
              (void)hg::ZeroPadding1D<>::output(Shape{3, 5, 7});
          }) == "ZeroPadding1D: the input has rows and columns, 5 x 7, expected a series of positions");
    CHECK(error_of([] { (void)hg::SpatialDropout{1}; }) == "SpatialDropout: the rate must be in [0, 1), got 1");
}

TEST_CASE("SpatialDropout drops whole channels of a sample") {
    constexpr Shape in{16, 3, 4};
    const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(in.size(), 5);
    Eigen::MatrixXf y(in.size(), 5), cache(16, 5);
    hg::Context<float> context{.training = true};
    context.cache = std::span<float>(cache.data(), static_cast<std::size_t>(cache.size()));
    context.random = hg::Stream{3, 4};
    hg::SpatialDropout{0.25}.forward<in>(std::span<const float, 0>{}, oracle::read(x), oracle::write(y), context);
    int dropped = 0;
    for (hg::Index j = 0; j < 5; ++j)
        for (hg::Index c = 0; c < 16; ++c) {
            const float first = y(c, j);
            CHECK((first == 0 || first == Approx(4.0 / 3)));
            for (hg::Index position = 1; position < 12; ++position) CHECK(y(position * 16 + c, j) == first);
            dropped += first == 0;
        }
    CHECK(dropped > 0);
    CHECK(dropped < 80);
}
