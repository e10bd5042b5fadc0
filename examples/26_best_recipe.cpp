// What a few minutes on two cores make of the deep autoencoder of Hinton and Salakhutdinov 2006, 784-1000-500-250-30
// and back, on Fashion-MNIST. Theirs had sigmoids and was pre-trained layer by layer; this one is trained at once: SiLU
// between its layers, He's initialisation, the squared error itself for a loss, small batches, and Adam at a rate that
// rises briefly to three times its usual one and falls to 0 along a cosine. Prints the error that they report, the sum
// of squared differences over a picture's pixels, mean over pictures: of 30 principal components and of the net, on the
// pictures trained on and on test pictures. The net's should be far below the components'.
#include <Eigen/Dense>
#include <algorithm>
#include <hourglass/hourglass.hpp>
#include <hourglass/workers.hpp>
#include <iomanip>
#include <iostream>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"

namespace hg = hourglass;

// A dense layer that starts from He's initialisation.
template <hg::Index Units>
constexpr hg::Dense<Units> dense{hg::Initializer::HeUniform};

constexpr auto encoder =
    hg::chain<hg::Shape{784}>(dense<1000>, hg::SiLU{}, dense<500>, hg::SiLU{}, dense<250>, hg::SiLU{}, dense<30>);
constexpr auto decoder = hg::mirror(encoder, hg::Sigmoid{});

static void print_row(const char* name, double train, double test) {
    std::cout << std::left << std::setw(26) << name << std::right << std::fixed << std::setprecision(3) << std::setw(8)
              << train << std::setw(8) << test << '\n';
}

// The error a picture of the projection on an orthonormal basis around the mean.
static double component_error(const Eigen::MatrixXf& basis, const Eigen::VectorXf& mean, const Eigen::MatrixXf& x) {
    const Eigen::MatrixXf centred = x.colwise() - mean;
    return (centred - basis * (basis.transpose() * centred)).colwise().squaredNorm().cast<double>().mean();
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 25});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const Eigen::MatrixXf train = data.train.leftCols(arguments.small ? 6000 : data.train.cols());

    const Eigen::VectorXf mean = train.rowwise().mean();
    const Eigen::MatrixXf centred = train.colwise() - mean;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver((centred * centred.transpose()).cast<double>());
    const Eigen::MatrixXf basis = solver.eigenvectors().rightCols(30).cast<float>();

    hg::Rng rng{arguments.seed};
    auto model = hg::autoencoder(encoder, decoder, rng, hg::MeanSquaredError{});
    hg::Workers workers{2};
    auto tape = model.tape(workers);
    auto batches = hg::minibatches(train, 128, rng);
    const hg::Index warmup = 200, steps = std::max<hg::Index>(batches.size() * arguments.epochs - warmup, 1);
    const hg::LinearWarmup schedule{hg::CosineDecay{{.initial_learning_rate = 3e-3, .decay_steps = steps}},
                                    {.warmup_steps = warmup}};
    hg::Adam adam;
    hg::ProgressBar bar{arguments.epochs, train.cols()};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch, batches.shuffle(rng)) {
        for (const auto& batch : batches) {
            const float loss = model.gradient(batch, tape, rng);
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
            bar.advance(batch.cols(), {{"loss", 784 * loss}});
        }
        bar.end_epoch({});
    }

    std::cout << "error a picture              train    test\n";
    print_row("30 principal components", component_error(basis, mean, train), component_error(basis, mean, data.test));
    print_row("784-1000-500-250-30", 784 * model.loss(train, tape), 784 * model.loss(data.test, tape));
}
