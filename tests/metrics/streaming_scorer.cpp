#include "hourglass/metrics/streaming_scorer.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <string>

#include "hourglass/data/windows.hpp"
#include "hourglass/layers/activations.hpp"
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/losses/mean_absolute_error.hpp"
#include "hourglass/losses/mean_squared_error.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

// A model that rebuilds everything as a constant.
template <class T>
struct Constant {
    using Scalar = T;
    T value = 0;
    hg::Index extra = 0;

    hg::Matrix<T> tape() const { return {}; }
    hg::ConstView<T> reconstruct(const hg::Input<T>& x, hg::Matrix<T>& tape) const {
        tape.setConstant(x.rows() + extra, x.cols(), value);
        return {tape.data(), tape.rows(), tape.cols()};
    }
};

}  // namespace

TEMPLATE_TEST_CASE("pushed step by step, a series scores as its windows do", "", float, double) {
    using Encoder = hg::Chain<hg::Shape{2, 12}, hg::Conv1D<3, 5, 2, hg::Padding::Same>, hg::Tanh>;
    hg::Rng rng{1};
    const auto squared = hg::autoencoder<Encoder, hg::Mirror<Encoder>, TestType>(rng, hg::MeanSquaredError{});
    const auto absolute = hg::autoencoder<Encoder, hg::Mirror<Encoder>, TestType>(rng, hg::MeanAbsoluteError{});
    const Eigen::MatrixX<TestType> series = Eigen::MatrixX<TestType>::Random(2, 60);
    const Eigen::MatrixX<TestType> windows = hg::sliding_windows(series, 12);
    const Eigen::VectorX<TestType> expected = squared.reconstruction_error(windows);
    const Eigen::VectorX<TestType> expected_absolute = absolute.reconstruction_error(windows);
    const double threshold = static_cast<double>(expected.mean());

    hg::StreamingScorer scorer{squared, {2, 12}, {.threshold = threshold}};
    hg::StreamingScorer absolute_scorer{absolute, {2, 12}, {.threshold = 1, .error = hg::WindowError::MeanAbsolute}};
    const double tolerance = 20 * static_cast<double>(std::numeric_limits<TestType>::epsilon());
    int above = 0;
    for (int pass = 0; pass < 2; ++pass, scorer.reset(), absolute_scorer.reset())
        for (Eigen::Index t = 0; t < 60; ++t) {
            const auto score = scorer.push(series.col(t));
            const auto absolute_score = absolute_scorer.push(series.col(t));
            REQUIRE(score.has_value() == (t >= 11));
            CHECK(scorer.steps() == t + 1);
            if (t < 11) continue;
            CHECK(score->value == Approx(expected[t - 11]).epsilon(tolerance));
            CHECK(absolute_score->value == Approx(expected_absolute[t - 11]).epsilon(tolerance));
            CHECK(score->exceeds == (score->value > threshold));
            above += score->exceeds;
        }
    CHECK(above > 10);  // some of the 98 windows lie above their mean, some below
    CHECK(above < 88);
}

TEST_CASE("the score of a window by hand") {
    const Constant<float> model{1};
    hg::StreamingScorer scorer{model, {1, 3}, {.threshold = 3}};
    CHECK_FALSE(scorer.push(1.0f).has_value());
    CHECK_FALSE(scorer.push(2.0f).has_value());
    CHECK(scorer.push(-1.0f)->value == Approx(5.0 / 3).epsilon(1e-15));
    CHECK_FALSE(scorer.push(3.0f)->exceeds);  // (1 + 4 + 4) / 3 is the threshold, not above it
    CHECK(scorer.push(2.0f)->value == 3);
    CHECK(scorer.push(9.0f)->exceeds);
    hg::StreamingScorer absolute{model, {1, 2}, {.threshold = 0, .error = hg::WindowError::MeanAbsolute}};
    absolute.push(0.0f);
    CHECK(absolute.push(4.0f)->value == 2);
    hg::StreamingScorer single{model, {2, 1}, {.threshold = 0}};
    CHECK(single.push(Eigen::Vector2f(3, 1))->value == 2);
}

TEST_CASE("a step that is refused leaves the stream as it was") {
    const Constant<double> model{0};
    hg::StreamingScorer scorer{model, {2, 3}, {.threshold = 1}}, untouched = scorer;
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    for (int t = 0; t < 10; ++t) {
        CHECK_THAT(error_of([&] { scorer.push(Eigen::Vector2d(1, nan)); }), ContainsSubstring("channel 1 is nan"));
        CHECK_THAT(error_of([&] { scorer.push(Eigen::Vector2d(-infinity, 1)); }),
                   ContainsSubstring("channel 0 is -inf"));
        CHECK_THAT(error_of([&] { scorer.push(Eigen::Vector3d(1, 2, 3)); }), ContainsSubstring("has 2 values, got 3"));
        CHECK_THAT(error_of([&] { scorer.push(7.0); }), ContainsSubstring("has 2 values, got 1"));
        CHECK(scorer.steps() == t);
        const auto score = scorer.push(Eigen::Vector2d(t, -t)), expected = untouched.push(Eigen::Vector2d(t, -t));
        REQUIRE(score.has_value() == expected.has_value());
        if (score) CHECK(score->value == expected->value);
    }
}

TEST_CASE("a score that overflows counts as an alarm") {
    const Constant<double> model{0}, broken{std::numeric_limits<double>::quiet_NaN()};
    hg::StreamingScorer scorer{model, {1, 1}, {.threshold = 1}}, second{broken, {1, 1}, {.threshold = 1}};
    CHECK(scorer.push(1e300)->exceeds);
    CHECK(second.push(0.0)->exceeds);
}

TEST_CASE("StreamingScorer refuses what does not fit") {
    const Constant<float> model, larger{.extra = 1};
    CHECK_THAT(error_of([&] { hg::StreamingScorer{model, {1, 0}, {.threshold = 1}}; }), ContainsSubstring("1 x 0"));
    CHECK_THAT(error_of([&] {
                   hg::StreamingScorer{model, {1, 4}, {.threshold = std::nan("")}};
               }),
               ContainsSubstring("threshold must be finite, got nan"));
    CHECK_THAT(error_of([&] {
                   hg::StreamingScorer{larger, {1, 4}, {.threshold = 1}};
               }),
               ContainsSubstring("rebuilds 5 values, expected 4"));
    using Encoder = hg::Chain<hg::Shape{2, 12}, hg::Conv1D<3, 5>>;
    hg::Rng rng{1};
    const auto convolution = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{});
    CHECK_THAT(error_of([&] {
                   hg::StreamingScorer{convolution, {2, 11}, {.threshold = 1}};
               }),
               ContainsSubstring("x has 22 rows, expected 24 (2 x 12"));
}
