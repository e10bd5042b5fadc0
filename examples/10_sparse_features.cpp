// Sparse features of Fashion-MNIST: a dictionary of 512 pictures, a few of which add up to any piece of clothing. Once
// with a penalty on the code (L1), once with exactly 24 active units (TopK). Writes dictionary.png: the most used
// entries, two rows of L1's over two of TopK's; grey is 0. Prints how many units are active in a picture, how many
// never are, and what the codes leave unexplained (FVU, and the error): at as many active units TopK should leave less,
// with hardly a dead unit, while half of L1's are.
#include <algorithm>
#include <hourglass/hourglass.hpp>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <vector>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

using Rectified = hg::Chain<hg::Shape{784}, hg::Dense<512>, hg::ReLU>;
using Linear = hg::Chain<hg::Shape{784}, hg::Dense<512>>;
using Decoder = hg::Chain<hg::Shape{512}, hg::Dense<784>>;  // its kernel's columns are the dictionary

// Trains, keeping the dictionary's entries at norm 1, and prints how sparse and how exact the codes of the test images
// are. Returns the 32 entries that most of them use, as pictures.
template <class Model>
static Eigen::MatrixXf learn(const char* name, Model model, const Eigen::MatrixXf& train, const Eigen::MatrixXf& test,
                             int epochs, hg::Rng& rng) {
    auto tape = model.tape();
    auto batches = hg::minibatches(train, 128, rng);
    const hg::CosineDecay schedule{{.initial_learning_rate = 1e-3, .decay_steps = batches.size() * epochs}};
    hg::Adam adam;
    hg::unit_norm_decoder(model);
    for (int epoch = 0; epoch < epochs; ++epoch, batches.shuffle(rng))
        for (const auto& batch : batches) {
            model.gradient(batch, tape, rng);
            hg::remove_parallel_gradient(model, tape.gradient());
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
            hg::unit_norm_decoder(model);
        }

    const Eigen::MatrixXf code = model.encode(test), rebuilt = model.decode(code);
    std::cout << std::left << std::setw(8) << name << std::right << std::fixed << std::setprecision(1) << std::setw(14)
              << hg::mean_active_units(code) << std::setw(12) << hg::dead_units(code) << std::setprecision(4)
              << std::setw(12) << hg::fraction_of_variance_unexplained(test, rebuilt) << std::setprecision(6)
              << std::setw(12) << model.reconstruction_error(test).mean() << std::endl;

    const Eigen::VectorXd use = hg::activation_density(code);
    std::vector<Eigen::Index> order(static_cast<std::size_t>(use.size()));
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](Eigen::Index a, Eigen::Index b) { return use[a] > use[b]; });
    order.resize(32);
    const Eigen::MatrixXf dictionary = model.decoder_parameters().head(784 * 512).reshaped(784, 512)(Eigen::all, order);
    const Eigen::RowVectorXf scale = 0.5f / dictionary.cwiseAbs().colwise().maxCoeff().array();
    return (dictionary * scale.asDiagonal()).array() + 0.5f;
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 10});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const Eigen::MatrixXf train = data.train.leftCols(arguments.small ? 3000 : data.train.cols());
    hg::Rng rng{arguments.seed};

    std::cout << "of 512    active units  dead units         FVU    test MSE\n";
    const auto l1 = learn("L1", hg::autoencoder<Rectified, Decoder>(rng, hg::MeanSquaredError{}, hg::L1{5e-4}), train,
                          data.test, arguments.epochs, rng);
    // Units that no image of a batch uses are pushed until they take part again.
    const auto top = learn("TopK",
                           hg::autoencoder<Linear, Decoder>(rng, hg::MeanSquaredError{}, hg::TopK<24>{},
                                                            hg::PreActivationLoss{.weight = 1e-5}),
                           train, data.test, arguments.epochs, rng);
    support::write_png("dictionary.png",
                       support::grid({l1.leftCols(16), l1.rightCols(16), top.leftCols(16), top.rightCols(16)}));
}
