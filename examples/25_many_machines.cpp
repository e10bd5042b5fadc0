// One denoising autoencoder of Fashion-MNIST, trained by many processes together, on one machine or on many, over MPI:
//
//     mpirun -np 2 25_many_machines
//
// Each rank holds all pictures here and computes its part of every batch. Prints the loss of each epoch and that of the
// test pictures: to rounding the same with any number of ranks.
#include <hourglass/hourglass.hpp>
#include <hourglass/train/mpi.hpp>
#include <iostream>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"

namespace hg = hourglass;

using Encoder =
    hg::Chain<hg::Shape{784}, hg::Dense<500>, hg::ReLU, hg::Dropout, hg::Dense<250>, hg::ReLU, hg::Dense<30>>;
using Decoder = hg::Mirror<Encoder, hg::Sigmoid>;

static void train(const support::FashionMnist& data, const support::Arguments& arguments) {
    const hg::DataParallel ranks{MPI_COMM_WORLD};
    const bool speaks = ranks.rank() == 0;

    hg::Rng rng{arguments.seed};  // the same on all ranks: order of the pictures and noise are those of a single one
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{}, hg::MaskingNoise{0.25});
    ranks.broadcast(model);  // needless here, where all begin alike; not where only one has read a file
    auto tape = model.tape();
    hg::Adam adam{{.learning_rate = 1e-3}};
    // Where the data are divided among the machines: minibatches of this one's, and ranks.gradient_of_shards.
    auto batches = hg::minibatches(data.train.leftCols(arguments.small ? 1000 : data.train.cols()), 256, rng);
    for (int epoch = 1; epoch <= arguments.epochs; ++epoch, batches.shuffle(rng)) {
        double sum = 0;
        hg::Index samples = 0;
        for (const auto& batch : batches) {
            sum += static_cast<double>(ranks.gradient(model, batch, tape, rng)) * static_cast<double>(batch.cols());
            samples += batch.cols();
            adam.step(model, tape);
        }
        if (speaks)
            std::cout << "epoch " << epoch << " on " << ranks.size() << (ranks.size() == 1 ? " rank" : " ranks")
                      << ": loss " << sum / static_cast<double>(samples) << std::endl;
    }
    if (speaks)
        std::cout << "test loss " << model.loss(data.test.leftCols(arguments.small ? 1000 : 10000), tape) << std::endl;
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 5});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    MPI_Init(&argc, &argv);
    try {
        train(data, arguments);
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        MPI_Abort(MPI_COMM_WORLD, 1);  // the other ranks would wait for this one
    }
    MPI_Finalize();
}
