// expect: hourglass: these values are of another scalar type than is computed in here
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

void use(const Eigen::MatrixXd& table) {
#ifdef FIXED
    hg::StandardScaler<double> scaler;
#else
    hg::StandardScaler scaler;
#endif
    scaler.fit(table);
}
