// Readable names for the usual kinds of autoencoder, in float.
#pragma once

#include "hourglass/losses/bernoulli_likelihood.hpp"
#include "hourglass/losses/mean_squared_error.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/terms/contractive.hpp"
#include "hourglass/terms/corruption.hpp"
#include "hourglass/terms/gaussian_latent.hpp"
#include "hourglass/terms/l1.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// An autoencoder trained to undo a corruption (Vincent et al. 2008).
template <class Encoder, class Decoder, class Loss = MeanSquaredError, class Corruption = GaussianNoise>
using DenoisingAutoencoder = Autoencoder<Encoder, Decoder, Loss, Corruption>;

/// An autoencoder with a penalty that keeps most of the code at zero.
template <class Encoder, class Decoder, class Loss = MeanSquaredError, class Penalty = L1>
using SparseAutoencoder = Autoencoder<Encoder, Decoder, Loss, Penalty>;

/// An autoencoder whose code moves little when the input does (Rifai et al. 2011).
template <class Encoder, class Decoder, class Loss = MeanSquaredError>
using ContractiveAutoencoder = Autoencoder<Encoder, Decoder, Loss, Contractive>;

/// An autoencoder whose code is a distribution, from which it can draw samples (Kingma and Welling 2014). The encoder
/// ends in twice the decoder's input.
template <class Encoder, class Decoder, class Loss = BernoulliLikelihood>
using VariationalAutoencoder = Autoencoder<Encoder, Decoder, Loss, GaussianLatent>;

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
