// expect: hourglass: a Tied decoder shares the weights of an encoder, which this network does not have
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{8}, hg::Dense<4>>;

void build(hg::Rng& rng) {
#ifdef FIXED
    hg::network<hg::Mirror<Encoder>>(rng);
#else
    hg::network<hg::Tied<Encoder>>(rng);
#endif
}
