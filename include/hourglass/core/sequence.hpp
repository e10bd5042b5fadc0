// The layers of a chain one after the other: what the compiler works out of them, and tables of what passes call.
#pragma once

#include <algorithm>
#include <array>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

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
    // Not <iomanip>, which costs every user's file time.
    const auto fill = [&](std::string_view text, std::size_t width) {
        for (std::size_t i = std::min(text.size(), width - 1); i < width; ++i) out << ' ';  // at least one
    };
    out << name;
    fill(name, 22);
    out << shape;
    if (!parameters.empty()) {
        fill(shape, 14);
        fill(parameters, 12);
        out << parameters;
    }
    out << (hyperparameters.empty() ? "" : "  ") << hyperparameters << '\n';
}

// Templates of the layer alone, see layer_call.hpp.
template <class L, Shape In, class T>
void initialize_layer(const L& layer, T* weights, Rng& rng) {
    constexpr auto size = static_cast<std::size_t>(parameters_of<L>(In));
    if constexpr (requires(std::span<T, size> w) { layer.template initialize<In>(w, rng); })
        layer.template initialize<In>(std::span<T, size>{weights, size}, rng);
}
// Hyperparameters as tables show them: what the type says, "kernel 7, stride 2", …
template <class L>
std::string type_hyperparameters(const L& layer) {
    if constexpr (requires { layer.hyperparameters(); })
        return layer.hyperparameters();
    else
        return "";
}
// … and the values after it, "rate 0.2".
template <class L>
inline constexpr bool has_hyperparameters = requires(L& layer) {
    L::each_hyperparameter(layer, [](std::string_view, auto&) {});
};
template <class L>
std::string hyperparameters_of(const L& layer) {
    std::string shown = type_hyperparameters(layer);
    if constexpr (has_hyperparameters<L>)
        L::each_hyperparameter(layer, [&](std::string_view name, const auto& value) {
            using Value = std::remove_cvref_t<decltype(value)>;
            if constexpr (std::is_same_v<Value, bool>) {
                if (value) (shown += shown.empty() ? "" : ", ") += name;
            } else if constexpr (std::is_arithmetic_v<Value>) {
                ((shown += shown.empty() ? "" : ", ") += name) += " " + text(value);
            } else if (value) {  // an optional number
                ((shown += shown.empty() ? "" : ", ") += name) += " " + text(*value);
            }
        });
    return shown;
}

/// The layers of a chain one after the other, without chains or residual blocks inside.
template <Shape Input, class... Layers>
class Sequence {
    using Numbers = std::index_sequence_for<Layers...>;
    using Row = LayerRow<Numbers, Layers...>;

    static constexpr std::size_t count = sizeof...(Layers);

  public:
    static constexpr std::size_t depth = count;
    // Of layers that do not fit there is another answer, see chain.hpp.
    static constexpr bool fit() { return true; }

    // The plan for passes that also begin or end at `Marks`.
    template <std::size_t... Marks>
    static constexpr Plan<depth> marked_plan() {
        constexpr std::array<LayerFacts, count + 1> facts{facts_of<Layers>()..., LayerFacts{}};
        constexpr std::array<std::size_t, sizeof...(Marks) + 1> marks{Marks..., 0};
        return plan_of<depth>(Input, facts, marks);
    }
    // The same where layers that are cheaper as one are fused: behind the first mark, as what comes before may be
    // differentiated layer by layer (`Contractive`).
    template <std::size_t... Marks>
    static constexpr Plan<depth> fused_plan() {
        Plan<depth> fused = marked_plan<Marks...>();
        [[maybe_unused]] const std::size_t begin = sizeof...(Marks) > 0 ? std::min({Marks..., depth}) : 0;
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            ((I >= begin && Fused<Layer<I>, Layer<I + 1>>::pays(plan.shapes[I]) ? fused.fuse(I) : void()), ...);
        }
        (std::make_index_sequence<(count > 0 ? count - 1 : 0)>{});
        return fused;
    }
    template <std::size_t... Marks>
    static constexpr std::array<bool, depth + 1> fused = fused_plan<Marks...>().fused;
    static constexpr std::array<bool, depth + 1> none_fused{};
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

    // Where each layer stands, and what a pass calls for it; for fused ones where `Fusions` are given.
    std::array<const void*, count + 1> layers() const {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::array<const void*, count + 1>{&layer<I>()..., nullptr};
        }
        (Numbers{});
    }
    template <class T, const auto& Fusions = none_fused>
    static constexpr std::array<LayerFunction<T>, count + 1> forward_functions() {
        return []<std::size_t... I>(std::index_sequence<I...>) {
            if constexpr (Fusions == none_fused)  // a template less for each layer
                return std::array<LayerFunction<T>, count + 1>{&forward_layer<Layers, plan.shapes[I], T>..., nullptr};
            else
                return std::array<LayerFunction<T>, count + 1>{
                    forward_function<I, T, Fusions[I], follows(Fusions, I)>()..., nullptr};
        }
        (Numbers{});
    }
    template <class T, const auto& Fusions = none_fused>
    static constexpr std::array<LayerFunction<T>, count + 1> backward_functions() {
        return []<std::size_t... I>(std::index_sequence<I...>) {
            if constexpr (Fusions == none_fused)  // a template less for each layer
                return std::array<LayerFunction<T>, count + 1>{&backward_layer<Layers, plan.shapes[I], T>..., nullptr};
            else
                return std::array<LayerFunction<T>, count + 1>{
                    backward_function<I, T, Fusions[I], follows(Fusions, I)>()..., nullptr};
        }
        (Numbers{});
    }

    /// What the layers are, a line each: their name as `name(i)` begins it, type, shapes and number of parameters.
    template <class Name>
    std::string architecture(const Name& name) const {
        std::string lines;
        each([&]<std::size_t I>() {
            const std::string of_type = type_hyperparameters(layer<I>());
            lines += name(I) + " " + std::string{name_of<Layer<I>>()} + (of_type.empty() ? "" : ", " + of_type) + ": " +
                     text(plan.shapes[I]) + " to " + text(plan.shapes[I + 1]) + ", " +
                     text(plan.offsets[I + 1] - plan.offsets[I]) + " parameters\n";
        });
        return lines;
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
    // Whether layer i is the second of two that are fused.
    static constexpr bool follows(const std::array<bool, count + 1>& fused_ones, std::size_t i) {
        return i > 0 && fused_ones[i - 1];
    }
    template <std::size_t I, class T, bool Skipped, bool Both>
    static constexpr LayerFunction<T> forward_function() {
        if constexpr (Skipped)
            return &skip_layer<T>;
        else if constexpr (Both)
            return &forward_fused<Fused<Layer<I - 1>, Layer<I>>, plan.shapes[I - 1], T>;
        else
            return &forward_layer<Layer<I>, plan.shapes[I], T>;
    }
    template <std::size_t I, class T, bool Skipped, bool Both>
    static constexpr LayerFunction<T> backward_function() {
        if constexpr (Skipped)
            return &skip_layer<T>;
        else if constexpr (Both)
            return &backward_fused<Fused<Layer<I - 1>, Layer<I>>, plan.shapes[I - 1], T>;
        else
            return &backward_layer<Layer<I>, plan.shapes[I], T>;
    }
    template <std::size_t I, class T>
    static std::span<T> state_of_layer(T* values) {
        return {values + plan.states[I], static_cast<std::size_t>(state_of<Layer<I>>(plan.shapes[I]))};
    }

    Row layers_;
};

// What holds of the layers of a whole model, or of a network that stands alone, if not of every chain.
template <class Layers, bool Alone>
constexpr bool plan_is_sound() {
    constexpr bool ties_hold = Layers::plan.ties_hold;
    static_assert(
        Layers::plan.conditions_agree,
        "hourglass: Condition: all conditions of a model read the same values, and here one takes another number");
    static_assert(
        ties_hold || Alone,
        "hourglass: a Tied decoder shares the weights of the encoder it is made of, and this model has another");
    static_assert(ties_hold || !Alone,
                  "hourglass: a Tied decoder shares the weights of an encoder, which this network does not have");
    return true;
}

// Two sequences with one layer between them, or none for void.
template <class Term, Shape In, class... E, Shape Code, class... D>
auto joined_type(const Sequence<In, E...>&, const Sequence<Code, D...>&) {
    if constexpr (std::is_void_v<Term>)
        return std::type_identity<Sequence<In, E..., D...>>{};
    else
        return std::type_identity<Sequence<In, E..., Term, D...>>{};
}
template <class Joined, class Encoder, class Decoder, class... Term>
constexpr Joined join(const Encoder& encoder, const Decoder& decoder, const Term&... term) {
    return [&]<std::size_t... I, std::size_t... J>(std::index_sequence<I...>, std::index_sequence<J...>) {
        return Joined{encoder.template layer<I>()..., term..., decoder.template layer<J>()...};
    }
    (std::make_index_sequence<Encoder::depth>{}, std::make_index_sequence<Decoder::depth>{});
}

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
