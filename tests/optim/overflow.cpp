// Steps that would leave the finite numbers though the gradient is finite. Holds under -ffast-math too.
#include <Eigen/Core>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "hourglass/core/random.hpp"
#include "hourglass/optim/adadelta.hpp"
#include "hourglass/optim/adagrad.hpp"
#include "hourglass/optim/adam.hpp"
#include "hourglass/optim/adamw.hpp"
#include "hourglass/optim/clip.hpp"
#include "hourglass/optim/rmsprop.hpp"
#include "hourglass/optim/sgd.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

template <class A, class B>
bool same_bits(const A& a, const B& b) {
    return a.size() == b.size() &&
           (a.size() == 0 ||
            std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(typename A::Scalar)) == 0);
}

template <class V>
bool all_finite(const V& values) {
    return hg::first_non_finite(values.data(), values.size()) < 0;
}

// A gradient whose square overflows, at one place of a vector of several blocks, in the first step and in a later one.
template <class T, class Optimizer>
void check_square(const std::string& name) {
    using Options = typename Optimizer::Options;
    const Eigen::Index size = 2 * hg::Optimizer::block + 100, place = size - 3;
    const Eigen::VectorX<T> good = Eigen::VectorX<T>::Constant(size, T(0.5));
    Eigen::VectorX<T> large = good;
    large[place] = std::sqrt(std::numeric_limits<T>::max()) * T(100);
    for (const int before : {0, 1, 40}) {
        INFO(name << " after " << before << " steps");
        Optimizer throwing, skipping{Options{.non_finite = hg::NonFinite::Skip}};
        Eigen::VectorX<T> theta = Eigen::VectorX<T>::Ones(size), skipped = theta;
        for (int t = 0; t < before; ++t) throwing.step(theta, good), skipping.step(skipped, good);
        const Eigen::VectorX<T> start = theta;
        const Eigen::MatrixX<T> moments = throwing.template moments<T>();
        CHECK_THAT(error_of([&] { throwing.step(theta, large); }),
                   ContainsSubstring(name + "::step: ") &&
                       ContainsSubstring(std::to_string(place) + " of " + std::to_string(size) +
                                         " would not stay finite: it would become ") &&
                       ContainsSubstring(" by the gradient " + hg::text(large[place])));
        CHECK_FALSE(skipping.step(skipped, large));
        for (const Optimizer* optimizer : {&throwing, &skipping}) {
            CHECK(same_bits(optimizer->template moments<T>(), moments));
            CHECK(optimizer->steps() == before);
        }
        CHECK(same_bits(theta, start));
        CHECK(same_bits(skipped, start));
        CHECK(throwing.step(theta, good));  // as if nothing had been
        CHECK(skipping.step(skipped, good));
        CHECK(same_bits(theta, skipped));
        CHECK(all_finite(theta));

        Optimizer continuing{Options{.non_finite = hg::NonFinite::Continue}};
        CHECK(continuing.step(theta, large));
    }
}

// Any hyperparameters and gradients of any size: after every step all is finite, or it was refused and nothing changed.
template <class T, class Make>
void check_all_finite(const char* what, const Make& make) {
    INFO(what);
    const Eigen::Index size = 40;
    hg::Rng rng{3};
    const auto power = [&](double low, double high) { return std::exp2(low + (high - low) * rng.uniform()); };
    const double most = std::numeric_limits<T>::max_exponent;
    int taken = 0, refused = 0;
    for (int run = 0; run < 150; ++run) {
        const double rate = power(-0.2 * most, run % 3 == 0 ? 0.95 * most : 0.1 * most);
        auto optimizer = make(rate, power(run % 2 == 0 ? -60 : -125, 20), rng.uniform());
        Eigen::VectorX<T> theta = Eigen::VectorX<T>::Ones(size) * static_cast<T>(power(-10, most - 2)), gradient(size);
        const double level = power(-most / 2, most), step_size = power(0, 20);
        double scale = level;
        for (int t = 0; t < 80; ++t) {
            scale = run % 5 == 0 ? std::min(scale * step_size, std::exp2(most - 2)) : level;
            if (t % 40 == 39) scale = level;
            for (T& g : gradient) {
                const double value = (2 * rng.uniform() - 1) * scale * power(-8, 1);
                g = static_cast<T>(std::min(std::max(value, -std::exp2(most - 1)), std::exp2(most - 1)));
            }
            const Eigen::VectorX<T> theta_before = theta;
            const Eigen::MatrixX<T> moments_before = optimizer.template moments<T>();
            try {
                optimizer.step(theta, gradient);
                ++taken;
                REQUIRE(all_finite(theta));
                REQUIRE(all_finite(optimizer.template moments<T>()));
            } catch (const hg::Error&) {
                ++refused;
                REQUIRE(same_bits(theta, theta_before));
                REQUIRE(same_bits(optimizer.template moments<T>(), moments_before));
                break;
            }
        }
    }
    CHECK(taken > 500);  // both happen, or nothing was tested
    CHECK(refused > 10);
}

template <class Make>
void check_both(const char* what, const Make& make) {
    check_all_finite<float>(what, make);
    check_all_finite<double>(what, make);
}

template <class Optimizer>
void check_rates(const std::string& name) {
    using Options = typename Optimizer::Options;
    Eigen::VectorXf theta = Eigen::VectorXf::Ones(3);
    const Eigen::VectorXf gradient = theta;
    Eigen::VectorXd in_double = Eigen::VectorXd::Ones(3);
    const Eigen::VectorXd ones = in_double;
    Optimizer optimizer{Options{.learning_rate = 1e39, .non_finite = hg::NonFinite::Continue}};
    CHECK(error_of([&] { optimizer.step(theta, gradient); }) ==
          name + "::step: learning_rate is 1e+39, not a finite number in float");
    optimizer.learning_rate(1e30);
    CHECK(optimizer.steps() == 0);
    Optimizer decaying{Options{.learning_rate = 1e30, .weight_decay = 1e30}};
    CHECK(error_of([&] { decaying.step(theta, gradient); }) ==
          name + "::step: learning_rate * weight_decay is 1e+60, not a finite number in float");
    Optimizer far{Options{.learning_rate = 1e300, .weight_decay = 1e300}};
    CHECK(error_of([&] { far.step(in_double, ones); }) ==
          name + "::step: learning_rate * weight_decay is inf, not a finite number in double");
    Optimizer fine{Options{.learning_rate = 1e39}};
    CHECK(fine.step(in_double, ones));
    CHECK(theta == Eigen::VectorXf::Ones(3));
}

}  // namespace

TEMPLATE_TEST_CASE("a finite gradient whose square overflows is refused or skipped", "", float, double) {
    check_square<TestType, hg::Adam>("Adam");
    check_square<TestType, hg::AdamW>("AdamW");
    check_square<TestType, hg::Adadelta>("Adadelta");
    check_square<TestType, hg::RMSprop>("RMSprop");
    check_square<TestType, hg::Adagrad>("Adagrad");
}

TEST_CASE("Adam stays finite under a gradient of 1e20") {
    Eigen::VectorXf theta = Eigen::VectorXf::Ones(2);
    const Eigen::VectorXf gradient = Eigen::VectorXf::Constant(2, 1e20f);
    hg::Adam adam{{.non_finite = hg::NonFinite::Skip}};
    for (int t = 0; t < 3; ++t) CHECK_FALSE(adam.step(theta, gradient));
    CHECK(theta == Eigen::VectorXf::Ones(2));
    Eigen::VectorXd in_double = Eigen::VectorXd::Ones(2);  // the square of 1e20 is a number there
    const Eigen::VectorXd large = Eigen::VectorXd::Constant(2, 1e20);
    hg::Adam fine;
    for (int t = 0; t < 3; ++t) CHECK(fine.step(in_double, large));
    CHECK((in_double - Eigen::VectorXd::Constant(2, 0.997)).cwiseAbs().maxCoeff() < 1e-6);
}

TEST_CASE("a moment that would overflow is named") {
    Eigen::VectorXd theta = Eigen::VectorXd::Ones(2);
    const Eigen::VectorXd gradient = Eigen::VectorXd::Constant(2, 1e200);
    hg::Adagrad adagrad;
    CHECK(error_of([&] { adagrad.step(theta, gradient); }) ==
          "Adagrad::step: moment G of parameter 0 of 2 would not stay finite: it would become inf by the gradient "
          "1e+200");
}

TEST_CASE("parameters that would overflow by and by are refused at that step") {
    Eigen::VectorXf theta = Eigen::VectorXf::Zero(2);
    const Eigen::VectorXf gradient = Eigen::VectorXf::Constant(2, 1e20f);
    hg::Sgd sgd{{.learning_rate = 1e18}};
    for (int t = 0; t < 3; ++t) CHECK(sgd.step(theta, gradient));
    const Eigen::VectorXf before = theta;
    CHECK_THAT(error_of([&] { sgd.step(theta, gradient); }),
               ContainsSubstring("Sgd::step: parameter 0 of 2 would not stay finite: it would become -inf by the "
                                 "gradient 1e+20"));
    CHECK(theta == before);
    theta.setZero();
    hg::Sgd rolling{{.learning_rate = 1e17, .momentum = 0.99}};  // its moment is what grows
    int steps = 0;
    CHECK_THAT(error_of([&] {
                   for (; steps < 100; ++steps) rolling.step(theta, gradient);
               }),
               ContainsSubstring("Sgd::step: "));
    CHECK(steps > 2);
    CHECK(all_finite(theta));
    CHECK(all_finite(rolling.moments<float>()));
}

TEST_CASE("large gradients take the same step as without a look") {
    for (const float size : {1e5f, 1e6f, 1e7f, 1e12f}) {
        hg::Adam looking, continuing{{.non_finite = hg::NonFinite::Continue}};
        Eigen::VectorXf theta = Eigen::VectorXf::LinSpaced(3000, -1, 1), other = theta;
        for (int t = 0; t < 70; ++t) {
            const Eigen::VectorXf gradient = size * Eigen::VectorXf::LinSpaced(3000, 1, static_cast<float>(t + 2));
            REQUIRE(looking.step(theta, gradient));
            continuing.step(other, gradient);
        }
        CHECK(same_bits(theta, other));
        CHECK(same_bits(looking.moments<float>(), continuing.moments<float>()));
    }
}

TEST_CASE("whatever the numbers, nothing finite becomes anything else") {
    check_both("Sgd", [](double rate, double, double) { return hg::Sgd{{.learning_rate = rate}}; });
    check_both("Sgd, momentum", [](double rate, double, double ratio) {
        return hg::Sgd{
            {.learning_rate = rate, .momentum = ratio, .nesterov = ratio > 0.5, .weight_decay = ratio / rate}};
    });
    check_both("Adam", [](double rate, double epsilon, double ratio) {
        return hg::Adam{{.learning_rate = rate, .beta_1 = ratio, .beta_2 = 1 - ratio * ratio, .epsilon = epsilon}};
    });
    check_both("Adadelta", [](double rate, double epsilon, double ratio) {
        return hg::Adadelta{{.learning_rate = rate, .rho = ratio, .epsilon = epsilon}};
    });
    check_both("RMSprop", [](double rate, double epsilon, double ratio) {
        return hg::RMSprop{{.learning_rate = rate,
                            .rho = ratio,
                            .momentum = ratio < 0.5 ? 0 : ratio,
                            .epsilon = epsilon,
                            .centered = ratio < 0.75}};
    });
    check_both("Adagrad", [](double rate, double epsilon, double ratio) {
        return hg::Adagrad{{.learning_rate = rate, .initial_accumulator_value = ratio, .epsilon = epsilon}};
    });
}

TEST_CASE("rates that the scalar type cannot hold are refused") {
    check_rates<hg::Sgd>("Sgd");
    check_rates<hg::Adam>("Adam");
    check_rates<hg::AdamW>("AdamW");
    check_rates<hg::Adadelta>("Adadelta");
    check_rates<hg::RMSprop>("RMSprop");
    check_rates<hg::Adagrad>("Adagrad");
    Eigen::VectorXf theta = Eigen::VectorXf::Ones(3);
    const Eigen::VectorXf gradient = theta;
    hg::Adam adam{{.epsilon = 1e39}};
    CHECK(error_of([&] { adam.step(theta, gradient); }) ==
          "Adam::step: epsilon is 1e+39, not a finite number in float");
    hg::Adagrad adagrad{{.initial_accumulator_value = 1e39}};
    CHECK(error_of([&] { adagrad.step(theta, gradient); }) ==
          "Adagrad::step: initial_accumulator_value is 1e+39, not a finite number in float");
    CHECK(theta == Eigen::VectorXf::Ones(3));

    Eigen::VectorXd in_double = Eigen::VectorXd::Ones(2);
    CHECK(error_of([&] { hg::clip_by_norm(theta, 1e39); }) ==
          "clip_by_norm: max_norm is 1e+39, not a finite number in float");
    CHECK(error_of([&] { hg::clip_by_value(theta, 1e39); }) ==
          "clip_by_value: limit is 1e+39, not a finite number in float");
    hg::clip_by_norm(in_double, 1e39);
    hg::clip_by_value(in_double, 1e39);
    CHECK(theta == Eigen::VectorXf::Ones(3));
}
