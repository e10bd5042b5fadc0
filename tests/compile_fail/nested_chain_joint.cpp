// expect: Chain: the chain inside takes
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Inner = hg::Chain<hg::Shape{32}, hg::Tanh>;
#else
using Inner = hg::Chain<hg::Shape{31}, hg::Tanh>;
#endif
using Outer = hg::Chain<hg::Shape{784}, hg::Dense<32>, Inner>;
static_assert(Outer::depth == 2);
