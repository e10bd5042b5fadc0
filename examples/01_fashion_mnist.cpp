// A deep autoencoder learns Fashion-MNIST: 784 pixels through a code of 32 and back, in about a minute.
// Writes reconstructions.png, learning_curve.png and history.csv into the current folder. Prints the model, a line for
// each epoch, and the error of test pictures: as a mean square, and as the cross-entropy that was trained, most of
// which is what grey pixels cost any model: judge by what stands above that floor. In the first picture both rows
// should look alike, of the curves neither turn up. Training ends early, some epochs before the 40 that it may take.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <hourglass/hourglass.hpp>
#include <iomanip>
#include <iostream>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"
#include "support/plot.hpp"

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<256>, hg::ReLU, hg::Dense<128>, hg::ReLU, hg::Dense<32>>;
using Decoder = hg::Mirror<Encoder, hg::Sigmoid>;

// What a perfect reconstruction still costs: the entropy of the pixels themselves, taken as probabilities.
static double cross_entropy_floor(const Eigen::MatrixXf& x) {
    const Eigen::ArrayXXd t = x.cast<double>().array().max(1e-300).min(1 - 1e-16);
    return -(t * t.log() + (1 - t) * (1 - t).log()).mean();
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 40});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);

    // The last tenth of the training images validates. The small budget sees fewer images.
    const Eigen::Index images = arguments.small ? 6000 : data.train.cols(), held_out = images / 10;
    const auto train = data.train.leftCols(images - held_out);
    const auto validation = data.train.middleCols(images - held_out, held_out);

    hg::Rng rng{arguments.seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{});
    std::cout << model << std::flush;

    // The rate falls to 0 within 30 epochs. What comes then is no better, and early stopping ends it.
    const Eigen::Index batch_size = 256,
                       steps = (train.cols() + batch_size - 1) / batch_size * std::min(arguments.epochs, 30);
    const hg::LinearWarmup schedule{hg::CosineDecay{{.initial_learning_rate = 2e-3, .decay_steps = steps}},
                                    {.warmup_steps = 200}};
    hg::Adam adam;
    auto tape = model.tape();
    auto batches = hg::minibatches(train, batch_size, rng);
    hg::EarlyStopping stopping{{.patience = 3}};
    hg::History history;
    hg::ProgressBar bar{arguments.epochs, train.cols()};
    Eigen::Index step = 0;
    for (int epoch = 0; epoch < arguments.epochs; ++epoch) {
        double sum = 0;
        for (const auto& batch : batches) {
            const float loss = model.gradient(batch, tape, rng);
            adam.learning_rate(schedule(step++));
            adam.step(model, tape);
            sum += static_cast<double>(loss) * static_cast<double>(batch.cols());
            bar.advance(batch.cols(), {{"loss", loss}});
        }
        const double loss = sum / static_cast<double>(train.cols()), val_loss = model.loss(validation, tape);
        bar.end_epoch({{"loss", loss}, {"val_loss", val_loss}});
        history.add({{"loss", loss}, {"val_loss", val_loss}});
        const bool stop = stopping.update(val_loss, model);
        if (const Eigen::Index waited = epoch - stopping.best_epoch(); waited > 0)
            std::clog << "    val_loss is not below that of epoch " << stopping.best_epoch() + 1 << ": " << waited
                      << " of " << stopping.options().patience << " epochs of patience\n";
        if (stop) break;
        batches.shuffle(rng);
    }
    stopping.restore(model);

    const double bce = model.loss(data.test, tape), floor = cross_entropy_floor(data.test);
    const Eigen::MatrixXf rebuilt = model.reconstruct(data.test);
    std::cout << std::fixed << std::setprecision(4);
    std::cout << (stopping.stopped() ? "stopped early, " : "") << "best epoch " << stopping.best_epoch() + 1
              << ": val_loss " << stopping.best() << '\n'
              << "test MSE " << (rebuilt - data.test).squaredNorm() / static_cast<float>(rebuilt.size()) << '\n'
              << "test BCE " << bce << ", of which " << floor << " is what the pictures themselves cost\n";

    support::write_png("reconstructions.png", support::over(data.test.leftCols(16), rebuilt.leftCols(16)));
    support::plot_learning_curve("learning_curve.png", history, "Fashion-MNIST, 784-256-128-32 and back");
    std::ofstream csv("history.csv");
    history.write_csv(csv);
    std::cout << "all of it in " << std::filesystem::current_path().string()
              << "\nnext: look at the pictures; make the code smaller, in Encoder of\n"
                 "examples/01_fashion_mnist.cpp; or have pictures made that never were:\n"
                 "cmake --build build/demo --target 11_variational && build/demo/examples/11_variational\n";
}
