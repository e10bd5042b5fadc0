// The first autoencoder of TensorFlow's tutorial "Intro to Autoencoders", with its settings.
//
// Five seeds: mean .00895, deviation .00006, so that the mean of twelve lies 9 standard errors below the bound.
#include "published.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<64>, hg::ReLU>;
using Decoder = hg::Chain<Encoder::output, hg::Dense<784>, hg::Sigmoid>;

int main(int argc, char** argv) {
    const std::size_t seeds = published::seeds(argc, argv, 12);
    const support::FashionMnist data = published::load_fashion_mnist();
    published::Table table{"Fashion-MNIST / 255, test MSE: 784-64 ReLU, 784 sigmoid, Adam 1e-3, batch 32, 10 epochs"};
    table.row("TensorFlow's basic autoencoder", published::within(.0088, .0003),
              published::each_seed(seeds, [&](std::uint64_t seed) {
                  hg::Rng rng{seed};
                  auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
                  published::train(
                      model, data.train, 32, 10, [](hg::Index) { return 1e-3; }, rng);
                  return static_cast<double>(model.loss(data.test));
              }));
    return table.verdict();
}
