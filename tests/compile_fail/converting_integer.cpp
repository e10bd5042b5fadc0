// expect: hourglass: converting takes models and networks
#include <cstdint>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <string>

namespace hg = hourglass;

#ifdef FIXED
using Number = double;
#else
using Number = std::int64_t;
#endif

void read(const std::string& path, Number& number) { hg::load(path, hg::converting(hg::named("number", number))); }
