// expect: hourglass: these values are of another scalar type than is computed in here
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Model = hg::Autoencoder<hg::Chain<hg::Shape{784}, hg::Dense<32>>, hg::Chain<hg::Shape{32}, hg::Dense<784>>,
                              hg::MeanSquaredError>;

void use(const Model& model, const Eigen::MatrixXd& x, hg::Tape<float>& tape, hg::Rng& rng) {
#ifdef FIXED
    const Eigen::MatrixXf samples = x.cast<float>();
    for (const auto& batch : hg::minibatches(samples, 256, rng)) model.gradient(batch, tape, rng);
#else
    for (const auto& batch : hg::minibatches(x, 256, rng)) model.gradient(batch, tape, rng);
#endif
}
