// expect: hourglass: KlSparsity compares mean activations with a probability, so the code must lie in (0, 1)
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>, hg::Sigmoid>;
#else
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>, hg::ReLU>;
#endif
using Decoder = hg::Chain<hg::Shape{32}, hg::Dense<784>>;

void build(hg::Rng& rng) {
    hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, hg::KlSparsity{.target = 0.05, .weight = 1});
}
