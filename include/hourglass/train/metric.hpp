// A number with a name, as a training loop reports it.
#pragma once

#include <initializer_list>
#include <string_view>

#include "hourglass/core/error.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// One metric of a training run: `{"loss", loss}`.
struct Metric {
    std::string_view name;  ///< what it is called, for as long as the call lasts
    double value;           ///< its value
};

/// Metrics as they are written in a call: `{{"loss", loss}, {"val_loss", val_loss}}`.
using Metrics = std::initializer_list<Metric>;

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
