// expect: hourglass: this loss compares probabilities, so what it reads must lie in (0, 1): end the chain in Sigmoid
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>>;
#ifdef FIXED
using Decoder = hg::Mirror<Encoder, hg::Sigmoid>;
#else
using Decoder = hg::Mirror<Encoder>;
#endif

void build(hg::Rng& rng) { hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{}); }
