// Few labels, many pictures: the layers of a classifier are first trained as a stacked denoising autoencoder (Vincent
// et al. 2010) on all pictures of Fashion-MNIST, without their labels. Then a Softmax on top learns from a few labelled
// ones, on the layers as they are (frozen) or together with them (fine-tuned), beside the same net without that start.
// Writes pretraining.png: test accuracy over the number of labels. Prints it, too: with few labels the fine-tuned
// net should be ahead; with many the one from scratch catches up.
#include <hourglass/hourglass.hpp>
#include <iomanip>
#include <iostream>

#include "support/arguments.hpp"
#include "support/chart.hpp"
#include "support/fashion_mnist.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<500>, hg::ReLU, hg::Dense<250>, hg::ReLU>;
using Decoder = hg::Mirror<Encoder, hg::Sigmoid>;
using Head = hg::Chain<Encoder::output, hg::Dense<10>, hg::Softmax>;

// Test accuracy of a classifier that begins with the layers given (none: random ones) and trains on the first `labels`
// pictures; with `frozen`, its head alone.
static double classify(const support::FashionMnist& data, hg::Index labels, const Eigen::VectorXf& layers, bool frozen,
                       const support::Arguments& arguments) {
    hg::Rng rng{arguments.seed};
    auto model = hg::autoencoder<Encoder, Head>(rng, hg::CategoricalCrossEntropy{});
    if (layers.size() > 0) model.encoder_parameters() = layers;
    const auto x = data.train.leftCols(labels);
    const Eigen::MatrixXf target = hg::one_hot(data.train_labels.head(labels), 10);

    hg::Adam adam;
    auto tape = model.tape();
    auto batches = hg::minibatches(x, target, 32, rng);
    for (hg::Index step = 0; step < (arguments.small ? 200 : 1500); batches.shuffle(rng))
        for (const auto& [pictures, classes] : batches) {
            model.gradient(pictures, classes, tape, rng);
            const auto [begin, size] = model.decoder_slice();
            if (frozen)
                adam.step(model.decoder_parameters(), tape.gradient().segment(begin, size));
            else
                adam.step(model, tape);
            ++step;
        }
    return hg::accuracy(model.reconstruct(data.test), data.test_labels);
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 10});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const Eigen::MatrixXf unlabelled = data.train.leftCols(arguments.small ? 2000 : data.train.cols());

    hg::Rng rng{arguments.seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{});
    hg::each_stage(
        model, unlabelled,
        [&](auto& stage, const Eigen::MatrixXf& codes) {
            hg::Adam adam;
            auto tape = stage.tape();
            auto batches = hg::minibatches(codes, 128, rng);
            hg::ProgressBar bar{arguments.epochs, codes.cols()};
            for (int epoch = 0; epoch < arguments.epochs; ++epoch, batches.shuffle(rng)) {
                for (const auto& batch : batches) {
                    const float loss = stage.gradient(batch, tape, rng);
                    adam.step(stage, tape);
                    bar.advance(batch.cols(), {{"loss", loss}});
                }
                bar.end_epoch({});
            }
        },
        hg::MaskingNoise{0.25});

    const Eigen::VectorXf layers = model.encoder_parameters();
    support::Curve scratch{"from scratch"}, frozen{"pre-trained, frozen"}, tuned{"pre-trained, fine-tuned"};
    std::cout << "test accuracy   from scratch   frozen   fine-tuned\n" << std::fixed << std::setprecision(4);
    for (const hg::Index labels : {100, 200, 500, 1000, 2000, 5000}) {
        if (arguments.small && labels > 200) break;
        scratch.add(labels, classify(data, labels, {}, false, arguments));
        frozen.add(labels, classify(data, labels, layers, true, arguments));
        tuned.add(labels, classify(data, labels, layers, false, arguments));
        std::cout << std::setw(5) << labels << " labels" << std::setw(15) << scratch.y.back() << std::setw(11)
                  << frozen.y.back() << std::setw(11) << tuned.y.back() << std::endl;
    }
    for (support::Curve* curve : {&scratch, &frozen, &tuned}) curve->style = "linespoints";
    support::draw_chart("pretraining.png", "Fashion-MNIST, 784-500-250-10", "labelled pictures",
                        {{"test accuracy", {scratch, frozen, tuned}}});
}
