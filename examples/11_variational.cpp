// A variational autoencoder of Fashion-MNIST: it draws pictures that never were, and walks from one picture to another.
// The divergence is warmed up over the first epoch. Writes samples.png (drawn from the prior) and walk.png. Prints the
// evidence lower bound of test pictures in nats (larger is better; about -245), also with more draws, which should be a
// few nats larger. Samples should be blurred, but clothes; a walk should have no step that is none.
#include <algorithm>
#include <hourglass/hourglass.hpp>
#include <iostream>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<400>, hg::ReLU, hg::Dense<40>>;  // 20 means, 20 log-variances
using Decoder = hg::Chain<hg::Shape{20}, hg::Dense<400>, hg::ReLU, hg::Dense<784>, hg::Sigmoid>;

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 10});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const auto train = data.train.leftCols(arguments.small ? 6000 : data.train.cols());
    const auto test = data.test.leftCols(arguments.small ? 500 : data.test.cols());

    hg::Rng rng{arguments.seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    std::cout << model << std::flush;

    hg::Adam adam;
    auto tape = model.tape();
    auto batches = hg::minibatches(train, 128, rng);
    const hg::LinearAnnealing warm_up{.steps = batches.size()};
    hg::ProgressBar bar{arguments.epochs, train.cols()};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch, batches.shuffle(rng)) {
        double reconstruction = 0, divergence = 0;
        for (const auto& batch : batches) {
            model.term<hg::GaussianLatent>().beta = warm_up(adam.steps());
            model.gradient(batch, tape, rng);
            adam.step(model, tape);
            const double share = static_cast<double>(batch.cols()) / static_cast<double>(train.cols());
            reconstruction += share * static_cast<double>(tape.reconstruction());
            divergence += share * static_cast<double>(tape.penalty());
            bar.advance(batch.cols(), {{"reconstruction", tape.reconstruction()}, {"KL", tape.penalty()}});
        }
        bar.end_epoch({{"reconstruction", reconstruction}, {"KL", divergence}});
    }

    // The bounds on ln p(x) of the test pictures, in nats: with more draws of each code, closer.
    std::cout << "test evidence lower bound " << hg::importance_weighted_bound(model, test, 1, rng).mean() << '\n';
    const auto few = test.leftCols(std::min<Eigen::Index>(test.cols(), 500));
    std::cout << "the same of " << few.cols() << " pictures "
              << hg::importance_weighted_bound(model, few, 1, rng).mean() << ", with 50 draws each "
              << hg::importance_weighted_bound(model, few, 50, rng).mean() << '\n';

    const Eigen::MatrixXf samples = model.sample(32, rng);
    support::write_png("samples.png", support::over(samples.leftCols(16), samples.rightCols(16)));
    support::write_png("walk.png", support::over(model.interpolate(test.col(0), test.col(1), 16),
                                                 model.interpolate(test.col(2), test.col(3), 16)));
}
