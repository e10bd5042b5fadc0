// What the compiler knows of a frozen network: how each layer is computed, and where its weights and activations lie.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "hourglass/core/arena.hpp"
#include "hourglass/core/plan.hpp"
#include "hourglass/kernels/packed_matrix.hpp"
#include "hourglass/layers/batch_normalization.hpp"
#include "hourglass/layers/dense.hpp"
#include "hourglass/layers/pointwise.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace frozen {

// A layer whose weights can be packed: its outputs (0 for any other), of how many positions it takes the channels, how
// far these lie apart, and into how many groups channels fall.
struct ProductFacts {
    Index outputs = 0, taps = 1, dilation = 1, groups = 1;

    // Positions before the present one that it looks back at.
    constexpr Index past() const { return (taps - 1) * dilation; }
};
template <class L>
inline constexpr ProductFacts dense_facts{};
template <Index Units, bool UseBias>
inline constexpr ProductFacts dense_facts<Dense<Units, UseBias>>{.outputs = Units};
template <Index Outputs, bool UseBias, Index Offset, Index Size>
inline constexpr ProductFacts dense_facts<layers::DenseTransposed<Outputs, UseBias, Offset, Size>>{.outputs = Outputs};

// What a frozen model works on: a whole sample.
struct WholeSample {
    static constexpr Shape shape(Shape of_activation) { return of_activation; }
    template <class L>
    static constexpr ProductFacts product(Shape in) {
        return in.positions() == 1 ? dense_facts<L> : ProductFacts{};
    }
};

// How a layer is computed: a dense one on a flat vector from packed weights; behind it, a normalisation within those
// weights and an activation on the product's sums; any other normalisation by a mean, a factor and a shift for each
// channel; the rest as in any evaluation.
enum class FrozenWay { Packed, Folded, OnSums, Scaled, AsItIs };

/// What the compiler knows of a frozen network: the way of each layer, where its weights lie, and its activations.
/// `Call` says what of a sample a call works on.
template <class T, class Layers, class Call, std::size_t... Marks>
struct FrozenPlan {
    static constexpr std::size_t depth = Layers::depth;
    static constexpr core::Plan<depth> plan = Layers::template marked_plan<Marks...>();
    template <std::size_t I>
    using Layer = typename Layers::template Layer<I>;
    template <class V>
    using Each = std::array<V, depth + 1>;

    // What of activation i a call works on.
    static constexpr Shape shape(std::size_t i) { return Call::shape(plan.shapes[i]); }
    template <std::size_t I>
    static constexpr ProductFacts product = Call::template product<Layer<I>>(plan.shapes[I]);

    // Whether activation i is read by more than the layer behind it: a branch, or a call that begins or ends there.
    static constexpr bool is_kept(std::size_t i) {
        for (const std::size_t mark : {Marks..., std::size_t{0}, depth})
            if (mark == i) return true;
        for (std::size_t k = 0; k < depth; ++k)
            if (plan.joins(k) && plan.branch[k] == i) return true;
        return false;
    }
    template <std::size_t I>
    static constexpr FrozenWay way() {
        constexpr FrozenWay before = way_before<I>();
        if constexpr (std::is_same_v<Layer<I>, BatchNormalization>)
            return before == FrozenWay::Packed ? FrozenWay::Folded : FrozenWay::Scaled;
        else if constexpr (product<I>.outputs > 0)
            return FrozenWay::Packed;
        else
            return std::is_base_of_v<Pointwise<Layer<I>>, Layer<I>> && before != FrozenWay::AsItIs ? FrozenWay::OnSums
                                                                                                   : FrozenWay::AsItIs;
    }
    // The way of the layer before, if that is a product or goes with one, and its result goes to layer I alone.
    template <std::size_t I>
    static constexpr FrozenWay way_before() {
        if constexpr (I > 0)
            if constexpr (!is_kept(I) && way<I - 1>() != FrozenWay::Scaled) return way<I - 1>();
        return FrozenWay::AsItIs;
    }
    template <std::size_t I>
    using Matrix =
        kernels::PackedMatrix<T, std::max<Index>(product<I>.outputs, 1), product<I>.taps * shape(I).channels>;

    // Where the weights that it shares lie in θ, and how many.
    template <std::size_t I>
    static constexpr Slice shared() {
        if constexpr (core::is_tied<Layer<I>>)
            return {Layer<I>::shared_offset, Layer<I>::shared_parameters};
        else
            return {0, 0};
    }
    // Values of its weights when frozen: those that it shares stand before its own.
    template <std::size_t I>
    static constexpr Index size() {
        switch (way<I>()) {
            case FrozenWay::Packed:
                return Matrix<I>::size;
            case FrozenWay::Folded:
            case FrozenWay::OnSums:
                return 0;
            case FrozenWay::Scaled:
                return 3 * shape(I).channels;
            case FrozenWay::AsItIs:
                break;
        }
        return shared<I>().size + core::parameters_of<Layer<I>>(shape(I)) + core::state_of<Layer<I>>(shape(I));
    }
    // Where the weights of each layer lie; the last one is their number.
    static constexpr Each<Index> offsets() {
        Each<Index> at{};
        Layers::each([&]<std::size_t I>() { at[I + 1] = at[I] + core::whole_lines<T>(size<I>()); });
        return at;
    }

    // Where the positions lie that each layer looks back at, and the present one; the last one is the number of values.
    static constexpr Each<Index> histories() {
        Each<Index> at{};
        Layers::each([&]<std::size_t I>() {
            constexpr Index past = product<I>.past();
            at[I + 1] = at[I] + (past > 0 ? (past + 1) * shape(I).channels : 0);
        });
        return at;
    }

    // Where activations lie on the stack: each where nothing lies that is still to be read.
    struct Activations {
        Each<Index> at{};
        Each<std::size_t> owner{}, last{};  // in whose memory it lies; the last layer that reads that memory
        Index room = 0;

        // Whether what layers begin … end − 1 give may be written where the caller wants it, which may be where x lies:
        // from the first layer on that writes there, none may read x, neither as its input nor as its branch.
        constexpr bool may_write_result(std::size_t begin, std::size_t end) const {
            std::size_t first = end;
            while (first > begin && owner[first - 1] == owner[end]) --first;
            if (first <= begin + 1) return false;
            for (std::size_t i = first; i <= end; ++i)
                if (plan.branch[i - 1] == begin) return false;
            return true;
        }
    };
    static constexpr Activations activations() {
        Activations all;
        Each<Index>& at = all.at;
        Each<std::size_t>&owner = all.owner, &last = all.last;
        Layers::each([&]<std::size_t I>() {
            constexpr FrozenWay how = way<I>();
            const bool stays = plan.in_place[I] || (how != FrozenWay::Packed && how != FrozenWay::AsItIs);
            owner[I + 1] = stays && !is_kept(I) ? owner[I] : I + 1;
        });
        for (std::size_t i = 0; i < depth; ++i) last[owner[i]] = i, last[owner[plan.branch[i]]] = i;
        for (const std::size_t mark : {Marks..., depth}) last[owner[mark]] = depth;
        const auto values = [](std::size_t i) { return core::whole_lines<T>(shape(i).size()); };
        for (std::size_t i = 1; i <= depth; ++i) {
            if (owner[i] != i) {
                at[i] = at[owner[i]];
                continue;
            }
            for (bool moved = true; moved;) {
                moved = false;
                for (std::size_t k = 1; k < i; ++k) {
                    const Index behind = at[k] + values(k);
                    if (owner[k] == k && last[k] + 1 >= i && at[i] < behind && at[k] < at[i] + values(i))
                        at[i] = behind, moved = true;
                }
            }
            all.room = std::max(all.room, at[i] + values(i));
        }
        return all;
    }
};

}  // namespace frozen
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
