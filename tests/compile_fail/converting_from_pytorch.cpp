// expect: hourglass: weights from Python are converted anyhow
#include <hourglass/hourglass.hpp>
#include <hourglass/io/python.hpp>
#include <string>

namespace hg = hourglass;

using Network = hg::Network<float, hg::Chain<hg::Shape{8}, hg::Dense<4>>>;

void read(const std::string& path, Network& network) {
#ifdef FIXED
    hg::load(path, hg::from_pytorch(network, {{"0", "fc"}}));
#else
    hg::load(path, hg::converting(hg::from_pytorch(network, {{"0", "fc"}})));
#endif
}
