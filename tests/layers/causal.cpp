// Causal convolutions: gradients against dual numbers, and what they give beside what Keras says that they are, zeros
// in front and no padding.
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/reshape.hpp"

#include <hourglass/hourglass.hpp>

#include "support/catch.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using hg::Index;
using hg::Shape;

using oracle::check_layer;

namespace {

constexpr hg::Padding causal = hg::Padding::Causal;

template <Shape In, Index Filters, Index Kernel, Index Stride, Index Dilation, Index Groups = 1>
void check_as_padded() {
    CAPTURE(Filters, Kernel, Stride, Dilation);
    hg::Rng rng{5};
    using Causal = hg::Chain<In, hg::Conv1D<Filters, Kernel, Stride, causal, Dilation, true, Groups>>;
    using Padded = hg::Chain<In, hg::ZeroPadding1D<(Kernel - 1) * Dilation, 0>,
                             hg::Conv1D<Filters, Kernel, Stride, hg::Padding::Valid, Dilation, true, Groups>>;
    static_assert(Causal::output == Padded::output);
    auto network = hg::network<Causal, double>(rng);
    auto padded = hg::network<Padded, double>(rng);
    padded.parameters() = network.parameters();
    const Eigen::MatrixXd x = Eigen::MatrixXd::Random(In.size(), 5);
    CHECK((network.evaluate(x) - padded.evaluate(x)).cwiseAbs().maxCoeff() < 1e-13);
}

}  // namespace

TEST_CASE("Gradients of causal convolutions") {
    constexpr Shape series{1, 23}, sequence{3, 12};
    check_layer<series>(hg::Conv1D<2, 5, 1, causal>{});
    check_layer<series>(hg::Conv1D<9, 7, 3, causal>{});
    check_layer<sequence>(hg::Conv1D<4, 3, 1, causal>{});
    check_layer<sequence>(hg::Conv1D<4, 2, 1, causal, 4>{});
    check_layer<sequence>(hg::Conv1D<4, 3, 2, causal, 2>{});
    check_layer<sequence>(hg::Conv1D<2, 15, 1, causal>{});  // longer than the sequence
    check_layer<sequence>(hg::Conv1D<3, 3, 1, causal, 1, true, 3>{});
}

TEST_CASE("A causal convolution is one without padding behind zeros") {
    check_as_padded<Shape{1, 40}, 8, 7, 1, 1>();
    check_as_padded<Shape{16, 40}, 16, 3, 1, 1>();
    check_as_padded<Shape{3, 19}, 4, 3, 1, 4>();
    check_as_padded<Shape{3, 19}, 4, 4, 3, 1>();
    check_as_padded<Shape{2, 9}, 5, 12, 1, 1>();
    check_as_padded<Shape{2, 9}, 5, 2, 2, 20>();
    check_as_padded<Shape{4, 30}, 4, 3, 1, 2, 4>();
}

TEST_CASE("A causal convolution does not look ahead") {
    hg::Rng rng{6};
    const auto network = hg::network<hg::Chain<Shape{16, 40}, hg::Conv1D<16, 3, 1, causal>>>(rng);
    const Eigen::MatrixXf x = Eigen::MatrixXf::Random(16 * 40, 3), y = network.evaluate(x);
    for (const Index position : {18, 19, 20, 21}) {
        Eigen::MatrixXf other = x;
        other.row(16 * position).setConstant(1e6f);
        CHECK(network.evaluate(other).topRows(16 * position) == y.topRows(16 * position));
    }
}
