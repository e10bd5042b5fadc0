// The yardstick: Eigen alone, with one product. Budgets are multiples of the instructions that a compiler spends on it.
#include <Eigen/Dense>

float first(const Eigen::MatrixXf& a, const Eigen::MatrixXf& b) {
    const Eigen::MatrixXf product = a * b;
    return product(0, 0);
}
