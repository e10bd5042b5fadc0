// expect: : a series of one channel is Shape{1, length}
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{1, 6}, hg::Conv1D<8, 3>, hg::ReLU>;
#else
using Encoder = hg::Chain<hg::Shape{6}, hg::Conv1D<8, 3>, hg::ReLU>;
#endif

void use(const Eigen::MatrixXf& x, hg::Rng& rng) {
    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    model.gradient(x, tape, rng);
}
