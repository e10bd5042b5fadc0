// Whether this program is compiled for the address sanitizer. It cares for no number, and a step takes many times as
// long: checks of numbers are then made in one scalar type, and with fewer samples.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOURGLASS_TEST_ADDRESS_SANITIZER
#endif
#endif

namespace oracle {

#if defined(HOURGLASS_TEST_ADDRESS_SANITIZER) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool address_sanitizer = true;
#else
inline constexpr bool address_sanitizer = false;
#endif

}  // namespace oracle
