// The yardstick: Eigen alone, with one product. What a compiler spends on it says how fast the machine is at the
// moment.
#include <Eigen/Dense>

float first(const Eigen::MatrixXf& a, const Eigen::MatrixXf& b) {
    const Eigen::MatrixXf product = a * b;
    return product(0, 0);
}
