// A chain of layers: described as types, flattened into one sequence, and worked out by the compiler.
#pragma once

#include <ostream>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hourglass/core/sequence.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

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
struct Shapes {
    // A constant where each layer fits what comes out of the one before it.
    static constexpr bool fit() {
        [[maybe_unused]] Shape shape = Input;
        ((shape = Layers::output(shape)), ...);
        return true;
    }
};
template <Shape Input, class... Layers>
concept LayersFit = requires {
    typename std::bool_constant<Shapes<Input, Layers...>::fit()>;
};
/// A chain of layers that do not.
template <Shape Input, class... Layers>
struct Misfit : Sequence<Input>, Shapes<Input, Layers...> {
    using Shapes<Input, Layers...>::fit;
    constexpr Misfit() = default;
    constexpr explicit Misfit(const Layers&...) requires(sizeof...(Layers) > 0) {}
};

template <Shape Input, class... Layers>
constexpr auto sequence_type();
template <Shape Input, class... Layers>
auto sequence_of(const std::tuple<Layers...>&) -> decltype(sequence_type<Input, Layers...>());

// After one of the sentences the chain is an empty one, so that nothing else is said.
template <Shape Input, class... Layers>
constexpr auto sequence_type() {
    if constexpr ((is_nested<Layers> || ...)) {
        return decltype(sequence_of<Input>(std::tuple_cat(layers_of(std::declval<Layers>())...))){};
    } else if constexpr (!(HasOutput<Layers> && ...)) {
        static_assert((says_its_output<Layers>() && ...));
        return std::type_identity<Sequence<Input>>{};
    } else if constexpr (!LayersFit<Input, Layers...>) {
        return std::type_identity<Misfit<Input, Layers...>>{};
    } else {
        return std::type_identity<Sequence<Input, Layers...>>{};
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
/// chain. `Chain::input` and `Chain::output` are the shapes at its ends, `Chain::depth` is the number of its layers,
/// with those of chains and residual blocks inside counted one by one, `Chain::parameters` that of its parameters, and
/// `Chain::condition` how many values a sample its `Condition` reads.
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
    static_assert(complete || !complete);  // to say what is missing; is_complete has said it

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
    // What it makes there of a shape.
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

  private:
    // Behind all else, so that what the layer says that does not fit is the only error.
    static_assert(std::bool_constant<Flat::fit()>::value);
};

/// `Chain<Input, Layers…>` from layer values, for layers with hyperparameters.
template <Shape Input, class... Layers>
constexpr Chain<Input, Layers...> chain(const Layers&... layers) {
    return Chain<Input, Layers...>(layers...);
}

namespace core {

// Layers Begin … End − 1 as a chain of their own.
template <std::size_t Begin, std::size_t End, class Layers>
constexpr auto subchain(const Layers& layers) {
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
        return chain<Layers::plan.shapes[Begin]>(layers.template layer<Begin + K>()...);
    }
    (std::make_index_sequence<End - Begin>{});
}

}  // namespace core

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
