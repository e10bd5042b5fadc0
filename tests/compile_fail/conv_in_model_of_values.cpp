// expect: : a window covers
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Convolution = hg::Conv2D<8, 3>;
#else
using Convolution = hg::Conv2D<8, 7>;
#endif

void use(const Eigen::MatrixXf& x, hg::Rng& rng) {
    const auto encoder = hg::chain<hg::Shape{1, 6, 6}>(Convolution{}, hg::ReLU{}, hg::Flatten{}, hg::Dense<4>{});
    auto model = hg::autoencoder(encoder, hg::mirror(encoder), rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    model.gradient(x, tape, rng);
}
