// Decoders derived from an encoder: mirrored, or mirrored with shared weights.
#pragma once

#include <array>
#include <utility>

#include "hourglass/core/chain.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

// How many layers at an encoder's end neither hold weights nor change the shape: the activation (or dropout) of the
// code. A mirrored decoder starts from the code, so it has no use for them.
template <class Encoder>
constexpr std::size_t trailing_activations() {
    std::size_t n = Encoder::depth;
    while (n > 0 && Encoder::plan.shapes[n - 1] == Encoder::plan.shapes[n] &&
           Encoder::plan.offsets[n - 1] == Encoder::plan.offsets[n] && !Encoder::plan.joins(n - 1))
        --n;
    return Encoder::depth - n;
}

// Writes the layers begin … end − 1 in reverse to `order` from place k on. The end of a residual block stays its end:
// y = x + f(x) becomes x + f′(x), with the layers of f′ in reverse.
template <std::size_t Depth>
constexpr std::size_t reverse_layers(const Plan<Depth>& plan, std::size_t begin, std::size_t end,
                                     std::array<std::size_t, Depth + 1>& order, std::size_t k) {
    while (end > begin) {
        const std::size_t last = end - 1, first = plan.branch[last];
        if (plan.joins(last)) k = reverse_layers(plan, first, last, order, k);
        order[k++] = last;
        end = first;
    }
    return k;
}

// The numbers of the encoder's layers in the order in which a mirrored decoder undoes them.
template <class Encoder>
struct MirrorOrder {
    static constexpr std::size_t count = Encoder::depth - trailing_activations<Encoder>();
    static constexpr auto layers = [] {
        std::array<std::size_t, Encoder::depth + 1> order{};
        reverse_layers(Encoder::plan, 0, count, order, 0);
        return order;
    }();
};

template <class L, Shape In>
constexpr auto mirror_of(const L& layer) {
    static_assert(
        requires { layer.template mirror<In>(); },
        "hourglass: Mirror needs a counterpart for every layer of the encoder; this layer has none (no mirror<In>())");
    return layer.template mirror<In>();
}

template <class L, Shape In, Index Offset>
constexpr auto tied_of(const L& layer) {
    if constexpr (parameters_of<L>(In) == 0) {
        return mirror_of<L, In>(layer);
    } else {
        static_assert(
            requires { layer.template tied<In, Offset>(); },
            "hourglass: Tied needs a transpose for every layer with weights; this layer has none (no tied<In, "
            "Offset>())");
        return layer.template tied<In, Offset>();
    }
}

}  // namespace core

/// The decoder with `encoder`'s layers in reverse, each in its counterpart with the same hyperparameters (a dense layer
/// back to its input's size, a pooling as an upsampling, a residual block as one of the counterparts in reverse), and
/// then `last`, such as a final `Sigmoid{}`. The activation of the code itself is left out.
template <class Encoder, class... Last>
constexpr auto mirror(const Encoder& encoder, const Last&... last) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        constexpr auto& order = core::MirrorOrder<Encoder>::layers;
        return chain<Encoder::output>(
            core::mirror_of<typename Encoder::template Layer<order[I]>, Encoder::plan.shapes[order[I]]>(
                encoder.template layer<order[I]>())...,
            last...);
    }
    (std::make_index_sequence<core::MirrorOrder<Encoder>::count>{});
}

/// As `mirror`, with the encoder's own weights in every layer that has some, transposed; biases are the decoder's own.
/// Only of use in a model together with that encoder.
template <class Encoder, class... Last>
constexpr auto tie(const Encoder& encoder, const Last&... last) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        constexpr auto& order = core::MirrorOrder<Encoder>::layers;
        return chain<Encoder::output>(
            core::tied_of<typename Encoder::template Layer<order[I]>, Encoder::plan.shapes[order[I]],
                          Encoder::plan.offsets[order[I]]>(encoder.template layer<order[I]>())...,
            last...);
    }
    (std::make_index_sequence<core::MirrorOrder<Encoder>::count>{});
}

/// The type of `mirror(encoder, last…)`: `autoencoder<E, Mirror<E>>` or, ending in an activation, `Mirror<E, Sigmoid>`.
template <class Encoder, class... Last>
using Mirror = decltype(mirror(std::declval<const Encoder&>(), std::declval<const Last&>()...));

/// The type of `tie(encoder, last…)`.
template <class Encoder, class... Last>
using Tied = decltype(tie(std::declval<const Encoder&>(), std::declval<const Last&>()...));

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
