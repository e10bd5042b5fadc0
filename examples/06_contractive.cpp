// A contractive autoencoder beside a plain one on Fashion-MNIST (Rifai et al. 2011): its penalty is the Jacobian of the
// whole encoder, here of two layers, so that the code hardly moves when the input does. Prints how far it moves and
// what that costs in reconstruction. Writes contractive.png into the current folder: noisy pictures over what the plain
// model and the contractive one rebuild from them. The contractive code should have the smaller Jacobian and move about
// half as far, for an error that is a little larger on clean pictures and smaller on noisy ones.
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <iomanip>
#include <iostream>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<128>, hg::Sigmoid, hg::Dense<32>, hg::Sigmoid>;
using Decoder = hg::Tied<Encoder, hg::Sigmoid>;  // with weights of its own it could undo any shrinking of the code

static double mean_squared(const Eigen::MatrixXf& x) {
    return static_cast<double>(x.squaredNorm()) / static_cast<double>(x.cols());
}

// Trains a model, prints its row, and returns what it rebuilds from the noisy pictures.
template <class... Terms>
static Eigen::MatrixXf row(const char* name, const Eigen::MatrixXf& train, const Eigen::MatrixXf& test,
                           const Eigen::MatrixXf& noisy, const support::Arguments& arguments, const Terms&... terms) {
    hg::Rng rng{arguments.seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, terms...);
    auto tape = model.tape();
    auto batches = hg::minibatches(train, 256, rng);
    const hg::CosineDecay schedule{{.initial_learning_rate = 5e-3, .decay_steps = batches.size() * arguments.epochs}};
    hg::Adam adam;
    for (int epoch = 0; epoch < arguments.epochs; ++epoch, batches.shuffle(rng))
        for (const auto& batch : batches) {
            model.gradient(batch, tape, rng);
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
        }

    const Eigen::MatrixXf codes = model.encode(test), moved = model.encode(noisy), rebuilt = model.reconstruct(noisy);
    const Eigen::VectorXf centre = codes.rowwise().mean();
    const double way = std::sqrt(mean_squared(moved - codes) / mean_squared(codes.colwise() - centre));
    std::cout << std::left << std::setw(14) << name << std::right << std::setw(10)
              << hg::jacobian_norm(model, test).mean() << std::setw(16) << way << std::setw(12)
              << model.reconstruction_error(test).mean() << std::setw(14) << mean_squared(rebuilt - test) / 784
              << std::endl;
    return rebuilt;
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 10});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const Eigen::MatrixXf train = data.train.leftCols(arguments.small ? 6000 : data.train.cols());
    const Eigen::MatrixXf test = data.test.leftCols(arguments.small ? 1000 : data.test.cols());

    Eigen::MatrixXf noisy = test;
    hg::Rng rng{arguments.seed};
    for (float& pixel : noisy.reshaped()) pixel += 0.4f * static_cast<float>(rng.normal());

    // The code's way under noise is measured in standard deviations of the codes, which no scaling of them changes.
    std::cout << std::fixed << std::setprecision(4) << "                   |J|   code's way   test MSE   MSE, noisy\n";
    const Eigen::MatrixXf plain = row("plain", train, test, noisy, arguments);
    const Eigen::MatrixXf contractive = row("contractive", train, test, noisy, arguments, hg::Contractive{1e-3});

    support::write_png("contractive.png",
                       support::grid({noisy.leftCols(16), plain.leftCols(16), contractive.leftCols(16)}));
}
