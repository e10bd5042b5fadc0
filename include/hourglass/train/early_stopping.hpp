// Early stopping: when a validation metric no longer improves, the loop ends, and the best model comes back.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/train/improvement.hpp"
#include "hourglass/train/kept_values.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Watches a validation metric, epoch by epoch, and keeps the model of the best epoch: its parameters, and with them
/// the running values that layers such as `BatchNormalization` evaluate with. Counts as Keras's `EarlyStopping` does:
/// an epoch is better if its metric is below best − min_delta (above best + min_delta when maximising), and `patience`
/// epochs in a row that are not better end the training. A metric that is not finite is never better.
///
///     hg::EarlyStopping stopping{{.patience = 5}};
///     for (int epoch = 0; epoch < 100; ++epoch) {
///         for (const auto& batch : hg::minibatches(images, 256, rng)) {
///             model.gradient(batch, tape, rng);
///             adam.step(model, tape);
///         }
///         if (stopping.update(model.loss(validation, tape), model)) break;
///     }
///     stopping.restore(model);
class EarlyStopping {
  public:
    struct Options {
        Index patience = 0;     ///< Epochs in a row without improvement that end the training; 0 acts as 1.
        double min_delta = 0;   ///< An improvement is larger than this.
        bool maximise = false;  ///< Whether a larger metric is better.

        template <class Self, class Use>
        static void each_hyperparameter(Self& self, Use use) {
            use("patience", self.patience);
            use("min_delta", self.min_delta);
            use("maximise", self.maximise);
        }
    };

    /// What it has seen so far.
    struct Progress {
        Index epochs = 0;                 ///< How many metrics.
        Index best_epoch = -1;            ///< Which of them was the best; −1 while none was finite, …
        double best = 0;                  ///< … and then the three below say nothing.
        Eigen::VectorXd best_parameters;  ///< The model's parameters of the best epoch.
        Eigen::VectorXd best_state;       ///< Its running values of then.
    };

    EarlyStopping() : EarlyStopping(Options{}) {}
    /// `Error` for negative patience, and for a min_delta that is negative or not finite.
    explicit EarlyStopping(const Options& options) : options_(options) {
        if (options.patience < 0) fail("EarlyStopping: the patience must be at least 0, got ", options.patience);
        if (!is_finite(options.min_delta) || options.min_delta < 0)
            fail("EarlyStopping: min_delta must be finite and at least 0, got ", options.min_delta);
    }
    /// One that had seen `progress`: it goes on from there. `Error` also for progress that cannot be: a best epoch that
    /// is none of those seen, a value that is not finite.
    EarlyStopping(const Options& options, Progress progress) : EarlyStopping(options) {
        if (progress.best_epoch < -1 || progress.epochs < 0 || progress.best_epoch >= progress.epochs)
            fail("EarlyStopping: epoch ", progress.best_epoch, " is none of ", progress.epochs);
        if (progress.epochs == std::numeric_limits<Index>::max())
            fail("EarlyStopping: the number of epochs must leave room for another, got ", progress.epochs);
        if (!is_finite(progress.best)) fail("EarlyStopping: the best metric is ", progress.best);
        train::require_finite("EarlyStopping", whose, "parameters", progress.best_parameters);
        train::require_finite("EarlyStopping", whose, "running values", progress.best_state);
        progress_ = std::move(progress);
    }

    /// The options it was made with.
    const Options& options() const { return options_; }
    /// What it has seen so far: what a file keeps.
    const Progress& progress() const { return progress_; }

    /// Takes in one epoch's validation metric and the model that gave it (anything with `parameters()` and `state()`;
    /// both are copied when they are the best so far). Returns whether to stop. Where there is no memory for the copy,
    /// nothing changes.
    template <train::Stateful Model>
    bool update(double metric, const Model& model) {
        return take(metric, [&] { keep(metric, model.parameters(), model.state()); });
    }

    /// The same for parameters alone (a vector or a map of one, of float or double): all there is to a model without
    /// running values.
    template <class Parameters>
    bool update(double metric, const Eigen::MatrixBase<Parameters>& parameters) {
        return take(metric, [&] { keep(metric, parameters, Eigen::VectorXd{}); });
    }

    /// Makes `model` that of the best epoch: parameters and running values. `Error`, with nothing changed, when there
    /// was no finite metric yet, for another number of parameters or running values, when running values were not given
    /// to `update`, and for a value beyond the model's numbers or below 0 where a layer has none such, as a variance (a
    /// file can hold one).
    template <train::Stateful Model>
    void restore(Model& model) const {
        auto&& state = model.state();
        if (state.size() != best_state().size())
            fail("EarlyStopping::restore: the best epoch had ", progress_.best_state.size(),
                 " running values, the model has ", state.size(),
                 progress_.best_state.size() == 0 ? "; give the model to update, not its parameters alone" : "");
        using T = typename std::remove_cvref_t<decltype(state)>::Scalar;
        train::require_within<T>(restoring, whose, "running values", progress_.best_state);
        train::require_in_range(restoring, whose, model, progress_.best_state);
        restore(model.parameters());
        state = progress_.best_state.cast<T>();
    }

    /// Sets `parameters` (a vector or map; a temporary map will do) to those of the best epoch. `Error` when there was
    /// no finite metric yet, for another number of parameters, and for a value beyond theirs.
    template <class Parameters>
        requires(!train::Stateful<Parameters>)
    void restore(Parameters&& parameters) const {
        const Eigen::VectorXd& best = best_parameters();
        if (parameters.size() != best.size())
            fail("EarlyStopping::restore: the best epoch had ", best.size(), " parameters, got ", parameters.size());
        using T = typename std::remove_cvref_t<Parameters>::Scalar;
        train::require_within<T>(restoring, whose, "parameters", best);
        parameters = best.cast<T>();
    }

    /// Whether the last `update` said to stop: the answer of a loop that goes on from a file.
    bool stopped() const {
        // Keras does not stop at the first epoch, whatever its metric.
        return progress_.epochs > 1 &&
               progress_.epochs - 1 - progress_.best_epoch >= std::max(options_.patience, Index{1});
    }

    /// The best metric. This and the next three: `Error` when there was no finite metric yet.
    double best() const { return require_best(), progress_.best; }
    /// The epoch of the best metric, counted from 0.
    Index best_epoch() const { return require_best(), progress_.best_epoch; }
    /// The parameters of the best epoch. Held in double, in which a float keeps its value exactly.
    const Eigen::VectorXd& best_parameters() const { return require_best(), progress_.best_parameters; }
    /// The running values of the best epoch; none where `update` was given parameters alone.
    const Eigen::VectorXd& best_state() const { return require_best(), progress_.best_state; }

  private:
    static constexpr std::string_view restoring = "EarlyStopping::restore", whose = "the best epoch's";

    // Counts the epoch, once what is to be kept of it is kept.
    template <class Keep>
    bool take(double metric, const Keep& keep_it) {
        const Index epoch = progress_.epochs;
        if (train::improves(metric, progress_.best_epoch >= 0, progress_.best, options_)) keep_it();
        progress_.epochs = epoch + 1;
        return stopped();
    }

    // Copies first, then swaps: what is kept is never half of one epoch and half of another.
    template <class Parameters, class State>
    void keep(double metric, const Eigen::MatrixBase<Parameters>& parameters, const Eigen::MatrixBase<State>& state) {
        Eigen::VectorXd best_parameters = parameters.template cast<double>();
        Eigen::VectorXd best_state = state.template cast<double>();
        progress_.best_parameters.swap(best_parameters);
        progress_.best_state.swap(best_state);
        progress_.best = metric;
        progress_.best_epoch = progress_.epochs;
    }

    void require_best() const {
        if (progress_.best_epoch < 0)
            fail("EarlyStopping: no best epoch yet: none of the ", progress_.epochs,
                 " metrics so far was a finite number");
    }

    Options options_;
    Progress progress_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
