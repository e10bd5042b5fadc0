// expect: hourglass: files hold models, networks, optimisers
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <string>

namespace hg = hourglass;

#ifdef FIXED
using Value = Eigen::MatrixXd;
#else
using Value = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
#endif

void write(const std::string& path, const Value& matrix) { hg::save(path, hg::named("matrix", matrix)); }
