// expect: Residual: what its layers give is added to what they get
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{784}, hg::Residual<hg::Dense<32>, hg::Tanh, hg::Dense<784>>>;
#else
using Encoder = hg::Chain<hg::Shape{784}, hg::Residual<hg::Dense<32>, hg::Tanh, hg::Dense<783>>>;
#endif
static_assert(Encoder::depth == 4);
