// Early stopping: when a validation figure no longer improves, the loop ends, and the best parameters come back.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <type_traits>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Watches a validation figure, epoch by epoch, and keeps the parameters of the best epoch. Counts as Keras's
/// `EarlyStopping` does: an epoch is better if its figure is below best − min_delta (above best + min_delta when
/// maximising), and `patience` epochs in a row that are not better end the training. A figure that is not finite is
/// never better.
///
///     hg::EarlyStopping stopping{{.patience = 5}};
///     for (int epoch = 0; epoch < 100; ++epoch) {
///         …
///         if (stopping.update(model.loss(validation, tape), model.parameters())) break;
///     }
///     stopping.restore(model.parameters());
class EarlyStopping {
  public:
    struct Options {
        Index patience = 0;     ///< Epochs in a row without improvement that end the training; 0 acts as 1.
        double min_delta = 0;   ///< An improvement is larger than this.
        bool maximise = false;  ///< Whether a larger figure is better.
    };

    EarlyStopping() : EarlyStopping(Options{}) {}
    /// `Error` for negative patience, and for a min_delta that is negative or not finite.
    explicit EarlyStopping(const Options& options) : options_(options) {
        if (options.patience < 0) fail("EarlyStopping: the patience must be at least 0, got ", options.patience);
        if (!is_finite(options.min_delta) || options.min_delta < 0)
            fail("EarlyStopping: min_delta must be finite and at least 0, got ", options.min_delta);
    }

    /// Takes in one epoch's validation figure and the parameters that gave it (a vector or a map of one, of float or
    /// double; copied when they are the best so far). Returns whether to stop.
    template <class Parameters>
    bool update(double figure, const Eigen::MatrixBase<Parameters>& parameters) {
        const Index epoch = epochs_;
        if (better(figure)) {
            best_parameters_ = parameters.template cast<double>();
            best_ = figure;
            best_epoch_ = epoch;
        }
        ++epochs_;
        // Keras does not stop at the first epoch, whatever its figure.
        return epoch > 0 && epoch - best_epoch_ >= std::max(options_.patience, Index{1});
    }

    /// Sets `parameters` (a vector or map; a temporary map will do) to those of the best epoch. `Error` when there was
    /// no finite figure yet, or for another number of parameters.
    template <class Parameters>
    void restore(Parameters&& parameters) const {
        const Eigen::VectorXd& best = best_parameters();
        if (parameters.size() != best.size())
            fail("EarlyStopping::restore: the best epoch had ", best.size(), " parameters, got ", parameters.size());
        parameters = best.cast<typename std::remove_cvref_t<Parameters>::Scalar>();
    }

    /// The best figure. This and the next two: `Error` when there was no finite figure yet.
    double best() const { return require_best(), best_; }
    /// The epoch of the best figure, counted from 0.
    Index best_epoch() const { return require_best(), best_epoch_; }
    /// The parameters of the best epoch. Held in double, in which a float keeps its value exactly.
    const Eigen::VectorXd& best_parameters() const { return require_best(), best_parameters_; }

  private:
    bool better(double figure) const {
        if (!is_finite(figure)) return false;
        if (best_epoch_ < 0) return true;
        return options_.maximise ? figure - options_.min_delta > best_ : figure + options_.min_delta < best_;
    }
    void require_best() const {
        if (best_epoch_ < 0)
            fail("EarlyStopping: no best epoch yet: none of the ", epochs_, " figures so far was a finite number");
    }

    Options options_;
    double best_ = 0;
    Index epochs_ = 0, best_epoch_ = -1;
    Eigen::VectorXd best_parameters_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
