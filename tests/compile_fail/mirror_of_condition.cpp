// expect: hourglass: Mirror needs a counterpart for every layer of the encoder
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>>;
#else
using Encoder = hg::Chain<hg::Shape{784}, hg::Condition<10>, hg::Dense<32>>;
#endif
static_assert(hg::Mirror<Encoder>::output == Encoder::input);
