// Optimisers put back where they were, and steps of a model with its tape.
#include <Eigen/Core>
#include <array>
#include <limits>
#include <string>

#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

template <class T, class Optimizer>
void check_resumed(const char* what, const Optimizer& fresh) {
    INFO(what);
    constexpr Eigen::Index size = hg::Optimizer::block + 37;
    const auto gradient = [](int step) -> Eigen::VectorX<T> {
        return (Eigen::ArrayX<T>::LinSpaced(size, T(0), T(40)) + T(step)).sin();
    };
    Eigen::VectorX<T> theta = Eigen::VectorX<T>::LinSpaced(size, T(-1), T(1)), resumed = theta;
    Optimizer through = fresh, first = fresh;
    for (int step = 0; step < 10; ++step) through.step(theta, gradient(step));
    for (int step = 0; step < 5; ++step) first.step(resumed, gradient(step));
    const Eigen::MatrixX<T> moments = first.template moments<T>();
    Optimizer second = fresh;
    second.restore(moments, first.steps());
    CHECK(second.steps() == 5);
    CHECK(second.template moments<T>() == moments);
    for (int step = 5; step < 10; ++step) second.step(resumed, gradient(step));
    CHECK(resumed == theta);
    CHECK(second.template moments<T>() == through.template moments<T>());
    CHECK(second.steps() == 10);

    second.restore(Eigen::MatrixX<T>(fresh.template moments<T>()), 0);  // before the first step
    CHECK(second.template moments<T>().size() == 0);
    Eigen::VectorX<T> again = Eigen::VectorX<T>::LinSpaced(size, T(-1), T(1));
    for (int step = 0; step < 10; ++step) second.step(again, gradient(step));
    CHECK(again == theta);
}

template <class Optimizer>
void check_both(const char* what, const Optimizer& fresh) {
    check_resumed<float>(what, fresh);
    check_resumed<double>(what, fresh);
}

using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<5>, hg::BatchNormalization, hg::ReLU, hg::Dense<2>>;
using Decoder = hg::Mirror<Encoder>;

// The short form of the step beside the long one.
template <class Optimizer>
void check_model_step(const Optimizer& fresh) {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    auto copy = model;
    auto tape = model.tape();
    const Eigen::MatrixXf x = Eigen::MatrixXf::Random(6, 20);
    Optimizer one = fresh, other = fresh;
    for (int step = 0; step < 3; ++step) {
        model.gradient(x, tape, rng);
        CHECK(one.step(model, tape));
        other.step(copy.parameters(), tape.gradient());
        copy.fold(tape);
    }
    CHECK(model.parameters() == copy.parameters());
    CHECK(model.state() == copy.state());
    CHECK(one.steps() == 3);
}

}  // namespace

TEST_CASE("an optimiser that is put back goes on as if never interrupted") {
    check_both("Sgd", hg::Sgd{{.weight_decay = 0.01}});
    check_both("Sgd, momentum", hg::Sgd{{.momentum = 0.9, .nesterov = true}});
    check_both("Adam", hg::Adam{});
    check_both("Adam, amsgrad", hg::Adam{{.beta_2 = 0.5, .amsgrad = true}});
    check_both("AdamW", hg::AdamW{});
    check_both("Adadelta", hg::Adadelta{{.learning_rate = 1}});
    check_both("RMSprop", hg::RMSprop{});
    check_both("RMSprop, centered", hg::RMSprop{{.centered = true}});
    check_both("RMSprop, momentum", hg::RMSprop{{.momentum = 0.5}});
    check_both("RMSprop, both", hg::RMSprop{{.momentum = 0.5, .centered = true}});
    check_both("Adagrad", hg::Adagrad{});
}

TEST_CASE("an optimiser is not put where none has been") {
    Eigen::VectorXf theta = Eigen::VectorXf::Ones(3);
    const Eigen::VectorXf gradient = theta;
    hg::Adam adam;
    adam.step(theta, gradient);
    const Eigen::MatrixXf moments = adam.moments<float>();
    Eigen::MatrixXf wrong = 2 * moments;
    const auto refused = [&](auto& optimizer, const auto& values, hg::Index steps) {
        return error_of([&] { optimizer.restore(values, steps); });
    };
    CHECK(refused(adam, wrong.leftCols(1), 1) ==
          "Adam::restore: these options have 2 kinds of moments (columns), got 1");
    CHECK(refused(adam, wrong, -1) ==
          "Adam::restore: the number of steps must be at least 0 and leave room for another, got -1");
    CHECK(refused(adam, Eigen::MatrixXf(), 7) == "Adam::restore: there are no moments, but 7 steps were taken");
    wrong(2, 1) = -1e-3f;
    CHECK_THAT(refused(adam, wrong, 1),
               ContainsSubstring("Adam::restore: moment v of parameter 2 must be finite and at "
                                 "least 0, got -0.001"));
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        wrong = moments;
        wrong(1, 0) = bad;
        CHECK_THAT(refused(adam, wrong, 1), ContainsSubstring("moment m of parameter 1 must be finite, got "));
    }
    CHECK(adam.moments<float>() == moments);  // what failed changed nothing
    CHECK(adam.steps() == 1);
    wrong = -moments;
    wrong.col(1) = moments.col(1);
    CHECK(refused(adam, wrong, 1) == "nothing was thrown");  // the average of the gradient may be negative

    hg::Sgd sgd;
    CHECK_THAT(refused(sgd, moments, 1), ContainsSubstring("Sgd::restore: these options have 0 kinds"));
    sgd.restore(Eigen::MatrixXd(3, 0), 4);
    CHECK(sgd.steps() == 4);
    CHECK_THAT(error_of([&] { sgd.step(theta, gradient); }), ContainsSubstring("earlier steps were in double"));
    hg::RMSprop rmsprop{{.momentum = 0.5}};
    CHECK_THAT(refused(rmsprop, Eigen::MatrixXf::Constant(3, 2, -1), 1), ContainsSubstring("moment v of parameter 0"));
    hg::Adadelta adadelta;
    wrong.setOnes();
    wrong(0, 1) = -1;
    CHECK_THAT(refused(adadelta, wrong, 1), ContainsSubstring("moment D of parameter 0"));
    hg::Adagrad adagrad;
    CHECK_THAT(refused(adagrad, Eigen::VectorXf::Constant(3, -1), 1), ContainsSubstring("moment G of parameter 0"));

    // Moments so large that one more step overflows are found by that step.
    hg::Sgd rolling{{.momentum = 0.9}};
    rolling.restore(Eigen::VectorXf::Constant(3, 3e38f), 5);
    theta.setConstant(3e38f);
    CHECK_THAT(error_of([&] { rolling.step(theta, gradient); }), ContainsSubstring("parameter 0 of 3 would not stay"));
    CHECK(theta == Eigen::VectorXf::Constant(3, 3e38f));
}

TEST_CASE("moments that are reset are those of a first step, at the chosen parameters alone") {
    const Eigen::VectorXf gradient = Eigen::VectorXf::LinSpaced(5, 1, 2);
    const std::array<hg::Index, 2> some{3, 1};
    const auto check = [&](auto optimizer, float start) {
        optimizer.reset_moments(some);  // before the first step there are none
        Eigen::VectorXf theta = Eigen::VectorXf::Zero(5);
        optimizer.step(theta, gradient), optimizer.step(theta, gradient);
        Eigen::MatrixXf expected = optimizer.template moments<float>();
        CHECK((expected.array() != start).all());
        CHECK_THAT(error_of([&] {
                       optimizer.reset_moments(std::array<hg::Index, 2>{1, 5});
                   }),
                   ContainsSubstring("::reset_moments: there is no parameter 5: earlier steps were on 5"));
        CHECK(optimizer.template moments<float>() == expected);
        optimizer.reset_moments(some);
        for (hg::Index kind = 0; kind < expected.cols(); ++kind)
            for (const hg::Index i : some) expected(i, kind) = start;
        CHECK(optimizer.template moments<float>() == expected);
        CHECK(optimizer.steps() == 2);
    };
    check(hg::Adam{{.amsgrad = true}}, 0);
    check(hg::Adagrad{{.initial_accumulator_value = 0.5}}, 0.5f);
    check(hg::RMSprop{{.momentum = 0.5, .centered = true}}, 0);
    check(hg::Sgd{}, 0);
}

TEST_CASE("a step of a model with its tape updates parameters and running values") {
    check_model_step(hg::Sgd{});
    check_model_step(hg::Adam{});
    check_model_step(hg::AdamW{});
    check_model_step(hg::Adadelta{});
    check_model_step(hg::RMSprop{});
    check_model_step(hg::Adagrad{});
}

TEST_CASE("a step that is skipped leaves the running values alone") {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    model.gradient(Eigen::MatrixXf::Random(6, 20), tape, rng);
    const Eigen::VectorXf parameters = model.parameters(), state = model.state();
    tape.gradient()[3] = std::numeric_limits<float>::infinity();
    hg::Adam skipping{{.non_finite = hg::NonFinite::Skip}}, throwing;
    CHECK_FALSE(skipping.step(model, tape));
    CHECK_THAT(error_of([&] { throwing.step(model, tape); }), ContainsSubstring("value 3 of"));
    CHECK(model.parameters() == parameters);
    CHECK(model.state() == state);
    tape.gradient()[3] = 0;
    CHECK(skipping.step(model, tape));
    CHECK(model.state() != state);
}
