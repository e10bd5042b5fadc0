// program.cpp as a program: what a user links and ships.
#include <Eigen/Core>

float train(const Eigen::MatrixXf& images, Eigen::MatrixXf& rebuilt);

int main() {
    const Eigen::MatrixXf images = Eigen::MatrixXf::Constant(784, 512, 0.5f);
    Eigen::MatrixXf rebuilt;
    return train(images, rebuilt) < 1 ? 0 : 1;
}
