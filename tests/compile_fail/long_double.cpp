// expect: hourglass computes in float or double
#include "hourglass/core/view.hpp"

#ifdef FIXED
using Number = double;
#else
using Number = long double;
#endif

bool ordinary(Number value) { return hourglass::is_finite(value); }
