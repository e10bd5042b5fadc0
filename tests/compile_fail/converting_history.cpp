// expect: hourglass: converting takes models and networks
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <string>

namespace hg = hourglass;

// Under a name, too.
void read(const std::string& path, hg::History& history) {
#ifdef FIXED
    hg::load(path, hg::named("run", history));
#else
    hg::load(path, hg::converting(hg::named("run", history)));
#endif
}
