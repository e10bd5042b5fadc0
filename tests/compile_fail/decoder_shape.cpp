// expect: hourglass: the decoder's output must have the shape of the encoder's input
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>>;
#ifdef FIXED
using Decoder = hg::Chain<Encoder::output, hg::Dense<784>>;
#else
using Decoder = hg::Chain<Encoder::output, hg::Dense<783>>;
#endif

void build(hg::Rng& rng) { hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}); }
