// expect: hourglass: these values are of another scalar type than is computed in here
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

Eigen::MatrixXf use(const Eigen::MatrixXf& x, const Eigen::MatrixXd& rebuilt) {
#ifdef FIXED
    return hg::error_contributions(x, rebuilt.cast<float>());
#else
    return hg::error_contributions(x, rebuilt);
#endif
}
