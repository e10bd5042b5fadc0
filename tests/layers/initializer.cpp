// How layers start: the rules' ranges, and which of them draw a bias.
#include "hourglass/layers/initializer.hpp"

#include <cmath>

#include "hourglass/core/mirror.hpp"
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/conv1d_transpose.hpp"
#include "hourglass/layers/dense.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;

namespace {

constexpr hg::Shape in{50, 20};

template <class Layer>
Eigen::VectorXd start(const Layer& layer, hg::Rng& rng) {
    constexpr auto count = static_cast<std::size_t>(Layer::parameters(in));
    Eigen::VectorXd w = Eigen::VectorXd::Constant(count, 9);
    layer.template initialize<in>(std::span<double, count>(w.data(), count), rng);
    return w;
}

// All values lie in ±1/√fan_in, fill that range and have its variance; the bias, last, is drawn apart from the kernel.
template <class Layer>
void check_range(const Layer& layer, hg::Index fan_in) {
    hg::Rng rng{7};
    const Eigen::VectorXd w = start(layer, rng);
    const double limit = 1 / std::sqrt(static_cast<double>(fan_in));
    const hg::Index units = Layer::output(in).channels;
    CAPTURE(Layer::name, units);
    for (const Eigen::VectorXd& drawn : {Eigen::VectorXd(w.head(w.size() - units)), Eigen::VectorXd(w.tail(units))}) {
        const double n = static_cast<double>(drawn.size());
        CHECK(drawn.cwiseAbs().maxCoeff() <= limit);
        CHECK(drawn.maxCoeff() > 0.97 * limit);
        CHECK(drawn.minCoeff() < -0.97 * limit);
        // Kurtosis 1.8: the estimate from n draws is within 5 √(0.8/n) of itself.
        CHECK(drawn.squaredNorm() / n == Approx(limit * limit / 3).epsilon(5 * std::sqrt(0.8 / n)));
        CHECK(std::abs(drawn.mean()) <= 5 * limit / std::sqrt(3 * n));
    }
    CHECK((w.head(units) - w.tail(units)).cwiseAbs().maxCoeff() > limit);
}

}  // namespace

TEST_CASE("FanInUniform draws kernel and bias from PyTorch's range") {
    constexpr auto rule = hg::Initializer::FanInUniform;
    check_range(hg::Dense<400>{rule}, 50);
    check_range(hg::Conv1D<400, 3>{rule}, 3 * 50);
    check_range(hg::Conv1DTranspose<400, 3>{rule}, 3 * 400);  // as PyTorch counts: outputs × kernel
}

TEST_CASE("other rules draw the kernel and nothing else") {
    using enum hg::Initializer;
    for (const auto rule : {GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Zeros}) {
        CAPTURE(static_cast<int>(rule));
        const auto check = [&](const auto& layer, hg::Index fan_in, hg::Index fan_out) {
            hg::Rng rng{8}, same{8};
            const Eigen::VectorXd w = start(layer, rng);
            Eigen::VectorXd kernel(w.size() - 12);
            hg::initialize<double>(rule, fan_in, fan_out, {kernel.data(), static_cast<std::size_t>(kernel.size())},
                                   same);
            CHECK(w.head(kernel.size()) == kernel);
            CHECK(w.tail(12).isConstant(9));
            CHECK(rng.uniform() == same.uniform());
        };
        check(hg::Dense<12>{rule}, 50, 12);
        check(hg::Conv1D<12, 3>{rule}, 3 * 50, 3 * 12);
        check(hg::Conv1DTranspose<12, 3>{rule}, 3 * 12, 3 * 50);
    }
}

TEST_CASE("a mirrored layer starts from its original's rule") {
    constexpr auto rule = hg::Initializer::FanInUniform;
    constexpr auto dense = hg::mirror(hg::chain<hg::Shape{6}>(hg::Dense<4>{rule}));
    CHECK(dense.layer<0>().kernel_initializer == rule);
    constexpr auto conv = hg::mirror(hg::chain<hg::Shape{2, 6}>(hg::Conv1D<4, 3>{rule}));
    CHECK(conv.layer<0>().kernel_initializer == rule);
}

TEST_CASE("layers without a bias start from any rule") {
    hg::Rng rng{9};
    const Eigen::VectorXd w = start(hg::Dense<12, false>{hg::Initializer::FanInUniform}, rng);
    CHECK(w.cwiseAbs().maxCoeff() <= 1 / std::sqrt(50.0));
}
