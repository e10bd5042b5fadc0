// expect: Condition: all conditions of a model read the same values
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Condition<10>, hg::Dense<32>>;
#ifdef FIXED
using Decoder = hg::Chain<Encoder::output, hg::Condition<10>, hg::Dense<784>>;
#else
using Decoder = hg::Chain<Encoder::output, hg::Condition<2>, hg::Dense<784>>;
#endif

void build(hg::Rng& rng) { hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}); }
