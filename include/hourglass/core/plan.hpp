// What the compiler knows of a chain before it runs: shapes, places of parameters, and which activations share memory.
#pragma once

#include <array>
#include <span>
#include <string>

#include "hourglass/core/layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

/// What a plan needs to know of one layer.
struct LayerFacts {
    Shape (*output)(Shape);
    Index (*parameters)(Shape);
    Index (*cache)(Shape);
    Index (*state)(Shape);
    Traits traits;
    Index shared_offset, shared_parameters;  // where a tied layer's shared weights lie; -1 for others
};

template <class L>
constexpr LayerFacts facts_of() {
    Index shared = -1, count = 0;
    if constexpr (is_tied<L>) shared = L::shared_offset, count = L::shared_parameters;
    return {&L::output, &parameters_of<L>, &cache_of<L>, &state_of<L>, traits_of<L>(), shared, count};
}

/// Activation 0 is the chain's input, activation i + 1 the output of layer i.
template <std::size_t Depth>
struct Plan {
    template <class V>
    using Each = std::array<V, Depth + 1>;

    Each<Shape> shapes{};          // of each activation
    Each<Index> sizes{};           // values of a sample that lie in memory: the shape's, but behind a fused layer
    Each<Index> offsets{};         // of each layer's parameters; the last one is their number
    Each<Index> caches{};          // of each layer, values per sample
    Each<Index> states{};          // of each layer's running values; the last one is their number
    Each<std::size_t> branch{};    // the activation that layer i reads beside its input; i itself for most
    Each<std::size_t> owner{};     // the activation in whose memory activation i lies
    Each<bool> in_place{};         // layer i writes its output over its input
    Each<bool> fused{};            // layer i is left to the next one, which reads what layer i would have read
    Each<bool> needed{};           // activation i is read again, so nothing may be written over it
    Each<Index> condition_of{};    // values of the caller's condition that layer i reads
    Each<bool> shared{};           // a second layer adds to the gradient of layer i's weights
    Each<std::size_t> tied_to{};   // the layer whose weights layer i uses; i itself for most
    Each<bool> by_sample{};        // layer i goes sample by sample in training, too
    Each<bool> in_parts{};         // layer i gives parts of its weights' gradient, as do all that share them
    bool conditions_agree = true;  // all layers that read the caller's condition read as many values
    bool ties_hold = true;         // every tied layer finds the one whose weights it shares before it
    std::size_t first_trained =
        Depth;            // the first layer with weights: nobody asks for gradients before it, unless for dx
    Index condition = 0;  // values given with each sample

    /// The path of layer i among layers begin … end − 1, through the residual blocks it stands in: "2", or "1.0" for
    /// the first layer of a residual block that is the second of them, counting as one.
    HOURGLASS_COLD std::string path(std::size_t i, std::size_t begin, std::size_t end) const {
        Index number = 0;
        for (std::size_t first = begin; first < end; ++number) {
            std::size_t last = first;  // of the largest residual block that begins here
            for (std::size_t k = first; k < end; ++k)
                if (joins(k) && branch[k] == first) last = k;
            if (i == last) break;
            if (i < last) return message_of(number, ".", path(i, first, last));
            first = last + 1;
        }
        return text(number);
    }

    /// Whether layer i has weights, its own or another's.
    constexpr bool has_weights(std::size_t i) const { return is_tied(i) || offsets[i + 1] > offsets[i]; }

    /// Whether layer i uses weights of another.
    constexpr bool is_tied(std::size_t i) const { return tied_to[i] != i; }

    /// Whether layer i is the end of a residual block.
    constexpr bool joins(std::size_t i) const { return branch[i] != i; }

    /// The layer whose parameters begin at `offset`; Depth for none.
    constexpr std::size_t layer_at(Index offset) const {
        std::size_t i = 0;
        while (i < Depth && !(offsets[i] == offset && offsets[i + 1] > offset)) ++i;
        return i;
    }

    /// Leaves layer i to the next one, unless somebody else reads what it gives: its output is its input, as it lies.
    constexpr void fuse(std::size_t i) {
        if (needed[i + 1]) return;
        fused[i] = in_place[i] = true;
        owner[i + 1] = owner[i];
        needed[i + 1] = needed[i];
        sizes[i + 1] = sizes[i];
    }

    /// Values of the caller's condition that layers begin … end − 1 read.
    constexpr Index condition_between(std::size_t begin, std::size_t end) const {
        Index values = 0;
        for (std::size_t i = begin; i < end; ++i)
            if (condition_of[i] > 0) values = condition_of[i];
        return values;
    }
};

/// Works a plan out. At `marks` a pass may begin or end: those activations are never written over, as the input is not.
template <std::size_t Depth>
constexpr Plan<Depth> plan_of(Shape input, const std::array<LayerFacts, Depth + 1>& layers,
                              std::span<const std::size_t> marks) {
    Plan<Depth> p;
    p.shapes[0] = input;
    p.needed[0] = true;
    for (const std::size_t mark : marks) p.needed[mark] = true;
    for (std::size_t i = 0; i < Depth; ++i)
        if (const std::size_t back = layers[i].traits.branch; back > 0) p.needed[i - back] = true;
    for (std::size_t i = 0; i < Depth; ++i) {
        const LayerFacts& layer = layers[i];
        const Shape in = p.shapes[i];
        p.shapes[i + 1] = layer.output(in);
        p.offsets[i + 1] = p.offsets[i] + layer.parameters(in);
        p.caches[i] = layer.cache(in);
        p.states[i + 1] = p.states[i] + layer.state(in);
        p.branch[i] = i - layer.traits.branch;
        p.tied_to[i] = i;
        p.by_sample[i] = layer.traits.by_sample || layer.traits.pointwise || layer.traits.keeps_values;
        p.in_parts[i] = layer.traits.gradient_in_parts;
        p.in_place[i] =
            layer.traits.in_place && !layer.traits.needs_input && (layer.traits.keeps_values || !p.needed[i]);
        p.owner[i + 1] = p.in_place[i] ? p.owner[i] : i + 1;
        if (layer.traits.keeps_values ? p.in_place[i] && p.needed[i] : layer.traits.needs_output)
            p.needed[i + 1] = true;
        if (p.first_trained == Depth && (p.offsets[i + 1] > p.offsets[i] || layer.shared_offset >= 0))
            p.first_trained = i;
        if (layer.traits.condition > 0) {
            p.conditions_agree = p.conditions_agree && (p.condition == 0 || p.condition == layer.traits.condition);
            p.condition = p.condition_of[i] = layer.traits.condition;
        }
        if (layer.shared_offset >= 0) {
            for (std::size_t k = 0; k < i; ++k)
                if (p.offsets[k] == layer.shared_offset && p.offsets[k + 1] - p.offsets[k] == layer.shared_parameters)
                    p.shared[k] = true, p.tied_to[i] = k;
            p.ties_hold = p.ties_hold && p.is_tied(i);
            const std::size_t owner = p.tied_to[i];
            p.in_parts[i] = p.in_parts[i] && layer.traits.shared_in_parts && p.by_sample[i] && p.in_parts[owner] &&
                            p.by_sample[owner] && !p.in_place[owner];
        }
    }
    // Those that share weights add to one gradient: all of them part by part, or none, so that their order stays.
    for (std::size_t i = 0; i < Depth; ++i)
        for (std::size_t k = 0; k < Depth; ++k)
            if (p.is_tied(i) && p.is_tied(k) && p.tied_to[i] == p.tied_to[k] && !p.in_parts[k]) p.in_parts[i] = false;
    p.branch[Depth] = p.tied_to[Depth] = Depth;
    for (std::size_t i = 0; i <= Depth; ++i) p.sizes[i] = p.shapes[i].size();
    return p;
}

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
