// What everything that has parameters shows of them.
#pragma once

#include <Eigen/Core>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/passes.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

/// Where a layer stands, and its values, as `each_layer` shows them.
template <class T>
struct LayerPlace {
    std::string name;        // "encoder.1.0", "code"; in a network "1.0"
    std::size_t number = 0;  // the layer reads activation `number` and makes the next one
    std::size_t branch = 0;  // the activation that it reads as well; `number` itself for most
    Shape input, output;
    std::span<const T> weights;  // its own, in the order of its `weights()`
    std::span<const T> state;    // its running values
    std::string shared_name;     // the layer that a tied one shares weights with, …
    std::span<const T> shared;   // … and those
};

/// Shows what a network or a model is made of, its `Passes`, to what turns it into something else (`freeze`).
struct Inside {
    template <class Model>
    static const auto& of(const Model& model) {
        return model.inside();
    }
};

/// The face of networks and models that loops, optimisers and files see. `Derived` gives passes(), a `name(i)` for
/// layer i, the arrays `learned()` that its loss learns, and what messages call it.
template <class Derived, class T>
class Trainable {
  public:
    using Scalar = T;

    /// θ, all parameters as one vector.
    Eigen::Map<Vector<T>> parameters() { return passes().parameters(); }
    Eigen::Map<const Vector<T>> parameters() const { return passes().parameters(); }

    /// Running values that are no parameters, such as the moving averages of `BatchNormalization`: what evaluation uses
    /// in place of a batch's own. To be kept with the parameters when a model is stored or averaged.
    Eigen::Map<Vector<T>> state() { return passes().state(); }
    Eigen::Map<const Vector<T>> state() const { return passes().state(); }

    /// Memory for one training loop; see `Tape`.
    Tape<T> tape() const { return passes().tape(); }
    /// The same for passes that run on `workers` (hourglass/workers.hpp), to the same bits as without.
    Tape<T> tape(Team& workers) const {
        Tape<T> tape = passes().tape();
        tape.run_on(&workers, &std::remove_cvref_t<decltype(passes())>::team_passes());
        return tape;
    }
    /// Whether that is a tape of this one's: of as many parameters and statistics. Not once this has been moved from.
    bool fits(const Tape<T>& tape) const {
        return passes().has_values() && tape.gradient().size() == parameters().size() &&
               tape.statistics().size() == state().size();
    }

    /// Folds the statistics of the batch of the last training pass into the running values, as `step(model, tape)` of
    /// an optimiser does. Statistics that are not finite are left out: returns whether they were taken in. `Error` for
    /// another one's tape.
    bool fold(const Tape<T>& tape) {
        require_values("fold");
        if (!fits(tape))
            fail(Derived::type_name, "::fold: the tape holds ", tape.gradient().size(), " parameters and ",
                 tape.statistics().size(), " statistics, the ", Derived::kind, " has ", parameters().size(), " and ",
                 state().size());
        return passes().fold(tape);
    }

    /// Calls use(name, extents, values) for every array of parameters, in order: "0.kernel" for the kernel of a
    /// network's first layer and "1.0.kernel" within a residual block; in a model "encoder.0.kernel",
    /// "code.log_threshold", "loss.log_variance". `extents` leave out trailing ones, the first is fastest in memory;
    /// `values` is an Eigen map. Shared weights come once, under their owner. A function of four arguments gets what
    /// the layer says of the array as well, its `Weight`.
    template <class Use>
    void each_weight(Use use) {
        each_weight_at(parameters().data(), use);
    }
    template <class Use>
    void each_weight(Use use) const {
        each_weight_at(parameters().data(), use);
    }
    /// The same for the running values: "1.moving_mean".
    template <class Use>
    void each_state(Use use) {
        require_values("each_state");
        passes().each_state(state().data(), &prefix, use);
    }
    template <class Use>
    void each_state(Use use) const {
        require_values("each_state");
        passes().each_state(state().data(), &prefix, use);
    }

    /// "model" or "network".
    static constexpr std::string_view kind_name() { return Derived::kind; }

    /// Calls use(name, part) for each layer ("encoder.1", "code"), and in a model for its loss and each of the terms
    /// beside the layers ("loss", "L1"): values with hyperparameters (layer.hpp), which a file keeps.
    template <class Use>
    void each_part(Use use) {
        Derived::each_part_of(static_cast<Derived&>(*this), use);
    }
    template <class Use>
    void each_part(Use use) const {
        Derived::each_part_of(static_cast<const Derived&>(*this), use);
    }

    /// Calls use(layer, place) for each layer in order, chains and residual blocks taken apart: its hyperparameters,
    /// its shapes, its weights (`LayerPlace`). What turns a model into something else begins here.
    template <class Use>
    void each_layer(Use use) const {
        const auto& all = passes();
        require_values("each_layer");
        all.layers_.each([&]<std::size_t I>() { use(all.layers_.template layer<I>(), place_of<I>(all)); });
    }

    /// The slices of θ that weight decay usually leaves out: biases, scales and shifts.
    std::vector<Slice> biases() const {
        std::vector<Slice> slices = passes().undecayed();
        Index at = passes().layer_parameters;
        for (const Weight& w : Derived::learned()) slices.push_back({std::exchange(at, at + w.size()), w.size()});
        return slices;
    }

  protected:
    // `method` is one of this one's, "fold".
    void require_values(std::string_view method) const {
        if (!passes().has_values())
            fail(Derived::type_name, "::", method, ": the ", Derived::kind,
                 " has no parameters any more: it has been moved from");
    }
    void require_tape(std::string_view function, const Tape<T>& tape) const {
        core::require_tape(function, Derived::kind, tape, parameters().size(), state().size());
    }

    template <class Passes, class Name, class Use>
    static void each_layer_of(Passes& passes, const Name& name, Use& use) {
        passes.layers_.each(
            [&]<std::size_t I>() { use(std::string_view{name(I)}, passes.layers_.template layer<I>()); });
    }

  private:
    friend struct Inside;
    const auto& inside() const { return passes(); }
    static std::string prefix(std::size_t i) { return Derived::name(i) + "."; }
    template <std::size_t I, class Passes>
    static LayerPlace<T> place_of(const Passes& all) {
        constexpr auto& plan = Passes::plan;
        using Layer = std::remove_cvref_t<decltype(all.layers_.template layer<I>())>;
        const auto values = [](const Vector<T>& of, Index begin, Index count) {
            return std::span<const T>{of.data() + begin, static_cast<std::size_t>(count)};
        };
        LayerPlace<T> place{.name = Derived::name(I),
                            .number = I,
                            .branch = plan.branch[I],
                            .input = plan.shapes[I],
                            .output = plan.shapes[I + 1],
                            .weights = values(all.theta_, plan.offsets[I], plan.offsets[I + 1] - plan.offsets[I]),
                            .state = values(all.state_, plan.states[I], plan.states[I + 1] - plan.states[I]),
                            .shared_name = "",
                            .shared = {}};
        if constexpr (is_tied<Layer>) {
            place.shared_name = Derived::name(plan.layer_at(Layer::shared_offset));
            place.shared = values(all.theta_, Layer::shared_offset, Layer::shared_parameters);
        }
        return place;
    }

    decltype(auto) passes() { return static_cast<Derived&>(*this).passes(); }
    decltype(auto) passes() const { return static_cast<const Derived&>(*this).passes(); }

    template <class V, class Use>
    void each_weight_at(V* theta, Use& use) const {
        require_values("each_weight");
        passes().each_weight(theta, &prefix, use);
        Index at = passes().layer_parameters;
        for (const Weight& w : Derived::learned())
            show_array("loss." + std::string{w.name}, w, theta + std::exchange(at, at + w.size()), use);
    }
};

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
