// A denoising autoencoder restores pictures of Fashion-MNIST: it sees each with noise and is asked for the clean one. A
// picture is taken as a sequence of 28 rows of 28 channels, so that small convolutions do. Writes denoising.png: clean,
// noisy, restored.
#include <algorithm>
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <iostream>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

constexpr auto same = hg::Padding::Same;
using Encoder = hg::Chain<hg::Shape{28, 28}, hg::Conv1D<64, 3, 1, same>, hg::ReLU, hg::Dense<64>, hg::ReLU>;
using Decoder = hg::Chain<Encoder::output, hg::Dense<64>, hg::ReLU, hg::Conv1D<28, 3, 1, same>, hg::Sigmoid>;

// Noise as a camera has it: the sum stays within black and white. GaussianNoise alone would be one word less.
static void add_noise(hg::ConstView<float> x, hg::View<float> y, hg::Stream random) {
    hg::GaussianNoise{0.2}.corrupt<float>(x, y, random);
    for (float& value : y.reshaped()) value = std::clamp(value, 0.0f, 1.0f);
}

// Peak signal-to-noise ratio in decibels: 10 log₁₀(1 / mean squared error).
static float psnr(const Eigen::MatrixXf& x, const Eigen::MatrixXf& clean) {
    return -10 * std::log10((x - clean).squaredNorm() / static_cast<float>(x.size()));
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 5});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const auto train = data.train.leftCols(arguments.small ? 3000 : data.train.cols());

    hg::Rng rng{arguments.seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, hg::Corruption{add_noise});
    std::cout << model << std::flush;

    hg::Adam adam;
    auto tape = model.tape();
    auto batches = hg::minibatches(train, 32, rng);
    const hg::CosineDecay schedule{{.initial_learning_rate = 8e-3, .decay_steps = batches.size() * arguments.epochs}};
    hg::ProgressBar bar{arguments.epochs, train.cols()};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch, batches.shuffle(rng)) {
        for (const auto& batch : batches) {
            const float loss = model.gradient(batch, tape, rng);  // noisy in, clean as the target
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
            bar.advance(batch.cols(), {{"loss", loss}});
        }
        bar.end_epoch({});
    }

    Eigen::MatrixXf noisy = data.test;  // evaluation is clean, so the noise is ours to add
    add_noise({data.test.data(), noisy.rows(), noisy.cols()}, {noisy.data(), noisy.rows(), noisy.cols()}, rng.stream());
    const Eigen::MatrixXf restored = model.reconstruct(noisy);
    std::cout << "test PSNR: noisy " << psnr(noisy, data.test) << " dB, restored " << psnr(restored, data.test)
              << " dB (MSE " << (restored - data.test).squaredNorm() / static_cast<float>(restored.size()) << ")\n";
    support::write_png("denoising.png",
                       support::grid({data.test.leftCols(16), noisy.leftCols(16), restored.leftCols(16)}));
}
