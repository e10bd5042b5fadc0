// expect: hourglass: only one term can turn the encoder's output into the code
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<40>>;
using Decoder = hg::Chain<hg::Shape{20}, hg::Dense<784>, hg::Sigmoid>;

void build(hg::Rng& rng) {
#ifdef FIXED
    hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
#else
    hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::TopK<8>{}, hg::GaussianLatent{});
#endif
}
