// Learning rates that change with the number of steps: plain functions of the step, to be given to an optimiser with
// `adam.learning_rate(schedule(adam.steps()))`.
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "hourglass/core/shape.hpp"
#include "hourglass/optim/checks.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace optim {

/// `Error` unless `steps`, the hyperparameter `what` of `who`, is at least 1.
inline void require_steps(std::string_view who, std::string_view what, Index steps) {
    if (steps < 1) fail(who, ": ", what, " must be at least 1, got ", steps);
}

/// `Error` if `step`, counted from 0, is negative.
inline void require_step(std::string_view who, Index step) {
    if (step < 0) fail(who, ": the step must be at least 0, got ", step);
}

}  // namespace optim

/// η · rᵏ with k = ⌊step / decay_steps⌋: the rate falls by the factor r after every `decay_steps` steps. PyTorch's
/// `StepLR`, with its factor 0.1; Keras's `ExponentialDecay` with `staircase`.
class StepDecay {
  public:
    struct Options {
        double initial_learning_rate = 1e-3;  ///< η, at least 0
        Index decay_steps = 1;                ///< at least 1
        double decay_rate = 0.1;              ///< r, larger than 0
    };

    /// `Error` for an option out of range.
    explicit StepDecay(const Options& options) : options_(options) {
        optim::require_not_negative("StepDecay", "initial_learning_rate", options.initial_learning_rate);
        optim::require_steps("StepDecay", "decay_steps", options.decay_steps);
        optim::require_positive("StepDecay", "decay_rate", options.decay_rate);
    }

    /// Learning rate of step `step`, counted from 0. `Error` for a negative one.
    double operator()(Index step) const {
        optim::require_step("StepDecay", step);
        const Index falls = step / options_.decay_steps;
        return options_.initial_learning_rate * std::pow(options_.decay_rate, static_cast<double>(falls));
    }

  private:
    Options options_;
};

/// η · r^(step / decay_steps), Keras's `ExponentialDecay`: the rate falls by the factor r over `decay_steps` steps, a
/// little in every one.
class ExponentialDecay {
  public:
    struct Options {
        double initial_learning_rate = 1e-3;  ///< η, at least 0
        Index decay_steps = 1;                ///< at least 1
        double decay_rate = 0.96;             ///< r, larger than 0
    };

    /// `Error` for an option out of range.
    explicit ExponentialDecay(const Options& options) : options_(options) {
        optim::require_not_negative("ExponentialDecay", "initial_learning_rate", options.initial_learning_rate);
        optim::require_steps("ExponentialDecay", "decay_steps", options.decay_steps);
        optim::require_positive("ExponentialDecay", "decay_rate", options.decay_rate);
    }

    /// Learning rate of step `step`, counted from 0. `Error` for a negative one.
    double operator()(Index step) const {
        optim::require_step("ExponentialDecay", step);
        const double decays = static_cast<double>(step) / static_cast<double>(options_.decay_steps);
        return options_.initial_learning_rate * std::pow(options_.decay_rate, decays);
    }

  private:
    Options options_;
};

/// η · (α + (1 − α) (1 + cos(π p)) / 2) with p = min(step / decay_steps, 1), Keras's `CosineDecay` (Loshchilov and
/// Hutter 2017): half a cosine from η down to α η, which then stays.
class CosineDecay {
  public:
    struct Options {
        double initial_learning_rate = 1e-3;  ///< η, at least 0
        Index decay_steps = 1;                ///< steps until the end, at least 1
        double alpha = 0;                     ///< what is left of η at the end, in [0, 1)
    };

    /// `Error` for an option out of range.
    explicit CosineDecay(const Options& options) : options_(options) {
        optim::require_not_negative("CosineDecay", "initial_learning_rate", options.initial_learning_rate);
        optim::require_steps("CosineDecay", "decay_steps", options.decay_steps);
        optim::require_below_one("CosineDecay", "alpha", options.alpha);
    }

    /// Learning rate of step `step`, counted from 0. `Error` for a negative one.
    double operator()(Index step) const {
        optim::require_step("CosineDecay", step);
        const double done =
            static_cast<double>(std::min(step, options_.decay_steps)) / static_cast<double>(options_.decay_steps);
        const double left = 0.5 * (1 + std::cos(3.141592653589793 * done));
        return options_.initial_learning_rate * ((1 - options_.alpha) * left + options_.alpha);
    }

  private:
    Options options_;
};

/// A straight line from `initial_learning_rate` to the schedule's first rate over `warmup_steps` steps, then the
/// schedule, whose step 0 is step `warmup_steps` here. With `CosineDecay` it is Keras's `CosineDecay` with
/// `warmup_target` (Goyal et al. 2017 on why).
template <class Schedule>
class LinearWarmup {
  public:
    struct Options {
        Index warmup_steps = 1;            ///< at least 1
        double initial_learning_rate = 0;  ///< at least 0
    };

    /// `Error` for an option out of range.
    LinearWarmup(const Schedule& schedule, Options options) : schedule_(schedule), options_(options) {
        optim::require_steps("LinearWarmup", "warmup_steps", options.warmup_steps);
        optim::require_not_negative("LinearWarmup", "initial_learning_rate", options.initial_learning_rate);
    }

    /// Learning rate of step `step`, counted from 0. `Error` for a negative one.
    double operator()(Index step) const {
        optim::require_step("LinearWarmup", step);
        if (step >= options_.warmup_steps) return schedule_(step - options_.warmup_steps);
        const double done = static_cast<double>(step) / static_cast<double>(options_.warmup_steps);
        return options_.initial_learning_rate + done * (schedule_(0) - options_.initial_learning_rate);
    }

  private:
    Schedule schedule_;
    Options options_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
