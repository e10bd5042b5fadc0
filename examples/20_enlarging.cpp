// Pictures of 14 × 14 made 28 × 28: the target is larger than the input. Beside bicubic interpolation, the usual way
// without learning. Writes enlarged.png: small, bicubic, enlarged by the model, original. Prints how near both are to
// the originals (PSNR in decibels, SSIM at most 1): the model should be ahead in decibels, and the longer it trains the
// more.
#include <algorithm>
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <iostream>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

constexpr auto same = hg::Padding::Same;
using Enlarge =
    hg::Chain<hg::Shape{1, 14, 14}, hg::Conv2D<32, 5, 1, same>, hg::ReLU, hg::Conv2D<32, 3, 1, same>, hg::ReLU,
              hg::Conv2DTranspose<16, 4, 2, same>, hg::ReLU, hg::Conv2D<1, 3, 1, same>, hg::Sigmoid>;

// Each pixel of the small picture is the mean of four.
static Eigen::MatrixXf halved(const Eigen::MatrixXf& x) {
    hg::Rng nothing{0};  // is drawn for a network without parameters
    return hg::network<hg::Chain<hg::Shape{1, 28, 28}, hg::AveragePooling2D<2>>>(nothing).evaluate(x);
}

// Keys's cubic convolution (1981): each new pixel lies a quarter of a pixel beside the nearest old one.
static Eigen::MatrixXf bicubic(const Eigen::MatrixXf& small) {
    const auto weight = [](float t) {  // of an old pixel at distance t
        t = std::abs(t);
        return t < 1   ? 1.5f * t * t * t - 2.5f * t * t + 1
               : t < 2 ? -0.5f * t * t * t + 2.5f * t * t - 4 * t + 2
                       : 0.0f;
    };
    Eigen::MatrixXf along = Eigen::MatrixXf::Zero(28, 14);  // one direction; the other is its transpose
    for (int i = 0; i < 28; ++i) {
        const float at = (static_cast<float>(i) + 0.5f) / 2 - 0.5f;
        for (int k = static_cast<int>(std::floor(at)) - 1; k <= static_cast<int>(std::floor(at)) + 2; ++k)
            along(i, std::clamp(k, 0, 13)) += weight(at - static_cast<float>(k));
    }
    Eigen::MatrixXf large(784, small.cols());
    for (hg::Index j = 0; j < small.cols(); ++j)
        large.col(j).reshaped(28, 28) = along * small.col(j).reshaped(14, 14) * along.transpose();
    return large.cwiseMax(0.0f).cwiseMin(1.0f);
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 4});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const Eigen::MatrixXf train = data.train.leftCols(arguments.small ? 2000 : data.train.cols());
    const Eigen::MatrixXf test = data.test.leftCols(arguments.small ? 500 : data.test.cols());
    const Eigen::MatrixXf small_train = halved(train), small_test = halved(test);

    hg::Rng rng{arguments.seed};
    auto model = hg::network<Enlarge>(rng);  // no autoencoder: out comes something larger
    std::cout << model << std::flush;
    hg::Adam adam;
    auto tape = model.tape();
    const hg::Index steps = (train.cols() + 63) / 64 * arguments.epochs;
    const hg::CosineDecay schedule{{.initial_learning_rate = 4e-3, .decay_steps = steps}};
    hg::ProgressBar bar{arguments.epochs, train.cols()};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch) {
        for (const auto& [x, target] : hg::minibatches(small_train, train, 64, rng)) {
            const float loss = model.gradient(x, target, hg::MeanSquaredError{}, tape, rng);
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
            bar.advance(x.cols(), {{"loss", loss}});
        }
        bar.end_epoch({});
    }

    const Eigen::MatrixXf enlarged = model.evaluate(small_test), interpolated = bicubic(small_test);
    for (const auto& [name, pictures] : {std::pair{"bicubic", &interpolated}, std::pair{"model", &enlarged}})
        std::cout << name << ": PSNR " << hg::peak_signal_to_noise_ratio(*pictures, test).mean() << " dB, SSIM "
                  << hg::structural_similarity(*pictures, test, {1, 28, 28}).mean() << '\n';
    const auto repeated = hg::network<hg::Chain<hg::Shape{1, 14, 14}, hg::UpSampling2D<2>>>(rng);
    support::write_png("enlarged.png",
                       support::grid({repeated.evaluate(small_test.leftCols(16)), interpolated.leftCols(16),
                                      enlarged.leftCols(16), test.leftCols(16)}));
}
