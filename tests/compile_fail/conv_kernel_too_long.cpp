// expect: : a window covers
#include <hourglass/core/mirror.hpp>
#include <hourglass/layers/conv1d.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{3, 6}, hg::Conv1D<4, 7, 1, hg::Padding::Same>>;
#else
using Encoder = hg::Chain<hg::Shape{3, 6}, hg::Conv1D<4, 7>>;
#endif
static_assert(Encoder::depth == 1);
