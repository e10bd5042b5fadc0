// expect: hourglass: these values are of another scalar type than is computed in here
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Model = hg::Autoencoder<hg::Chain<hg::Shape{784}, hg::Dense<32>>, hg::Chain<hg::Shape{32}, hg::Dense<784>>,
                              hg::MeanSquaredError>;

void use(const Model& model, const Eigen::MatrixXf& x, const Eigen::MatrixXd& target, hg::Tape<float>& tape,
         hg::Rng& rng) {
#ifdef FIXED
    model.gradient(x, target.cast<float>(), tape, rng);
#else
    model.gradient(x, target, tape, rng);
#endif
}
