// Pictures chosen by their label: a conditional variational autoencoder of Fashion-MNIST (Kingma, Rezende, Mohamed and
// Welling 2014; Sohn, Lee and Yan 2015). Encoder and decoder read the kind of garment, so the code need not say it.
// Prints the test objective beside that of the plain model of the same size, in nats: the conditional one should be
// lower, as it is told something. Writes conditional.png: ten rows, one for each kind, of garments that never were.
#include <hourglass/hourglass.hpp>
#include <iomanip>
#include <iostream>
#include <vector>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<400>, hg::ReLU, hg::Dense<40>>;  // 20 means, 20 log-variances
using Decoder = hg::Chain<hg::Shape{20}, hg::Dense<400>, hg::ReLU, hg::Dense<784>, hg::Sigmoid>;

// The same, each part with the label behind what it reads.
using ConditionalEncoder = hg::Chain<hg::Shape{784}, hg::Condition<10>, hg::Dense<400>, hg::ReLU, hg::Dense<40>>;
using ConditionalDecoder =
    hg::Chain<hg::Shape{20}, hg::Condition<10>, hg::Dense<400>, hg::ReLU, hg::Dense<784>, hg::Sigmoid>;

struct Labelled {
    Eigen::MatrixXf pictures, labels;
};

// Trains on the batches that `batch_of` makes of pictures and their labels. Returns the negative evidence lower bound
// of the test pictures, in nats.
template <class Model, class BatchOf>
static double train(Model& model, const Labelled& data, const Labelled& test, BatchOf batch_of,
                    const support::Arguments& arguments) {
    hg::Rng rng{arguments.seed};
    hg::Adam adam;
    auto tape = model.tape();
    auto batches = hg::minibatches(data.pictures, data.labels, 128, rng);
    hg::ProgressBar bar{arguments.epochs, data.pictures.cols()};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch, batches.shuffle(rng)) {
        for (const auto& [pictures, labels] : batches) {
            const float loss = model.gradient(batch_of(pictures, labels), tape, rng);
            adam.step(model, tape);
            bar.advance(pictures.cols(), {{"loss", loss}});
        }
        bar.end_epoch({});
    }
    return -hg::importance_weighted_bound(model, batch_of(test.pictures, test.labels), 1, rng).mean();
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 10});
    const support::FashionMnist all = support::load_fashion_mnist(arguments.data);
    const hg::Index train_size = arguments.small ? 6000 : all.train.cols();
    const hg::Index test_size = arguments.small ? 500 : all.test.cols();
    const Labelled data{all.train.leftCols(train_size), hg::one_hot(all.train_labels.head(train_size), 10)};
    const Labelled test{all.test.leftCols(test_size), hg::one_hot(all.test_labels.head(test_size), 10)};

    hg::Rng rng{arguments.seed};
    auto plain = hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    const double without = train(
        plain, data, test, [](const auto& x, const auto&) { return hg::Batch<float>{x}; }, arguments);

    auto model =
        hg::autoencoder<ConditionalEncoder, ConditionalDecoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    std::cout << model << std::flush;
    const double with = train(
        model, data, test, [](const auto& x, const auto& labels) { return hg::given(x, labels); }, arguments);
    std::cout << std::fixed << std::setprecision(2) << "test objective in nats: plain " << without << ", conditional "
              << with << '\n';

    std::vector<Eigen::MatrixXf> rows;
    for (int kind = 0; kind < 10; ++kind)
        rows.push_back(model.sample(hg::one_hot(Eigen::VectorXi::Constant(12, kind), 10), rng));
    support::write_png("conditional.png", support::grid(rows));
}
