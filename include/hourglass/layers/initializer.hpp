// First values of weights.
#pragma once

#include <cmath>
#include <span>

#include "hourglass/core/random.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// How a kernel starts, with Keras's names. Glorot (Glorot and Bengio 2010) keeps the variance of tanh-like nets, He
/// (He et al. 2015) that of ReLU nets, LeCun (LeCun et al. 1998) that of SELU nets. Variances: 2/(fan_in + fan_out),
/// 2/fan_in, 1/fan_in. Uniform draws lie in ±√(3·variance); normal draws are cut at two standard deviations and widened
/// so that the variance after the cut is as stated.
///
/// FanInUniform is what PyTorch's layers start from: kernel and bias uniform in ±1/√fan_in (LeCun et al. 1998 as Torch
/// took it over; PyTorch writes it `kaiming_uniform_(a=√5)`), so with a third of LeCun's variance. Named after what it
/// scales with, as in `variance_scaling(1/3, "fan_in", "uniform")`. All other rules leave a bias at zero.
enum class Initializer {
    GlorotUniform,
    GlorotNormal,
    HeUniform,
    HeNormal,
    LecunUniform,
    LecunNormal,
    FanInUniform,
    Zeros
};

/// Fills `weights` for a kernel whose outputs each sum `fan_in` inputs and whose inputs each reach `fan_out` outputs.
template <class T>
void initialize(Initializer how, Index fan_in, Index fan_out, std::span<T> weights, Rng& rng) {
    double variance = 0;
    bool uniform = false;
    switch (how) {
        case Initializer::Zeros:
            break;
        case Initializer::GlorotUniform:
            uniform = true;
            [[fallthrough]];
        case Initializer::GlorotNormal:
            variance = 2.0 / static_cast<double>(fan_in + fan_out);
            break;
        case Initializer::HeUniform:
            uniform = true;
            [[fallthrough]];
        case Initializer::HeNormal:
            variance = 2.0 / static_cast<double>(fan_in);
            break;
        case Initializer::LecunUniform:
            uniform = true;
            [[fallthrough]];
        case Initializer::LecunNormal:
            variance = 1.0 / static_cast<double>(fan_in);
            break;
        case Initializer::FanInUniform:
            uniform = true;
            variance = 1.0 / (3.0 * static_cast<double>(fan_in));
            break;
    }
    const double limit = std::sqrt(3 * variance);
    const double deviation = std::sqrt(variance) / 0.87962566103423978;  // of a standard normal cut at ±2
    for (T& w : weights) {
        if (uniform || variance == 0) {
            w = T(rng.uniform(-limit, limit));
        } else {
            double z = rng.normal();
            while (z < -2 || z > 2) z = rng.normal();
            w = T(deviation * z);
        }
    }
}

/// Fills the `bias` of outputs that each sum `fan_in` inputs, after their kernel. Rules that start it at zero draw
/// nothing and leave it as it is: zero, in a model's parameters.
template <class T>
void initialize_bias(Initializer how, Index fan_in, std::span<T> bias, Rng& rng) {
    if (how == Initializer::FanInUniform) initialize(how, fan_in, Index{1}, bias, rng);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
