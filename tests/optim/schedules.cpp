// Learning-rate schedules beside Keras's.
#include "hourglass/optim/schedules.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "support/catch.hpp"
#include "support/reference.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

template <class Schedule>
void check(const std::string& name, const Schedule& schedule) {
    const reference::Numbers numbers("schedules.txt");
    const Eigen::VectorXd rates = numbers[name].vector<double>();
    for (hg::Index step = 0; step < rates.size(); ++step) {
        INFO(name << ", step " << step);
        CHECK(std::abs(schedule(step) - rates[step]) < 1e-15);
    }
    CHECK_THROWS_WITH(schedule(-1), ContainsSubstring("the step must be at least 0, got -1"));
}

}  // namespace

TEST_CASE("Schedules are Keras's") {
    check("step", hg::StepDecay{{.initial_learning_rate = 0.1, .decay_steps = 4, .decay_rate = 0.5}});
    check("exponential", hg::ExponentialDecay{{.initial_learning_rate = 0.1, .decay_steps = 4, .decay_rate = 0.5}});
    const hg::CosineDecay cosine{{.initial_learning_rate = 0.1, .decay_steps = 8, .alpha = 0.1}};
    check("cosine", cosine);
    check("cosine_warmup", hg::LinearWarmup{cosine, {.warmup_steps = 3, .initial_learning_rate = 0.02}});
}

TEST_CASE("A warm-up starts at zero and may stand before any schedule") {
    const hg::LinearWarmup warmup{[](hg::Index step) { return 1.0 + static_cast<double>(step); }, {.warmup_steps = 4}};
    CHECK(warmup(0) == 0.0);
    CHECK(warmup(1) == 0.25);
    CHECK(warmup(3) == 0.75);
    CHECK(warmup(4) == 1.0);
    CHECK(warmup(6) == 3.0);
}

TEST_CASE("A long time does not take a schedule out of its range") {
    const hg::Index last = std::numeric_limits<hg::Index>::max();
    CHECK(hg::CosineDecay{{.initial_learning_rate = 0.5, .decay_steps = 10, .alpha = 0.5}}(last) == 0.25);
    CHECK(hg::CosineDecay{{.initial_learning_rate = 0.5, .decay_steps = 10}}(last) >= 0.0);
    CHECK(hg::StepDecay{{.initial_learning_rate = 0.5}}(last) == 0.0);
    CHECK(hg::ExponentialDecay{{.initial_learning_rate = 0.5}}(last) == 0.0);
}

TEST_CASE("Hyperparameters of schedules are checked") {
    const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
    for (const double bad : {nan, infinity, -1.0}) {
        CHECK_THROWS_WITH(hg::StepDecay{{.initial_learning_rate = bad}},
                          ContainsSubstring("StepDecay: initial_learning_rate must be finite and at least 0, got "));
        CHECK_THROWS_AS(hg::ExponentialDecay{{.initial_learning_rate = bad}}, hg::Error);
        CHECK_THROWS_AS(hg::CosineDecay{{.initial_learning_rate = bad}}, hg::Error);
        CHECK_THROWS_AS((hg::LinearWarmup{hg::StepDecay{{}}, {.initial_learning_rate = bad}}), hg::Error);
        CHECK_THROWS_WITH(hg::StepDecay{{.decay_rate = bad}},
                          ContainsSubstring("StepDecay: decay_rate must be finite and larger than 0, got "));
        CHECK_THROWS_AS(hg::ExponentialDecay{{.decay_rate = bad}}, hg::Error);
        CHECK_THROWS_WITH(hg::CosineDecay{{.alpha = bad}},
                          ContainsSubstring("CosineDecay: alpha must be in [0, 1), got "));
    }
    CHECK_THROWS_WITH(hg::StepDecay{{.decay_steps = 0}}, "StepDecay: decay_steps must be at least 1, got 0");
    CHECK_THROWS_WITH(hg::ExponentialDecay{{.decay_steps = -3}},
                      "ExponentialDecay: decay_steps must be at least 1, got -3");
    CHECK_THROWS_WITH(hg::CosineDecay{{.decay_steps = 0}}, "CosineDecay: decay_steps must be at least 1, got 0");
    CHECK_THROWS_WITH((hg::LinearWarmup{hg::StepDecay{{}}, {.warmup_steps = 0}}),
                      "LinearWarmup: warmup_steps must be at least 1, got 0");
}
