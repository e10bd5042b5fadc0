// Peak memory of training W2 of hourglass_step: 784-1000-500-250-30 and back, Sigmoid, mean squared error, Adam,
// batches of 256. Prints lines `name value unit` and fails above the budget: four times the parameters (they, their
// gradient and Adam's two moments), the activations (for each layer of units its values, and the batch), the gradient
// with respect to them, which is kept until the threads have shared out the weights' gradients, and 2 MB for the
// program's own pages.
//
// Peak resident memory of the process, less what it took before the model was made: the program itself and the batch.
#include <sys/resource.h>

#include <cstdio>
#include <hourglass/hourglass.hpp>

#include "../support/nets.hpp"

namespace hg = hourglass;

namespace {

constexpr hg::Index batch_size = 256, units = 784 + 1000 + 500 + 250 + 30 + 250 + 500 + 1000 + 784;

double peak_megabytes() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_maxrss) * 1024e-6;
}

}  // namespace

int main() {
    hg::Rng rng{1};
    Eigen::MatrixXf x(784, batch_size);
    for (float& value : x.reshaped()) value = static_cast<float>(rng.uniform());

    const double before = peak_megabytes();
    auto model = hg::autoencoder<nets::DeepEncoder, nets::DeepDecoder>(rng, hg::MeanSquaredError{});
    hg::Adam adam;
    auto tape = model.tape();
    for (int step = 0; step < 3; ++step) {
        model.gradient(x, tape, rng);
        adam.step(model, tape);
    }
    const double used = peak_megabytes() - before;

    const double parameters = 4e-6 * static_cast<double>(model.parameters().size()),
                 activations = 4e-6 * static_cast<double>(batch_size * units),
                 budget = 4 * parameters + 2 * activations + 2;
    std::printf("W2_parameters %.2f MB\nW2_activations %.2f MB, their gradient as much again\n", parameters,
                activations);
    std::printf("W2_training_memory %.2f MB (budget %.2f%s)\n", used, budget, used <= budget ? "" : ": EXCEEDED");
    return used <= budget ? 0 : 1;
}
