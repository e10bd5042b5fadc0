// Fashion-MNIST in two dimensions: the codes of a deep autoencoder beside the first two principal components. Prints
// how well each plane rebuilds the pictures and keeps the kinds of garments apart. Writes codes.png: components on the
// left, codes on the right, a colour for each of the ten kinds. The codes should do both better than the components.
#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cstdint>
#include <hourglass/hourglass.hpp>
#include <iostream>
#include <limits>
#include <vector>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<512>, hg::ReLU, hg::Dense<128>, hg::ReLU, hg::Dense<2>>;
using Decoder = hg::Mirror<Encoder, hg::Sigmoid>;

// The part of the points whose nearest other point is of the same kind.
static double neighbours_agree(const Eigen::MatrixXf& points, const Eigen::VectorXi& labels) {
    Eigen::Index agree = 0;
    for (Eigen::Index j = 0; j < points.cols(); ++j) {
        Eigen::VectorXf distance = (points.colwise() - points.col(j)).colwise().squaredNorm();
        distance[j] = std::numeric_limits<float>::infinity();
        Eigen::Index nearest;
        distance.minCoeff(&nearest);
        agree += labels[nearest] == labels[j];
    }
    return static_cast<double>(agree) / static_cast<double>(points.cols());
}

// A square of `size` pixels with a dot for each point, drawn into the picture from pixel column `left` on.
static void scatter(support::Picture& picture, int left, int size, const Eigen::MatrixXf& points,
                    const Eigen::VectorXi& labels) {
    constexpr std::array<std::array<std::uint8_t, 3>, 10> colours{{{31, 119, 180},
                                                                   {255, 127, 14},
                                                                   {44, 160, 44},
                                                                   {214, 39, 40},
                                                                   {148, 103, 189},
                                                                   {140, 86, 75},
                                                                   {227, 119, 194},
                                                                   {90, 90, 90},
                                                                   {188, 189, 34},
                                                                   {23, 190, 207}}};
    const Eigen::Vector2f low = points.rowwise().minCoeff(), range = points.rowwise().maxCoeff() - low;
    for (Eigen::Index j = 0; j < points.cols(); ++j) {
        const Eigen::Vector2f place = (points.col(j) - low).cwiseQuotient(range) * static_cast<float>(size - 6);
        for (int dy = 0; dy < 2; ++dy)
            for (int dx = 0; dx < 2; ++dx) {
                const int x = left + 2 + static_cast<int>(place[0]) + dx, y = 2 + static_cast<int>(place[1]) + dy;
                const auto& colour = colours[static_cast<std::size_t>(labels[j])];
                std::copy(colour.begin(), colour.end(), picture.pixels.begin() + 3 * (y * picture.width + x));
            }
    }
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 15});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const Eigen::MatrixXf train = data.train.leftCols(arguments.small ? 6000 : data.train.cols());
    const Eigen::Index shown = arguments.small ? 500 : 4000;
    const Eigen::MatrixXf test = data.test.leftCols(shown);
    const Eigen::VectorXi labels = data.test_labels.head(shown);

    hg::Rng rng{arguments.seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    hg::Adam adam;
    auto tape = model.tape();
    auto batches = hg::minibatches(train, 128, rng);
    hg::ProgressBar bar{arguments.epochs, train.cols()};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch, batches.shuffle(rng)) {
        for (const auto& batch : batches) {
            const float loss = model.gradient(batch, tape, rng);
            adam.step(model, tape);
            bar.advance(batch.cols(), {{"loss", loss}});
        }
        bar.end_epoch({{"test_loss", model.loss(test, tape)}});
    }

    const Eigen::VectorXf mean = train.rowwise().mean();
    const Eigen::MatrixXf centred = train.colwise() - mean;
    const Eigen::MatrixXd covariance = (centred * centred.transpose()).cast<double>();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
    const Eigen::MatrixXf basis = solver.eigenvectors().rightCols(2).cast<float>();
    const Eigen::MatrixXf components = basis.transpose() * (test.colwise() - mean), codes = model.encode(test);
    const Eigen::MatrixXf projected = (basis * components).colwise() + mean;

    std::cout << "                      test MSE   nearest neighbour of the same kind\n"
              << "principal components  " << (projected - test).squaredNorm() / static_cast<float>(test.size()) << "   "
              << neighbours_agree(components, labels) << "\nautoencoder           " << model.loss(test, tape) << "   "
              << neighbours_agree(codes, labels) << '\n';

    constexpr int size = 400;
    support::Picture picture{2 * size, size, 3, std::vector<std::uint8_t>(3 * 2 * size * size, 255)};
    scatter(picture, 0, size, components, labels);
    scatter(picture, size, size, codes, labels);
    support::write_png("codes.png", picture);
}
