// expect: hourglass: a model has exactly one loss
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>>;

void build(hg::Rng& rng) {
#ifdef FIXED
    hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{}, hg::L1{0.1});
#else
    hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{}, hg::Huber{});
#endif
}
