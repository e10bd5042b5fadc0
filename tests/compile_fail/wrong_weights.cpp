// expect: no matching
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

// Slices go to layers as spans of fixed extent: the weights of another layer do not compile.
void run(const hg::Dense<3>& layer, hg::ConstView<float> x, hg::View<float> y, const float* weights) {
#ifdef FIXED
    layer.forward<hg::Shape{4}>(std::span<const float, 15>(weights, 15), x, y, {});
#else
    layer.forward<hg::Shape{4}>(std::span<const float, 16>(weights, 16), x, y, {});
#endif
}
