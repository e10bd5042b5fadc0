// Arrays as files of every format here hold them: extents, and behind them the values' bytes as they lie in memory.
#pragma once

#include <bit>
#include <string>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

static_assert(std::endian::native == std::endian::little, "hourglass: arrays in files are little-endian, as this code");

/// Extents of an array, the slowest first.
using TensorShape = std::vector<Index>;

/// "[32, 784]".
inline std::string shown(const TensorShape& shape) {
    std::string all = "[";
    for (const Index extent : shape) (all += all.size() > 1 ? ", " : "") += text(extent);
    return all + "]";
}

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
