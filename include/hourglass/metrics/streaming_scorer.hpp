// Anomaly scores while a series comes in, one step at a time.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <optional>
#include <type_traits>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// What a window's score is: the mean over its values of (x − x̂)², or of |x − x̂|.
enum class WindowError { MeanSquared, MeanAbsolute };

/// When and how a `StreamingScorer` raises an alarm.
struct StreamingOptions {
    double threshold;                              ///< above it a score `exceeds`
    WindowError error = WindowError::MeanSquared;  ///< what a score is
};

/// The score of one window, and whether it is larger than the threshold. A score that overflowed counts as larger.
struct WindowScore {
    double value;  ///< mean over the window, in squared or plain units of the series
    bool exceeds;  ///< whether that is an alarm
};

/// Keeps the newest window of a series and scores it with a trained model after every step.
///
///     hg::StreamingScorer scorer{model, hg::Shape{1, 288}, {.threshold = threshold}};
///     while (sensor.read(value))
///         if (const auto score = scorer.push(value); score && score->exceeds) alarm(score->value);
///
/// The model is anything with `reconstruct(x, tape)`, `tape()` and `Scalar`, such as an `Autoencoder`; it has to
/// outlive the scorer, which may be copied, but is for one thread at a time. No push allocates.
template <class Model>
class StreamingScorer {
    using T = typename Model::Scalar;
    using Tape = std::remove_cvref_t<decltype(std::declval<const Model&>().tape())>;

  public:
    /// `window`: channels and length of the series the model rebuilds. Errors: an empty window, a threshold that is not
    /// finite, a model that takes or rebuilds another number of values.
    StreamingScorer(const Model& model, Shape window, const StreamingOptions& options)
        : model_(&model), tape_(model.tape()), window_(window), options_(options) {
        if (window.channels < 1 || window.length < 1)
            fail("StreamingScorer: the window is ", text(window), ", expected at least one channel and one step");
        if (!is_finite(options.threshold))
            fail("StreamingScorer: the threshold must be finite, got ", options.threshold);
        // A window is one run of memory wherever it begins: every step is stored twice, one length apart.
        steps_.setZero(window.channels, 2 * window.length);
        // The first reconstruction grows the tape, and says whether the model takes such windows.
        const ConstView<T> rebuilt = model.reconstruct(newest(), tape_);
        if (rebuilt.size() != window.size())
            fail("StreamingScorer: the model rebuilds ", rebuilt.size(), " values, expected ", window.size(), " (",
                 text(window), ")");
    }
    StreamingScorer(const Model&&, Shape, const StreamingOptions&) = delete;  // the model would be gone at once

    /// Takes in the next step, one value per channel. Returns the score of the newest window, or nothing while there
    /// are fewer steps than a window has. `Error`, with nothing changed, for another number of values and for one that
    /// is infinite or NaN, also with a model that takes missing values (`ZeroImputation`, `Masked`).
    std::optional<WindowScore> push(const Eigen::Ref<const Vector<T>>& step) {
        if (step.size() != window_.channels)
            fail("StreamingScorer::push: a step has ", window_.channels, " values, got ", step.size());
        const Index wrong = first_non_finite(step.data(), step.size());
        if (wrong >= 0) fail("StreamingScorer::push: channel ", wrong, " is ", step[wrong], ", not a finite number");
        const Index place = taken_ % window_.length;
        for (const Index column : {place, place + window_.length})
            std::copy_n(step.data(), step.size(), steps_.data() + column * window_.channels);
        ++taken_;
        if (taken_ < window_.length) return std::nullopt;
        return score();
    }
    /// The same for a series of one channel.
    std::optional<WindowScore> push(T value) { return push(Eigen::Map<const Vector<T>>(&value, 1)); }

    /// Forgets the steps so far: what comes next is another series, or the same after a gap.
    void reset() { taken_ = 0; }

    /// Steps taken in since the beginning or the last reset.
    Index steps() const { return taken_; }

  private:
    ConstView<T> newest() const {
        return {steps_.data() + taken_ % window_.length * window_.channels, window_.size(), 1};
    }

    WindowScore score() {
        const ConstView<T> x = newest(), rebuilt = model_->reconstruct(x, tape_);
        double sum = 0;
        for (Index i = 0; i < x.size(); ++i) {
            const double error = static_cast<double>(x.data()[i]) - static_cast<double>(rebuilt.data()[i]);
            sum += options_.error == WindowError::MeanSquared ? error * error : std::abs(error);
        }
        const double value = sum / static_cast<double>(x.size());
        return {value, !is_finite(value) || value > options_.threshold};
    }

    const Model* model_;
    Tape tape_;
    Shape window_;
    StreamingOptions options_;
    Matrix<T> steps_;
    Index taken_ = 0;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
