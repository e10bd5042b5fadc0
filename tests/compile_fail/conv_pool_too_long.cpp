// expect: : a window covers
#include <hourglass/core/mirror.hpp>
#include <hourglass/layers/pooling.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{3, 6}, hg::MaxPooling1D<6>>;
#else
using Encoder = hg::Chain<hg::Shape{3, 6}, hg::MaxPooling1D<7>>;
#endif
static_assert(Encoder::depth == 1);
