// The moving average of weights: Keras's numbers, running values with them, exchanged and put back bit for bit, saved.
#include "hourglass/train/exponential_moving_average.hpp"

#include <Eigen/Dense>
#include <hourglass/io/safetensors.hpp>
#include <limits>
#include <sstream>
#include <string>
#include <utility>

#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/reference.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using Average = hg::ExponentialMovingAverage;

namespace {

// A stand-in for a model.
template <class T>
struct Model {
    Eigen::VectorX<T> theta, running = Eigen::VectorX<T>::Zero(0);
    Eigen::Map<Eigen::VectorX<T>> parameters() { return {theta.data(), theta.size()}; }
    Eigen::Map<const Eigen::VectorX<T>> parameters() const { return {theta.data(), theta.size()}; }
    Eigen::Map<Eigen::VectorX<T>> state() { return {running.data(), running.size()}; }
    Eigen::Map<const Eigen::VectorX<T>> state() const { return {running.data(), running.size()}; }
};

using Encoder = hg::Chain<hg::Shape{4}, hg::Dense<6>, hg::BatchNormalization, hg::ReLU, hg::Dense<2>>;

}  // namespace

TEMPLATE_TEST_CASE("the average of weights is Keras's", "", float, double) {
    const reference::Numbers numbers("optimizers.txt");
    const Eigen::MatrixX<TestType> values = numbers["gradient"].matrix<TestType>();
    const Eigen::MatrixXd after = numbers["moving_average"].matrix<double>();
    Average average{{.momentum = 0.99}};
    Model<TestType> model, copy{Eigen::VectorX<TestType>::Zero(7)};
    for (Eigen::Index t = 0; t < after.cols(); ++t) {
        model.theta = values.col(t);
        average.update(model);
        average.copy_to(copy);
        const double off = (copy.theta.template cast<double>() - after.col(t)).cwiseAbs().maxCoeff();
        CHECK(off < (sizeof(TestType) == 4 ? 1e-6 : 1e-14));
    }
    CHECK(average.updates() == 10);
    CHECK(Average{}.options().momentum == 0.99);
}

TEST_CASE("a model becomes its average and again what it was, running values included") {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    hg::Adam adam{{.learning_rate = 0.02}};
    const Eigen::MatrixXf x = Eigen::MatrixXf::Random(4, 64);
    Average average{{.momentum = 0.75}};
    Eigen::VectorXd parameters, state;
    for (int step = 0; step < 4; ++step) {
        model.gradient(x, tape, rng);
        adam.step(model, tape);
        average.update(model);
        const Eigen::VectorXd theta = model.parameters().cast<double>(), running = model.state().cast<double>();
        parameters = step == 0 ? theta : Eigen::VectorXd(0.75 * parameters + 0.25 * theta);
        state = step == 0 ? running : Eigen::VectorXd(0.75 * state + 0.25 * running);
    }
    CHECK(average.progress().parameters.isApprox(parameters, 1e-14));
    CHECK(average.progress().state.isApprox(state, 1e-14));

    const Eigen::VectorXf theta = model.parameters(), running = model.state();
    average.swap(model);
    CHECK(average.swapped());
    CHECK(model.parameters().cast<double>().isApprox(parameters, 1e-6));
    CHECK(model.state().cast<double>().isApprox(state, 1e-6));
    CHECK(model.parameters() != theta);
    CHECK(model.state() != running);
    constexpr const char* home = ": a model holds the average: swap it back first";
    CHECK_THAT(error_of([&] { average.update(model); }), ContainsSubstring("::update" + std::string(home)));
    CHECK_THAT(error_of([&] { average.copy_to(model); }), ContainsSubstring("::copy_to" + std::string(home)));
    CHECK_THAT(error_of([&] { average.progress(); }), ContainsSubstring("::progress" + std::string(home)));
    average.swap(model);
    CHECK(model.parameters() == theta);
    CHECK(model.state() == running);
    average.update(model);

    std::stringstream file;
    hg::save(file, average, model);
    Average read;
    auto other = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{});
    hg::load(file, other, read);
    CHECK(read.options().momentum == 0.75);
    for (int step = 0; step < 2; ++step) {  // both go on alike
        CHECK(read.updates() == average.updates());
        CHECK(read.progress().parameters == average.progress().parameters);
        CHECK(read.progress().state == average.progress().state);
        other.gradient(x, tape, rng);
        adam.step(other, tape);
        average.update(other), read.update(other);
    }
}

TEST_CASE("what does not change is its own average, to the last bit") {
    Average average{{.momentum = 0.9}};
    Model<float> model{Eigen::Vector3f(0.1f, -7.3f, 1e-20f)};
    for (int step = 0; step < 50; ++step) average.update(model);
    CHECK(average.progress().parameters == model.theta.cast<double>());
}

TEST_CASE("an average is refused where there is none, and what does not fit it") {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double bad : {-0.1, 1.0, nan})
        CHECK_THAT(error_of([&] { Average{{.momentum = bad}}; }),
                   ContainsSubstring("ExponentialMovingAverage: momentum must be in [0, 1), got "));
    Average average;
    Model<float> model{Eigen::Vector3f(1, 2, 3)}, small{Eigen::Vector2f(1, 2)};
    const auto none = ContainsSubstring(": there is no average yet: update(model) comes first");
    CHECK_THAT(error_of([&] { average.copy_to(model); }), none);
    CHECK_THAT(error_of([&] { average.swap(model); }), none);
    CHECK_FALSE(average.swapped());
    average.update(model);
    const auto other =
        ContainsSubstring(": the average is of 3 parameters and 0 running values, the model has 2 and 0");
    CHECK_THAT(error_of([&] { average.update(small); }), other);
    CHECK_THAT(error_of([&] { average.copy_to(small); }), other);
    model.theta[1] = std::numeric_limits<float>::infinity();
    CHECK_THAT(error_of([&] { average.update(model); }),
               ContainsSubstring("::update: value 1 of the model's parameters is inf"));
    CHECK(average.updates() == 1);
    CHECK(average.progress().parameters == Eigen::Vector3d(1, 2, 3));

    const Eigen::VectorXd zero, one = Eigen::VectorXd::Ones(1), bad = Eigen::VectorXd::Constant(1, nan);
    const auto made = [](const Average::Progress& progress) { return error_of([&] { Average({}, progress); }); };
    CHECK_THAT(made({-1, zero, zero}), ContainsSubstring("must be at least 0 and leave room for another, got -1"));
    CHECK_THAT(made({0, one, zero}),
               ContainsSubstring("an average of 1 parameters and 0 running values, but no update"));
    CHECK_THAT(made({1, bad, zero}), ContainsSubstring("value 0 of the average's parameters is nan"));
    CHECK_THAT(made({1, one, bad}), ContainsSubstring("value 0 of the average's running values is nan"));

    hg::Rng rng{1};
    auto normalised = hg::network<hg::Chain<hg::Shape{1}, hg::BatchNormalization>>(rng);
    const Eigen::Vector2d gamma_beta(2, 2);
    CHECK_THAT(error_of([&] {
                   Average({}, {1, gamma_beta, Eigen::Vector2d(0, -1)}).copy_to(normalised);
               }),
               ContainsSubstring("::copy_to: value 0 of the average's 0.moving_variance is -1, expected at least 0"));
    CHECK_THAT(error_of([&] {
                   Average({}, {1, gamma_beta, Eigen::Vector2d(1e39, 1)}).copy_to(normalised);
               }),
               ContainsSubstring("value 0 of the average's running values is 1e+39, beyond the model's numbers"));
    CHECK(normalised.parameters()[0] == 1);
}

TEST_CASE("the weights go back into the model that holds the average, and into no other") {
    Average average{{.momentum = 0.5}};
    Model<float> model{Eigen::Vector3f(1, 2, 3.1f)}, other{Eigen::Vector3f(7, 8, 9)};
    average.update(model);
    model.theta.setConstant(0.1f);
    average.update(model);
    average.swap(model);
    CHECK_THAT(error_of([&] { average.swap(other); }),
               ContainsSubstring("::swap: value 0 of the model's parameters is 7, of the average's "));
    CHECK(average.swapped());
    CHECK(other.theta == Eigen::Vector3f(7, 8, 9));

    // Nor is an average read over the weights that it keeps.
    std::stringstream file;
    hg::save(file, Average{{}, {1, Eigen::Vector3d(4, 5, 6), Eigen::VectorXd()}});
    CHECK_THAT(error_of([&] { hg::load(file, average); }),
               ContainsSubstring("exponential_moving_average: a model holds the average: swap it back first, or its"));
    Model<float> moved = std::move(model);
    average.swap(moved);
    CHECK(moved.theta == Eigen::Vector3f::Constant(0.1f));
    CHECK_FALSE(average.swapped());
}

TEST_CASE("no average overflows between two finite values") {
    for (const double momentum : {0.0, 0.5, 0.99}) {
        Average average{{.momentum = momentum}};
        Model<double> model{Eigen::Vector2d(1.7e308, -1.7e308)};
        average.update(model);
        model.theta = -model.theta;
        average.update(model);
        const double first = (2 * momentum - 1) * 1.7e308;
        CHECK(average.progress().parameters.isApprox(Eigen::Vector2d(first, -first), 1e-12));
    }
}

TEST_CASE("an average that was moved from is as before its first update, and one of nothing is refused") {
    Average average;
    Model<float> model{Eigen::Vector3f(1, 2, 3)}, none{Eigen::VectorXf()};
    CHECK_THAT(error_of([&] { average.update(none); }), ContainsSubstring("::update: the model has no parameters"));
    average.update(model);
    average.swap(model);
    Average taken = std::move(average);
    CHECK(taken.swapped());
    taken.swap(model);
    for (int i = 0; i < 2; ++i) {
        CHECK(average.updates() == 0);  // NOLINT(bugprone-use-after-move)
        CHECK_FALSE(average.swapped());
        CHECK(average.progress().parameters.size() == 0);
        average.update(model);
        taken = std::move(average);
        CHECK(taken.updates() == 1);
    }
    CHECK_THAT(error_of([] {
                   Average({}, {1, Eigen::VectorXd(), Eigen::VectorXd()});
               }),
               ContainsSubstring("1 updates were made, but there are no parameters"));
}
