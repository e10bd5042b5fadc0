// expect: hourglass: a pooling needs windows of at least one position
#include <hourglass/core/mirror.hpp>
#include <hourglass/layers/pooling.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{3, 6}, hg::AveragePooling1D<1>>;
#else
using Encoder = hg::Chain<hg::Shape{3, 6}, hg::AveragePooling1D<0, 1>>;
#endif
static_assert(Encoder::depth == 1);
