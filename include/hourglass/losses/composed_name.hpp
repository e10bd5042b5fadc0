// Names of losses that are made of other losses.
#pragma once

#include <cstddef>
#include <string_view>

#include "hourglass/core/shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace losses {

/// Text of at most `Room` characters, put together when the program is compiled.
template <std::size_t Room>
class ComposedName {
  public:
    constexpr void add(std::string_view words) {
        for (const char c : words) characters_[size_++] = c;
    }
    constexpr void add(Index number) {
        if (number >= 10) add(number / 10);
        characters_[size_++] = static_cast<char>('0' + number % 10);
    }
    constexpr std::string_view view() const { return {characters_, size_}; }

  private:
    char characters_[Room] = {};
    std::size_t size_ = 0;
};

}  // namespace losses
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
