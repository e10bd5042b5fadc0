// expect: hourglass: the groups of FeatureGroups must have together as many features as the decoder's output has
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
constexpr hg::Index numbers = 4;
#else
constexpr hg::Index numbers = 3;
#endif

using Loss = hg::FeatureGroups<hg::Group<numbers, hg::MeanSquaredError>, hg::Group<2, hg::Huber>>;
using Encoder = hg::Chain<hg::Shape{6}, hg::Dense<2>>;
using Decoder = hg::Chain<hg::Shape{2}, hg::Dense<6>>;

float loss(hg::Rng& rng, const Eigen::MatrixXf& x) { return hg::autoencoder<Encoder, Decoder>(rng, Loss{}).loss(x); }
