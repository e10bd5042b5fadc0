// expect: hourglass: the columns to be kept at unit norm are those of a Dense layer, so the decoder must begin with one
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>>;
#ifdef FIXED
using Decoder = hg::Mirror<Encoder>;
#else
using Decoder = hg::Tied<Encoder>;
#endif

void build(hg::Rng& rng) {
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    hg::unit_norm_decoder(model);
}
