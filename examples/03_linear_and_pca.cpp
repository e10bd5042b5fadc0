// A linear autoencoder finds the subspace of principal component analysis (Baldi and Hornik 1989): the test errors of
// both, side by side, on Fashion-MNIST. Prints their ratio: it cannot be below 1 on the data it was trained on, and
// approaches it the longer it trains (with --budget small it is far from there).
#include <Eigen/Dense>
#include <hourglass/hourglass.hpp>
#include <iomanip>
#include <iostream>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"

namespace hg = hourglass;

// Test error of projecting on the first k principal components of the training data.
static double pca_error(const Eigen::MatrixXf& train, const Eigen::MatrixXf& test, Eigen::Index k) {
    const Eigen::VectorXf mean = train.rowwise().mean();
    const Eigen::MatrixXf centred = train.colwise() - mean;
    Eigen::MatrixXd covariance = (centred * centred.transpose()).cast<double>();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);  // eigenvalues ascend
    const Eigen::MatrixXf basis = solver.eigenvectors().rightCols(k).cast<float>();
    const Eigen::MatrixXf x = test.colwise() - mean;
    return static_cast<double>((x - basis * (basis.transpose() * x)).squaredNorm()) / static_cast<double>(x.size());
}

template <Eigen::Index K>
static double autoencoder_error(const Eigen::MatrixXf& train, const Eigen::MatrixXf& test, int epochs, hg::Rng& rng) {
    using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<K>>;
    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    auto batches = hg::minibatches(train, 256, rng);
    const hg::CosineDecay schedule{{.initial_learning_rate = 2e-3, .decay_steps = batches.size() * epochs}};
    hg::Adam adam;
    hg::Index step = 0;
    for (int epoch = 0; epoch < epochs; ++epoch, batches.shuffle(rng))
        for (const auto& batch : batches) {
            model.gradient(batch, tape, rng);
            adam.learning_rate(schedule(step++));
            adam.step(model, tape);
        }
    return model.loss(test, tape);
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 20});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const Eigen::MatrixXf train = data.train.leftCols(arguments.small ? 6000 : data.train.cols());
    hg::Rng rng{arguments.seed};

    std::cout << "test MSE    linear autoencoder         PCA    ratio\n" << std::fixed;
    const auto row = [](int k, double autoencoder, double pca) {
        std::cout << "k = " << std::left << std::setw(8) << k << std::right << std::setprecision(6) << std::setw(18)
                  << autoencoder << std::setw(12) << pca << std::setprecision(4) << std::setw(9) << autoencoder / pca
                  << std::endl;
    };
    row(32, autoencoder_error<32>(train, data.test, arguments.epochs, rng), pca_error(train, data.test, 32));
    row(64, autoencoder_error<64>(train, data.test, arguments.epochs, rng), pca_error(train, data.test, 64));
}
