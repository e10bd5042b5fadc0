// A running average of a model's weights, which evaluates better than the weights of any one step.
#pragma once

#include <Eigen/Core>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/optim/checks.hpp"
#include "hourglass/train/kept_values.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// The exponential moving average a of a model's parameters θ, updated after every step (Polyak and Juditsky 1992 for
/// the plain mean):
///
///     a ← μ a + (1 − μ) θ
///
/// The first update takes θ as it is, so there is no bias towards 0 to correct, and the first weights count for
/// μᵗ⁻¹ after t updates: with μ = 0.99 they are forgotten after some hundreds. Keras has it in its optimisers,
/// `use_ema` with `ema_momentum`, beginning in the same way. Running values (`BatchNormalization`) are averaged alike;
/// Keras leaves those as they are. Held in double.
///
///     hg::ExponentialMovingAverage average{{.momentum = 0.99}};
///     for (const auto& batch : hg::minibatches(images, 256, rng)) {
///         model.gradient(batch, tape, rng);
///         adam.step(model, tape);
///         average.update(model);
///     }
///     average.swap(model);  // evaluate and save the average …
///     std::cout << model.loss(validation, tape);
///     average.swap(model);  // … and go on training the weights; `copy_to` at the end
///
/// It can be saved and loaded, so that a run goes on from a file.
class ExponentialMovingAverage {
  public:
    struct Options {
        double momentum = 0.99;  ///< μ in [0, 1): the share of the average that stays in each update

        template <class Self, class Use>
        static void each_hyperparameter(Self& self, Use use) {
            use("momentum", self.momentum);
        }
    };

    /// What it has seen so far.
    struct Progress {
        Index updates = 0;                  ///< How many models; after none …
        Eigen::VectorXd parameters, state;  ///< … there is no average.
    };

    ExponentialMovingAverage() : ExponentialMovingAverage(Options{}) {}
    /// `Error` for a momentum outside of [0, 1).
    explicit ExponentialMovingAverage(const Options& options) : options_(options) {
        optim::require_below_one(type, "momentum", options.momentum);
    }
    /// One that had seen `progress`: it goes on from there. `Error` also for progress that cannot be: a negative number
    /// of updates, an average after none, none after some, a value that is not finite.
    ExponentialMovingAverage(const Options& options, Progress progress) : ExponentialMovingAverage(options) {
        if (progress.updates < 0 || progress.updates == std::numeric_limits<Index>::max())
            fail(type, ": the number of updates must be at least 0 and leave room for another, got ", progress.updates);
        if (progress.updates == 0 && progress.parameters.size() + progress.state.size() > 0)
            fail(type, ": there is an average of ", progress.parameters.size(), " parameters and ",
                 progress.state.size(), " running values, but no update was made");
        if (progress.updates > 0 && progress.parameters.size() == 0)
            fail(type, ": ", progress.updates, " updates were made, but there are no parameters");
        train::require_finite(type, whose, "parameters", progress.parameters);
        train::require_finite(type, whose, "running values", progress.state);
        progress_ = std::move(progress);
    }

    // What was moved from is as before the first update: Eigen's vectors are emptied, numbers are not.
    ExponentialMovingAverage(const ExponentialMovingAverage&) = default;
    ExponentialMovingAverage& operator=(const ExponentialMovingAverage&) = default;
    ~ExponentialMovingAverage() = default;
    ExponentialMovingAverage(ExponentialMovingAverage&& other) noexcept { *this = std::move(other); }
    ExponentialMovingAverage& operator=(ExponentialMovingAverage&& other) noexcept {
        options_ = other.options_;
        progress_ = std::exchange(other.progress_, {});
        weights_ = std::exchange(other.weights_, {});
        weights_state_ = std::exchange(other.weights_state_, {});
        swapped_ = std::exchange(other.swapped_, false);
        return *this;
    }

    /// What it was made with.
    const Options& options() const { return options_; }
    /// `Error` while a model holds the average (`swap`): the weights that it will take back would be lost.
    const Progress& progress() const { return require_home("progress"), progress_; }
    /// How many models it is the average of.
    Index updates() const { return progress_.updates; }
    /// Whether a model holds the average and this its weights.
    bool swapped() const { return swapped_; }

    /// Takes in a model's parameters and running values. Allocates in the first update alone. `Error`, with nothing
    /// changed, for a model without parameters, for another number of either than before, for a value that is not
    /// finite, and while a model holds the average.
    template <train::Stateful Model>
    void update(const Model& model) {
        require_home("update");
        const auto parameters = model.parameters();
        const auto state = model.state();
        if (progress_.updates > 0) require_same_size("update", model);
        if (parameters.size() == 0) fail(type, "::update: the model has no parameters");
        const auto require_finite = [](const char* what, const auto& values) {
            if (const Index i = first_non_finite(values.data(), values.size()); i >= 0)
                fail(type, "::update: value ", i, " of the model's ", what, " is ", values[i]);
        };
        require_finite("parameters", parameters);
        require_finite("running values", state);
        if (progress_.updates == 0) {
            Eigen::VectorXd first = parameters.template cast<double>(), first_state = state.template cast<double>();
            progress_.parameters.swap(first);
            progress_.state.swap(first_state);
        } else {
            take_in(parameters, progress_.parameters);
            take_in(state, progress_.state);
        }
        ++progress_.updates;
    }

    /// Makes `model` the average: parameters and running values. `Error`, with nothing changed, before the first
    /// update, for another number of either, for a value beyond the model's numbers or below 0 where a layer has none
    /// such (a file can hold one), and while a model holds the average.
    template <train::Stateful Model>
    void copy_to(Model& model) const {
        require_home("copy_to");
        put("copy_to", model, progress_.parameters, progress_.state);
    }

    /// Exchanges the model's weights and the average: the model becomes the average, and at the next call again what it
    /// was, bit for bit. In between its parameters are to be left as they are; running values that change there are
    /// lost. Errors, with nothing changed: those of `copy_to` but for the last; on the way back a model whose
    /// parameters are not the average's, which is another one or has been trained meanwhile.
    template <train::Stateful Model>
    void swap(Model& model) {
        if (swapped_) {
            require_average(model);
            put("swap", model, weights_, weights_state_);
        } else {
            Eigen::VectorXd weights = model.parameters().template cast<double>(),
                            state = model.state().template cast<double>();
            put("swap", model, progress_.parameters, progress_.state);
            weights_.swap(weights);
            weights_state_.swap(state);
        }
        swapped_ = !swapped_;
    }

  private:
    static constexpr std::string_view type = "ExponentialMovingAverage", whose = "the average's";

    void require_home(std::string_view method) const {
        if (swapped_) fail(type, "::", method, ": a model holds the average: swap it back first");
    }
    template <class Model>
    void require_same_size(std::string_view method, const Model& model) const {
        if (progress_.updates == 0) fail(type, "::", method, ": there is no average yet: update(model) comes first");
        const Index parameters = model.parameters().size(), state = model.state().size();
        if (parameters != progress_.parameters.size() || state != progress_.state.size())
            fail(type, "::", method, ": the average is of ", progress_.parameters.size(), " parameters and ",
                 progress_.state.size(), " running values, the model has ", parameters, " and ", state);
    }
    template <class Model>
    void require_average(const Model& model) const {
        require_same_size("swap", model);
        const auto parameters = model.parameters();
        using T = typename std::remove_cvref_t<decltype(parameters)>::Scalar;
        for (Index i = 0; i < parameters.size(); ++i)
            if (parameters[i] != static_cast<T>(progress_.parameters[i]))
                fail(type, "::swap: value ", i, " of the model's parameters is ", parameters[i], ", of the average's ",
                     progress_.parameters[i], ": the weights go back into the model that holds the average");
    }
    template <class Values>
    void take_in(const Values& values, Eigen::VectorXd& average) const {
        const double share = 1 - options_.momentum;
        // Towards the value, so that one that does not change stays as it is to the last bit.
        for (Index i = 0; i < average.size(); ++i) {
            const double value = static_cast<double>(values[i]), way = value - average[i];
            average[i] = is_finite(way) ? average[i] + share * way : options_.momentum * average[i] + share * value;
        }
    }
    template <class Model>
    void put(std::string_view method, Model& model, const Eigen::VectorXd& parameters,
             const Eigen::VectorXd& running) const {
        require_same_size(method, model);
        const std::string function = std::string{type} + "::" + std::string{method};
        auto&& theta = model.parameters();
        auto&& state = model.state();
        using T = typename std::remove_cvref_t<decltype(theta)>::Scalar;
        train::require_within<T>(function, whose, "parameters", parameters);
        train::require_within<T>(function, whose, "running values", running);
        train::require_in_range(function, whose, model, running);
        theta = parameters.cast<T>();
        state = running.cast<T>();
    }

    Options options_;
    Progress progress_;
    Eigen::VectorXd weights_, weights_state_;  // the model's own while it holds the average
    bool swapped_ = false;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
