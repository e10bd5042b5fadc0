// expect: hourglass: each_stage needs as many layers with a kernel in the decoder as in the encoder
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<128>, hg::ReLU, hg::Dense<32>>;
#ifdef FIXED
using Decoder = hg::Chain<Encoder::output, hg::Dense<128>, hg::ReLU, hg::Dense<784>>;
#else
using Decoder = hg::Chain<Encoder::output, hg::Dense<784>>;
#endif

void train(hg::Autoencoder<Encoder, Decoder, hg::MeanSquaredError>& model, const Eigen::MatrixXf& images) {
    hg::each_stage(model, images, [](auto&, const Eigen::MatrixXf&) {});
}
