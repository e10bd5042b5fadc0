// The models whose constants write.cpp writes and read.cpp has compiled in: what both make of the same seed is the same
// to the bit.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <hourglass/hourglass.hpp>
#include <iterator>
#include <limits>

namespace constants {

namespace hg = hourglass;

using Net = hg::Chain<hg::Shape{2, 12}, hg::Conv1D<4, 3>, hg::BatchNormalization, hg::ReLU, hg::Dense<3>>;
using Encoder = hg::Chain<hg::Shape{7}, hg::Dense<5>, hg::BatchNormalization, hg::Tanh, hg::Dense<2>>;

inline auto network(hg::Rng& rng) { return hg::network<Net>(rng); }
/// In double, with tied weights and a loss that learns.
inline auto autoencoder(hg::Rng& rng) {
    return hg::autoencoder<Encoder, hg::Tied<Encoder>, double>(rng, hg::LearnedGaussianLikelihood{});
}

/// Numbers of all sizes, with the ends of what the type has, -0 and a denormal number among them.
template <class Model>
void fill(Model& model, hg::Rng& rng) {
    using T = typename Model::Scalar;
    using Limits = std::numeric_limits<T>;
    for (T& value : model.parameters()) value = static_cast<T>(rng.normal());
    for (T& value : model.state()) value = static_cast<T>(rng.uniform());
    const T ends[] = {Limits::max(), Limits::lowest(), Limits::min(), -Limits::denorm_min(), T(-0.0),
                      T(0),          T(1) / T(3)};
    for (std::size_t i = 0; i < std::size(ends); ++i) model.parameters()[static_cast<hg::Index>(i)] = ends[i];
}

}  // namespace constants
