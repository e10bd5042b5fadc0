// Whether the address sanitizer watches this program. It cares for no number, and a step takes many times as long:
// checks of numbers are then made in one scalar type, and with fewer samples.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOURGLASS_TEST_WATCHED
#endif
#endif

namespace oracle {

#if defined(HOURGLASS_TEST_WATCHED) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool watched = true;
#else
inline constexpr bool watched = false;
#endif

}  // namespace oracle
