// A number with a name, as a training loop reports it.
#pragma once

#include <initializer_list>
#include <string_view>

#include "hourglass/core/error.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// One figure of a training run: `{"loss", loss}`.
struct Figure {
    std::string_view name;
    double value;
};

/// Figures as they are written in a call: `{{"loss", loss}, {"val_loss", val_loss}}`.
using Figures = std::initializer_list<Figure>;

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
