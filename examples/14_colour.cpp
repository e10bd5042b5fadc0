// Grey to colour: the target holds what the input has lost. Patches of photographs go in as their brightness alone, and
// come out in colour: the model has learned what sky, leaves and petals look like. Writes colour.png: grey, coloured by
// the model, original, of parts of the photographs that it has not seen. Prints how near to the originals the grey and
// the coloured patches are, in decibels: more is nearer. Sky should be blue; what could be any colour comes out dull.
#include <hourglass/hourglass.hpp>
#include <iostream>

#include "support/arguments.hpp"
#include "support/photographs.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

constexpr int side = 32;
constexpr auto same = hg::Padding::Same;
using Colour = hg::Chain<hg::Shape{1, side, side}, hg::Conv2D<32, 3, 1, same>, hg::ReLU, hg::Conv2D<32, 3, 2, same>,
                         hg::ReLU, hg::Conv2D<64, 3, 2, same>, hg::ReLU, hg::Conv2DTranspose<32, 4, 2, same>, hg::ReLU,
                         hg::Conv2DTranspose<32, 4, 2, same>, hg::ReLU, hg::Conv2D<3, 3, 1, same>, hg::Tanh>;

// Brightness as the eye has it (ITU-R BT.601).
static Eigen::MatrixXf grey(const Eigen::MatrixXf& coloured) {
    const Eigen::RowVector3f weights(0.299f, 0.587f, 0.114f);
    Eigen::MatrixXf brightness(coloured.rows() / 3, coloured.cols());
    brightness.reshaped(1, brightness.size()) = weights * coloured.reshaped(3, brightness.size());
    return brightness;
}
// The brightness in all three channels.
static Eigen::MatrixXf spread(const Eigen::MatrixXf& brightness) {
    Eigen::MatrixXf all(3 * brightness.rows(), brightness.cols());
    all.reshaped(3, brightness.size()) = brightness.reshaped(1, brightness.size()).replicate(3, 1);
    return all;
}

int main(int argc, char** argv) {
    const support::Arguments arguments =
        support::read_arguments(argc, argv, {.data = "/usr/share/backgrounds/mate/nature", .epochs = 20});
    const support::Photographs data = support::load_photographs(arguments.data, side, arguments.small ? 32 : 16);
    const Eigen::MatrixXf train = grey(data.train), test = grey(data.test);
    // What the model is asked for is what brightness lacks.
    const Eigen::MatrixXf tint = data.train - spread(train), test_tint = data.test - spread(test);
    std::cout << train.cols() << " patches to learn from, " << test.cols() << " to look at\n";

    hg::Rng rng{arguments.seed};
    auto model = hg::network<Colour>(rng);
    std::cout << model << std::flush;
    const hg::Index steps = (train.cols() + 63) / 64 * arguments.epochs;
    const hg::CosineDecay schedule{{.initial_learning_rate = 3e-3, .decay_steps = steps}};
    hg::Adam adam;
    auto tape = model.tape();
    hg::ProgressBar bar{arguments.epochs, train.cols()};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch) {
        for (const auto& [x, target] : hg::minibatches(train, tint, 64, rng)) {
            const float loss = model.gradient(x, target, hg::MeanSquaredError{}, tape, rng);
            adam.learning_rate(schedule(adam.steps()));
            adam.step(model, tape);
            bar.advance(x.cols(), {{"loss", loss}});
        }
        bar.end_epoch({});
    }

    const Eigen::MatrixXf coloured = spread(test) + model.evaluate(test);
    std::cout << "test PSNR: grey " << hg::peak_signal_to_noise_ratio(spread(test), data.test).mean()
              << " dB, coloured " << hg::peak_signal_to_noise_ratio(coloured, data.test).mean() << " dB\n";
    const Eigen::Index shown = 16, every = test.cols() / shown;
    const auto some = Eigen::seqN(0, shown, every);
    support::write_png("colour.png", support::grid({spread(test)(Eigen::all, some), coloured(Eigen::all, some),
                                                    data.test(Eigen::all, some)},
                                                   {.width = side, .height = side, .channels = 3}));
}
