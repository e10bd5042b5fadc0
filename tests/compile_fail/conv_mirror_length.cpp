// expect: hourglass: the transpose of this Conv1D does not give back its input's length
#include <hourglass/core/mirror.hpp>
#include <hourglass/layers/conv1d.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{1, 288}, hg::Conv1D<4, 3, 2, hg::Padding::Same>>;
#else
using Encoder = hg::Chain<hg::Shape{1, 287}, hg::Conv1D<4, 3, 2, hg::Padding::Same>>;
#endif
static_assert(hg::Mirror<Encoder>::output == Encoder::input);
