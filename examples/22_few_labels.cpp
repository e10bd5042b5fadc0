// A classifier with few labels, and one that sees generated pictures as well. A variational autoencoder has seen many
// pictures without labels; of two labelled pictures of one kind it makes others, from codes that lie between theirs.
// Both classifiers take as many steps, and whether the second one is better is printed: decoded pictures are blurred,
// and here that costs more than their number brings. The second figure is to be judged by the first, of as many
// runs. Writes generated.png: labelled pictures, and one made of each two neighbours.
#include <algorithm>
#include <hourglass/hourglass.hpp>
#include <iostream>
#include <vector>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

constexpr auto same = hg::Padding::Same;
using Encoder = hg::Chain<hg::Shape{1, 28, 28}, hg::Conv2D<16, 3, 2, same>, hg::ReLU, hg::Conv2D<32, 3, 2, same>,
                          hg::ReLU, hg::Flatten, hg::Dense<32>>;  // 16 means, 16 log-variances
using Decoder =
    hg::Chain<hg::Shape{16}, hg::Dense<7 * 7 * 32>, hg::ReLU, hg::Reshape<32, 7, 7>,
              hg::Conv2DTranspose<16, 3, 2, same>, hg::ReLU, hg::Conv2DTranspose<1, 3, 2, same>, hg::Sigmoid>;
using Classifier = hg::Chain<hg::Shape{1, 28, 28}, hg::Conv2D<16, 3, 2, same>, hg::ReLU, hg::Conv2D<32, 3, 2, same>,
                             hg::ReLU, hg::Flatten, hg::Dropout, hg::Dense<10>, hg::Softmax>;

struct Labelled {
    Eigen::MatrixXf pictures;
    Eigen::VectorXi kinds;
};

// The first `each` pictures of every kind.
static Labelled first_of_each_kind(const support::FashionMnist& data, hg::Index each) {
    std::vector<hg::Index> chosen;
    for (int kind = 0; kind < 10; ++kind)
        for (hg::Index j = 0, found = 0; found < each; ++j)
            if (data.train_labels[j] == kind) chosen.push_back(j), ++found;
    return {data.train(Eigen::all, chosen), data.train_labels(chosen)};
}

// Pictures decoded from points between the codes of two pictures of one kind.
template <class Model>
static Labelled generated(const Model& model, const Labelled& few, hg::Index each, hg::Index count, hg::Rng& rng) {
    const Eigen::MatrixXf codes = model.encode(few.pictures);
    const auto any = [&] {
        return std::min(each - 1, static_cast<hg::Index>(rng.uniform() * static_cast<double>(each)));
    };
    Eigen::MatrixXf made(codes.rows(), count);
    Eigen::VectorXi kinds(count);
    for (hg::Index j = 0; j < count; ++j) {
        const hg::Index kind = j % 10;
        const auto share = static_cast<float>(rng.uniform());
        made.col(j) = share * codes.col(kind * each + any()) + (1 - share) * codes.col(kind * each + any());
        kinds[j] = static_cast<int>(kind);
    }
    return {model.decode(made), kinds};
}

static double accuracy_after(const Labelled& train, int steps, const support::FashionMnist& data, std::uint64_t seed) {
    hg::Rng rng{seed};
    auto classifier = hg::network<Classifier>(rng);
    const Eigen::MatrixXf wanted = hg::one_hot<float>(train.kinds, 10);
    hg::Adam adam;
    auto tape = classifier.tape();
    auto batches = hg::minibatches(train.pictures, wanted, 50, rng);
    for (int step = 0; step < steps; batches.shuffle(rng))
        for (const auto& [x, target] : batches) {
            if (step++ == steps) break;
            classifier.gradient(x, target, hg::CategoricalCrossEntropy{}, tape, rng);
            adam.step(classifier, tape);
        }
    return hg::accuracy(classifier.evaluate(data.test), data.test_labels);
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 8});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const auto train = data.train.leftCols(arguments.small ? 2000 : 30000);

    hg::Rng rng{arguments.seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
    hg::Adam adam;
    auto tape = model.tape();
    auto batches = hg::minibatches(train, 128, rng);
    hg::ProgressBar bar{arguments.epochs, train.cols()};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch, batches.shuffle(rng)) {
        for (const auto& batch : batches) {
            const float loss = model.gradient(batch, tape, rng);
            adam.step(model, tape);
            bar.advance(batch.cols(), {{"loss", loss}});
        }
        bar.end_epoch({});
    }

    const hg::Index each = 10;
    const Labelled few = first_of_each_kind(data, each);
    const Labelled made = generated(model, few, each, arguments.small ? 1000 : 10000, rng);
    Labelled both{Eigen::MatrixXf(784, made.pictures.cols() + 10 * few.pictures.cols()), {}};
    both.pictures << made.pictures, few.pictures.replicate(1, 10);
    both.kinds.resize(both.pictures.cols());
    both.kinds << made.kinds, few.kinds.replicate(10, 1);
    const int steps = arguments.small ? 200 : 2000, seeds = arguments.small ? 1 : 5;
    double alone = 0, helped = 0;
    for (int seed = 0; seed < seeds; ++seed) {
        alone += accuracy_after(few, steps, data, arguments.seed + static_cast<std::uint64_t>(seed)) / seeds;
        helped += accuracy_after(both, steps, data, arguments.seed + static_cast<std::uint64_t>(seed)) / seeds;
    }
    std::cout << "test accuracy with 10 labels of each kind: " << 100 * alone << " %, with generated pictures as well "
              << 100 * helped << " %, mean of " << seeds << " runs\n";
    const Eigen::MatrixXf codes = model.encode(few.pictures);
    const hg::Index shown = 16;
    const Eigen::MatrixXf between = (codes.leftCols(2 * shown)(Eigen::all, Eigen::seqN(0, shown, 2)) +
                                     codes.leftCols(2 * shown)(Eigen::all, Eigen::seqN(1, shown, 2))) /
                                    2;
    support::write_png("generated.png",
                       support::grid({few.pictures(Eigen::all, Eigen::seqN(0, shown, 2)), model.decode(between),
                                      few.pictures(Eigen::all, Eigen::seqN(1, shown, 2))}));
}
