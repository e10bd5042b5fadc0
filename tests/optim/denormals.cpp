// Moments that decay to nothing become zero, never denormal, and the processor's settings come back.
#include <Eigen/Core>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "hourglass/core/flush_denormals.hpp"
#include "hourglass/optim/adadelta.hpp"
#include "hourglass/optim/adagrad.hpp"
#include "hourglass/optim/adam.hpp"
#include "hourglass/optim/rmsprop.hpp"
#include "hourglass/optim/sgd.hpp"
#include "hourglass/workers.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;

#if defined(__SSE2__) || defined(_M_X64)
#define HOURGLASS_TEST_FLUSHES
#include <xmmintrin.h>
namespace {
unsigned int settings() { return _mm_getcsr(); }
}  // namespace
#elif defined(__aarch64__) && defined(__GNUC__)
#define HOURGLASS_TEST_FLUSHES
namespace {
unsigned long settings() {
    unsigned long value;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(value));
    return value;
}
}  // namespace
#endif

#ifdef HOURGLASS_TEST_FLUSHES

namespace {

template <class T>
Eigen::Index denormals(const Eigen::MatrixX<T>& values) {
    Eigen::Index count = 0;
    for (const T& value : values.reshaped()) count += std::fpclassify(value) == FP_SUBNORMAL;
    return count;
}

// Read as volatile: a compiler that knows the value would divide once, at its own desk, for every mode.
template <class T>
EIGEN_DONT_INLINE T half(T value) {
    const volatile T now = value;
    return now / 2;
}

// One step with a gradient whose square is next to the smallest normal number, then none: averages fade away.
template <class T, class Optimizer>
void check(Optimizer optimizer) {
    const T smallest = std::numeric_limits<T>::min();
    Eigen::VectorX<T> theta = Eigen::VectorX<T>::Ones(300);
    Eigen::VectorX<T> gradient = Eigen::VectorX<T>::Constant(300, std::sqrt(smallest) * T(1.5));
    gradient.head(100).setConstant(smallest * 4);
    const auto before = settings();
    for (int t = 0; t < 2000; ++t) {
        optimizer.step(theta, gradient);
        gradient.setZero();
        REQUIRE(denormals<T>(optimizer.template moments<T>()) == 0);
        REQUIRE(settings() == before);
    }
    CHECK(optimizer.steps() == 2000);
}

template <class Optimizer>
void check_both(const Optimizer& optimizer) {
    check<float>(optimizer);
    check<double>(optimizer);
}

}  // namespace

TEST_CASE("Moments are never denormal") {
    // The same averages without the scope: they do end there, and stay.
    Eigen::ArrayXf m = Eigen::ArrayXf::Constant(4, std::numeric_limits<float>::min());
    for (int t = 0; t < 2000; ++t) m += 0.1f * (0.0f - m);
    REQUIRE(denormals<float>(m) == 4);

    check_both(hg::Sgd{{.momentum = 0.9}});
    check_both(hg::Adam{});
    check_both(hg::Adadelta{});
    check_both(hg::RMSprop{{.momentum = 0.9, .centered = true}});
    check_both(hg::Adagrad{{.initial_accumulator_value = 0}});
}

TEST_CASE("FlushDenormals ends with its scope, also when an exception passes") {
    const float denormal = half(std::numeric_limits<float>::min());
    const auto before = settings();
    REQUIRE(std::fpclassify(denormal) == FP_SUBNORMAL);
    {
        const hg::core::FlushDenormals scope;
        CHECK(settings() != before);
        CHECK(half(std::numeric_limits<float>::min()) == 0);
        CHECK(half(std::numeric_limits<double>::min()) == 0);
        { const hg::core::FlushDenormals inner; }
        CHECK(half(std::numeric_limits<float>::min()) == 0);
    }
    CHECK(settings() == before);
    try {
        const hg::core::FlushDenormals scope;
        hg::fail("on the way");
    } catch (const hg::Error&) {
        CHECK(settings() == before);
    }
    CHECK(settings() == before);
    CHECK(half(std::numeric_limits<float>::min()) == denormal);
}

TEST_CASE("A refused step leaves the processor's settings alone") {
    hg::Adam adam;
    Eigen::VectorXf theta = Eigen::VectorXf::Ones(3);
    const auto before = settings();
    Eigen::VectorXf gradient = Eigen::VectorXf::Ones(3);
    CHECK_THROWS_AS(adam.step(theta, gradient.head(2)), hg::Error);
    gradient[1] = std::numeric_limits<float>::infinity();
    CHECK_THROWS_AS(adam.step(theta, gradient), hg::Error);
    CHECK(settings() == before);
}

TEST_CASE("A team's threads treat denormal numbers as the one that calls them") {
    hg::Workers workers{3};
    const auto halves = [&] {
        std::vector<float> all(100);
        hg::core::each_task(&workers, 100, [&](hg::Index i) {
            all[static_cast<std::size_t>(i)] = half(std::numeric_limits<float>::min());
        });
        return all;
    };
    const std::vector<float> kept(100, std::numeric_limits<float>::min() / 2), none(100);
    CHECK(halves() == kept);
    {
        const hg::core::FlushDenormals scope;
        const std::vector<float> flushed = halves();
        // Compared by their bits: here a denormal number equals 0.
        CHECK(std::memcmp(flushed.data(), none.data(), 100 * sizeof(float)) == 0);
    }
    CHECK(halves() == kept);
}

#endif
