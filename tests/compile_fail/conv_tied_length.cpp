// expect: hourglass: the transpose of this Conv1D does not give back its input's length
#include <hourglass/core/mirror.hpp>
#include <hourglass/layers/conv1d.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{1, 9}, hg::Conv1D<4, 3, 2>>;
#else
using Encoder = hg::Chain<hg::Shape{1, 10}, hg::Conv1D<4, 3, 2>>;
#endif
static_assert(hg::Tied<Encoder>::output == Encoder::input);
