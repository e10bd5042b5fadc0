// The variational autoencoder of PyTorch's examples on Fashion-MNIST, beside the same program in PyTorch
// (tests/reference/vae.py): the negative evidence lower bound of the test images, one draw of each code.
// Both start from the same rule.
//
// The means may differ by .57 with these spreads. Twelve seeds here had a mean of 250.590 and a deviation of .281.
#include "published.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
    const std::size_t seeds = published::seeds(argc, argv, 12);
    constexpr auto start = hg::Initializer::FanInUniform;
    const auto encoder = hg::chain<hg::Shape{784}>(hg::Dense<400>{start}, hg::ReLU{}, hg::Dense<40>{start});
    const auto decoder =
        hg::chain<hg::Shape{20}>(hg::Dense<400>{start}, hg::ReLU{}, hg::Dense<784>{start}, hg::Sigmoid{});

    const support::FashionMnist data = published::load_fashion_mnist();
    published::Table table{"Fashion-MNIST / 255, test objective in nats: 784-400-20, Adam 1e-3, batch 128, 3 epochs"};
    table.twin_row("PyTorch's VAE example", {.mean = 250.583, .deviation = .371, .count = 16},
                   published::each_seed(seeds, [&](std::uint64_t seed) {
                       hg::Rng rng{seed};
                       auto model =
                           hg::autoencoder(encoder, decoder, rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
                       published::train(
                           model, data.train, 128, 3, [](hg::Index) { return 1e-3; }, rng);
                       return -static_cast<double>(hg::importance_weighted_bound(model, data.test, 1, rng).mean());
                   }));
    return table.verdict();
}
