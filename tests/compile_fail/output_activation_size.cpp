// expect: OutputActivation: the groups of its loss have together
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef FIXED
constexpr hg::Index features = 6;
#else
constexpr hg::Index features = 7;
#endif

using Loss = hg::FeatureGroups<hg::Group<4, hg::MeanSquaredError>, hg::Group<2, hg::CategoricalCrossEntropy>>;
using Decoder = hg::Chain<hg::Shape{2}, hg::Dense<features>, hg::OutputActivation<Loss>>;
static_assert(Decoder::depth == 2);
