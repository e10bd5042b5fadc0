// expect: values are to be kept, but the code has only
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Code = hg::Chain<hg::Shape{32}, hg::TopK<32>>;
#else
using Code = hg::Chain<hg::Shape{32}, hg::TopK<33>>;
#endif
static_assert(Code::depth == 1);
