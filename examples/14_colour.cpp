// Grey to colour: the target holds what the input has lost. Each kind of garment in Fashion-MNIST is dyed in a colour
// of its own; the model sees the picture in grey, all three channels alike, and has to know the kind by its shape to
// give the colours back. Writes colour.png: grey, coloured by the model, dyed.
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <iostream>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{3 * 784}, hg::Dense<512>, hg::ReLU, hg::Dense<128>, hg::ReLU>;
using Decoder = hg::Chain<Encoder::output, hg::Dense<512>, hg::ReLU, hg::Dense<3 * 784>, hg::Sigmoid>;

// Red, green and blue of each kind's dye, from T-shirt to ankle boot: ten places around the circle of hues.
static Eigen::Matrix3Xf dyes() {
    Eigen::Matrix3Xf colours(3, 10);
    for (int channel = 0; channel < 3; ++channel)
        for (int kind = 0; kind < 10; ++kind)
            colours(channel, kind) = 0.55f + 0.45f * std::cos(static_cast<float>(0.6283 * kind - 2.0944 * channel));
    return colours;
}

// Every pixel of a grey picture times its picture's colour, a column of `colours`: red, green, blue of the first pixel,
// then of the second, and so on.
static Eigen::MatrixXf dyed(const Eigen::MatrixXf& grey, const Eigen::Matrix3Xf& colours) {
    Eigen::MatrixXf pictures(3 * grey.rows(), grey.cols());
    for (hg::Index j = 0; j < grey.cols(); ++j)
        for (hg::Index pixel = 0; pixel < grey.rows(); ++pixel)
            pictures.col(j).segment<3>(3 * pixel) = grey(pixel, j) * colours.col(j);
    return pictures;
}

// Share of pictures whose colours, summed over the pixels, point along their own dye rather than another one.
static double right_dye(const Eigen::MatrixXf& pictures, const Eigen::VectorXi& kinds) {
    const Eigen::Matrix3Xf candidates = dyes().colwise().normalized();
    hg::Index right = 0;
    for (hg::Index j = 0; j < pictures.cols(); ++j) {
        const Eigen::Vector3f colour = pictures.col(j).reshaped(3, pictures.rows() / 3).rowwise().sum();
        hg::Index nearest = 0;
        (candidates.transpose() * colour).maxCoeff(&nearest);
        right += nearest == kinds[j];
    }
    return static_cast<double>(right) / static_cast<double>(pictures.cols());
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 8});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const hg::Index n = arguments.small ? 3000 : 20000;
    const auto in_grey = [](const Eigen::MatrixXf& x) { return dyed(x, Eigen::Matrix3Xf::Ones(3, x.cols())); };
    const Eigen::MatrixXf train = in_grey(data.train.leftCols(n)), test = in_grey(data.test);
    const Eigen::MatrixXf colours = dyed(data.train.leftCols(n), dyes()(Eigen::all, data.train_labels.head(n)));
    const Eigen::MatrixXf test_colours = dyed(data.test, dyes()(Eigen::all, data.test_labels));

    hg::Rng rng{arguments.seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    hg::Adam adam;
    auto tape = model.tape();
    const hg::Index steps = (n + 127) / 128 * arguments.epochs;
    const hg::CosineDecay schedule{{.initial_learning_rate = 2e-3, .decay_steps = steps}};
    hg::ProgressBar bar{arguments.epochs, n};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch) {
        for (const auto& [x, target] : hg::minibatches(train, colours, 128, rng)) {
            const float loss = model.gradient(x, target, tape, rng);
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
            bar.advance(x.cols(), {{"loss", loss}});
        }
        bar.end_epoch({{"val_loss", model.loss(test, test_colours, tape)}});
    }

    const Eigen::MatrixXf coloured = model.reconstruct(test);
    std::cout << "test PSNR: grey " << support::psnr(test, test_colours) << " dB, coloured "
              << support::psnr(coloured, test_colours) << " dB; the right dye in "
              << 100 * right_dye(coloured, data.test_labels) << " % of the pictures, by chance in 10 %\n";
    support::write_png(
        "colour.png",
        support::grid({test.leftCols(16), coloured.leftCols(16), test_colours.leftCols(16)}, {.channels = 3}));
}
