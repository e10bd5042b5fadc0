// Binary cross-entropy.
#pragma once

#include <string_view>

#include "hourglass/losses/cross_entropy.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// −t ln x̂ − (1 − t) ln(1 − x̂), mean over features, mean over the batch, in nats. Under a decoder that ends in
/// `Sigmoid` it is computed from the logits; any other prediction in (0, 1) is first kept within [ε, 1 − ε], ε = 1e-7
/// as in Keras. `Error` when a target lies outside [0, 1].
struct BinaryCrossEntropy : CrossEntropy<BinaryCrossEntropy> {
    static constexpr std::string_view name = "BinaryCrossEntropy";
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
