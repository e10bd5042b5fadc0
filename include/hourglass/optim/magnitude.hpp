// How large gradients and moments may be for a step that cannot leave the finite numbers, whatever the parameters are.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace optim {

/// Whether all values are in [-2^exponent, 2^exponent]; of an infinity or a NaN it says no.
template <class T>
bool all_within(const T* values, Index count, int exponent) {
    // As in `first_non_finite`: what is added to the bits of the magnitude carries into the sign's bit if they are more
    // than those of the bound.
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    const Bits magnitude = ~Bits{0} >> 1, more = magnitude - std::bit_cast<Bits>(std::ldexp(T(1), exponent));
    constexpr Index block = 64;
    Index i = 0;
    for (; i + block <= count; i += block) {
        Bits carry = 0;
        for (Index k = 0; k < block; ++k) carry |= (std::bit_cast<Bits>(values[i + k]) & magnitude) + more;
        if (carry > magnitude) return false;
    }
    for (; i < count; ++i)
        if ((std::bit_cast<Bits>(values[i]) & magnitude) + more > magnitude) return false;
    return true;
}

/// Exponents of two that bound what a *quiet* step works with. It starts from moments of at most `moment`, seen by
/// looking at them within the last `trusted_steps` steps, all of them quiet, and from gradients of at most `gradient`,
/// whose squares are then at most `moment` as well; what its formula takes from a parameter stays below `change`, a
/// fourth of the last bit of the largest number, so that every finite parameter stays finite.
template <class T>
struct Quiet {
    static constexpr int scale = std::numeric_limits<T>::max_exponent / 128;
    static constexpr int gradient = 20 * scale;
    static constexpr int moment = 40 * scale;
    static constexpr int change = std::numeric_limits<T>::max_exponent - std::numeric_limits<T>::digits - 2;
};

/// How many quiet steps are taken before the moments are looked at again.
inline constexpr int trusted_steps = 32;

}  // namespace optim
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
