// Dead units: given new weights, with the optimiser's moments of these.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/trainable.hpp"
#include "hourglass/metrics/sparsity.hpp"
#include "hourglass/optim/optimizer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// What is not for users.
namespace train {

/// Where the values of some units of a layer lie in a model: found by a walk from the layer to the one that reads it.
template <class Model>
class UnitPlaces {
    using Passes = std::remove_cvref_t<decltype(core::Inside::of(std::declval<const Model&>()))>;
    using Layers = std::remove_cvref_t<decltype(std::declval<const Passes&>().layers_)>;
    static constexpr const auto& plan = Passes::plan;

  public:
    std::vector<Index> first;     ///< parameters that take their first values again, …
    std::vector<Index> outgoing;  ///< … and those that take what the units give further on
    std::vector<Index> state;     ///< running values

    /// `Error` for a layer that is not there or has no units of its own, for a unit that it has not, and where what
    /// reads the layer cannot be told apart by units.
    UnitPlaces(const Model& model, std::string_view layer, std::span<const Index> units)
        : layer_(layer), units_(units) {
        model.each_layer([&](const auto&, const auto& place) {
            if (place.name == layer) number_ = place.number;
            names_.push_back(place.name);
        });
        if (number_ == Layers::depth) fail("revive: there is no layer ", layer);
        Layers::each([&]<std::size_t I>() {
            using Layer = typename Layers::template Layer<I>;
            if (I == number_)
                begin<Layer, I>();
            else if (I > number_ && !is_read_)
                go_on<Layer, I>();
            else if (is_read_ && plan.joins(I) && plan.branch[I] > number_ && plan.branch[I] <= reader_)
                refuse("a Residual reads its units, too");
        });
        if (!is_read_) refuse("no layer with weights reads its units");
    }

  private:
    [[noreturn]] void refuse(std::string_view why) const { fail("revive: ", layer_, ": ", why); }
    template <class L, std::size_t I>
    void require_own_weights() const {
        if (plan.shared[I] || plan.is_tied(I))
            fail("revive: ", layer_, ": the weights of ", names_[I],
                 " are shared (Tied): what one layer would take anew, another has learnt");
    }
    // The number of inputs and of outputs that a kernel's extents say: other ones where there are groups.
    template <class L, std::size_t I>
    void require_whole_kernel() const {
        constexpr auto kernel = core::weights_of<L>(plan.shapes[I])[0].extents;
        if (kernel[L::unit_axis] != plan.shapes[I + 1].channels || kernel[1 - L::unit_axis] != plan.shapes[I].channels)
            fail("revive: ", layer_, ": ", names_[I], " has groups, which revive cannot tell apart");
    }

    // The layer itself: all of its arrays.
    template <class L, std::size_t I>
    void begin() {
        if constexpr (requires { L::unit_axis; }) {
            require_own_weights<L, I>();
            require_whole_kernel<L, I>();
            period_ = plan.shapes[I + 1].channels;
            chosen_.resize(static_cast<std::size_t>(period_));
            for (const Index unit : units_) {
                if (unit < 0 || unit >= period_)
                    fail("revive: there is no unit ", unit, " in ", layer_, ", which has ", period_);
                chosen_[static_cast<std::size_t>(unit)] = 1;
            }
            Index at = plan.offsets[I];
            for (const Weight& array : core::weights_of<L>(plan.shapes[I])) {
                add(first, at, array.extents, at == plan.offsets[I] ? L::unit_axis : 0);
                at += array.size();
            }
        } else {
            refuse("it has no units of its own: name a Dense layer or a convolution");
        }
    }
    // A layer behind it: the one that reads the units, or one that they go through.
    template <class L, std::size_t I>
    void go_on() {
        constexpr Shape in = plan.shapes[I], out = plan.shapes[I + 1];
        constexpr Traits traits = core::traits_of<L>();
        if constexpr (requires { L::unit_axis; }) {
            require_own_weights<L, I>();
            require_whole_kernel<L, I>();
            if (in.channels % period_ != 0) refuse("a Reshape takes its units apart");
            add(outgoing, plan.offsets[I], core::weights_of<L>(in)[0].extents, 1 - L::unit_axis);
            is_read_ = true;
            reader_ = I;
        } else if (traits.condition > 0 && in.channels == period_) {
            period_ += traits.condition;
        } else if (plan.joins(I) || core::is_tied<L> ||
                   !(traits.keeps_values || ((traits.pointwise || traits.by_channel) && in.channels == out.channels))) {
            fail("revive: ", layer_, ": behind ", names_[I], " (", core::name_of<L>(),
                 ") its units cannot be told apart");
        } else {
            add_each_channel<I>(first, plan.offsets[I], core::weights_of<L>(in));
            add_each_channel<I>(state, plan.states[I], core::states_of<L>(in));
        }
    }
    // Arrays that hold a value for each channel, or for each value.
    template <std::size_t I, class Arrays>
    void add_each_channel(std::vector<Index>& places, Index at, const Arrays& arrays) {
        constexpr Shape in = plan.shapes[I];
        for (const Weight& array : arrays) {
            const bool known = array.extents[0] == in.channels && in.channels % period_ == 0 &&
                               (array.size() == in.channels || array.size() == in.size());
            if (!known) fail("revive: ", layer_, ": ", array.name, " of ", names_[I], " cannot be told apart by units");
            add(places, at, array.extents, 0);
            at += array.size();
        }
    }
    // Those of an array's values, which begin at `at`, whose place along `axis` is a chosen unit's.
    void add(std::vector<Index>& places, Index at, const Extents& extents, std::size_t axis) const {
        const Index inner = axis == 0 ? 1 : extents[0];
        for (Index i = 0; i < extents.size(); ++i) {
            const auto unit = static_cast<std::size_t>(i / inner % extents[axis] % period_);
            if (unit < chosen_.size() && chosen_[unit] != 0) places.push_back(at + i);
        }
    }

    std::string_view layer_;
    std::span<const Index> units_;
    std::vector<std::string> names_;
    std::size_t number_ = Layers::depth, reader_ = Layers::depth;
    Index period_ = 0;                   // values from one unit's to its next
    std::vector<unsigned char> chosen_;  // of each unit: 1 if it is
    bool is_read_ = false;
};

}  // namespace train

/// Gives some units of a layer, those that no sample activates any more, a second start, as ReDo does (Sokar, Agarwal,
/// Castro and Evci 2023, "The dormant neuron phenomenon in deep reinforcement learning"): the weights that lead to them
/// are drawn anew, by the layer's own rule, their biases begin anew with them, and the weights that lead away from them
/// become 0. So the model's output stays what it was for all samples that do not activate them; the next steps teach
/// the outgoing weights first. What `optimizer` remembers of exactly these weights is forgotten (Bricken et al. 2023 do
/// that, too), its step count stays.
///
///     hg::revive(model, "encoder.0", model.encode(images), rng, adam);  // every few epochs
///
/// `layer`: a `Dense` or a convolution without groups, by its name as `each_weight` has it, "encoder.0". `units`: their
/// numbers; a convolution's are its filters. Values that layers on the way to the next weights hold for each channel
/// (`BatchNormalization`, `PReLU`, `JumpReLU`) take their first values again as well, and running values. `optimizer`:
/// the one that takes the model's steps. Where the outgoing weights are kept at unit norm (`unit_norm_decoder`), they
/// are so again after the next step, in the direction that it takes, and the output then jumps: revive long before
/// the training ends. Under `TopK` and `BatchTopK` a new unit may take the place of another one: for those samples the
/// output moves, too. A unit may be silent with its new weights, too: the next call draws again.
///
/// Errors, with nothing changed: no such layer, or one that has no units of its own; a unit that it has not; weights
/// that are shared (`Tied`); units that are read twice (`Residual`), not at all, or behind what makes one of another
/// (`LayerNormalization`, `GroupNormalization`, `Softmax`, `GaussianLatent`, a layer of your own whose traits say
/// neither `pointwise` nor `by_channel`): there a new unit moves the others' values; an optimiser of another number of
/// parameters.
template <class Model>
void revive(Model& model, std::string_view layer, std::span<const Index> units, Rng& rng, Optimizer& optimizer) {
    using T = typename Model::Scalar;
    const auto& inside = core::Inside::of(model);
    inside.require_values("revive", "model");
    const Index stepped = std::max(optimizer.moments<float>().rows(), optimizer.moments<double>().rows());
    if (stepped > 0 && stepped != model.parameters().size())
        fail("revive: the optimiser's steps were on ", stepped, " parameters, the model has ",
             model.parameters().size());
    const train::UnitPlaces<Model> places(model, layer, units);
    if (units.empty()) return;

    Vector<T> theta(model.parameters().size()), state(model.state().size());
    for (T& value : theta) value = T(0);
    optimizer.reset_moments(places.first);  // before anything else changes: it may refuse
    optimizer.reset_moments(places.outgoing);
    inside.layers_.initialize(theta.data(), rng);
    inside.layers_.initialize_state(state.data());
    for (const Index i : places.first) model.parameters()[i] = theta[i];
    for (const Index i : places.outgoing) model.parameters()[i] = T(0);
    for (const Index i : places.state) model.state()[i] = state[i];
}

/// The same for those units that none of these samples activates. `activations`: a row for each value of the layer's
/// output, a column for each sample, as `encode` gives them for the last layer, or `activation` for one before; of a
/// convolution the channels at each position. Returns how many there were. Errors: also activations of another number
/// of rows, of no sample, or not finite.
template <class Model, class Activations>
Index revive(Model& model, std::string_view layer, const Eigen::MatrixBase<Activations>& activations, Rng& rng,
             Optimizer& optimizer) {
    Index values = 0, channels = 0;
    model.each_layer([&](const auto&, const auto& place) {
        if (place.name == layer) values = place.output.size(), channels = place.output.channels;
    });
    if (values > 0 && activations.rows() != values)
        fail("revive: ", layer, " has ", values, " values, got activations of ", activations.rows());
    const Vector<double> density = activation_density(activations.derived());
    std::vector<Index> dead;
    for (Index unit = 0; unit < channels; ++unit) {
        bool active = false;
        for (Index i = unit; i < values; i += channels) active = active || density[i] > 0;
        if (!active) dead.push_back(unit);
    }
    revive(model, layer, std::span<const Index>{dead}, rng, optimizer);
    return static_cast<Index>(dead.size());
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
