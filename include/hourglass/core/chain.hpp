// A chain of layers: described as types, flattened into one sequence, and worked out by the compiler.
#pragma once

#include <algorithm>
#include <array>
#include <iomanip>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hourglass/core/layer.hpp"
#include "hourglass/core/layer_call.hpp"
#include "hourglass/core/plan.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

// Layers side by side, reached by number without recursion: the compiler finds layer I by matching one base class, so
// the 64th costs what the first costs.
template <std::size_t I, class L>
struct IndexedLayer {
    L layer;
};
template <class Numbers, class... Layers>
struct LayerRow;
template <std::size_t... I, class... Layers>
struct LayerRow<std::index_sequence<I...>, Layers...> : IndexedLayer<I, Layers>... {
    constexpr LayerRow() = default;
    constexpr explicit LayerRow(const Layers&... layers) requires(sizeof...(Layers) > 0)
        : IndexedLayer<I, Layers>{layers}... {}
};
template <std::size_t I, class L>
constexpr L& layer_in(IndexedLayer<I, L>& indexed) {
    return indexed.layer;
}
template <std::size_t I, class L>
constexpr const L& layer_in(const IndexedLayer<I, L>& indexed) {
    return indexed.layer;
}
template <std::size_t I, class L>
std::type_identity<L> layer_type(const IndexedLayer<I, L>*);

// One row of the table that chains and models print.
inline void print_row(std::ostream& out, std::string_view name, std::string_view shape, std::string_view parameters,
                      std::string_view hyperparameters = "") {
    out << std::left << std::setw(22) << name;
    if (parameters.empty())
        out << shape;
    else
        out << std::setw(14) << shape << std::right << std::setw(12) << parameters;
    out << (hyperparameters.empty() ? "" : "  ") << hyperparameters << '\n';
}

// Templates of the layer alone, see layer_call.hpp.
template <class L, Shape In, class T>
void initialize_layer(const L& layer, T* weights, Rng& rng) {
    constexpr auto size = static_cast<std::size_t>(parameters_of<L>(In));
    if constexpr (requires(std::span<T, size> w) { layer.template initialize<In>(w, rng); })
        layer.template initialize<In>(std::span<T, size>{weights, size}, rng);
}
template <class L>
std::string hyperparameters_of(const L& layer) {
    if constexpr (requires { layer.hyperparameters(); })
        return layer.hyperparameters();
    else
        return "";
}

/// The layers of a chain one after the other, without chains or residual blocks inside.
template <Shape Input, class... Layers>
class Sequence {
    using Numbers = std::index_sequence_for<Layers...>;
    using Row = LayerRow<Numbers, Layers...>;

    static constexpr std::size_t count = sizeof...(Layers);

  public:
    static constexpr std::size_t depth = count;

    // The plan for passes that also begin or end at `Marks`.
    template <std::size_t... Marks>
    static constexpr Plan<depth> marked_plan() {
        constexpr std::array<LayerFacts, count + 1> facts{facts_of<Layers>()..., LayerFacts{}};
        constexpr std::array<std::size_t, sizeof...(Marks) + 1> marks{Marks..., 0};
        return plan_of<depth>(Input, facts, marks);
    }
    static constexpr Plan<depth> plan = marked_plan<>();
    static constexpr Shape input = Input;
    static constexpr Shape output = plan.shapes[depth];
    /// Number of parameters of all layers together.
    static constexpr Index parameters = plan.offsets[depth];
    /// Number of running values of all layers together.
    static constexpr Index state = plan.states[depth];
    /// Values that the caller gives with each sample (`Condition`).
    static constexpr Index condition = plan.condition;

    template <std::size_t I>
    using Layer = typename decltype(layer_type<I>(static_cast<const Row*>(nullptr)))::type;

    constexpr Sequence() = default;
    constexpr explicit Sequence(const Layers&... layers) requires(count > 0) : layers_(layers...) {}

    /// Layer number I, with its hyperparameters.
    template <std::size_t I>
    constexpr const Layer<I>& layer() const {
        return layer_in<I>(layers_);
    }
    template <std::size_t I>
    constexpr Layer<I>& layer() {
        return layer_in<I>(layers_);
    }

    // Where each layer stands, and what a pass calls for it.
    std::array<const void*, count + 1> layers() const {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::array<const void*, count + 1>{&layer<I>()..., nullptr};
        }
        (Numbers{});
    }
    template <class T>
    static constexpr std::array<LayerFunction<T>, count + 1> forward_functions() {
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return std::array<LayerFunction<T>, count + 1>{&forward_layer<Layers, plan.shapes[I], T>..., nullptr};
        }
        (Numbers{});
    }
    template <class T>
    static constexpr std::array<LayerFunction<T>, count + 1> backward_functions() {
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return std::array<LayerFunction<T>, count + 1>{&backward_layer<Layers, plan.shapes[I], T>..., nullptr};
        }
        (Numbers{});
    }

    // What tables and messages call each layer.
    static constexpr std::array<std::string_view, count + 1> names() { return {name_of<Layers>()..., ""}; }

    /// First values for `weights` (`parameters` of them): each layer's own rule, zero where it has none.
    template <class T>
    void initialize(T* weights, Rng& rng) const {
        std::fill_n(weights, parameters, T(0));
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (initialize_layer<Layers, plan.shapes[I]>(layer<I>(), weights + plan.offsets[I], rng), ...);
        }
        (Numbers{});
    }
    /// First running values.
    template <class T>
    void initialize_state([[maybe_unused]] T* values) const {
        if constexpr (state > 0)
            each([&]<std::size_t I>() {
                if constexpr (state_of<Layer<I>>(plan.shapes[I]) > 0)
                    layer<I>().template initialize_state<plan.shapes[I], T>(state_of_layer<I>(values));
            });
    }
    /// Folds a batch's statistics into the running values.
    template <class T>
    void fold([[maybe_unused]] T* values, [[maybe_unused]] const T* statistics) const {
        if constexpr (state > 0)
            each([&]<std::size_t I>() {
                if constexpr (state_of<Layer<I>>(plan.shapes[I]) > 0)
                    layer<I>().template fold<plan.shapes[I], T>(state_of_layer<I>(values),
                                                                state_of_layer<I>(statistics));
            });
    }

    /// Calls `use.template operator()<I>()` for layers I = 0 … depth − 1.
    template <class Use>
    static constexpr void each(Use use) {
        [&]<std::size_t... I>(std::index_sequence<I...>) { (use.template operator()<I>(), ...); }
        (Numbers{});
    }
    /// Calls use(layer, weight, offset) for each named array of all layers' parameters, in order.
    template <class Use>
    static void each_weight(Use use) {
        each([&]<std::size_t I>() {
            Index at = plan.offsets[I];
            for (const Weight& w : weights_of<Layer<I>>(plan.shapes[I])) {
                use(I, w, at);
                at += w.size();
            }
        });
    }
    /// The same for running values.
    template <class Use>
    static void each_state(Use use) {
        if constexpr (state > 0)
            each([&]<std::size_t I>() {
                Index at = plan.states[I];
                for (const Weight& w : states_of<Layer<I>>(plan.shapes[I])) {
                    use(I, w, at);
                    at += w.size();
                }
            });
    }

    /// The rows of the table of layers begin … end − 1: name, output shape, parameter count and hyperparameters.
    void print(std::ostream& out, std::size_t begin = 0, std::size_t end = depth) const {
        each([&]<std::size_t I>() {
            if (begin <= I && I < end)
                print_row(out, name_of<Layer<I>>(), text(plan.shapes[I + 1]),
                          text(plan.offsets[I + 1] - plan.offsets[I]), hyperparameters_of(layer<I>()));
        });
    }

  private:
    template <std::size_t I, class T>
    static std::span<T> state_of_layer(T* values) {
        return {values + plan.states[I], static_cast<std::size_t>(state_of<Layer<I>>(plan.shapes[I]))};
    }

    Row layers_;
};

// The layers that something in a chain stands for: a chain or a residual block for those inside it.
template <class L>
constexpr auto layers_of(const L& layer) {
    if constexpr (requires { layer.flattened(); })
        return layer.flattened();
    else
        return std::tuple<L>{layer};
}
template <class L>
inline constexpr bool is_nested = requires(const L& layer) {
    layer.flattened();
};

// Checks that come before the plan, in templates whose arguments put the layer, and the shape, into the message.
template <class L>
constexpr bool says_its_output() {
    static_assert(HasOutput<L>,
                  "hourglass: every layer says the shape of its output: static constexpr Shape output(Shape in)");
    return HasOutput<L>;
}
template <class L, Shape In>
constexpr bool is_complete() {
    using Methods = MethodsOf<L, In, float>;
    constexpr bool forward = Methods::forward != Method::Missing, backward = Methods::backward != Method::Missing,
                   gradient = Methods::gradient != Method::Missing;
    static_assert(forward,
                  "hourglass: this layer has no forward<In>(w, x, y, context) const, or one whose arguments do not "
                  "fit; core/layer.hpp says which they are");
    static_assert(backward,
                  "hourglass: this layer has no backward<In>(w, x, y, dy, dx, context) const, or one whose "
                  "arguments do not fit; core/layer.hpp says which they are");
    static_assert(gradient,
                  "hourglass: this layer has parameters, but no gradient<In>(w, x, y, dy, dw, context) const, or "
                  "one whose arguments do not fit; core/layer.hpp says which they are");
    if constexpr (traits_of<L>().in_place && !traits_of<L>().keeps_values && backward)
        static_assert(
            Methods::backward == Method::WithContext,
            "hourglass: a layer that works in place takes the context in backward: where dx is dy, nothing may "
            "be cleared before");
    return forward && backward && gradient;
}

template <Shape Input, class... Layers>
Sequence<Input, Layers...> sequence_of(const std::tuple<Layers...>&);

// After one of the sentences the chain is an empty one, so that nothing else is said.
template <Shape Input, class... Layers>
constexpr auto sequence_type() {
    if constexpr ((is_nested<Layers> || ...))
        return std::type_identity<decltype(sequence_of<Input>(std::tuple_cat(layers_of(std::declval<Layers>())...)))>{};
    else if constexpr ((HasOutput<Layers> && ...))
        return std::type_identity<Sequence<Input, Layers...>>{};
    else {
        static_assert((says_its_output<Layers>() && ...));
        return std::type_identity<Sequence<Input>>{};
    }
}

// The shape behind a layer; within a nested one, joints must fit.
template <class L>
constexpr Shape shape_behind(Shape in) {
    if constexpr (requires { L::shape_behind(in); })
        return L::shape_behind(in);
    else
        return L::output(in);
}

}  // namespace core

/// Layers one after the other. `Input` is the shape of one sample; every other shape follows, so no size is said twice.
/// Default-constructed from its type, or built from layer values by `chain<Input>(layers…)`. A chain may stand inside a
/// chain. `Chain::output` is the shape of what comes out.
template <Shape Input, class... Layers>
class Chain : public decltype(core::sequence_type<Input, Layers...>())::type {
    static_assert(Input.size() > 0, "hourglass: a chain's input shape must not be empty");

  public:
    /// The chain without chains or residual blocks inside.
    using Flat = typename decltype(core::sequence_type<Input, Layers...>())::type;

  private:
    static_assert(Flat::plan.shapes.back().size() > 0, "hourglass: a chain's output must not be empty");

    static constexpr bool joints_fit() {
        if constexpr ((core::is_nested<Layers> || ...)) {
            Shape shape = Input;
            ((shape = core::shape_behind<Layers>(shape)), ...);
        }
        return true;
    }
    static_assert(joints_fit());

    static constexpr bool complete = []<std::size_t... I>(std::index_sequence<I...>) {
        return (true && ... && core::is_complete<typename Flat::template Layer<I>, Flat::plan.shapes[I]>());
    }
    (std::make_index_sequence<Flat::depth>{});
    static_assert(complete || !complete);

  public:
    constexpr Chain() = default;
    constexpr explicit Chain(const Layers&... layers) requires(sizeof...(Layers) > 0)
        : Flat([&] {
              if constexpr ((core::is_nested<Layers> || ...))
                  return std::make_from_tuple<Flat>(std::tuple_cat(core::layers_of(layers)...));
              else
                  return Flat(layers...);
          }()) {}
    constexpr explicit Chain(const Flat& flat) requires(sizeof...(Layers) > 0) : Flat(flat) {}

    // What it stands for inside another chain.
    constexpr auto flattened() const {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::tuple<typename Flat::template Layer<I>...>{this->template layer<I>()...};
        }
        (std::make_index_sequence<Flat::depth>{});
    }
    static constexpr Shape shape_behind(Shape in) {
        if (!(in == Input))
            fail("Chain: the chain inside takes ", text(Input), ", but the layer before it gives ", text(in));
        return Flat::output;
    }

    /// A table: one row a layer (name, output shape, parameters, hyperparameters), then the total.
    friend std::ostream& operator<<(std::ostream& out, const Chain& chain) {
        core::print_row(out, "layer", "output", "parameters");
        core::print_row(out, "input", text(Input), "");
        chain.print(out);
        core::print_row(out, "total", "", text(Flat::parameters));
        return out;
    }
};

/// `Chain<Input, Layers…>` from layer values, for layers with hyperparameters.
template <Shape Input, class... Layers>
constexpr Chain<Input, Layers...> chain(const Layers&... layers) {
    return Chain<Input, Layers...>(layers...);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
