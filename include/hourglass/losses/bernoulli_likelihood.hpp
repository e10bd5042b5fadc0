// The likelihood of values in [0, 1], such as pixels.
#pragma once

#include <string_view>

#include "hourglass/losses/cross_entropy.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// −ln p(t | x̂) = Σ −t ln x̂ − (1 − t) ln(1 − x̂), sum over features, mean over the batch, in nats: binary
/// cross-entropy times the number of features, on the scale of a divergence. Computed from the logits of a decoder that
/// ends in `Sigmoid`. `Error` when a target lies outside [0, 1]. For targets between 0 and 1 it is not normalised
/// (Loaiza-Ganem and Cunningham 2019), as everywhere where such a loss is used on pixels.
struct BernoulliLikelihood : CrossEntropy<BernoulliLikelihood> {
    static constexpr std::string_view name = "BernoulliLikelihood";
    static constexpr bool is_likelihood = true;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
