// expect: hourglass: of FeatureGroups each group is masked
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Loss = hg::FeatureGroups<hg::Group<6, hg::Masked<hg::Huber>>>;
#else
using Loss = hg::Masked<hg::FeatureGroups<hg::Group<6, hg::Huber>>>;
#endif
using Encoder = hg::Chain<hg::Shape{6}, hg::ZeroImputation, hg::Dense<2>>;
using Decoder = hg::Chain<hg::Shape{2}, hg::Dense<6>>;

float loss(hg::Rng& rng, const Eigen::MatrixXf& x) { return hg::autoencoder<Encoder, Decoder>(rng, Loss{}).loss(x); }
