// expect: hourglass: these values are of another scalar type than is computed in here
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Model = hg::Autoencoder<hg::Chain<hg::Shape{784}, hg::Condition<10>, hg::Dense<32>>,
                              hg::Chain<hg::Shape{32}, hg::Dense<784>>, hg::MeanSquaredError>;

void use(const Model& model, const Eigen::MatrixXd& x, const Eigen::MatrixXd& labels) {
    const Eigen::MatrixXf samples = x.cast<float>(), conditions = labels.cast<float>();
#ifdef FIXED
    model.encode(hg::given(samples, conditions));
#else
    model.encode(hg::given(x, labels));
#endif
}
