// Corruptions against what their definitions promise, with a fixed seed.
#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;

namespace {

template <class T, class Term>
hg::Matrix<T> corrupt(const Term& term, const hg::Matrix<T>& x, const hg::Stream& stream) {
    hg::Matrix<T> y = hg::Matrix<T>::Constant(x.rows(), x.cols(), T(NAN));
    term.template corrupt<T>({x.data(), x.rows(), x.cols()}, {y.data(), y.rows(), y.cols()}, stream);
    return y;
}

}  // namespace

TEMPLATE_TEST_CASE("corruptions have the rates they state", "", float, double) {
    using T = TestType;
    // 300 rows: longer than the pieces a sample is worked in. Bounds are five standard errors.
    const hg::Index n = 300 * 400;
    const hg::Matrix<T> x = hg::Matrix<T>::Constant(300, 400, T(0.5));
    const hg::Stream stream{1, 1};
    const double root = std::sqrt(static_cast<double>(n));

    const hg::Matrix<T> masked = corrupt(hg::MaskingNoise{0.25}, x, stream);
    const double zeros = static_cast<double>((masked.array() == T(0)).count()) / static_cast<double>(n);
    CHECK(std::abs(zeros - 0.25) < 5 * std::sqrt(0.25 * 0.75) / root);
    CHECK(((masked.array() == T(0)) || (masked.array() == T(0.5))).all());

    const hg::Matrix<T> salted = corrupt(hg::SaltAndPepperNoise{0.2, -1, 2}, x, stream);
    const double low = static_cast<double>((salted.array() == T(-1)).count()) / static_cast<double>(n);
    const double high = static_cast<double>((salted.array() == T(2)).count()) / static_cast<double>(n);
    CHECK(std::abs(low - 0.1) < 5 * 0.3 / root);
    CHECK(std::abs(high - 0.1) < 5 * 0.3 / root);
    CHECK((salted.array() == T(0.5)).count() + std::lround((low + high) * static_cast<double>(n)) == n);

    const Eigen::ArrayXXd noise = (corrupt(hg::GaussianNoise{0.2}, x, stream) - x).template cast<double>();
    CHECK(std::abs(noise.mean()) < 5 * 0.2 / root);
    CHECK(std::abs(noise.square().mean() - 0.04) < 5 * 0.04 * std::sqrt(2.0) / root);

    // Rows and columns do not repeat each other.
    CHECK(masked.col(0) != masked.col(1));
    CHECK(masked.topRows(44) != masked.bottomRows(44));
    CHECK(masked != corrupt(hg::MaskingNoise{0.25}, x, hg::Stream{1, 2}));
    CHECK(masked == corrupt(hg::MaskingNoise{0.25}, x, stream));
    CHECK(corrupt(hg::MaskingNoise{0}, x, stream) == x);
    CHECK(corrupt(hg::GaussianNoise{0}, x, stream) == x);

    // In place, and one sample as among many.
    hg::Matrix<T> same = x;
    hg::MaskingNoise{0.25}.corrupt<T>({same.data(), 300, 400}, {same.data(), 300, 400}, stream);
    CHECK(same == masked);
    CHECK(corrupt(hg::MaskingNoise{0.25}, hg::Matrix<T>(x.leftCols(3)), stream) == masked.leftCols(3));
}

TEST_CASE("training sees the corruption, the target stays clean") {
    using Nothing = hg::Chain<hg::Shape{50}>;  // rebuilds its corrupted input exactly, so the loss is the noise's power
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Nothing, Nothing, double>(rng, hg::MeanSquaredError{}, hg::GaussianNoise{0.3});
    auto tape = model.tape();
    const Eigen::MatrixXd x = Eigen::MatrixXd::Constant(50, 2000, 0.5);
    CHECK(std::abs(model.gradient(x, tape, rng) - 0.09) < 5 * 0.09 * std::sqrt(2.0 / 100000));
    CHECK(model.loss(x) == 0);
    const auto both = hg::autoencoder<Nothing, Nothing, double>(rng, hg::MeanSquaredError{}, hg::GaussianNoise{0.3},
                                                                hg::MaskingNoise{0.5});
    // Half of the values cost 0.25, the others the noise: both corruptions act, one after the other.
    CHECK(std::abs(both.gradient(x, tape, rng) - 0.17) < 0.003);
}

TEST_CASE("dropout acts in training alone and keeps the mean") {
    const auto encoder = hg::chain<hg::Shape{50}>(hg::Dropout{0.2});
    hg::Rng rng{1};
    const auto model = hg::autoencoder<double>(encoder, hg::Chain<hg::Shape{50}>{}, rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    const Eigen::MatrixXd x = Eigen::MatrixXd::Ones(50, 2000);
    CHECK(model.loss(x) == 0);
    CHECK(model.encode(x) == x);
    // (y − 1)² is 1 with probability 0.2 and (1/0.8 − 1)² = 0.0625 otherwise.
    CHECK(std::abs(model.gradient(x, tape, rng) - 0.25) < 5 * 0.375 / std::sqrt(100000.0));
}
