// Gradients that are infinite or not a number. Holds under -ffast-math too: values are made and compared by their bits.
#include "hourglass/core/non_finite.hpp"

#include <Eigen/Core>
#include <bit>
#include <cstdint>
#include <cstring>

#include "hourglass/optim/adadelta.hpp"
#include "hourglass/optim/adagrad.hpp"
#include "hourglass/optim/adam.hpp"
#include "hourglass/optim/adamw.hpp"
#include "hourglass/optim/clip.hpp"
#include "hourglass/optim/rmsprop.hpp"
#include "hourglass/optim/schedules.hpp"
#include "hourglass/optim/sgd.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

template <class T>
T nan_of();
template <>
float nan_of<float>() {
    return std::bit_cast<float>(std::uint32_t{0x7fc0'0001u});
}
template <>
double nan_of<double>() {
    return std::bit_cast<double>(std::uint64_t{0x7ff8'0000'0000'0001u});
}
template <class T>
T infinity_of();
template <>
float infinity_of<float>() {
    return std::bit_cast<float>(std::uint32_t{0xff80'0000u});
}
template <>
double infinity_of<double>() {
    return std::bit_cast<double>(std::uint64_t{0x7ff0'0000'0000'0000u});
}

template <class A, class B>
bool same_bits(const A& a, const B& b) {
    return a.size() == b.size() &&
           (a.size() == 0 ||
            std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(typename A::Scalar)) == 0);
}

template <class T, class Optimizer>
void check(const char* name) {
    using Options = typename Optimizer::Options;
    using Vector = Eigen::VectorX<T>;
    const Vector good = Vector::Constant(200, T(0.5));
    for (const T bad : {nan_of<T>(), infinity_of<T>()})
        for (const Eigen::Index place : {Eigen::Index{0}, Eigen::Index{70}, Eigen::Index{199}}) {
            INFO(name << ", position " << place);
            Vector gradient = good;
            gradient[place] = bad;

            Vector theta = Vector::Ones(200);
            Optimizer throwing;  // as it comes
            throwing.step(theta, good);
            const Vector start = theta;
            const Eigen::MatrixX<T> moments = throwing.template moments<T>();
            CHECK_THROWS_WITH(throwing.step(theta, gradient),
                              ContainsSubstring(std::string(name) + "::step: the gradient is not finite, value " +
                                                std::to_string(place) + " of 200 is "));
            CHECK(same_bits(theta, start));
            CHECK(same_bits(throwing.template moments<T>(), moments));
            CHECK(throwing.steps() == 1);

            Optimizer skipping{Options{.non_finite = hg::NonFinite::Skip}};
            theta.setOnes();
            CHECK_FALSE(skipping.step(theta, gradient));
            CHECK(skipping.steps() == 0);
            CHECK(skipping.template moments<T>().size() == 0);
            CHECK(skipping.step(theta, good));
            CHECK(same_bits(theta, start));
            CHECK_FALSE(skipping.step(theta, gradient));
            CHECK(same_bits(theta, start));
            CHECK(same_bits(skipping.template moments<T>(), moments));
            CHECK(skipping.steps() == 1);

            Optimizer continuing{Options{.non_finite = hg::NonFinite::Continue}};
            theta.setOnes();
            CHECK(continuing.step(theta, gradient));
            CHECK(continuing.steps() == 1);
            CHECK(hg::is_finite(theta[place == 0 ? 1 : 0]));
        }
}

template <class Optimizer>
void check_both(const char* name) {
    check<float, Optimizer>(name);
    check<double, Optimizer>(name);
}

template <class T>
void check_clipping() {
    for (const T bad : {nan_of<T>(), infinity_of<T>()})
        for (const Eigen::Index place : {0, 33, 99}) {
            Eigen::VectorX<T> gradient = Eigen::VectorX<T>::Constant(100, T(3));
            gradient[place] = bad;
            const Eigen::VectorX<T> before = gradient;
            CHECK_FALSE(hg::is_finite(hg::clip_by_norm(gradient, 1.0)));
            CHECK(same_bits(gradient, before));
        }
}

}  // namespace

TEST_CASE("A gradient that is not finite is refused, skipped or used, as chosen") {
    check_both<hg::Sgd>("Sgd");
    check_both<hg::Adam>("Adam");
    check_both<hg::AdamW>("AdamW");
    check_both<hg::Adadelta>("Adadelta");
    check_both<hg::RMSprop>("RMSprop");
    check_both<hg::Adagrad>("Adagrad");
}

TEST_CASE("Hyperparameters that are not finite are refused") {
    for (const double bad : {nan_of<double>(), infinity_of<double>()}) {
        CHECK_THROWS_AS(hg::Adam{{.learning_rate = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::Adam{{.beta_1 = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::Adam{{.epsilon = bad}}, hg::Error);
        CHECK_THROWS_AS((hg::CosineDecay{{.initial_learning_rate = bad}}), hg::Error);
        Eigen::VectorXf gradient = Eigen::VectorXf::Ones(2);
        CHECK_THROWS_AS(hg::clip_by_norm(gradient, bad), hg::Error);
        CHECK_THROWS_AS(hg::clip_by_value(gradient, bad), hg::Error);
    }
}

TEST_CASE("clip_by_norm leaves a gradient that is not finite for the optimiser to find") {
    check_clipping<float>();
    check_clipping<double>();
}
