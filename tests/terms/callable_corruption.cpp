// A corruption given as a function; corruptions whose hyperparameters change while training; targets that stay clean.
#include "hourglass/hourglass.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;

namespace {

using oracle::values;

using Nothing = hg::Chain<hg::Shape{50}>;  // rebuilds its damaged input exactly: the loss is what the damage costs

/// Adds a number of its own to each sample, drawn from [0, height).
struct Lift {
    double height;

    template <class T>
    void operator()(hg::ConstView<T> x, hg::View<T> y, hg::Stream random) const {
        for (hg::Index j = 0; j < x.cols(); ++j) {
            T u;
            random.uniform(j, std::span<T>{&u, 1});
            for (hg::Index i = 0; i < x.rows(); ++i) y(i, j) = x(i, j) + T(height) * u;
        }
    }
};

void halve(hg::ConstView<float> x, hg::View<float> y, hg::Stream) { y = x / 2; }

}  // namespace

TEST_CASE("a function of the caller's damages the input, not the target") {
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Nothing, Nothing>(rng, hg::MeanSquaredError{}, hg::Corruption{halve});
    auto tape = model.tape();
    const Eigen::MatrixXf x = Eigen::MatrixXf::Constant(50, 20, 3), untouched = x;
    CHECK(model.gradient(x, tape, rng) == 2.25f);
    CHECK(model.loss(x) == 0);  // evaluation is clean
    CHECK(model.encode(x) == x);
    CHECK(x == untouched);
    const Eigen::MatrixXf target = Eigen::MatrixXf::Constant(50, 20, 1.5f);
    CHECK(model.gradient(x, target, tape, rng) == 0);
}

TEST_CASE("functions of the caller's act in their order, over the memory of the one before") {
    hg::Rng rng{1};
    const hg::Corruption half{halve};
    const hg::Corruption less{[](hg::ConstView<float> x, hg::View<float> y, hg::Stream) { y.array() = x.array() - 1; }};
    const auto model = hg::autoencoder<Nothing, Nothing>(rng, hg::MeanSquaredError{}, half, less, half);
    auto tape = model.tape();
    CHECK(model.gradient(Eigen::MatrixXf::Constant(50, 3, 4), tape, rng) == 3.5f * 3.5f);  // (4/2 − 1)/2
}

TEST_CASE("a function's random numbers are its step's and its sample's") {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Nothing, Nothing, double>(rng, hg::MeanSquaredError{}, hg::Corruption{Lift{1}});
    auto tape = model.tape();
    const Eigen::MatrixXd x = Eigen::MatrixXd::Zero(50, 4000);
    hg::Rng same = rng;
    const double value = model.gradient(x, tape, rng), next = model.gradient(x, tape, rng);
    CHECK(model.gradient(x, tape, same) == value);
    CHECK(next != value);
    CHECK(std::abs(value - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / 4000));  // E u² = 1/3, Var u² = 4/45

    model.term<hg::Corruption<Lift>>().damage.height = 2;
    const double higher = model.gradient(x, tape, rng);
    CHECK(std::abs(higher - 4.0 / 3) < 5 * 4 * std::sqrt(4.0 / 45 / 4000));
}

TEST_CASE("gradients behind a function of the caller's agree with dual numbers") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::Tanh>;
    const auto build = []<class T>(hg::Rng& rng) {
        return hg::autoencoder<Encoder, hg::Mirror<Encoder>, T>(
            rng, hg::MeanSquaredError{},
            hg::Corruption{[](auto clean, auto damaged, hg::Stream) { damaged = clean * 0.5; }});
    };
    oracle::check_model_in<double>(build, values(6, 4, 1), values(6, 4, 2), oracle::InputGradient::BehindCorruption);
}

TEST_CASE("a loop may change the corruption from epoch to epoch") {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Nothing, Nothing, double>(rng, hg::MeanSquaredError{}, hg::MaskingNoise{0.1});
    auto tape = model.tape();
    const Eigen::MatrixXd x = Eigen::MatrixXd::Ones(50, 2000);
    for (const double rate : {0.5, 0.25, 0.0}) {
        model.term<hg::MaskingNoise>().rate = rate;
        CHECK(std::abs(model.gradient(x, tape, rng) - rate) <= 5 * std::sqrt(rate * (1 - rate) / 100000));
    }
    model.term<hg::MaskingNoise>().rate = 1.5;
    CHECK_THROWS_AS(model.gradient(x, tape, rng), hg::Error);
}
