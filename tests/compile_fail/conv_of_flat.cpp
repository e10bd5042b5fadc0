// expect: : a series of one channel is Shape{1, length}
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{1, 6}, hg::Conv1D<8, 3>>;
#else
using Encoder = hg::Chain<hg::Shape{6}, hg::Conv1D<8, 3>>;
#endif
static_assert(Encoder::depth == 1);
