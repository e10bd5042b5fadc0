// Pictures of 28 × 28, an IDX file on the standard input, through a code of 32 numbers and back. Prints the loss of
// each epoch (of Fashion-MNIST it falls from .463 to .307) and which picture is rebuilt worst.
#include <hourglass/hourglass.hpp>
#include <iostream>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>, hg::ReLU>;
using Decoder = hg::Chain<Encoder::output, hg::Dense<784>, hg::Sigmoid>;

int main() {
    const Eigen::MatrixXf images = hg::read_idx_images(std::cin);  // 784 × n in [0, 1]: one column per sample
    hg::Rng rng{42};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{});
    hg::Adadelta adadelta{{.learning_rate = 1.0}};
    auto tape = model.tape();  // activations and gradients: grows once, then reused
    for (int epoch = 1; epoch <= 20; ++epoch) {
        for (const auto& batch : hg::minibatches(images, 256, rng)) {
            model.gradient(batch, tape, rng);
            adadelta.step(model, tape);
        }
        std::cout << "epoch " << epoch << ": loss " << model.loss(images, tape) << std::endl;
    }
    const Eigen::MatrixXf code = model.encode(images);                 // 32 × n
    const Eigen::VectorXf error = model.reconstruction_error(images);  // one score per sample: the anomaly score
    Eigen::Index strangest;
    std::cout << "largest error: " << error.maxCoeff(&strangest) << ", image " << strangest << '\n';
}
