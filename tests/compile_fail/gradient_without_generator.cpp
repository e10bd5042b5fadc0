// expect: hourglass: gradient(x, tape, rng) takes a generator, too
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Model = hg::Autoencoder<hg::Chain<hg::Shape{784}, hg::Dense<32>>, hg::Chain<hg::Shape{32}, hg::Dense<784>>,
                              hg::MeanSquaredError>;

void use(const Model& model, const Eigen::MatrixXf& x, hg::Tape<float>& tape, hg::Rng& rng) {
#ifdef FIXED
    model.gradient(x, tape, rng);
#else
    static_cast<void>(rng);
    model.gradient(x, tape);
#endif
}
