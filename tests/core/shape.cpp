// Shapes of samples: how many values, how they are written, and what layers make of them.
#include "hourglass/core/shape.hpp"

#include <sstream>
#include <string_view>

#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;
using hg::Shape;

namespace {

constexpr Shape picture{3, 32, 16};
static_assert(picture.positions() == 512);
static_assert(picture.size() == 1536);
static_assert(Shape{7}.positions() == 1);
static_assert(Shape{2, 5}.positions() == 5);
static_assert(Shape{2, 5} == Shape{2, 5, 1});
static_assert(Shape{2, 5} != Shape{2, 1, 5});

// What acts on the channels of each position, or on each value, takes pictures as it takes series.
static_assert(hg::Dense<4>::output(picture) == Shape{4, 32, 16});
static_assert(hg::Dense<4>::parameters(picture) == 3 * 4 + 4);
static_assert(hg::ReLU::output(picture) == picture);
static_assert(hg::Softmax::output(picture) == picture);
static_assert(hg::Dropout::output(picture) == picture);
static_assert(hg::BatchNormalization::output(picture) == picture);
static_assert(hg::BatchNormalization::parameters(picture) == 6);
static_assert(hg::LayerNormalization::output(picture) == picture);
static_assert(hg::Flatten::output(picture) == Shape{1536});
static_assert(hg::Reshape<48, 32>::output(picture) == Shape{48, 32});
static_assert(hg::Reshape<picture>::output(Shape{1536}) == picture);
static_assert(hg::Condition<10>::output(picture) == Shape{13, 32, 16});

}  // namespace

TEST_CASE("shapes are written with their channels first and without trailing ones") {
    CHECK(hg::text(std::string_view{"words"}) == "words");
    CHECK(hg::text(hg::Extent{3}) == "3");
    CHECK(hg::text(hg::Extent{3, 2}) == "3 x 2");
    CHECK(hg::text(Shape{784}) == "784");
    CHECK(hg::text(Shape{32, 144}) == "32 x 144");
    CHECK(hg::text(Shape{3, 32, 32}) == "3 x 32 x 32");
    CHECK(hg::text(Shape{3, 1, 32}) == "3 x 1 x 32");
    CHECK(hg::text(Shape{1, 0}) == "1 x 0");
    CHECK(hg::text(Shape{1, 28, 28}) == "1 x 28 x 28");
    std::ostringstream out;
    out << picture;
    CHECK(out.str() == "3 x 32 x 16");
}

TEST_CASE("a mirrored decoder of pictures gives pictures back") {
    using Encoder = hg::Chain<picture, hg::Dense<8>, hg::ReLU, hg::Flatten, hg::Dense<20>>;
    static_assert(hg::Mirror<Encoder>::output == picture);
    static_assert(hg::Tied<Encoder>::output == picture);
    static_assert(hg::Mirror<Encoder>::plan.shapes[2] == Shape{8, 32, 16});
    std::ostringstream out;
    out << Encoder{};
    CHECK(out.str() ==
          "layer                 output          parameters\n"
          "input                 3 x 32 x 16\n"
          "Dense                 8 x 32 x 16             32\n"
          "ReLU                  8 x 32 x 16              0\n"
          "Flatten               4096                     0\n"
          "Dense                 20                   81940\n"
          "total                                      81972\n");
}
