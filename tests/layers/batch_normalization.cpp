// Batch normalisation: gradients, the moving averages and when they are used, alone and in a model.
#include "hourglass/layers/batch_normalization.hpp"

#include "hourglass/hourglass.hpp"
#include "support/model_check.hpp"
#include "support/reference.hpp"

namespace hg = hourglass;
using oracle::values;

namespace {

using Encoder = hg::Chain<hg::Shape{2, 3}, hg::BatchNormalization, hg::Dense<3>, hg::BatchNormalization, hg::Tanh,
                          hg::Flatten, hg::Dense<4>>;
using Decoder = hg::Chain<Encoder::output, hg::Dense<6>, hg::BatchNormalization, hg::Reshape<2, 3>>;

// Three steps of training and an evaluation against Keras's formulas in double precision; the layer is called
// as a chain calls it.
template <class T>
void check_against_keras() {
    static const reference::Numbers numbers("batch_normalization.txt");
    constexpr hg::Shape in{3, 4};
    const hg::BatchNormalization layer;
    std::vector<T> w(6), state(6), statistics(6);
    layer.initialize_state<in, T>(std::span<T, 6>(state.data(), 6));
    for (Eigen::Index i = 0; i < 3; ++i) {
        w[static_cast<std::size_t>(i)] = static_cast<T>(numbers["gamma"].values[static_cast<std::size_t>(i)]);
        w[static_cast<std::size_t>(i + 3)] = static_cast<T>(numbers["beta"].values[static_cast<std::size_t>(i)]);
    }
    const std::span<const T, 6> weights(w.data(), 6);
    const auto agrees = [](const hg::Matrix<T>& found, const reference::Tensor& expected) {
        CHECK(oracle::difference(found, expected.matrix<double>()) <= oracle::tolerance<T>);
    };
    for (const std::string step : {"0", "1", "2"}) {
        CAPTURE(step);
        const auto of = [&](const char* what) { return numbers[step + "/" + what]; };
        const hg::Matrix<T> x = of("x").template matrix<T>(), dy = of("dy").template matrix<T>();
        hg::Matrix<T> y(12, 5), dx = hg::Matrix<T>::Zero(12, 5), cache(12, 5), dw = hg::Matrix<T>::Zero(6, 1);
        const hg::Context<T> training{
            .training = true, .cache = {cache.data(), 12 * 5}, .statistics = std::span<T>(statistics)};
        layer.forward<in, T>(weights, oracle::read(x), oracle::write(y), training);
        layer.backward<in, T>(weights, oracle::read(x), oracle::read(y), oracle::read(dy), oracle::write(dx), training);
        layer.gradient<in, T>(weights, oracle::read(x), oracle::read(y), oracle::read(dy),
                              std::span<T, 6>(dw.data(), 6), training);
        layer.fold<in, T>(std::span<T>(state), std::span<const T>(statistics));
        agrees(y, of("y"));
        agrees(dx, of("dx"));
        agrees(dw.topRows(3), of("dgamma"));
        agrees(dw.bottomRows(3), of("dbeta"));
        agrees(Eigen::Map<hg::Vector<T>>(state.data(), 3), of("mean"));
        agrees(Eigen::Map<hg::Vector<T>>(state.data() + 3, 3), of("variance"));
        if (step == "2") {
            layer.forward<in, T>(weights, oracle::read(x), oracle::write(y), {.state = std::span<const T>(state)});
            agrees(y, numbers["evaluated"]);
        }
    }
}

}  // namespace

TEST_CASE("batch normalisation agrees with Keras") {
    check_against_keras<double>();
    check_against_keras<float>();
}

TEST_CASE("batch normalisation: gradients agree with dual numbers") {
    oracle::check_layer<hg::Shape{5}>(hg::BatchNormalization{});
    oracle::check_layer<hg::Shape{3, 4}>(hg::BatchNormalization{0.9, 0.1});
    oracle::check_layer<hg::Shape{130, 2}>(hg::BatchNormalization{});  // more channels than a block
    oracle::check_layer<hg::Shape{2, 20}>(hg::BatchNormalization{});   // more positions than a shard
    oracle::check_model(
        []<class T>(hg::Rng& rng) { return hg::autoencoder<Encoder, Decoder, T>(rng, hg::MeanSquaredError{}); },
        values(6, 5, 1), values(6, 5, 2));
}

TEST_CASE("batch normalisation: training centres and scales, fold moves the averages, evaluation uses them") {
    using Plain = hg::Chain<hg::Shape{2}, hg::BatchNormalization>;
    const auto encoder = hg::chain<hg::Shape{2}>(hg::BatchNormalization{0.75, 1e-3});
    hg::Rng rng{1};
    auto model = hg::autoencoder<double>(encoder, hg::Chain<hg::Shape{2}, hg::Dense<2>>{}, rng, hg::MeanSquaredError{});
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(model.encoder())>, Plain>);
    Eigen::MatrixXd x(2, 4);
    x << 1, 2, 3, 6, -1, -1, -1, -1;
    REQUIRE(model.state().size() == 4);
    CHECK(model.state().head(2).isZero());
    CHECK(model.state().tail(2).isOnes());
    CHECK((model.encode(x) - x / std::sqrt(1 + 1e-3)).norm() < 1e-14);  // before any fold: mean 0, variance 1

    auto tape = model.tape();
    model.gradient(x, tape, rng);
    CHECK(model.state().head(2).isZero());  // gradient leaves the model alone
    model.fold(tape);
    // Keras's rule by hand: the batch has means 3 and −1, variances 3.5 and 0.
    CHECK(model.state()[0] == Approx(0.25 * 3).epsilon(1e-14));
    CHECK(model.state()[1] == Approx(0.25 * -1).epsilon(1e-14));
    CHECK(model.state()[2] == Approx(0.75 + 0.25 * 3.5).epsilon(1e-14));
    CHECK(model.state()[3] == Approx(0.75).epsilon(1e-14));
    const Eigen::MatrixXd code = model.encode(x);
    CHECK(code(0, 3) == Approx((6 - 0.75) / std::sqrt(1.625 + 1e-3)).epsilon(1e-14));
    CHECK(code(1, 0) == Approx((-1 + 0.25) / std::sqrt(0.75 + 1e-3)).epsilon(1e-14));
    // One sample is evaluated as in any company.
    CHECK((model.encode(x.col(2)) - code.col(2)).norm() == 0);

    auto other = hg::autoencoder<Encoder, Decoder, double>(rng, hg::MeanSquaredError{});
    CHECK(other.state().size() == 2 * (2 + 3 + 6));
    CHECK_THROWS_AS(other.fold(tape), hg::Error);
    CHECK_THROWS_AS(hg::BatchNormalization(1.0), hg::Error);
    CHECK_THROWS_AS(hg::BatchNormalization(0.9, 0.0), hg::Error);
}

TEST_CASE("batch normalisation: many folds of one batch make evaluation the training pass") {
    hg::Rng rng{3};
    auto model = hg::autoencoder<Encoder, Decoder, double>(rng, hg::MeanSquaredError{});
    const Eigen::MatrixXd x = values(6, 9, 4, -2, 3);
    auto tape = model.tape();
    double objective = 0;
    for (int i = 0; i < 4000; ++i) {
        objective = model.gradient(x, tape, rng);
        model.fold(tape);
    }
    CHECK(model.loss(x) == Approx(objective).epsilon(1e-10));
}
