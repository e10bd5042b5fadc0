// expect: hourglass: stages are of layers with weights, and this encoder has none
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>, hg::ReLU>;
#else
using Encoder = hg::Chain<hg::Shape{784}, hg::ReLU>;
#endif

void train(hg::Autoencoder<Encoder, hg::Mirror<Encoder>, hg::MeanSquaredError>& model, const Eigen::MatrixXf& images) {
    hg::each_stage(model, images, [](auto&, const Eigen::MatrixXf&) {});
}
