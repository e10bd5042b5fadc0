// expect: hourglass: the dilation of Conv1DTranspose must be at least 1
#include <hourglass/core/mirror.hpp>
#include <hourglass/layers/conv1d_transpose.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Decoder = hg::Chain<hg::Shape{3, 6}, hg::Conv1DTranspose<4, 3, 1, hg::Padding::Same, 1>>;
#else
using Decoder = hg::Chain<hg::Shape{3, 6}, hg::Conv1DTranspose<4, 3, 1, hg::Padding::Same, 0>>;
#endif
static_assert(Decoder::depth == 1);
