// expect: hourglass: behind the chains a model takes a generator, which is a variable, and then a loss
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>>;
using Decoder = hg::Mirror<Encoder>;

void build(hg::Rng& rng) {
#ifdef FIXED
    hg::autoencoder(Encoder{}, Decoder{}, rng, hg::MeanSquaredError{});
#else
    hg::autoencoder(Encoder{}, Decoder{}, hg::MeanSquaredError{}, rng);
#endif
}
