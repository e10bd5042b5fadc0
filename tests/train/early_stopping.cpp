#include "hourglass/train/early_stopping.hpp"

#include <Eigen/Dense>
#include <limits>
#include <string>
#include <vector>

#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

// A stand-in for a model: hands out its parameters as a temporary map.
template <class T>
struct Model {
    Eigen::VectorX<T> theta = Eigen::VectorX<T>::Zero(3);
    Eigen::Map<Eigen::VectorX<T>> parameters() { return {theta.data(), theta.size()}; }
};

// The epoch, from 0, at which a run with these metrics stops; -1: it does not.
int stops_at(const hg::EarlyStopping::Options& options, const std::vector<double>& metrics) {
    hg::EarlyStopping stopping{options};
    Model<float> model;
    for (std::size_t epoch = 0; epoch < metrics.size(); ++epoch) {
        const bool stop = stopping.update(metrics[epoch], model.parameters());
        CHECK(stopping.stopped() == stop);
        // One that has seen the same says the same.
        CHECK(hg::EarlyStopping{stopping.options(), stopping.progress()}.stopped() == stop);
        if (stop) return static_cast<int>(epoch);
    }
    return -1;
}

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(),
                 infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEMPLATE_TEST_CASE("early stopping hands back the parameters of the best epoch", "", float, double) {
    hg::EarlyStopping stopping{{.patience = 2}};
    Model<TestType> model;
    int epochs = 0;
    for (const double loss : {4, 2, 3, 5, 1}) {
        model.theta.setConstant(TestType(epochs + 0.1));
        ++epochs;
        if (stopping.update(loss, model.parameters())) break;
    }
    CHECK(epochs == 4);
    CHECK(stopping.best() == 2);
    CHECK(stopping.best_epoch() == 1);
    const Eigen::VectorX<TestType> best = Eigen::VectorX<TestType>::Constant(3, TestType(1 + 0.1));
    CHECK(stopping.best_parameters() == best.template cast<double>());
    stopping.restore(model.parameters());
    CHECK(model.theta == best);
    Eigen::VectorX<TestType> copy(3);
    stopping.restore(copy);
    CHECK(copy == best);
}

TEST_CASE("patience counts as in Keras") {
    // Keras: every epoch adds 1 to `wait`, an improvement sets it to 0, the end is where wait >= patience.
    CHECK(stops_at({.patience = 0}, {3, 2, 2, 1}) == 2);
    CHECK(stops_at({.patience = 1}, {3, 2, 2, 1}) == 2);
    CHECK(stops_at({.patience = 2}, {3, 2, 2, 1, 1, 1, 0}) == 5);
    CHECK(stops_at({.patience = 3}, {3, 2, 2, 1, 1, 1}) == -1);
    CHECK(stops_at({}, {3, 2, 1}) == -1);
}

TEST_CASE("an improvement is larger than min_delta") {
    CHECK(stops_at({.patience = 1, .min_delta = 0.5}, {3, 2.5}) == 1);
    CHECK(stops_at({.patience = 1, .min_delta = 0.5}, {3, 2.25, 1.5}) == -1);
    // Many small steps, each measured from the best and not from the last.
    CHECK(stops_at({.patience = 2, .min_delta = 0.5}, {3, 2.75, 2.25, 2.25, 2}) == 4);
}

TEST_CASE("a larger metric is better when maximising") {
    CHECK(stops_at({.patience = 2, .maximise = true}, {1, 2, 3, 2, 1}) == 4);
    CHECK(stops_at({.patience = 1, .min_delta = 0.5, .maximise = true}, {1, 1.5}) == 1);
    CHECK(stops_at({.patience = 1, .min_delta = 0.5, .maximise = true}, {-1, -0.25, 1}) == -1);
}

TEST_CASE("a metric that is not finite is never the best") {
    CHECK(stops_at({.patience = 1}, {not_a_number}) == -1);
    CHECK(stops_at({.patience = 1}, {not_a_number, not_a_number}) == 1);
    CHECK(stops_at({.patience = 2}, {2, not_a_number, 1, not_a_number, not_a_number}) == 4);
    for (const bool maximise : {false, true}) {
        hg::EarlyStopping stopping{{.patience = 9, .maximise = maximise}};
        Model<float> model;
        stopping.update(not_a_number, model.parameters());
        stopping.update(-infinity, model.parameters());
        stopping.update(infinity, model.parameters());
        CHECK_THAT(error_of([&] { stopping.best(); }), ContainsSubstring("none of the 3 metrics so far was a finite"));
        model.theta.setConstant(7);
        stopping.update(1e30, model.parameters());
        model.theta.setConstant(8);
        for (const double bad : {not_a_number, -infinity, infinity}) stopping.update(bad, model.parameters());
        CHECK(stopping.best() == 1e30);
        CHECK(stopping.best_epoch() == 3);
        CHECK(stopping.best_parameters() == Eigen::Vector3d::Constant(7));
    }
}

TEST_CASE("EarlyStopping refuses what makes no sense") {
    hg::EarlyStopping stopping;
    Model<float> model;
    model.theta.setConstant(5);
    CHECK_THAT(error_of([&] { stopping.restore(model.parameters()); }), ContainsSubstring("none of the 0 metrics"));
    CHECK_THAT(error_of([&] { stopping.best_epoch(); }), ContainsSubstring("no best epoch yet"));
    CHECK_THAT(error_of([&] { stopping.best_parameters(); }), ContainsSubstring("no best epoch yet"));
    stopping.update(1, Eigen::VectorXf::Zero(2));
    CHECK_THAT(error_of([&] { stopping.restore(model.parameters()); }),
               ContainsSubstring("the best epoch had 2 parameters, got 3"));
    CHECK(model.theta == Eigen::Vector3f::Constant(5));
    CHECK_THAT(error_of([] { hg::EarlyStopping{{.patience = -1}}; }), ContainsSubstring("at least 0, got -1"));
    CHECK_THAT(error_of([] { hg::EarlyStopping{{.min_delta = -0.5}}; }), ContainsSubstring("at least 0, got -0.5"));
    CHECK_THAT(error_of([] { hg::EarlyStopping{{.min_delta = not_a_number}}; }), ContainsSubstring("got nan"));
}

TEST_CASE("a model with running values comes back whole: its loss is the best again") {
    using Encoder = hg::Chain<hg::Shape{4}, hg::Dense<6>, hg::BatchNormalization, hg::ReLU, hg::Dense<2>>;
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    hg::Adam adam{{.learning_rate = 0.02}};
    const Eigen::MatrixXf x = Eigen::MatrixXf::Random(4, 64), validation = Eigen::MatrixXf::Random(4, 32);
    hg::EarlyStopping stopping{{.patience = 100}}, by_parameters{{.patience = 100}};
    for (int epoch = 0; epoch < 60; ++epoch) {
        if (epoch == 30) adam.learning_rate(0.5);  // from here on it gets worse
        model.gradient(x, tape, rng);
        adam.step(model, tape);
        const float loss = model.loss(validation, tape);
        stopping.update(loss, model);
        by_parameters.update(loss, model.parameters());
    }
    CHECK(stopping.best_epoch() < 59);
    CHECK(stopping.best_epoch() == by_parameters.best_epoch());
    CHECK(stopping.best_state().size() == model.state().size());
    const Eigen::VectorXf parameters = model.parameters();
    CHECK_THAT(error_of([&] { by_parameters.restore(model); }),
               ContainsSubstring("EarlyStopping::restore: the best epoch had 0 running values, the model has 24; give "
                                 "the model to update"));
    CHECK(model.parameters() == parameters);  // what failed changed nothing
    stopping.restore(model);
    CHECK(double{model.loss(validation, tape)} == stopping.best());
    CHECK(model.state().cast<double>() == stopping.best_state());

    using Other = hg::Chain<hg::Shape{4}, hg::Dense<6>, hg::BatchNormalization, hg::ReLU, hg::Dense<3>>;
    auto other = hg::autoencoder<Other, hg::Mirror<Other>>(rng, hg::MeanSquaredError{});
    const Eigen::VectorXf state = other.state();
    CHECK_THAT(error_of([&] { stopping.restore(other); }), ContainsSubstring("parameters, got "));
    CHECK(other.state() == state);
    hg::EarlyStopping fresh;
    CHECK_THAT(error_of([&] { fresh.restore(model); }), ContainsSubstring("no best epoch yet"));
}

TEST_CASE("progress that cannot be is refused, and numbers that a model cannot hold are not given to it") {
    const auto made = [](const hg::EarlyStopping::Progress& progress) {
        return error_of([&] { hg::EarlyStopping({}, progress); });
    };
    const Eigen::VectorXd none, one = Eigen::VectorXd::Ones(1), nan = Eigen::VectorXd::Constant(1, not_a_number);
    constexpr hg::Index most = std::numeric_limits<hg::Index>::max();
    CHECK_THAT(made({3, 3, 1, one, none}), ContainsSubstring("epoch 3 is none of 3"));
    CHECK_THAT(made({3, -2, 1, one, none}), ContainsSubstring("epoch -2 is none of 3"));
    CHECK_THAT(made({-1, -1, 1, one, none}), ContainsSubstring("epoch -1 is none of -1"));
    CHECK_THAT(made({most, 0, 1, one, none}),
               ContainsSubstring("must leave room for another, got 9223372036854775807"));
    CHECK_THAT(made({3, 0, infinity, one, none}), ContainsSubstring("the best metric is inf"));
    CHECK_THAT(made({3, 0, 1, nan, none}), ContainsSubstring("value 0 of the best epoch's parameters is nan"));
    CHECK_THAT(made({3, 0, 1, one, nan}), ContainsSubstring("value 0 of the best epoch's running values is nan"));
    CHECK(made({most - 1, 0, 1, one, none}) == "nothing was thrown");

    using Encoder = hg::Chain<hg::Shape{2}, hg::BatchNormalization>;
    hg::Rng rng{1};
    auto model = hg::network<Encoder>(rng);
    const Eigen::VectorXd parameters = Eigen::VectorXd::Ones(4), state = Eigen::VectorXd::Ones(4);
    Eigen::VectorXd large = state;
    large[3] = 1e39;
    const hg::EarlyStopping states({}, {1, 0, 1, 2 * parameters, large}), both({}, {1, 0, 1, large, 2 * state});
    CHECK_THAT(error_of([&] { states.restore(model); }),
               ContainsSubstring("value 3 of the best epoch's running values is 1e+39, beyond the model's numbers"));
    CHECK_THAT(error_of([&] { both.restore(model); }), ContainsSubstring("value 3 of the best epoch's parameters is"));
    CHECK(model.parameters()[0] == 1);
    CHECK(model.state()[0] == 0);
}
