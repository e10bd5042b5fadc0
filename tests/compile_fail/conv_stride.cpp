// expect: hourglass: the stride of Conv1D must be at least 1
#include <hourglass/core/mirror.hpp>
#include <hourglass/layers/conv1d.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{3, 6}, hg::Conv1D<4, 3, 1>>;
#else
using Encoder = hg::Chain<hg::Shape{3, 6}, hg::Conv1D<4, 3, 0>>;
#endif
static_assert(Encoder::depth == 1);
