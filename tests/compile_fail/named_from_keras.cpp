// expect: hourglass: weights from Python have the names of their modules
#include <hourglass/hourglass.hpp>
#include <hourglass/io/python.hpp>
#include <string>

namespace hg = hourglass;

using Network = hg::Network<float, hg::Chain<hg::Shape{8}, hg::Dense<4>>>;

void read(const std::string& path, Network& network) {
#ifdef FIXED
    hg::load(path, hg::from_keras(network, {{"0", "dense"}}));
#else
    hg::load(path, hg::named("x", hg::from_keras(network, {{"0", "dense"}})));
#endif
}
