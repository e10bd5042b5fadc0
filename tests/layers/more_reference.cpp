// Mish, HardSwish, PReLU and group normalisation against numbers frozen from another framework.
#include <string>

#include "hourglass/layers/activations.hpp"
#include "hourglass/layers/group_normalization.hpp"
#include "hourglass/layers/prelu.hpp"
#include "support/layer_reference.hpp"

namespace hg = hourglass;

namespace {

template <hg::Shape In, class Layer>
void check(const Layer& layer, const std::string& name) {
    static const reference::Numbers all("more_layers.txt");
    reference::check_layer<In>(layer, all, name);
}

}  // namespace

TEST_CASE("further layers agree with the frozen numbers") {
    check<hg::Shape{6}>(hg::Mish{}, "mish");
    check<hg::Shape{6}>(hg::HardSwish{}, "hard_swish");
    check<hg::Shape{6}>(hg::PReLU{}, "prelu");
    check<hg::Shape{3, 4}>(hg::PReLU{}, "prelu_sequence");
    check<hg::Shape{6, 4}>(hg::GroupNormalization<1>{}, "groups_1");
    check<hg::Shape{6, 4}>(hg::GroupNormalization<3>{}, "groups_3");
    check<hg::Shape{6, 4}>(hg::GroupNormalization<6>{0.1}, "groups_6");
    check<hg::Shape{6}>(hg::GroupNormalization<2>{}, "groups_vector");
}
