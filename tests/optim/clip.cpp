// Clipping of gradients.
#include "hourglass/optim/clip.hpp"

#include <Eigen/Core>
#include <cmath>
#include <limits>

#include "support/catch.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

template <class T>
void check_norm() {
    using Vector = Eigen::VectorX<T>;
    const double close = 4 * std::numeric_limits<T>::epsilon();
    Vector gradient{{T(3), T(0), T(-4)}};
    const Vector start = gradient;
    CHECK(hg::clip_by_norm(gradient, 6) == 5);
    CHECK(gradient == start);
    CHECK(hg::clip_by_norm(gradient, 5) == 5);
    CHECK(gradient == start);
    CHECK(hg::clip_by_norm(Eigen::Map<Vector>(gradient.data(), 3), 0.5) == 5);
    CHECK((gradient - start / 10).norm() < close);

    gradient.setZero();
    CHECK(hg::clip_by_norm(gradient, 1) == 0);
    CHECK(gradient == Vector::Zero(3));

    // A quarter of the largest number: its square is beyond the scalar type.
    const T huge = std::numeric_limits<T>::max() / 4;
    gradient.setConstant(4, huge);
    const double norm = hg::clip_by_norm(gradient, 1e-3);
    CHECK(std::abs(norm / (2 * double{huge}) - 1) < close);
    CHECK((gradient.array() / T(5e-4) - T(1)).abs().maxCoeff() < close);

    // Squares that vanish still count.
    const T tiny = std::numeric_limits<T>::min() * 16;
    gradient.setConstant(4, tiny);
    CHECK(std::abs(hg::clip_by_norm(gradient, 1) / (2 * double{tiny}) - 1) < close);
    CHECK(gradient == Vector::Constant(4, tiny));
}

template <class T>
void check_value() {
    using Vector = Eigen::VectorX<T>;
    const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    // Long enough for values in whole vector registers and behind them.
    Vector gradient = Vector::Constant(37, T(0.25)), clipped = gradient;
    gradient.head(6) << T(-3), T(7), T(-0.5), infinity, -infinity, nan;
    clipped.head(6) << T(-0.5), T(0.5), T(-0.5), T(0.5), T(-0.5), nan;
    gradient.tail(2) << nan, T(-9);
    clipped.tail(2) << nan, T(-0.5);
    hg::clip_by_value(Eigen::Map<Vector>(gradient.data(), gradient.size()), 0.5);
    for (Eigen::Index i = 0; i < gradient.size(); ++i) {
        INFO("value " << i);
        CHECK((gradient[i] == clipped[i] || (std::isnan(gradient[i]) && std::isnan(clipped[i]))));
    }
}

}  // namespace

TEST_CASE("clip_by_norm scales the whole gradient") {
    check_norm<float>();
    check_norm<double>();
}

TEST_CASE("clip_by_norm counts every value of a long gradient") {
    for (const Eigen::Index size : {1, 63, 64, 65, 200}) {
        Eigen::VectorXf gradient = Eigen::VectorXf::LinSpaced(size, 1.0f, static_cast<float>(size));
        const auto n = static_cast<double>(size);
        CHECK(std::abs(hg::clip_by_norm(gradient, 1e9) - std::sqrt(n * (n + 1) * (2 * n + 1) / 6)) < 1e-10);
    }
}

TEST_CASE("clip_by_value moves single values") {
    check_value<float>();
    check_value<double>();
}

TEST_CASE("Limits of clipping are checked") {
    Eigen::VectorXf gradient = Eigen::VectorXf::Constant(2, 5);
    for (const double bad : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
        CHECK_THROWS_WITH(hg::clip_by_norm(gradient, bad),
                          ContainsSubstring("clip_by_norm: max_norm must be finite and larger than 0, got "));
        CHECK_THROWS_WITH(hg::clip_by_value(gradient, bad),
                          ContainsSubstring("clip_by_value: limit must be finite and larger than 0, got "));
    }
    CHECK(gradient == Eigen::VectorXf::Constant(2, 5));
}
