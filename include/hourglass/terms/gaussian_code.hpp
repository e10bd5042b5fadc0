// How the normal distribution of a code lies in an encoder's output.
#pragma once

#include "hourglass/core/shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace terms {

// Log-variances are kept within ± this.
inline constexpr double largest_log_variance = 20;

// Calls use(mean, log-variance, code, count) with where those begin in the encoder's output and the code, of which
// there are `copies` for each sample: at each position the first half of the channels are means.
template <Shape In, class Use>
void each_half(Index codes, Index copies, Use use) {
    constexpr Index half = In.channels / 2, positions = In.positions();
    for (Index j = 0; j < codes; ++j)
        for (Index p = 0; p < positions; ++p) {
            const Index from = 2 * half * (j / copies * positions + p);
            use(from, from + half, half * (j * positions + p), half);
        }
}

}  // namespace terms
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
