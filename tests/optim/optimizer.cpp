// What all optimisers share: sizes, scalar types, copies, hyperparameters out of range, weight decay, long vectors.
#include "hourglass/optim/optimizer.hpp"

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "hourglass/optim/adadelta.hpp"
#include "hourglass/optim/adagrad.hpp"
#include "hourglass/optim/adam.hpp"
#include "hourglass/optim/adamw.hpp"
#include "hourglass/optim/rmsprop.hpp"
#include "hourglass/optim/sgd.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();

// Values that differ from each other and from 0.
template <class T>
Eigen::VectorX<T> wave(Eigen::Index size, T phase) {
    return (Eigen::ArrayX<T>::LinSpaced(size, T(0), T(size) / T(7)) + phase).sin() + T(0.01);
}

// A program may hold an optimiser as a member, and give hyperparameters in float.
struct Program {
    hg::Adam adam;
    hg::Sgd sgd{{.learning_rate = 1e-3f, .momentum = 0.9f}};
};

// Every value of a vector of many blocks must be treated like a vector of its own.
template <class T, class Optimizer>
void check_blocks(const Optimizer& fresh) {
    const Eigen::Index size = 3 * hg::Optimizer::block + 5;
    Eigen::VectorX<T> theta = wave<T>(size, T(1));
    const Eigen::VectorX<T> start = theta, first = wave<T>(size, T(2)), second = wave<T>(size, T(3));
    Optimizer whole = fresh;
    whole.step(theta, first);
    whole.step(theta, second);
    for (const Eigen::Index i : {Eigen::Index{0}, hg::Optimizer::block - 1, hg::Optimizer::block,
                                 2 * hg::Optimizer::block + 1, size - 2, size - 1}) {
        Eigen::VectorX<T> alone = start.segment(i, 1);
        Optimizer single = fresh;
        single.step(alone, first.segment(i, 1));
        single.step(alone, second.segment(i, 1));
        INFO("parameter " << i);
        CHECK(std::abs(theta[i] - alone[0]) <= 4 * std::numeric_limits<T>::epsilon());
        CHECK(std::abs(theta[i] - start[i]) > 1e-5);
    }
}

template <class Optimizer>
void check_blocks_of_both(const Optimizer& fresh) {
    check_blocks<float>(fresh);
    check_blocks<double>(fresh);
}

}  // namespace

TEST_CASE("Every value of a long vector is stepped by itself") {
    check_blocks_of_both(hg::Sgd{{.weight_decay = 0.1}});
    check_blocks_of_both(hg::Sgd{{.momentum = 0.5, .nesterov = true}});
    check_blocks_of_both(hg::Adam{});
    check_blocks_of_both(hg::AdamW{});
    check_blocks_of_both(hg::Adadelta{{.learning_rate = 1}});
    check_blocks_of_both(hg::RMSprop{{.momentum = 0.5, .centered = true}});
    check_blocks_of_both(hg::Adagrad{});
}

TEST_CASE("An optimiser takes any contiguous vector and is an ordinary member") {
    Program program;
    CHECK(program.sgd.learning_rate() == double{1e-3f});
    CHECK(program.adam.learning_rate() == 1e-3);
    Eigen::VectorXf theta = Eigen::VectorXf::Ones(4);
    const Eigen::ArrayXf gradient = Eigen::ArrayXf::Ones(4);
    Eigen::MatrixXf two = Eigen::MatrixXf::Ones(4, 2);
    Eigen::Ref<Eigen::VectorXf> by_reference = theta;

    hg::Sgd sgd{{.learning_rate = 0.5}};
    CHECK(sgd.step(theta, gradient));
    CHECK(
        sgd.step(Eigen::Map<Eigen::VectorXf>(theta.data(), 4), Eigen::Map<const Eigen::VectorXf>(gradient.data(), 4)));
    CHECK(sgd.step(by_reference, two.col(1)));
    CHECK(sgd.step(two.col(0), gradient));
    CHECK(theta == Eigen::VectorXf::Constant(4, -0.5f));
    CHECK(two.col(0) == Eigen::VectorXf::Constant(4, 0.5f));
    CHECK(two.col(1) == Eigen::VectorXf::Ones(4));
    CHECK(sgd.steps() == 4);
}

TEST_CASE("Steps that do not fit are refused and change nothing") {
    Eigen::VectorXf theta = wave(5, 1.0f);
    const Eigen::VectorXf start = theta, gradient = wave(5, 2.0f);
    hg::Adam adam;
    CHECK_THROWS_WITH(adam.step(theta, gradient.head(4)),
                      "Adam::step: parameters and gradient must have the same size, got 5 and 4");
    CHECK(adam.moments<float>().size() == 0);
    CHECK(adam.steps() == 0);
    CHECK(theta == start);

    adam.step(theta, gradient);
    const Eigen::VectorXf after = theta;
    const Eigen::MatrixXf moments = adam.moments<float>();
    CHECK(moments.rows() == 5);
    CHECK(moments.cols() == 2);
    CHECK(adam.moments<double>().size() == 0);
    CHECK_THROWS_WITH(adam.step(theta.head(3), gradient.head(3)),
                      "Adam::step: earlier steps were on 5 parameters, this one is on 3");
    Eigen::VectorXd in_double = Eigen::VectorXd::Ones(5);
    const Eigen::VectorXd gradient_in_double = wave(5, 2.0);
    CHECK_THROWS_WITH(adam.step(in_double, gradient_in_double),
                      "Adam::step: earlier steps were in float, this one is in double");
    CHECK(in_double == Eigen::VectorXd::Ones(5));
    CHECK(theta == after);
    CHECK(adam.moments<float>() == moments);
    CHECK(adam.steps() == 1);

    hg::Sgd sgd;  // keeps no moments, but remembers the size as well
    sgd.step(in_double, gradient_in_double);
    CHECK_THROWS_WITH(sgd.step(in_double.head(2), gradient_in_double.head(2)),
                      "Sgd::step: earlier steps were on 5 parameters, this one is on 2");
    CHECK_THROWS_WITH(sgd.step(theta, gradient), "Sgd::step: earlier steps were in double, this one is in float");
}

TEST_CASE("A copy of an optimiser goes on by itself") {
    Eigen::VectorXd theta = wave(5, 1.0), copied_theta;
    const Eigen::VectorXd gradient = wave(5, 2.0), other = wave(5, 3.0);
    hg::Adam adam;
    adam.step(theta, gradient);
    hg::Adam copy = adam;
    copied_theta = theta;
    copy.step(copied_theta, gradient);
    copy.step(copied_theta, other);
    CHECK(copy.steps() == 3);
    CHECK(adam.steps() == 1);
    CHECK(adam.moments<double>() != copy.moments<double>());
    adam.step(theta, gradient);
    adam.step(theta, other);
    CHECK(theta == copied_theta);
    CHECK(adam.moments<double>() == copy.moments<double>());
}

TEST_CASE("An optimiser's options are those it was made with and the learning rate of its next step") {
    const auto check = [](auto optimizer, const auto& same) {
        optimizer.learning_rate(0.25);
        CHECK(optimizer.options().learning_rate == 0.25);
        CHECK(same(optimizer.options()));
    };
    check(hg::Sgd{{.momentum = 0.5, .nesterov = true}}, [](const auto& o) { return o.momentum == 0.5 && o.nesterov; });
    check(hg::Adam{{.beta_1 = 0.75}}, [](const auto& o) { return o.beta_1 == 0.75; });
    check(hg::AdamW{{.weight_decay = 0.125}}, [](const auto& o) { return o.weight_decay == 0.125; });
    check(hg::Adadelta{{.rho = 0.5}}, [](const auto& o) { return o.rho == 0.5; });
    check(hg::RMSprop{{.rho = 0.5, .centered = true}}, [](const auto& o) { return o.rho == 0.5 && o.centered; });
    check(hg::Adagrad{{.initial_accumulator_value = 0.5}},
          [](const auto& o) { return o.initial_accumulator_value == 0.5; });
}

TEST_CASE("Learning rates are checked and used") {
    hg::Sgd sgd{{.learning_rate = 0.25}};
    CHECK(sgd.learning_rate() == 0.25);
    for (const double bad : {not_a_number, infinity, -infinity, -0.1}) {
        CHECK_THROWS_WITH(sgd.learning_rate(bad),
                          ContainsSubstring("Sgd: learning_rate must be finite and at least 0, got "));
        CHECK_THROWS_AS(hg::Sgd{{.learning_rate = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::Adam{{.learning_rate = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::AdamW{{.learning_rate = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::Adadelta{{.learning_rate = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::RMSprop{{.learning_rate = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::Adagrad{{.learning_rate = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::Sgd{{.weight_decay = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::Adam{{.weight_decay = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::AdamW{{.weight_decay = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::Adadelta{{.weight_decay = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::RMSprop{{.weight_decay = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::Adagrad{{.weight_decay = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::Adagrad{{.initial_accumulator_value = bad}}, hg::Error);
    }
    CHECK(sgd.learning_rate() == 0.25);
    Eigen::VectorXd theta = Eigen::VectorXd::Ones(2);
    const Eigen::VectorXd gradient = theta;
    sgd.learning_rate(0);
    sgd.step(theta, gradient);
    CHECK(theta == Eigen::VectorXd::Ones(2));
    sgd.learning_rate(0.5);
    sgd.step(theta, gradient);
    CHECK(theta == Eigen::VectorXd::Constant(2, 0.5));
}

TEST_CASE("Other hyperparameters out of range are refused") {
    for (const double bad : {not_a_number, infinity, -0.1, 1.0, 1.5}) {
        CHECK_THROWS_WITH(hg::Sgd{{.momentum = bad}}, ContainsSubstring("Sgd: momentum must be in [0, 1), got "));
        CHECK_THROWS_WITH(hg::Adam{{.beta_1 = bad}}, ContainsSubstring("Adam: beta_1 must be in [0, 1), got "));
        CHECK_THROWS_WITH(hg::Adam{{.beta_2 = bad}}, ContainsSubstring("Adam: beta_2 must be in [0, 1), got "));
        CHECK_THROWS_WITH(hg::AdamW{{.beta_1 = bad}}, ContainsSubstring("AdamW: beta_1 must be in [0, 1), got "));
        CHECK_THROWS_WITH(hg::AdamW{{.beta_2 = bad}}, ContainsSubstring("AdamW: beta_2 must be in [0, 1), got "));
        CHECK_THROWS_WITH(hg::Adadelta{{.rho = bad}}, ContainsSubstring("Adadelta: rho must be in [0, 1), got "));
        CHECK_THROWS_WITH(hg::RMSprop{{.rho = bad}}, ContainsSubstring("RMSprop: rho must be in [0, 1), got "));
        CHECK_THROWS_WITH(hg::RMSprop{{.momentum = bad}},
                          ContainsSubstring("RMSprop: momentum must be in [0, 1), got "));
    }
    for (const double bad : {not_a_number, infinity, -1e-7, 0.0, 1e-50}) {  // 1e-50 would be 0 in float
        CHECK_THROWS_WITH(hg::Adam{{.epsilon = bad}},
                          ContainsSubstring("Adam: epsilon must be finite and larger than 0, got "));
        CHECK_THROWS_AS(hg::AdamW{{.epsilon = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::Adadelta{{.epsilon = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::RMSprop{{.epsilon = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::Adagrad{{.epsilon = bad}}, hg::Error);
    }
}

TEST_CASE("Weight decay leaves excluded slices out, wherever blocks end") {
    const Eigen::Index block = hg::Optimizer::block, size = 3 * block + 7;
    const Eigen::VectorXd none = Eigen::VectorXd::Zero(size);
    // Unordered, empty, overlapping, across the end of a block, over a whole block, up to the end.
    const std::vector<hg::Slice> slices{{block - 3, 6}, {0, 2},       {5, 0}, {7, 4}, {2 * block - 5, block + 9},
                                        {9, 5},         {size - 1, 1}};
    std::vector<bool> left_out(static_cast<std::size_t>(size));
    for (const hg::Slice& slice : slices)
        for (Eigen::Index i = slice.begin; i < slice.end(); ++i) left_out[static_cast<std::size_t>(i)] = true;

    hg::Sgd sgd{{.learning_rate = 0.5, .weight_decay = 0.5}};
    sgd.exclude_from_weight_decay(slices);
    Eigen::VectorXd theta = Eigen::VectorXd::Ones(size);
    sgd.step(theta, none);
    for (Eigen::Index i = 0; i < size; ++i) {
        INFO("parameter " << i);
        REQUIRE(theta[i] == (left_out[static_cast<std::size_t>(i)] ? 1.0 : 0.75));
    }

    sgd.exclude_from_weight_decay({});  // replaces what was left out before
    theta.setOnes();
    sgd.step(theta, none);
    CHECK(theta == Eigen::VectorXd::Constant(size, 0.75));
}

TEST_CASE("Slices to exclude from weight decay are checked") {
    hg::AdamW adam;
    const Eigen::Index most = std::numeric_limits<Eigen::Index>::max();
    adam.exclude_from_weight_decay(std::array{hg::Slice{1, 2}});
    CHECK_THROWS_WITH(
        adam.exclude_from_weight_decay(std::array{hg::Slice{-1, 2}}),
        ContainsSubstring("AdamW::exclude_from_weight_decay: begin and size must be at least 0, got begin "
                          "-1 and size 2"));
    CHECK_THROWS_AS(adam.exclude_from_weight_decay(std::array{hg::Slice{1, -2}}), hg::Error);
    CHECK_THROWS_AS(adam.exclude_from_weight_decay(std::array{hg::Slice{1, most}}), hg::Error);

    Eigen::VectorXf theta = Eigen::VectorXf::Ones(2);
    const Eigen::VectorXf gradient = theta;
    CHECK_THROWS_WITH(adam.step(theta, gradient),
                      "AdamW::step: the slice [1, 3) excluded from weight decay ends behind the 2 parameters");
    CHECK(theta == Eigen::VectorXf::Ones(2));
    CHECK(adam.steps() == 0);
}

TEST_CASE("Centered RMSprop stays finite when the variance is nothing but rounding") {
    hg::RMSprop rmsprop{{.centered = true}};
    Eigen::VectorXf theta = Eigen::VectorXf::Ones(8);
    const Eigen::VectorXf gradient = 123.456f * wave(8, 0.3f);
    for (int t = 0; t < 2000; ++t) rmsprop.step(theta, gradient);
    CHECK(hg::first_non_finite(theta.data(), theta.size()) == -1);
}

TEST_CASE("Adam's first step is the learning rate, whatever the gradient's size") {
    hg::Adam adam{{.learning_rate = 0.01}};
    Eigen::VectorXd theta = Eigen::VectorXd::Zero(3);
    adam.step(theta, Eigen::Vector3d{1e3, -1e-1, 5});
    CHECK((theta - Eigen::Vector3d{-0.01, 0.01, -0.01}).cwiseAbs().maxCoeff() < 1e-6);
}
