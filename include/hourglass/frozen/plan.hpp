// What the compiler knows of a frozen network: how each layer is computed, and where its weights and activations lie.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "hourglass/core/plan.hpp"
#include "hourglass/core/tape.hpp"
#include "hourglass/kernels/packed_matrix.hpp"
#include "hourglass/layers/batch_normalization.hpp"
#include "hourglass/layers/dense.hpp"
#include "hourglass/layers/pointwise.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace frozen {

// How many outputs a dense layer has whose weights can be packed; 0 for what is none.
template <class L>
inline constexpr Index dense_outputs = 0;
template <Index Units, bool UseBias>
inline constexpr Index dense_outputs<Dense<Units, UseBias>> = Units;
template <Index Outputs, bool UseBias, Index Offset, Index Size>
inline constexpr Index dense_outputs<layers::DenseTransposed<Outputs, UseBias, Offset, Size>> = Outputs;

// How a layer is computed: a dense one on a flat vector from packed weights, the normalisation behind it within it, any
// other normalisation by a mean, a factor and a shift for each channel, the rest as in any evaluation.
enum class FrozenWay { Packed, Folded, Scaled, AsItIs };

/// What the compiler knows of a frozen network: the way of each layer, where its weights lie, and its activations.
template <class T, class Layers, std::size_t... Marks>
struct FrozenPlan {
    static constexpr std::size_t depth = Layers::depth;
    static constexpr core::Plan<depth> plan = Layers::template marked_plan<Marks...>();
    template <std::size_t I>
    using Layer = typename Layers::template Layer<I>;
    template <class V>
    using Each = std::array<V, depth + 1>;

    template <std::size_t I>
    static constexpr FrozenWay way() {
        if constexpr (std::is_same_v<Layer<I>, BatchNormalization>) {
            if constexpr (I > 0)
                if (way<I - 1>() == FrozenWay::Packed && !plan.needed[I]) return FrozenWay::Folded;
            return FrozenWay::Scaled;
        } else {
            return dense_outputs<Layer<I>> > 0 && plan.shapes[I].positions() == 1 ? FrozenWay::Packed
                                                                                  : FrozenWay::AsItIs;
        }
    }
    template <std::size_t I>
    using Matrix = kernels::PackedMatrix<T, std::max<Index>(dense_outputs<Layer<I>>, 1), plan.shapes[I].channels>;

    // Where the weights that it shares lie in θ, and how many.
    template <std::size_t I>
    static constexpr Slice shared() {
        if constexpr (core::is_tied<Layer<I>>)
            return {Layer<I>::shared_offset, Layer<I>::shared_parameters};
        else
            return {0, 0};
    }
    // Whether layer I acts on each value alike, in a stretch that begins at `Begin`, and there are values behind its
    // input's up to the end of a cache line.
    template <std::size_t I, std::size_t Begin>
    static constexpr bool is_whole() {
        if constexpr (I <= Begin) {
            return false;
        } else {
            // Of others' layers it is not known whether they ask for the size that the shape says.
            constexpr bool pointwise = std::is_base_of_v<Pointwise<Layer<I>>, Layer<I>>;
            constexpr FrozenWay before = way<I - 1>();
            return pointwise &&
                   (before == FrozenWay::Packed || before == FrozenWay::Folded || is_whole<I - 1, Begin>());
        }
    }
    // Values of its weights when frozen: those that it shares stand before its own.
    template <std::size_t I>
    static constexpr Index size() {
        switch (way<I>()) {
            case FrozenWay::Packed:
                return Matrix<I>::size;
            case FrozenWay::Folded:
                return 0;
            case FrozenWay::Scaled:
                return 3 * plan.shapes[I].channels;
            case FrozenWay::AsItIs:
                break;
        }
        return shared<I>().size + core::parameters_of<Layer<I>>(plan.shapes[I]) +
               core::state_of<Layer<I>>(plan.shapes[I]);
    }
    // Where the weights of each layer lie; the last one is their number.
    static constexpr Each<Index> offsets() {
        Each<Index> at{};
        Layers::each([&]<std::size_t I>() { at[I + 1] = at[I] + core::whole_lines<T>(size<I>()); });
        return at;
    }

    // Room for activation i: whole cache lines, and what a product writes behind it.
    static constexpr Each<Index> rooms() {
        Each<Index> rooms{};
        Layers::each([&]<std::size_t I>() {
            const Index written = way<I>() == FrozenWay::Packed ? Matrix<I>::padded_rows : plan.shapes[I + 1].size();
            rooms[I + 1] = core::whole_lines<T>(written);
        });
        return rooms;
    }
    // Where activations lie on the stack: each where nothing lies that is still to be read.
    struct Places {
        Each<Index> at{};
        Index room = 0;
    };
    static constexpr Places places() {
        Each<std::size_t> owner{}, last{};  // in whose memory it lies; the last layer that reads that memory
        Layers::each([&]<std::size_t I>() {
            const bool stays = plan.in_place[I] || way<I>() == FrozenWay::Folded || way<I>() == FrozenWay::Scaled;
            owner[I + 1] = stays && !plan.needed[I] ? owner[I] : I + 1;
        });
        for (std::size_t i = 0; i < depth; ++i) last[owner[i]] = i, last[owner[plan.branch[i]]] = i;
        for (const std::size_t mark : {Marks..., depth}) last[owner[mark]] = depth;
        const Each<Index> values = rooms();
        Places places;
        for (std::size_t i = 1; i <= depth; ++i) {
            Index& at = places.at[i];
            if (owner[i] != i) {
                at = places.at[owner[i]];
                continue;
            }
            for (bool moved = true; moved;) {
                moved = false;
                for (std::size_t k = 1; k < i; ++k) {
                    const Index behind = places.at[k] + values[k];
                    if (owner[k] == k && last[k] + 1 >= i && at < behind && places.at[k] < at + values[i])
                        at = behind, moved = true;
                }
            }
            places.room = std::max(places.room, at + values[i]);
        }
        return places;
    }
};

}  // namespace frozen
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
