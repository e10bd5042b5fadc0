// JumpReLU: its value, the exact gradient of its input, and the pseudo-derivatives of its thresholds by their formula.
#include <cmath>
#include <limits>

#include "hourglass/hourglass.hpp"
#include "support/gradient_check.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using oracle::read;
using oracle::values;
using oracle::write;

namespace {

// Two stretches of units, thresholds about 0.5 and inputs on both sides of them.
constexpr hg::Shape in{70};
constexpr hg::Index n = 5;
const Eigen::MatrixXd x = values(70, n, 1, -0.5, 1.5), up = values(70, n, 2), log_thresholds = values(70, 1, 3, -1, 0);
const hg::JumpReLU term{.weight = 0.7, .bandwidth = 0.4};

template <class T>
struct Run {
    hg::Matrix<T> input = x.cast<T>(), dy = up.cast<T>();
    hg::Vector<T> w = log_thresholds.cast<T>();
    hg::Matrix<T> y = oracle::poisoned<T>(70, n), cache = oracle::poisoned<T>(70, n);
    hg::Context<T> training{.training = true, .cache = {cache.data(), static_cast<std::size_t>(cache.size())}};
    std::span<const T, 70> weights{w.data(), 70};

    Run() { term.forward<in, T>(weights, read(input), write(y), training); }
};

}  // namespace

TEMPLATE_TEST_CASE("JumpReLU: the value, in training and in evaluation", "", float, double) {
    Run<TestType> run;
    hg::Matrix<TestType> evaluated = oracle::poisoned<TestType>(70, n);
    term.forward<in, TestType>(run.weights, read(run.input), write(evaluated), {});
    CHECK(evaluated == run.y);
    Eigen::Index active = 0;
    for (Eigen::Index j = 0; j < n; ++j)
        for (Eigen::Index i = 0; i < 70; ++i) {
            const bool on = x(i, j) > std::exp(log_thresholds(i));
            active += on;
            CHECK(run.y(i, j) == (on ? run.input(i, j) : 0));
            CHECK(!std::signbit(static_cast<double>(run.y(i, j))));
        }
    CHECK(active > 70);
    CHECK(active < 280);
    CHECK(static_cast<double>(term.penalty<in, TestType>(run.weights, read(run.input), read(run.y))) ==
          Approx(0.7 * static_cast<double>(active) / n).epsilon(1e-6));
}

TEMPLATE_TEST_CASE("JumpReLU: the gradient of x agrees with dual numbers", "", float, double) {
    Run<oracle::Dual> exact;
    Eigen::MatrixXd expected(70, n);
    for (Eigen::Index i = 0; i < x.size(); ++i) {
        oracle::Dual& variable = exact.input.reshaped()[i];
        variable = oracle::dual(variable.value(), 1);
        term.forward<in, oracle::Dual>(exact.weights, read(exact.input), write(exact.y), exact.training);
        variable = oracle::dual(variable.value(), 0);
        double sum = 10;  // what dx holds before
        for (Eigen::Index k = 0; k < x.size(); ++k) sum += up.reshaped()[k] * oracle::derivative(exact.y.reshaped()[k]);
        expected.reshaped()[i] = sum;
    }
    Run<TestType> run;
    hg::Matrix<TestType> dx = hg::Matrix<TestType>::Constant(70, n, TestType(10));
    const hg::Matrix<TestType> poison = oracle::poisoned<TestType>(70, n);
    term.backward<in, TestType>(run.weights, read(poison), read(run.y), read(run.dy), write(dx), run.training);
    CHECK(oracle::difference(dx, expected) <= oracle::tolerance<TestType>);
}

TEMPLATE_TEST_CASE("JumpReLU: the thresholds' pseudo-derivatives are those of the paper", "", float, double) {
    Run<TestType> run;
    Eigen::MatrixXd of_y = Eigen::MatrixXd::Constant(70, 1, 3), of_penalty = of_y;
    int inside = 0;
    for (Eigen::Index j = 0; j < n; ++j)
        for (Eigen::Index i = 0; i < 70; ++i) {
            const double theta = std::exp(log_thresholds(i)), epsilon = 0.4;
            const double kernel = std::abs((x(i, j) - theta) / epsilon) < 0.5 ? 1 : 0;
            inside += kernel > 0;
            // dθ/d(ln θ) = θ
            of_y(i) += up(i, j) * (-theta / epsilon * kernel) * theta;
            of_penalty(i) += 0.7 / n * (-1 / epsilon * kernel) * theta;
        }
    CHECK(inside > 35);
    CHECK(inside < 315);

    hg::Vector<TestType> dw = hg::Vector<TestType>::Constant(70, TestType(3));
    const hg::Matrix<TestType> poison = oracle::poisoned<TestType>(70, n);
    term.gradient<in, TestType>(run.weights, read(poison), read(poison), read(run.dy),
                                std::span<TestType, 70>(dw.data(), 70), run.training);
    CHECK(oracle::difference(dw, of_y) <= oracle::tolerance<TestType>);

    dw.setConstant(TestType(3));
    hg::Matrix<TestType> dx = hg::Matrix<TestType>::Constant(70, n, TestType(10));
    const auto value = term.penalty_gradient<in, TestType>(run.weights, read(run.input), read(run.y),
                                                           std::span<TestType, 70>(dw.data(), 70), write(dx));
    CHECK(value == term.penalty<in, TestType>(run.weights, read(run.input), read(run.y)));
    CHECK(oracle::difference(dw, of_penalty) <= oracle::tolerance<TestType>);
    CHECK(dx == hg::Matrix<TestType>::Constant(70, n, TestType(10)));
}

TEST_CASE("JumpReLU: a whole model, all gradients but the thresholds'") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::Tanh, hg::Dense<4>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<6>, hg::Sigmoid>;
    const auto build = []<class T>(hg::Rng& rng) {
        return hg::autoencoder<Encoder, Decoder, T>(
            rng, hg::BinaryCrossEntropy{}, hg::JumpReLU{.weight = 0.1, .bandwidth = 0.5, .initial_threshold = 0.2},
            hg::L1{0.05});
    };
    const Eigen::MatrixXd batch = values(6, 4, 21, 0.05, 0.95);
    hg::Rng birth{11}, noise{13};
    auto model = build.template operator()<double>(birth);
    birth = hg::Rng{11};
    auto exact = build.template operator()<oracle::Dual>(birth);
    auto tape = model.tape();
    auto exact_tape = exact.tape();
    const hg::Matrix<oracle::Dual> dual_batch = batch.cast<oracle::Dual>();
    Eigen::MatrixXd dx;
    const double value = model.gradient(batch, batch, tape, noise, dx);
    CHECK(dx.allFinite());

    const hg::Index code = Encoder::output.size(), thresholds = Encoder::parameters;
    CHECK((model.encode(batch).array() != 0).count() > 3);
    CHECK((model.encode(batch).array() != 0).count() < 13);
    CHECK(model.parameters().size() == Encoder::parameters + code + Decoder::parameters);
    CHECK(model.parameters().segment(thresholds, code).isApproxToConstant(std::log(0.2), 1e-15));
    CHECK(tape.gradient().segment(thresholds, code).cwiseAbs().maxCoeff() > 0);
    for (hg::Index i = 0; i < model.parameters().size(); ++i) {
        if (i >= thresholds && i < thresholds + code) continue;
        oracle::Dual& variable = exact.parameters()[i];
        variable = oracle::dual(variable.value(), 1);
        hg::Rng rng{13};
        const oracle::Dual objective = exact.gradient(dual_batch, exact_tape, rng);
        variable = oracle::dual(variable.value(), 0);
        CHECK(std::abs(objective.value() - value) < 1e-12);
        CHECK(std::abs(oracle::derivative(objective) - tape.gradient()[i]) < 1e-12);
    }
    CHECK(model.loss(batch) == Approx(value).epsilon(1e-14));
    CHECK(model.biases()[2] == hg::Slice{thresholds, code});  // not decayed
}

TEST_CASE("JumpReLU: a weight on L0 raises the thresholds until fewer units are active") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<20>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<6>>;
    const Eigen::MatrixXf batch = values(6, 64, 4).cast<float>();
    const auto active_after_training = [&](double weight) {
        hg::Rng rng{5};
        auto model = hg::autoencoder<Encoder, Decoder>(
            rng, hg::MeanSquaredError{}, hg::JumpReLU{.weight = weight, .bandwidth = 0.2, .initial_threshold = 0.1});
        auto tape = model.tape();
        hg::Adam adam{{.learning_rate = 1e-2}};
        for (int step = 0; step < 200; ++step) {
            model.gradient(batch, tape, rng);
            adam.step(model.parameters(), tape.gradient());
        }
        return hg::mean_active_units(model.encode(batch));
    };
    CHECK(active_after_training(0.1) < 0.5 * active_after_training(0));
}

TEST_CASE("JumpReLU: NaN is not hidden") {
    Run<double> run;
    run.input(3, 1) = std::numeric_limits<double>::quiet_NaN();
    term.forward<in, double>(run.weights, read(run.input), write(run.y), {});
    CHECK(!hg::is_finite(run.y(3, 1)));
}

// Thresholds, and what a loss learns, have places of their own in the gradient.
TEST_CASE("JumpReLU: what the tape's gradient held before makes no difference") {
    using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<9>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<6>>;
    hg::Rng start{3};
    const auto model =
        hg::autoencoder<Encoder, Decoder, double>(start, hg::LearnedGaussianLikelihood{}, hg::JumpReLU{0.1, 0.5, 0.1});
    const Eigen::MatrixXd batch = values(6, 20, 8);
    auto fresh = model.tape(), used = model.tape();
    used.gradient().setConstant(std::numeric_limits<double>::quiet_NaN());
    hg::Rng rng{1}, same{1};
    model.gradient(batch, fresh, rng);
    model.gradient(batch, used, same);
    CHECK(fresh.gradient() == used.gradient());
    CHECK(fresh.gradient().segment(Encoder::parameters, 9).norm() > 0);
    CHECK(fresh.gradient().tail<1>()[0] != 0);
}

TEST_CASE("JumpReLU: hyperparameters out of range are refused") {
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    for (const double bad : {-1.0, nan, infinity}) {
        CHECK_THROWS_WITH(hg::JumpReLU{.weight = bad}.check(), ContainsSubstring("JumpReLU: the weight"));
        CHECK_THROWS_WITH((hg::JumpReLU{1, bad, 1}.check()), ContainsSubstring("JumpReLU: the bandwidth"));
        CHECK_THROWS_WITH((hg::JumpReLU{1, 1, bad}.check()), ContainsSubstring("JumpReLU: the initial threshold"));
    }
    CHECK_THROWS_AS((hg::JumpReLU{1, 0, 1}.check()), hg::Error);
    CHECK_THROWS_AS((hg::JumpReLU{1, 1, 0}.check()), hg::Error);
}
