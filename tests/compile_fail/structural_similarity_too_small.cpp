// expect: hourglass: StructuralSimilarity compares pictures of at least 11 rows and 11 columns
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
constexpr hg::Index height = 11;
#else
constexpr hg::Index height = 10;
#endif

using Encoder = hg::Chain<hg::Shape{1, height, 12}, hg::Flatten, hg::Dense<4>>;
using Decoder = hg::Chain<hg::Shape{4}, hg::Dense<12 * height>, hg::Reshape<1, height, 12>>;

float loss(hg::Rng& rng, const Eigen::MatrixXf& x) {
    return hg::autoencoder<Encoder, Decoder>(rng, hg::StructuralSimilarity{}).loss(x);
}
