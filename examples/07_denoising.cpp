// A convolutional denoising autoencoder restores pictures of Fashion-MNIST: it sees each with noise and is asked for
// the clean one. Writes denoising.png: clean, noisy, restored. Prints the model and how near to the clean test pictures
// the noisy and the restored ones are, in decibels: more is nearer, and restoring should win some.
#include <algorithm>
#include <hourglass/hourglass.hpp>
#include <iostream>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

constexpr auto same = hg::Padding::Same;
using Encoder =
    hg::Chain<hg::Shape{1, 28, 28}, hg::Conv2D<32, 3, 2, same>, hg::ReLU, hg::Conv2D<32, 3, 2, same>, hg::ReLU>;
using Decoder = hg::Chain<Encoder::output, hg::Conv2DTranspose<32, 3, 2, same>, hg::ReLU,
                          hg::Conv2DTranspose<32, 3, 2, same>, hg::ReLU, hg::Conv2D<1, 3, 1, same>, hg::Sigmoid>;

// Noise as a camera has it: the sum stays within black and white. GaussianNoise alone would be one word less.
static void add_noise(hg::ConstView<float> x, hg::View<float> y, hg::Stream random) {
    hg::GaussianNoise{0.2}.corrupt<float>(x, y, random);
    for (float& value : y.reshaped()) value = std::clamp(value, 0.0f, 1.0f);
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
    auto batches = hg::minibatches(train, 64, rng);
    const hg::CosineDecay schedule{{.initial_learning_rate = 5e-3, .decay_steps = batches.size() * arguments.epochs}};
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
    const auto psnr = [&](const Eigen::MatrixXf& x) { return hg::peak_signal_to_noise_ratio(x, data.test).mean(); };
    std::cout << "test PSNR: noisy " << psnr(noisy) << " dB, restored " << psnr(restored) << " dB (MSE "
              << (restored - data.test).squaredNorm() / static_cast<float>(restored.size()) << ")\n";
    support::write_png("denoising.png",
                       support::grid({data.test.leftCols(16), noisy.leftCols(16), restored.leftCols(16)}));
}
