// What a stream works on in a call: one position of a series, of a network whose layers look back only.
#pragma once

#include <cstddef>
#include <type_traits>

#include "hourglass/frozen/plan.hpp"
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/dropout.hpp"
#include "hourglass/layers/layer_normalization.hpp"
#include "hourglass/layers/prelu.hpp"
#include "hourglass/layers/residual.hpp"
#include "hourglass/layers/softmax.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace frozen {

template <class L>
inline constexpr ProductFacts convolution_facts = dense_facts<L>;
template <Index Filters, Index Kernel, Index Dilation, bool UseBias, Index Groups>
inline constexpr ProductFacts convolution_facts<Conv1D<Filters, Kernel, 1, Padding::Causal, Dilation, UseBias, Groups>>{
    .outputs = Filters, .taps = Kernel, .dilation = Dilation, .groups = Groups};

/// What a stream works on: the channels of one position.
struct OnePosition {
    static constexpr Shape shape(Shape of_activation) { return {of_activation.channels}; }
    template <class L>
    static constexpr ProductFacts product(Shape) {
        return convolution_facts<L>;
    }
};

// Whether a layer gives at a position what it makes of that one and those before it. Of others' layers it is not known,
// unless they are a formula for each value.
template <class L>
constexpr bool is_streamable() {
    return convolution_facts<L>.outputs > 0 || std::is_base_of_v<Pointwise<L>, L> ||
           (core::traits_of<L>().branch > 0 && core::traits_of<L>().pointwise) ||
           std::is_same_v<L, BatchNormalization> || std::is_same_v<L, LayerNormalization> ||
           std::is_same_v<L, Softmax> || std::is_same_v<L, Dropout> || std::is_same_v<L, PReLU>;
}
template <class Layers>
constexpr bool all_streamable() {
    bool all = Layers::input.columns == 1;
    Layers::each([&]<std::size_t I>() { all = all && is_streamable<typename Layers::template Layer<I>>(); });
    return all;
}

}  // namespace frozen
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
