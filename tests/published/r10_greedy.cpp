// Greedy layer-wise training as a start (Hinton and Salakhutdinov 2006; Bengio et al. 2007): a deep autoencoder with
// sigmoid units, 784-500-250-30 and back, trained layer by layer and then as a whole, against the same net trained as a
// whole from random weights. As published, at equal epochs the first has the lower training error; here also when the
// second trains on for as many epochs as the stages had together, each of which costs only a part of one of the whole.
#include "bounds.hpp"

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

int main() {
    const Eigen::MatrixXf x = published::load_fashion_mnist().train.leftCols(images);
    published::Figures random, random_longer, layer_wise, ratio, ratio_longer;
    published::five_seeds([&](std::uint64_t seed) {
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

        ratio[i] = layer_wise[i] / random[i];
        ratio_longer[i] = layer_wise[i] / random_longer[i];
        return 0.0;
    });

    std::cout << "The first " << images << " training images of Fashion-MNIST / 255; Adam 1e-3, batch 128, MSE; "
              << hg::stages<Encoder> << " stages of " << stage_epochs << " epochs, then " << epochs
              << " epochs of the whole.\n";
    published::Bounds table{"784-500-250-30-250-500-784 sigmoid: training MSE"};
    table.row("random start, 8 epochs", -published::any, published::any, random);
    table.row("random start, 8 + 12 epochs", -published::any, published::any, random_longer);
    table.row("layer-wise start, 8 epochs", -published::any, published::any, layer_wise);
    table.row("layer-wise / random", -published::any, 0.999, ratio);
    table.row("layer-wise / random with 12 more", -published::any, 0.999, ratio_longer);
    return table.verdict();
}
