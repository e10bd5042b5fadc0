// expect: hourglass: GaussianLatent takes a mean and a log-variance for each value of the code, so the encoder must end
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<40>>;
#else
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<20>>;
#endif
using Decoder = hg::Chain<hg::Shape{20}, hg::Dense<784>, hg::Sigmoid>;

void build(hg::Rng& rng) { hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{}); }
