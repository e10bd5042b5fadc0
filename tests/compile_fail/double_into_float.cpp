// expect: hourglass: these values are of another scalar type than is computed in here
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Model = hg::Autoencoder<hg::Chain<hg::Shape{784}, hg::Dense<32>>, hg::Chain<hg::Shape{32}, hg::Dense<784>>,
                              hg::MeanSquaredError>;

void use(const Model& model, const Eigen::MatrixXd& x) {
#ifdef FIXED
    model.encode(x.cast<float>());
#else
    model.encode(x);
#endif
}
