// A chain of layers: shapes and offsets worked out by the compiler, activations and gradients moved by one walk each
// way.
#pragma once

#include <Eigen/Core>
#include <array>
#include <iomanip>
#include <ostream>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hourglass/core/layer.hpp"
#include "hourglass/core/layer_step.hpp"
#include "hourglass/core/tape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// Layers side by side, reached by number without recursion: the compiler finds layer I by matching one base class, so
// the 64th costs what the first costs.
template <std::size_t I, class L>
struct Seat {
    L layer;
};
template <class Numbers, class... Layers>
struct Seats;
template <std::size_t... I, class... Layers>
struct Seats<std::index_sequence<I...>, Layers...> : Seat<I, Layers>... {
    constexpr Seats() = default;
    constexpr explicit Seats(const Layers&... layers) requires(sizeof...(Layers) > 0) : Seat<I, Layers>{layers}... {}
};
template <std::size_t I, class L>
constexpr const L& seat(const Seat<I, L>& s) {
    return s.layer;
}
template <std::size_t I, class L>
std::type_identity<L> seat_type(const Seat<I, L>*);

/// What the compiler knows of a chain before it runs. Activation 0 is the chain's input, activation i + 1 the output of
/// layer i.
template <std::size_t Depth>
struct Plan {
    std::array<Shape, Depth + 1> shapes{};   // of each activation
    std::array<Index, Depth + 1> offsets{};  // of each layer's parameters; the last one is their number
    std::array<Index, Depth + 1> caches{};   // of each layer, values per sample
    std::array<Index, Depth + 1> states{};   // of each layer's running values; the last one is their number
    std::array<bool, Depth + 1> in_place{};  // layer i writes its output over its input
    std::array<bool, Depth + 1> locked{};    // activation i is read again on the way back by the layer that wrote it
};

/// Where one pass finds each activation, its gradient and each layer's cache.
template <class T, std::size_t Depth>
struct Trace {
    std::array<T*, Depth + 1> activation{}, gradient{}, cache{};
    Index samples = 0;
    T* statistics = nullptr;  // of this batch, in the layout of the chain's running values
};

/// One row of the table that chains and models print.
inline void print_row(std::ostream& out, std::string_view name, std::string_view shape, std::string_view parameters) {
    out << std::left << std::setw(22) << name;
    if (parameters.empty())
        out << shape << '\n';
    else
        out << std::setw(14) << shape << std::right << std::setw(12) << parameters << '\n';
}

/// The layers of a chain one after the other, without chains inside.
template <Shape Input, class... Layers>
class Sequence {
    using Numbers = std::index_sequence_for<Layers...>;
    using Row = Seats<Numbers, Layers...>;

    static constexpr std::size_t count = sizeof...(Layers);

    static constexpr Plan<count> make_plan() {
        // Tables of functions instead of recursion over types: ordinary loops follow, however long the chain.
        constexpr std::array<Shape (*)(Shape), count + 1> outputs{&Layers::output..., nullptr};
        constexpr std::array<Index (*)(Shape), count + 1> parameters_in{&parameters_of<Layers>..., nullptr};
        constexpr std::array<Index (*)(Shape), count + 1> cache_in{&cache_of<Layers>..., nullptr};
        constexpr std::array<Index (*)(Shape), count + 1> state_in{&state_of<Layers>..., nullptr};
        constexpr std::array<bool, count + 1> willing{(works_in_place<Layers>() && !needs_input<Layers>())..., false};
        constexpr std::array<bool, count + 1> reads_output{needs_output<Layers>()..., false};
        constexpr std::array<bool, count + 1> only_reshapes{keeps_values<Layers>()..., false};

        Plan<count> p;
        p.shapes[0] = Input;
        for (std::size_t i = 0; i < count; ++i) {
            const Shape in = p.shapes[i];
            p.shapes[i + 1] = outputs[i](in);
            p.offsets[i + 1] = p.offsets[i] + parameters_in[i](in);
            p.caches[i] = cache_in[i](in);
            p.states[i + 1] = p.states[i] + state_in[i](in);
            // The chain's input is the caller's; what an earlier layer still needs must not be overwritten, but may be
            // seen under another shape.
            p.in_place[i] = i > 0 && willing[i] && (only_reshapes[i] || !p.locked[i]);
            p.locked[i + 1] = only_reshapes[i] ? p.in_place[i] && p.locked[i] : reads_output[i];
        }
        return p;
    }

  public:
    static constexpr std::size_t depth = count;
    static constexpr Plan<depth> plan = make_plan();
    static constexpr Shape input = Input;
    static constexpr Shape output = plan.shapes[depth];
    /// Number of parameters of all layers together.
    static constexpr Index parameters = plan.offsets[depth];
    /// Number of running values of all layers together.
    static constexpr Index state = plan.states[depth];
    /// Whether a layer adds to the gradient of weights that belong to another chain.
    static constexpr bool shares_weights = (is_tied<Layers> || ...);

    template <std::size_t I>
    using Layer = typename decltype(seat_type<I>(static_cast<const Row*>(nullptr)))::type;

    constexpr Sequence() = default;
    constexpr explicit Sequence(const Layers&... layers) requires(count > 0) : layers_(layers...) {}

    /// Layer number I, with its knobs.
    template <std::size_t I>
    constexpr const Layer<I>& layer() const {
        return seat<I>(layers_);
    }

    /// First values for `weights` (`parameters` of them): each layer's own rule, zero where it has none.
    template <class T>
    void initialize(T* weights, Rng& rng) const {
        std::fill_n(weights, parameters, T(0));
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (initialize_layer<plan.shapes[I]>(layer<I>(), weights + plan.offsets[I], rng), ...);
        }
        (Numbers{});
    }

    /// First running values.
    template <class T>
    void initialize_state([[maybe_unused]] T* values) const {
        if constexpr (state > 0)
            each([&]<std::size_t I>() {
                if constexpr (state_of<Layer<I>>(plan.shapes[I]) > 0)
                    layer<I>().template initialize_state<plan.shapes[I], T>(state_slice<I>(values));
            });
    }
    /// Folds a batch's statistics into the running values.
    template <class T>
    void fold([[maybe_unused]] T* values, [[maybe_unused]] const T* statistics) const {
        if constexpr (state > 0)
            each([&]<std::size_t I>() {
                if constexpr (state_of<Layer<I>>(plan.shapes[I]) > 0)
                    layer<I>().template fold<plan.shapes[I], T>(state_slice<I>(values), state_slice<I>(statistics));
            });
    }

    /// Lays out an evaluation of n samples, from the batch `x` to the output: at `y`, or in the arena when y is null.
    template <class T>
    static Trace<T, depth> evaluation(Arena<T>& arena, const T* x, Index n, std::type_identity_t<T>* y) {
        Trace<T, depth> t;
        t.samples = n;
        t.activation[0] = const_cast<T*>(x);  // read only: no layer works in place on a chain's input
        for (std::size_t i = 0; i < depth; ++i)
            t.activation[i + 1] = plan.in_place[i]             ? t.activation[i]
                                  : y && i + 1 == owner(depth) ? y
                                                               : arena.take(plan.shapes[i + 1].size() * n);
        return t;
    }

    /// Lays out a training pass: the activations, the gradient of each and the layers' caches. `dx`, when not null,
    /// receives the gradient of `x`. Layers from `last` on are left out; the gradient of activation `last` lies in that
    /// activation's own memory when nothing will need its values any more and `consumed` says that its reader agrees.
    template <class T>
    static Trace<T, depth> training(Arena<T>& arena, const T* x, Index n, T* dx, std::size_t last, bool consumed) {
        Trace<T, depth> t = evaluation(arena, x, n, nullptr);
        t.gradient[0] = dx;
        for (std::size_t i = 0; i < depth; ++i) {
            if (plan.caches[i] > 0) t.cache[i] = arena.take(plan.caches[i] * n);
            const bool shared = consumed && i + 1 == owner(last) && !plan.locked[last];
            t.gradient[i + 1] = plan.in_place[i] ? t.gradient[i]
                                : shared         ? t.activation[i + 1]
                                                 : arena.take(plan.shapes[i + 1].size() * n);
        }
        return t;
    }

    /// Runs layers Begin … End − 1 over the trace. In training `random` gives the step's numbers, and dropout and its
    /// like act; in evaluation it is null.
    template <std::size_t Begin, std::size_t End, class T>
    void forward(Slices<const T> weights, const Trace<T, depth>& t, const Stream* random, std::uint16_t purpose) const {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (forward_layer<plan.shapes[Begin + I]>(layer<Begin + I>(), at(weights, Begin + I), place(t, Begin + I),
                                                   random, own_purpose(purpose, Begin + I)),
             ...);
        }
        (std::make_index_sequence<End - Begin>{});
    }

    /// The way back: from the gradient of activation `Last` to those of all weights and, when the trace has room for
    /// it, of the input (added there). The weights' are added to what `gradient` holds, or assigned where it is not
    /// `held`; weights that a layer shares are always added to.
    template <std::size_t Last = depth, class T>
    void backward(Slices<const T> weights, Slices<T> gradient, bool held, const Trace<T, depth>& t,
                  const Stream& random, std::uint16_t purpose) const {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (backward_layer<plan.shapes[Last - 1 - I], plan.in_place[Last - 1 - I]>(
                 layer<Last - 1 - I>(), at(weights, Last - 1 - I), at(gradient, Last - 1 - I),
                 Adds{held, I == Last - 1}, place(t, Last - 1 - I), random, own_purpose(purpose, Last - 1 - I)),
             ...);
        }
        (std::make_index_sequence<Last>{});
    }

    /// Calls `use.template operator()<I>()` for layers I = 0 … Last − 1.
    template <std::size_t Last = depth, class Use>
    static constexpr void each(Use use) {
        [&]<std::size_t... I>(std::index_sequence<I...>) { (use.template operator()<I>(), ...); }
        (std::make_index_sequence<Last>{});
    }

    /// The rows of the table: name, output shape and parameter count of every layer.
    void print(std::ostream& out) const {
        each([&]<std::size_t I>() {
            print_row(out, name_of<Layer<I>>(), text(plan.shapes[I + 1]), text(plan.offsets[I + 1] - plan.offsets[I]));
        });
    }

  private:
    // The activation in whose memory activation i lies.
    static constexpr std::size_t owner(std::size_t i) {
        while (i > 0 && plan.in_place[i - 1]) --i;
        return i;
    }

    // Every layer draws its own numbers in a step.
    static constexpr std::uint16_t own_purpose(std::uint16_t purpose, std::size_t i) {
        return static_cast<std::uint16_t>(purpose + i);
    }
    template <class T>
    static Place<T> place(const Trace<T, depth>& t, std::size_t i) {
        return {t.activation[i],
                t.activation[i + 1],
                t.gradient[i],
                t.gradient[i + 1],
                t.cache[i],
                t.samples,
                t.statistics ? t.statistics + plan.states[i] : nullptr};
    }
    template <class T>
    static Slices<T> at(Slices<T> weights, std::size_t i) {
        return {weights.own + plan.offsets[i], weights.model, weights.state ? weights.state + plan.states[i] : nullptr};
    }
    template <std::size_t I, class T>
    static std::span<T> state_slice(T* values) {
        return {values + plan.states[I], static_cast<std::size_t>(state_of<Layer<I>>(plan.shapes[I]))};
    }

    Row layers_;
};

template <Shape Input, class... Layers>
class Chain;

template <class L>
inline constexpr bool is_chain = false;
template <Shape Input, class... Layers>
inline constexpr bool is_chain<Chain<Input, Layers...>> = true;

// A chain inside a chain stands for its layers.
template <class L>
constexpr auto layers_of(const L& layer) {
    if constexpr (is_chain<L>) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::tuple<typename L::template Layer<I>...>{layer.template layer<I>()...};
        }
        (std::make_index_sequence<L::depth>{});
    } else {
        return std::tuple<L>{layer};
    }
}
template <Shape Input, class... Layers>
Sequence<Input, Layers...> sequence_of(const std::tuple<Layers...>&);
template <Shape Input, class... Layers>
constexpr auto sequence_type() {
    if constexpr ((is_chain<Layers> || ...))
        return std::type_identity<decltype(sequence_of<Input>(std::tuple_cat(layers_of(std::declval<Layers>())...)))>{};
    else
        return std::type_identity<Sequence<Input, Layers...>>{};
}

/// Layers one after the other. `Input` is the shape of one sample; every other shape follows, so no size is said twice.
/// Default-constructed from its type, or built from layer values by `chain<Input>(layers…)`. A chain may stand inside a
/// chain. `Chain::output` is the shape of what comes out.
template <Shape Input, class... Layers>
class Chain : public decltype(sequence_type<Input, Layers...>())::type {
    using Base = typename decltype(sequence_type<Input, Layers...>())::type;
    static_assert(Input.channels > 0 && Input.length > 0, "hourglass: a chain's input shape must not be empty");
    static_assert(Base::plan.shapes.back().size() > 0, "hourglass: a chain's output must not be empty");

    template <class L>
    static constexpr Shape next(Shape in) {
        if constexpr (is_chain<L>) {
            if (!(in == L::input))
                fail("Chain: the chain inside takes ", text(L::input), ", but the layer before it gives ", text(in));
            return L::output;
        } else {
            return L::output(in);
        }
    }
    static constexpr bool joints_fit() {
        if constexpr ((is_chain<Layers> || ...)) {
            Shape shape = Input;
            ((shape = next<Layers>(shape)), ...);
        }
        return true;
    }
    static_assert(joints_fit());

  public:
    constexpr Chain() = default;
    constexpr explicit Chain(const Layers&... layers) requires(sizeof...(Layers) > 0)
        : Base([&] {
              if constexpr ((is_chain<Layers> || ...))
                  return std::make_from_tuple<Base>(std::tuple_cat(layers_of(layers)...));
              else
                  return Base(layers...);
          }()) {}

    /// A table: one row a layer (name, output shape, parameters), then the total.
    friend std::ostream& operator<<(std::ostream& out, const Chain& chain) {
        print_row(out, "layer", "output", "parameters");
        print_row(out, "input", text(Input), "");
        chain.print(out);
        print_row(out, "total", "", text(Base::parameters));
        return out;
    }
};

/// `Chain<Input, Layers…>` from layer values, for layers with knobs.
template <Shape Input, class... Layers>
constexpr Chain<Input, Layers...> chain(const Layers&... layers) {
    return Chain<Input, Layers...>(layers...);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
