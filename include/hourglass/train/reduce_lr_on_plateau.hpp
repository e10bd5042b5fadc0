// A learning rate that falls when a validation metric no longer improves.
#pragma once

#include <algorithm>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/train/improvement.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Watches a validation metric, epoch by epoch, and multiplies an optimiser's learning rate by `factor` whenever
/// `patience` epochs in a row were not better than the best so far by more than `min_delta`. Defaults and counting are
/// those of Keras's `ReduceLROnPlateau`, whose min_lr is `min_learning_rate` here. A metric that is not finite is
/// never better. It can be saved, with the optimiser, whose learning rate is as it was left.
///
///     hg::ReduceLROnPlateau plateau{{.patience = 3}};
///     for (int epoch = 0; epoch < 100; ++epoch) {
///         for (const auto& batch : hg::minibatches(images, 256, rng)) {
///             model.gradient(batch, tape, rng);
///             adam.step(model, tape);
///         }
///         plateau.update(model.loss(validation, tape), adam);
///     }
class ReduceLROnPlateau {
  public:
    struct Options {
        double factor = 0.1;           ///< What the rate is multiplied by, in (0, 1).
        Index patience = 10;           ///< Epochs in a row without improvement; 0 acts as 1.
        double min_delta = 1e-4;       ///< An improvement is larger than this.
        Index cooldown = 0;            ///< Epochs after a fall that do not count.
        double min_learning_rate = 0;  ///< The rate falls no further.
        bool maximise = false;         ///< Whether a larger metric is better.

        template <class Self, class Use>
        static void each_hyperparameter(Self& self, Use use) {
            use("factor", self.factor);
            use("patience", self.patience);
            use("min_delta", self.min_delta);
            use("cooldown", self.cooldown);
            use("min_learning_rate", self.min_learning_rate);
            use("maximise", self.maximise);
        }
    };

    /// What it has seen so far.
    struct Progress {
        bool any = false;   ///< Whether there was a finite metric; …
        double best = 0;    ///< … the best of them.
        Index waited = 0;   ///< Epochs in a row without improvement.
        Index cooling = 0;  ///< Epochs that still do not count.
    };

    ReduceLROnPlateau() : ReduceLROnPlateau(Options{}) {}
    /// `Error` for an option out of range.
    explicit ReduceLROnPlateau(const Options& options) : options_(options) {
        if (!(is_finite(options.factor) && options.factor > 0 && options.factor < 1))
            fail("ReduceLROnPlateau: the factor must lie between 0 and 1, got ", options.factor);
        if (options.patience < 0 || options.cooldown < 0)
            fail("ReduceLROnPlateau: patience and cooldown must be at least 0, got ", options.patience, " and ",
                 options.cooldown);
        if (!is_finite(options.min_delta) || options.min_delta < 0)
            fail("ReduceLROnPlateau: min_delta must be finite and at least 0, got ", options.min_delta);
        if (!is_finite(options.min_learning_rate) || options.min_learning_rate < 0)
            fail("ReduceLROnPlateau: min_learning_rate must be finite and at least 0, got ", options.min_learning_rate);
    }
    /// One that had seen `progress`: it goes on from there. `Error` also for what cannot be.
    ReduceLROnPlateau(const Options& options, const Progress& progress) : ReduceLROnPlateau(options) {
        if (!is_finite(progress.best)) fail("ReduceLROnPlateau: the best metric is ", progress.best);
        if (progress.waited < 0 || progress.waited > options.patience || progress.cooling < 0 ||
            progress.cooling > options.cooldown)
            fail("ReduceLROnPlateau: after ", progress.waited, " epochs without improvement and with ",
                 progress.cooling, " that do not count, patience and cooldown cannot be ", options.patience, " and ",
                 options.cooldown);
        progress_ = progress;
    }

    /// The options it was made with.
    const Options& options() const { return options_; }
    /// What it has seen so far: what a file keeps.
    const Progress& progress() const { return progress_; }

    /// Takes in one epoch's metric, and lowers the learning rate of `optimizer` if it is time. Returns whether it did.
    template <class Optimizer>
    bool update(double metric, Optimizer& optimizer) {
        if (progress_.cooling > 0) {
            --progress_.cooling;
            progress_.waited = 0;
        }
        if (train::improves(metric, progress_.any, progress_.best, options_)) {
            progress_ = {true, metric, 0, progress_.cooling};
            return false;
        }
        if (progress_.cooling > 0 || ++progress_.waited < options_.patience) return false;
        const double rate = optimizer.learning_rate();
        progress_.waited = 0;
        if (rate <= options_.min_learning_rate) return false;
        optimizer.learning_rate(std::max(rate * options_.factor, options_.min_learning_rate));
        progress_.cooling = options_.cooldown;
        return true;
    }

  private:
    Options options_;
    Progress progress_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
