// expect: hourglass: converting takes models and networks
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <string>

namespace hg = hourglass;

// An optimiser's moments are in float or double, as the file has them.
void read(const std::string& path, hg::Adam& adam) {
#ifdef FIXED
    hg::load(path, adam);
#else
    hg::load(path, hg::converting(adam));
#endif
}
