// A loss at the end of a chain: what it reads, and whether it and the last activation are one.
#pragma once

#include <cstddef>

#include "hourglass/core/chain.hpp"
#include "hourglass/core/term.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

// The last of layers 0 … end − 1 that computes something: a Flatten or Reshape behind it moves nothing. `end` without
// one.
template <class Layers>
constexpr std::size_t last_working_layer(std::size_t end = Layers::depth) {
    std::size_t last = end;
    Layers::each([&]<std::size_t I>() {
        if (I < end && !traits_of<typename Layers::template Layer<I>>().keeps_values) last = I;
    });
    return last;
}
// Where the values of activation `end` lie.
template <class Layers, std::size_t End>
constexpr Range range_at() {
    if constexpr (constexpr std::size_t last = last_working_layer<Layers>(End); last < End)
        return range_of<typename Layers::template Layer<last>>();
    else
        return Range::Real;
}

// Whether a layer is the inverse of a loss's link.
template <class L, class Loss>
constexpr bool inverts_link_of() {
    constexpr Link link = link_of<Loss>();
    constexpr bool same = link != Link::None && traits_of<L>().link == link;
    if constexpr (same && link == Link::EachGroup) {
        if constexpr (L::groups.size() != Loss::groups.size())
            return false;
        else
            return L::groups == Loss::groups;
    } else {
        return same;
    }
}

// Whether a loss can compare outputs of a shape; it brings its own sentence where it cannot.
template <class Loss, Shape Output>
constexpr bool accepts_output() {
    if constexpr (requires { Loss::template accepts<Output>(); })
        return Loss::template accepts<Output>();
    else
        return true;
}

/// A loss at the end of layers: where the last activation is the inverse of the loss's link, both are one, and the loss
/// reads what goes into the activation.
template <class Layers, class Loss>
struct LossAt {
    static constexpr bool ends_in_inverse = [] {
        constexpr std::size_t last = last_working_layer<Layers>();
        constexpr bool may_invert = last < Layers::depth && needs_unit_range<Loss>;
        if constexpr (may_invert)
            return inverts_link_of<typename Layers::template Layer<last>, Loss>();
        else
            return false;
    }();
    static_assert(!needs_unit_range<Loss> || ends_in_inverse || range_at<Layers, Layers::depth>() == Range::Unit,
                  "hourglass: this loss compares probabilities, so what it reads must lie in (0, 1): end the chain in "
                  "Sigmoid, in Softmax for CategoricalCrossEntropy, or in OutputActivation<Loss> for FeatureGroups");
    static constexpr Shape output = Layers::plan.shapes[Layers::depth];
    static_assert(accepts_output<Loss, output>());
    static constexpr bool fits = true;  // naming it instantiates this class, and so the assertion above

    // Only layers from `first` on may be fused with the loss: the outputs of those before are read by terms too.
    static constexpr bool fused_from(std::size_t first) {
        return ends_in_inverse && last_working_layer<Layers>() >= first;
    }
    // The activation that the loss reads.
    static constexpr std::size_t activation(std::size_t first) {
        return fused_from(first) ? last_working_layer<Layers>() : Layers::depth;
    }

    /// The loss as it is computed of that activation. `gradient`, when not null, is θ's, for a loss that learns: its
    /// parameters begin at `offset`.
    template <bool Fused, std::size_t At, class T>
    static decltype(auto) bind(const Loss& loss, const Caller& caller, const T* theta, T* gradient, Index offset) {
        if constexpr (learned_by<Loss>() > 0)
            return loss.template bind<T>(theta + offset, gradient ? gradient + offset : nullptr);
        else
            return computed<Fused, Layers::plan.shapes[At]>(loss, caller);
    }
};

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
