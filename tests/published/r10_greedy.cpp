// Greedy layer-wise training as a start (Hinton and Salakhutdinov 2006; Bengio et al. 2007): a deep autoencoder with
// sigmoid units, 784-500-250-30 and back, trained layer by layer and then as a whole, against the same net trained as a
// whole from random weights. As published, at equal epochs the first has the lower training error; here also when the
// second trains on for as many epochs as the stages had together, each of which costs only a part of one of the whole.
//
// From seed to seed the ratios spread by .06 and .01 about means of .48 and .78: 20 standard errors of five seeds below
// the bounds, or more.
#include "published.hpp"

namespace {

namespace hg = hourglass;

constexpr hg::Index images = 6000;
constexpr int stage_epochs = 4, epochs = 8;

using Encoder =
    hg::Chain<hg::Shape{784}, hg::Dense<500>, hg::Sigmoid, hg::Dense<250>, hg::Sigmoid, hg::Dense<30>, hg::Sigmoid>;
using Decoder = hg::Mirror<Encoder, hg::Sigmoid>;

template <class Model>
void train(Model& model, const Eigen::MatrixXf& x, int times, hg::Rng& rng) {
    published::train(
        model, x, 128, times, [](hg::Index) { return 1e-3; }, rng);
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t seeds = published::seeds(argc, argv, 5);
    const Eigen::MatrixXf x = published::load_fashion_mnist().train.leftCols(images);
    published::Figures random(seeds), random_longer(seeds), layer_wise(seeds);
    published::each_seed(seeds, [&](std::uint64_t seed) {
        const std::size_t i = seed - 1;
        hg::Rng rng{seed};
        auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}), staged = model;

        train(model, x, epochs, rng);
        random[i] = static_cast<double>(model.loss(x));
        train(model, x, stage_epochs * static_cast<int>(hg::stages<Encoder>), rng);
        random_longer[i] = static_cast<double>(model.loss(x));

        hg::each_stage(staged, x,
                       [&](auto& stage, const Eigen::MatrixXf& codes) { train(stage, codes, stage_epochs, rng); });
        train(staged, x, epochs, rng);
        layer_wise[i] = static_cast<double>(staged.loss(x));
        return 0.0;
    });

    std::cout << "The first " << images << " training images of Fashion-MNIST / 255; Adam 1e-3, batch 128, MSE; "
              << hg::stages<Encoder> << " stages of " << stage_epochs << " epochs, then " << epochs
              << " epochs of the whole.\n";
    published::Table table{"784-500-250-30-250-500-784 sigmoid: training MSE"};
    table.row("random start, 8 epochs", {}, random);
    table.row("random start, 8 + 12 epochs", {}, random_longer);
    table.row("layer-wise start, 8 epochs", {}, layer_wise);
    const std::divides<> ratio;
    table.row("layer-wise / random", {.at_most = 0.999}, published::combine(layer_wise, random, ratio));
    table.row("layer-wise / random with 12 more", {.at_most = 0.999},
              published::combine(layer_wise, random_longer, ratio));
    return table.verdict();
}
