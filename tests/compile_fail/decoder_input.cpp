// expect: hourglass: the decoder's input must have the shape of the encoder's output
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>>;
#ifdef FIXED
using Decoder = hg::Chain<Encoder::output, hg::Dense<784>>;
#else
using Decoder = hg::Chain<hg::Shape{16}, hg::Dense<784>>;
#endif

void build(hg::Rng& rng) { hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}); }
