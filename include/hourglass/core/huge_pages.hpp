// Large arrays on large pages of memory, where the system offers them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hourglass/core/shape.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Asks Linux to lay `count` values, not yet written to, on pages of 2 MiB, as NumPy does with its large arrays:
/// products and optimisers walk over megabytes of parameters, and looking up the addresses of a thousand small pages
/// costs the step of a large model a percent. Only a wish: where it is not granted, on another system or for fewer
/// values than such a page holds, nothing changes.
template <class T>
void prefer_huge_pages([[maybe_unused]] T* values, [[maybe_unused]] Index count) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    constexpr std::size_t page = 4096, huge_page = std::size_t{1} << 21;
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    const std::size_t skipped = (page - reinterpret_cast<std::uintptr_t>(values) % page) % page;
    if (bytes >= huge_page) madvise(reinterpret_cast<std::byte*>(values) + skipped, bytes - skipped, MADV_HUGEPAGE);
#endif
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
