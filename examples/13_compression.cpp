// Fashion-MNIST compressed: bytes a picture against error. A code is kept as one byte for each of its values, the
// decoder rebuilds the picture from those bytes; beside it as many principal components, a byte each. Writes
// compressed.png: pictures of 784 bytes over what is rebuilt from 32. Prints both errors at four sizes: the
// autoencoder's should be the smaller one at each, by most where the code is shortest.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <hourglass/hourglass.hpp>
#include <iomanip>
#include <iostream>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;
using Bytes = Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic>;

// Codes as bytes: each value's range over the training codes in 255 equal steps, and back.
struct Quantiser {
    Eigen::VectorXf low, step;

    explicit Quantiser(const Eigen::MatrixXf& codes)
        : low(codes.rowwise().minCoeff()), step(((codes.rowwise().maxCoeff() - low) / 255).cwiseMax(1e-12f)) {}
    Bytes bytes(const Eigen::MatrixXf& codes) const {
        const Eigen::ArrayXXf scaled = (codes.colwise() - low).array().colwise() / step.array();
        return scaled.round().max(0).min(255).cast<std::uint8_t>();
    }
    Eigen::MatrixXf codes(const Bytes& bytes) const {
        return (bytes.cast<float>().array().colwise() * step.array()).matrix().colwise() + low;
    }
};

static double mse(const Eigen::MatrixXf& a, const Eigen::MatrixXf& b) {
    return static_cast<double>((a - b).squaredNorm()) / static_cast<double>(a.size());
}

// Trains a code of K values and returns what the test pictures look like after K bytes each.
template <Eigen::Index K>
static Eigen::MatrixXf through_bytes(const Eigen::MatrixXf& train, const Eigen::MatrixXf& test, int epochs,
                                     hg::Rng& rng) {
    using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<256>, hg::ReLU, hg::Dense<K>>;
    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder, hg::Sigmoid>>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    auto batches = hg::minibatches(train, 128, rng);
    const hg::CosineDecay schedule{{.initial_learning_rate = 2e-3, .decay_steps = batches.size() * epochs}};
    hg::Adam adam;
    for (int epoch = 0; epoch < epochs; ++epoch, batches.shuffle(rng))
        for (const auto& batch : batches) {
            model.gradient(batch, tape, rng);
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
        }
    const Quantiser quantiser(model.encode(train));
    return model.decode(quantiser.codes(quantiser.bytes(model.encode(test))));
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 10});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const Eigen::MatrixXf train = data.train.leftCols(arguments.small ? 6000 : data.train.cols());
    const Eigen::MatrixXf& test = data.test;
    hg::Rng rng{arguments.seed};

    const Eigen::VectorXf mean = train.rowwise().mean();
    const Eigen::MatrixXf centred = train.colwise() - mean;
    const Eigen::MatrixXd covariance = (centred * centred.transpose()).cast<double>();
    const Eigen::MatrixXf vectors =
        Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(covariance).eigenvectors().cast<float>();
    const auto components = [&](Eigen::Index k) -> Eigen::MatrixXf {
        const Eigen::MatrixXf basis = vectors.rightCols(k), codes = basis.transpose() * (test.colwise() - mean);
        const Quantiser quantiser(basis.transpose() * centred);
        return (basis * quantiser.codes(quantiser.bytes(codes))).colwise() + mean;
    };

    std::cout << "bytes a picture   ratio   autoencoder MSE   PSNR dB   components MSE   PSNR dB\n" << std::fixed;
    const auto row = [&](Eigen::Index k, const Eigen::MatrixXf& rebuilt) {
        const double ours = mse(rebuilt, test), theirs = mse(components(k), test);
        std::cout << std::setw(15) << k << std::setw(8) << std::setprecision(1) << 784.0 / static_cast<double>(k)
                  << std::setw(18) << std::setprecision(5) << ours << std::setw(10) << std::setprecision(2)
                  << -10 * std::log10(ours) << std::setw(17) << std::setprecision(5) << theirs << std::setw(10)
                  << std::setprecision(2) << -10 * std::log10(theirs) << std::endl;
    };
    row(8, through_bytes<8>(train, test, arguments.epochs, rng));
    row(16, through_bytes<16>(train, test, arguments.epochs, rng));
    const Eigen::MatrixXf rebuilt = through_bytes<32>(train, test, arguments.epochs, rng);
    row(32, rebuilt);
    row(64, through_bytes<64>(train, test, arguments.epochs, rng));
    support::write_png("compressed.png", support::over(test.leftCols(16), rebuilt.leftCols(16)));
}
