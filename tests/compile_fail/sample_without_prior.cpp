// expect: hourglass: sample draws codes from the prior of a variational model
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Model =
    hg::Autoencoder<hg::Chain<hg::Shape{8}, hg::Dense<2>>, hg::Chain<hg::Shape{2}, hg::Dense<8>>, hg::MeanSquaredError>;

void use(const Model& model, const Eigen::MatrixXf& codes, hg::Rng& rng) {
#ifdef FIXED
    static_cast<void>(rng);
    model.decode(codes);
#else
    static_cast<void>(codes);
    model.sample(10, rng);
#endif
}
