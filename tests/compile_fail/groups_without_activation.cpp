// expect: hourglass: this loss compares probabilities
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Loss = hg::FeatureGroups<hg::Group<4, hg::MeanSquaredError>, hg::Group<2, hg::CategoricalCrossEntropy>>;
using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<2>>;
#ifdef FIXED
using Decoder = hg::Chain<hg::Shape{2}, hg::Dense<6>, hg::OutputActivation<Loss>>;
#else
using Decoder = hg::Chain<hg::Shape{2}, hg::Dense<6>>;
#endif

float loss(hg::Rng& rng, const Eigen::MatrixXf& x) { return hg::autoencoder<Encoder, Decoder>(rng, Loss{}).loss(x); }
