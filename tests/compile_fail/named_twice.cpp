// expect: hourglass: the name is said first
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <string>

namespace hg = hourglass;

void read(const std::string& path, double& number) {
    auto in_file = hg::named("number", number);
#ifdef FIXED
    hg::load(path, hg::converting(in_file));
#else
    hg::load(path, hg::named("number", hg::converting(in_file)));
#endif
}
