// Decoders derived from an encoder: mirrored, or mirrored with shared weights.
#pragma once

#include <utility>

#include "hourglass/core/chain.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// How many layers at an encoder's end neither hold weights nor change the shape: the activation (or dropout) of the
// code. A mirrored decoder starts from the code, so it has no use for them.
template <class Encoder>
constexpr std::size_t trailing_activations() {
    std::size_t n = Encoder::depth;
    while (n > 0 && Encoder::plan.shapes[n - 1] == Encoder::plan.shapes[n] &&
           Encoder::plan.offsets[n - 1] == Encoder::plan.offsets[n])
        --n;
    return Encoder::depth - n;
}

template <class Layer, Shape In>
constexpr auto mirror_of(const Layer& layer) {
    static_assert(
        requires { layer.template mirror<In>(); },
        "hourglass: Mirror needs a counterpart for every layer of the encoder; this layer has none (no mirror<In>())");
    return layer.template mirror<In>();
}

template <class Layer, Shape In, Index Offset>
constexpr auto tied_of(const Layer& layer) {
    if constexpr (parameters_of<Layer>(In) == 0) {
        return mirror_of<Layer, In>(layer);
    } else {
        static_assert(
            requires { layer.template tied<In, Offset>(); },
            "hourglass: Tied needs a transpose for every layer with weights; this layer has none (no tied<In, "
            "Offset>())");
        return layer.template tied<In, Offset>();
    }
}

/// The decoder with `encoder`'s layers in reverse, each in its counterpart with the same knobs (a dense layer back to
/// its input's size, a pooling as an upsampling), and then `last`, such as a final `Sigmoid{}`. The activation of the
/// code itself is left out.
template <class Encoder, class... Last>
constexpr auto mirror(const Encoder& encoder, const Last&... last) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        constexpr std::size_t top = Encoder::depth - trailing_activations<Encoder>() - 1;
        return chain<Encoder::output>(
            mirror_of<typename Encoder::template Layer<top - I>, Encoder::plan.shapes[top - I]>(
                encoder.template layer<top - I>())...,
            last...);
    }
    (std::make_index_sequence<Encoder::depth - trailing_activations<Encoder>()>{});
}

/// As `mirror`, with the encoder's own weights in every layer that has some, transposed; biases are the decoder's own.
/// Only of use in a model together with that encoder.
template <class Encoder, class... Last>
constexpr auto tie(const Encoder& encoder, const Last&... last) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        constexpr std::size_t top = Encoder::depth - trailing_activations<Encoder>() - 1;
        return chain<Encoder::output>(tied_of<typename Encoder::template Layer<top - I>, Encoder::plan.shapes[top - I],
                                              Encoder::plan.offsets[top - I]>(encoder.template layer<top - I>())...,
                                      last...);
    }
    (std::make_index_sequence<Encoder::depth - trailing_activations<Encoder>()>{});
}

/// The type of `mirror(encoder, last…)`: `autoencoder<E, Mirror<E>>` or, ending in an activation, `Mirror<E, Sigmoid>`.
template <class Encoder, class... Last>
using Mirror = decltype(mirror(std::declval<const Encoder&>(), std::declval<const Last&>()...));

/// The type of `tie(encoder, last…)`.
template <class Encoder, class... Last>
using Tied = decltype(tie(std::declval<const Encoder&>(), std::declval<const Last&>()...));

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
