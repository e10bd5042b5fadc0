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

// Whether a loss is computed otherwise for outputs of another shape. A template of its own, because clang 14 takes no
// requirement for fulfilled that names a constant of the function it stands in.
template <class Loss, Shape Output>
inline constexpr bool depends_on_shape = requires(const Loss& loss, const Caller& caller) {
    loss.template from_output<Output>(caller);
};

/// A loss at the end of layers: where the last activation is the inverse of the loss's link, both are one, and the loss
/// reads what goes into the activation.
template <class Layers, class Loss>
struct LossAt {
    static constexpr bool needs_unit_range = requires { requires Loss::needs_unit_range; };
    static_assert(!needs_unit_range || range_at<Layers, Layers::depth>() == Range::Unit,
                  "hourglass: this loss compares probabilities, so what it reads must lie in (0, 1): end the chain in "
                  "Sigmoid, or in Softmax for CategoricalCrossEntropy");
    static constexpr bool fits = true;  // naming it instantiates this class, and so the assertion above

    // Only layers from `first` on may be fused with the loss: the outputs of those before are read by terms too.
    static constexpr bool fused_from(std::size_t first) {
        constexpr std::size_t last = last_working_layer<Layers>();
        if constexpr (needs_unit_range && last < Layers::depth)
            return last >= first && traits_of<typename Layers::template Layer<last>>().link == link_of<Loss>();
        else
            return false;
    }
    // The activation that the loss reads.
    static constexpr std::size_t activation(std::size_t first) {
        return fused_from(first) ? last_working_layer<Layers>() : Layers::depth;
    }

    /// The loss as it is computed of that activation. `gradient`, when not null, is θ's, for a loss that learns: its
    /// parameters begin at `offset`.
    template <bool Fused, std::size_t At, class T>
    static decltype(auto) bind(const Loss& loss, const Caller& caller, const T* theta, T* gradient, Index offset) {
        constexpr Shape shape = Layers::plan.shapes[At];
        if constexpr (Fused)
            return loss.template from_logits<shape>(caller);
        else if constexpr (depends_on_shape<Loss, shape>)
            return loss.template from_output<shape>(caller);
        else if constexpr (learned_by<Loss>() > 0)
            return loss.template bind<T>(theta + offset, gradient ? gradient + offset : nullptr);
        else
            return static_cast<const Loss&>(loss);
    }
};

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
