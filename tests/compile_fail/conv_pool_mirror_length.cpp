// expect: hourglass: an upsampling by the stride of this pooling does not give back its input's length
#include <hourglass/core/mirror.hpp>
#include <hourglass/layers/pooling.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{1, 8}, hg::MaxPooling1D<>>;
#else
using Encoder = hg::Chain<hg::Shape{1, 7}, hg::MaxPooling1D<>>;
#endif
static_assert(hg::Mirror<Encoder>::output == Encoder::input);
