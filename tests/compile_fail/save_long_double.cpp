// expect: hourglass: files hold models, networks, optimisers
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <string>

namespace hg = hourglass;

#ifdef FIXED
using Value = double;
#else
using Value = long double;
#endif

void write(const std::string& path, const Value& number) { hg::save(path, hg::named("number", number)); }
