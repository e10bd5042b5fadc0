// expect: hourglass: Contractive needs the second derivative of every layer of the encoder
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>, hg::Sigmoid>;
#else
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>, hg::Softmax>;
#endif
using Decoder = hg::Mirror<hg::Chain<hg::Shape{784}, hg::Dense<32>>>;

float step(const Eigen::MatrixXf& x, hg::Rng& rng) {
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, hg::Contractive{0.1f});
    auto tape = model.tape();
    return model.gradient(x, tape, rng);
}
