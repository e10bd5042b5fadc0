// A generative adversarial network (Goodfellow et al. 2014): two networks, two optimisers. The generator makes points
// of the plane out of noise, the discriminator tells them from points around eight places on a circle, and each learns
// from the other. Prints how many of the places the generator has found and how many of its points lie there. Writes
// adversarial.png: real points, and points made. All eight should be found, each by about an eighth of the points.
#include <hourglass/hourglass.hpp>
#include <iomanip>
#include <iostream>

#include "support/arguments.hpp"
#include "support/chart.hpp"
#include "support/ring.hpp"

namespace hg = hourglass;

using Generator = hg::Chain<hg::Shape{16}, hg::Dense<128>, hg::ReLU, hg::Dense<128>, hg::ReLU, hg::Dense<2>>;
// Its output is the log-odds that a point is real.
using Discriminator = hg::Chain<hg::Shape{2}, hg::Dense<128>, hg::ReLU, hg::Dense<128>, hg::ReLU, hg::Dense<1>>;

static Eigen::MatrixXf noise(hg::Index n, hg::Rng& rng) {
    return Eigen::MatrixXf::NullaryExpr(16, n, [&rng] { return static_cast<float>(rng.normal()); });
}

// The gradient of the mean binary cross-entropy between log-odds and `real` (1 or 0): (σ(s) − real) / n.
static Eigen::MatrixXf cross_entropy_gradient(const Eigen::MatrixXf& log_odds, const Eigen::MatrixXf& real) {
    return (log_odds.array().logistic() - real.array()) / static_cast<float>(log_odds.cols());
}

static support::Curve scatter(const char* title, const Eigen::MatrixXf& points) {
    support::Curve curve{.title = title, .style = "points pointtype 7 pointsize 0.3"};
    for (hg::Index j = 0; j < points.cols(); ++j) curve.add(points(0, j), points(1, j));
    return curve;
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 20, .takes_data = false});
    const hg::Index batch = 256, steps = arguments.small ? 50 : 400;  // an epoch's
    hg::Rng rng{arguments.seed};
    auto generator = hg::network<Generator>(rng);
    auto discriminator = hg::network<Discriminator>(rng);
    std::cout << generator << discriminator << std::flush;
    hg::Adam generator_adam{{.beta_1 = 0.5}}, discriminator_adam{{.beta_1 = 0.5}};
    auto generator_tape = generator.tape(), discriminator_tape = discriminator.tape();

    Eigen::MatrixXf points(2, 2 * batch), are_real(1, 2 * batch), dpoints;
    are_real << Eigen::MatrixXf::Ones(1, batch), Eigen::MatrixXf::Zero(1, batch);
    hg::ProgressBar bar{arguments.epochs, steps, {.unit = "steps"}};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch) {
        for (hg::Index step = 0; step < steps; ++step) {
            // The discriminator learns which half of the points was made.
            points << support::Ring::sample(batch, rng), generator.forward(noise(batch, rng), generator_tape, rng);
            const auto log_odds = discriminator.forward(points, discriminator_tape, rng);
            discriminator.backward(cross_entropy_gradient(log_odds, are_real), discriminator_tape);
            discriminator_adam.step(discriminator, discriminator_tape);

            // The generator learns to have its points taken for real: its gradient comes through the discriminator,
            // whose own is not asked for.
            const auto made = generator.forward(noise(batch, rng), generator_tape, rng);
            const auto taken_for = discriminator.forward(made, discriminator_tape, rng);
            discriminator.backward_input(cross_entropy_gradient(taken_for, are_real.leftCols(batch)),
                                         discriminator_tape, dpoints);
            generator.backward(dpoints, generator_tape);
            generator_adam.step(generator, generator_tape);
            bar.advance(1);
        }
        bar.end_epoch({{"within 3 sigma", support::coverage(generator.evaluate(noise(1000, rng))).close}});
    }

    const Eigen::MatrixXf made = generator.evaluate(noise(10000, rng));
    const support::Coverage found = support::coverage(made);
    std::cout << std::fixed << std::setprecision(3) << "modes covered " << found.modes << " of 8, the least by "
              << found.least << " of the samples; within 3 sigma " << found.close << '\n';
    const support::Curve real_points = scatter("real", support::Ring::sample(1000, rng)),
                         made_points = scatter("made", made.leftCols(1000));
    support::draw_chart("adversarial.png", "eight Gaussians on a circle", "x",
                        {{.label = "y", .curves = {real_points, made_points}, .height = 640, .equal_axes = true}});
}
