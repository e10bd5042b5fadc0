// expect: hourglass: Conv1DTranspose knows no Padding::Causal, which is for Conv1D alone
#include <hourglass/core/mirror.hpp>
#include <hourglass/layers/conv1d.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{3, 6}, hg::Conv1D<4, 3, 1, hg::Padding::Same>>;
#else
using Encoder = hg::Chain<hg::Shape{3, 6}, hg::Conv1D<4, 3, 1, hg::Padding::Causal>>;
#endif
static_assert(hg::Mirror<Encoder>::depth == 1);
