// expect: Reshape: the number of values must stay the same
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{784}, hg::Reshape<28, 28>>;
#else
using Encoder = hg::Chain<hg::Shape{784}, hg::Reshape<28, 27>>;
#endif
static_assert(Encoder::depth == 1);
