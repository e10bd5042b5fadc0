// A convolutional variational autoencoder whose code is a point in the plane: the map of what it makes of each point
// shows how it has ordered the clothes of Fashion-MNIST. Writes map.png: 10 × 10 codes, as far apart as the normal
// distribution has it, decoded. Prints the evidence lower bound of test pictures in nats (larger is better; about -272
// after three epochs, where a code of twenty numbers reaches -245). On the map shoes, trousers and tops should lie
// apart, and change gradually.
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <iostream>
#include <vector>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

constexpr auto same = hg::Padding::Same;
using Encoder = hg::Chain<hg::Shape{1, 28, 28}, hg::Conv2D<16, 3, 2, same>, hg::ReLU, hg::Conv2D<32, 3, 2, same>,
                          hg::ReLU, hg::Flatten, hg::Dense<64>, hg::ReLU, hg::Dense<4>>;  // 2 means, 2 log-variances
using Decoder = hg::Chain<hg::Shape{2}, hg::Dense<64>, hg::ReLU, hg::Dense<7 * 7 * 32>, hg::ReLU, hg::Reshape<32, 7, 7>,
                          hg::Conv2DTranspose<32, 3, 2, same>, hg::ReLU, hg::Conv2DTranspose<16, 3, 2, same>, hg::ReLU,
                          hg::Conv2D<1, 3, 1, same>, hg::Sigmoid>;

// A number that a standard normal variable exceeds with probability 1 − p, to 1e-3 (Hastings 1955).
static float quantile(float p) {
    if (p > 0.5f) return -quantile(1 - p);
    const float t = std::sqrt(-2 * std::log(p));
    return -(t - (2.30753f + 0.27061f * t) / (1 + 0.99229f * t + 0.04481f * t * t));
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 6});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const auto train = data.train.leftCols(arguments.small ? 2000 : data.train.cols());

    hg::Rng rng{arguments.seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    std::cout << model << std::flush;
    hg::Adam adam;
    auto tape = model.tape();
    auto batches = hg::minibatches(train, 128, rng);
    const hg::LinearAnnealing warm_up{.steps = batches.size()};
    hg::ProgressBar bar{arguments.epochs, train.cols()};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch, batches.shuffle(rng)) {
        for (const auto& batch : batches) {
            model.term<hg::GaussianLatent>().beta = warm_up(adam.steps());
            const float loss = model.gradient(batch, tape, rng);
            adam.step(model, tape);
            bar.advance(batch.cols(), {{"loss", loss}});
        }
        bar.end_epoch({});
    }

    constexpr int size = 10;
    std::vector<Eigen::MatrixXf> rows;
    for (int row = 0; row < size; ++row) {
        Eigen::MatrixXf codes(2, size);
        for (int column = 0; column < size; ++column)
            codes.col(column) << quantile((static_cast<float>(column) + 0.5f) / size),
                quantile((static_cast<float>(row) + 0.5f) / size);
        rows.push_back(model.decode(codes));
    }
    const auto test = data.test.leftCols(arguments.small ? 300 : 2000);
    std::cout << "test evidence lower bound " << hg::importance_weighted_bound(model, test, 1, rng).mean() << " nats\n";
    support::write_png("map.png", support::grid(rows, {.margin = 0}));
}
