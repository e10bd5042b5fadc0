// expect: hourglass: Dense needs at least one unit
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<1>>;
#else
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<0>>;
#endif
static_assert(Encoder::depth == 1);
