// Ten steps of every optimiser beside Keras's.
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "hourglass/optim/adadelta.hpp"
#include "hourglass/optim/adagrad.hpp"
#include "hourglass/optim/adam.hpp"
#include "hourglass/optim/adamw.hpp"
#include "hourglass/optim/rmsprop.hpp"
#include "hourglass/optim/schedules.hpp"
#include "hourglass/optim/sgd.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

namespace hg = hourglass;

namespace {

const reference::Numbers& numbers() {
    static const reference::Numbers read("optimizers.txt");
    return read;
}

// Largest difference from the frozen trajectory, relative to 1 or the parameter, whichever is larger. `before` is
// called ahead of each step.
template <class T, class Optimizer, class Before>
double distance(const std::string& name, Optimizer optimizer, const Before& before) {
    Eigen::VectorX<T> theta = numbers()["start"].vector<T>();
    const Eigen::MatrixX<T> gradient = numbers()["gradient"].matrix<T>();
    const Eigen::MatrixXd after = numbers()[name].matrix<double>();
    double largest = 0;
    for (Eigen::Index t = 0; t < after.cols(); ++t) {
        before(optimizer);
        REQUIRE(optimizer.step(Eigen::Map<Eigen::VectorX<T>>(theta.data(), theta.size()), gradient.col(t)));
        const Eigen::ArrayXd off = (theta.template cast<double>() - after.col(t)).array().abs();
        largest = std::max(largest, (off / after.col(t).array().abs().max(1.0)).maxCoeff());
    }
    REQUIRE(optimizer.steps() == 10);
    return largest;
}

// In float each of the ten steps may round by one unit in the last place.
template <class Optimizer, class Before>
void check(const std::string& name, const Optimizer& optimizer, const Before& before) {
    INFO(name);
    CHECK(distance<double>(name, optimizer, before) < 1e-12);
    CHECK(distance<float>(name, optimizer, before) < 10 * std::numeric_limits<float>::epsilon());
}
template <class Optimizer>
void check(const std::string& name, const Optimizer& optimizer) {
    check(name, optimizer, [](Optimizer&) {});
}

}  // namespace

TEST_CASE("Sgd takes Keras's steps") {
    check("sgd", hg::Sgd{});
    check("sgd_momentum", hg::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
    check("sgd_nesterov", hg::Sgd{{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}});
    check("sgd_nesterov_alone", hg::Sgd{{.learning_rate = 0.1, .nesterov = true}});
    check("sgd_decay", hg::Sgd{{.learning_rate = 0.1, .weight_decay = 0.05}});
}

TEST_CASE("Adam takes Keras's steps") {
    check("adam", hg::Adam{});
    check("adam_options", hg::Adam{{.learning_rate = 0.1, .beta_1 = 0.8, .beta_2 = 0.95, .epsilon = 1e-3}});
    check("adam_tiny_epsilon", hg::Adam{{.learning_rate = 0.1, .epsilon = 1e-30}});
    check("adam_decay", hg::Adam{{.learning_rate = 0.1, .weight_decay = 0.05}});
    check("adam_amsgrad", hg::Adam{{.learning_rate = 0.1, .amsgrad = true}});
}

TEST_CASE("Adam on a schedule takes Keras's steps") {
    const hg::ExponentialDecay schedule{{.initial_learning_rate = 0.1, .decay_steps = 4, .decay_rate = 0.5}};
    check("adam_exponential", hg::Adam{}, [&](hg::Adam& adam) { adam.learning_rate(schedule(adam.steps())); });
}

TEST_CASE("AdamW takes Keras's steps") {
    check("adamw", hg::AdamW{});
    check("adamw_tiny_epsilon", hg::AdamW{{.learning_rate = 0.1, .weight_decay = 0.5, .epsilon = 1e-30}});

    check("adamw_amsgrad",
          hg::AdamW{{.learning_rate = 0.1, .weight_decay = 0.5, .beta_2 = 0.5, .epsilon = 1e-30, .amsgrad = true}});

    hg::AdamW without_bias{{.learning_rate = 0.1, .weight_decay = 0.5}};
    without_bias.exclude_from_weight_decay(std::array{hg::Slice{4, 3}});
    check("adamw_without_bias", without_bias);
}

TEST_CASE("Adadelta takes Keras's steps") {
    check("adadelta", hg::Adadelta{});
    check("adadelta_options", hg::Adadelta{{.learning_rate = 1, .rho = 0.9, .epsilon = 1e-6}});
    check("adadelta_decay", hg::Adadelta{{.learning_rate = 1, .weight_decay = 0.05}});
}

TEST_CASE("RMSprop takes Keras's steps") {
    check("rmsprop", hg::RMSprop{});
    check("rmsprop_momentum", hg::RMSprop{{.learning_rate = 0.1, .rho = 0.8, .momentum = 0.5, .epsilon = 1e-4}});
    check("rmsprop_centered", hg::RMSprop{{.learning_rate = 0.1, .epsilon = 1e-3, .centered = true}});
    check("rmsprop_all", hg::RMSprop{{.learning_rate = 0.1, .momentum = 0.5, .centered = true, .weight_decay = 0.05}});
    check("rmsprop_tiny_epsilon", hg::RMSprop{{.learning_rate = 0.1, .momentum = 0.5, .epsilon = 1e-30}});
}

TEST_CASE("Adagrad takes Keras's steps") {
    check("adagrad", hg::Adagrad{});
    check("adagrad_options", hg::Adagrad{{.learning_rate = 0.1, .initial_accumulator_value = 0, .epsilon = 1e-3}});
    check("adagrad_decay", hg::Adagrad{{.learning_rate = 0.1, .weight_decay = 0.05}});
    check("adagrad_tiny_epsilon", hg::Adagrad{{.learning_rate = 0.1, .epsilon = 1e-30}});
}
