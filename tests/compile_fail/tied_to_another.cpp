// expect: hourglass: a Tied decoder shares the weights of the encoder it is made of, and this model has another
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{8}, hg::Dense<4>>;
using Other = hg::Chain<hg::Shape{8}, hg::Dense<5>, hg::ReLU, hg::Dense<4>>;

void build(hg::Rng& rng) {
#ifdef FIXED
    hg::autoencoder<Encoder, hg::Tied<Encoder>>(rng, hg::MeanSquaredError{});
#else
    hg::autoencoder<Other, hg::Tied<Encoder>>(rng, hg::MeanSquaredError{});
#endif
}
