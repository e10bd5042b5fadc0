// expect: : the input has rows and columns
#include <hourglass/core/mirror.hpp>
#include <hourglass/layers/conv1d.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{3, 8}, hg::Conv1D<4, 3>>;
#else
using Encoder = hg::Chain<hg::Shape{3, 8, 8}, hg::Conv1D<4, 3>>;
#endif
static_assert(Encoder::depth == 1);
