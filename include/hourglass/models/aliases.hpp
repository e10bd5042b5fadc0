// Readable names for the usual kinds of autoencoder, in float.
#pragma once

#include "hourglass/losses/mean_squared_error.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/terms/corruption.hpp"
#include "hourglass/terms/l1.hpp"

namespace hourglass::inline HOURGLASS_ABI {

/// An autoencoder trained to undo a corruption (Vincent et al. 2008).
template <class Encoder, class Decoder, class Loss = MeanSquaredError, class Corruption = GaussianNoise>
using DenoisingAutoencoder = Autoencoder<Encoder, Decoder, Loss, Corruption>;

/// An autoencoder with a penalty that keeps most of the code at zero.
template <class Encoder, class Decoder, class Loss = MeanSquaredError, class Penalty = L1>
using SparseAutoencoder = Autoencoder<Encoder, Decoder, Loss, Penalty>;

}  // namespace hourglass::inline HOURGLASS_ABI
