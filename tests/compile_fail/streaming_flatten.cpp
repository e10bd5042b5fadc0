// expect: hourglass: this network cannot be streamed: a layer needs more than the positions so far
#include <hourglass/hourglass.hpp>
#include <hourglass/streaming.hpp>

namespace hg = hourglass;

using Causal = hg::Conv1D<4, 3, 1, hg::Padding::Causal>;
#ifdef FIXED
using Net = hg::Chain<hg::Shape{1, 32}, Causal, hg::ReLU>;
#else
using Net = hg::Chain<hg::Shape{1, 32}, Causal, hg::ReLU, hg::Flatten, hg::Dense<1>>;
#endif

int main() {
    hg::Rng rng{1};
    hg::streaming(hg::network<Net>(rng));
}
