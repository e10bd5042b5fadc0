// The variational autoencoder of PyTorch's examples on Fashion-MNIST, beside the same program in PyTorch
// (tests/reference/vae.py): the negative evidence lower bound of the test images, one draw of each code.
#include "published.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<400>, hg::ReLU, hg::Dense<40>>;
using Decoder = hg::Chain<hg::Shape{20}, hg::Dense<400>, hg::ReLU, hg::Dense<784>, hg::Sigmoid>;

// Five seeds there: 243.888, 244.281, 244.414, 244.495 and 244.776. The row asks for their range.
int main() {
    const support::FashionMnist data = published::load_fashion_mnist();
    published::Table table{"Fashion-MNIST / 255, test objective in nats: 784-400-20, Adam 1e-3, batch 128, 10 epochs"};
    table.row("PyTorch's VAE example", 244.332, .444, published::five_seeds([&](std::uint64_t seed) {
                  hg::Rng rng{seed};
                  auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
                  published::train(
                      model, data.train, 128, 10, [](hg::Index) { return 1e-3; }, rng);
                  return -static_cast<double>(hg::importance_weighted_bound(model, data.test, 1, rng).mean());
              }));
    return table.verdict();
}
