// Restoration: what the model is asked for is not its input. Pictures of Fashion-MNIST carry a stamp, somewhere, and
// the model learns to give them back without. Writes restoration.png: stamped, restored, original. Prints how near to
// the originals stamped and restored test pictures are, in decibels: more is nearer, and no ring should be left to see.
#include <algorithm>
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <iostream>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<512>, hg::ReLU, hg::Dense<256>, hg::ReLU>;
using Decoder = hg::Mirror<Encoder, hg::Sigmoid>;

// Each picture with a grey ring of 15 pixels across, at a place of its own.
static Eigen::MatrixXf stamped(Eigen::MatrixXf pictures, hg::Rng& rng) {
    for (hg::Index j = 0; j < pictures.cols(); ++j) {
        const double centre_x = rng.uniform(8, 19), centre_y = rng.uniform(8, 19);
        for (int y = 0; y < 28; ++y)
            for (int x = 0; x < 28; ++x)
                if (std::abs(std::hypot(x - centre_x, y - centre_y) - 6.5) < 1) pictures(28 * y + x, j) = 0.6f;
    }
    return pictures;
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 10});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    hg::Rng rng{arguments.seed};
    const Eigen::MatrixXf train = data.train.leftCols(arguments.small ? 3000 : data.train.cols());
    const Eigen::MatrixXf test = stamped(data.test, rng);

    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{});
    hg::Adam adam;
    auto tape = model.tape();
    const hg::Index steps = (train.cols() + 127) / 128 * arguments.epochs;
    const hg::CosineDecay schedule{{.initial_learning_rate = 2e-3, .decay_steps = steps}};
    hg::ProgressBar bar{arguments.epochs, train.cols()};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch) {
        // New stamps every epoch: the model cannot learn the old ones by heart.
        for (const auto& [x, target] : hg::minibatches(stamped(train, rng), train, 128, rng)) {
            const float loss = model.gradient(x, target, tape, rng);
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
            bar.advance(x.cols(), {{"loss", loss}});
        }
        bar.end_epoch({{"val_loss", model.loss(test, data.test, tape)}});
    }

    const Eigen::MatrixXf restored = model.reconstruct(test);
    std::cout << "test PSNR: stamped " << support::psnr(test, data.test) << " dB, restored "
              << support::psnr(restored, data.test) << " dB\n";
    support::write_png("restoration.png",
                       support::grid({test.leftCols(16), restored.leftCols(16), data.test.leftCols(16)}));
}
