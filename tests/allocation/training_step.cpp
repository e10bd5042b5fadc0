// After the first batch neither a training step nor an evaluation with a tape asks for memory: counted by an allocator
// put in the place of the C library's, which sees Eigen's requests as well as the standard library's.

#include <cstdio>
#include <hourglass/hourglass.hpp>
#include <new>

#include "../support/counting_allocator.hpp"

namespace hg = hourglass;

// Runs `step` a few times to warm up, then again under count. Returns the number of failures: 0 or 1.
template <class Step>
static int check(const char* what, Step step) {
    for (int i = 0; i < 2; ++i) step();
    const long before = requests;
    for (int i = 0; i < 5; ++i) step();
    const long asked = requests - before;
    std::printf("%-40s %ld allocations\n", what, asked);
    return asked != 0;
}

template <class T, class Optimizer>
static int check_training(const char* what, Optimizer optimizer) {
    using Encoder =
        hg::Chain<hg::Shape{128}, hg::Dense<100>, hg::ReLU, hg::Dropout, hg::Dense<64>, hg::Tanh, hg::Dense<16>>;
    using Decoder = hg::Mirror<Encoder, hg::Sigmoid>;
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder, T>(rng, hg::BinaryCrossEntropy{}, hg::GaussianNoise{0.1},
                                                      hg::MaskingNoise{0.1}, hg::L1{0.01});
    const hg::Matrix<T> x = hg::Matrix<T>::Constant(128, 512, T(0.5));
    auto batches = hg::minibatches(x, 128, rng);
    auto tape = model.tape();
    return check(what, [&] {
        batches.shuffle(rng);
        for (const auto& batch : batches) {
            model.gradient(batch, tape, rng);
            hg::clip_by_norm(tape.gradient(), 1.0);
            optimizer.step(model, tape);
        }
        model.loss(x, tape);
    });
}

int main() {
    // The counter must see what Eigen asks for, or zero would prove nothing.
    const long before = requests;
    Eigen::MatrixXf seen(10, 10);
    seen.setZero();
    if (requests == before || seen.sum() != 0) return std::puts("the counter does not see Eigen's allocations"), 1;

    int failures = 0;
    failures += check_training<float>("training step, float, Adam", hg::Adam{});
    failures += check_training<double>("training step, double, Adam", hg::Adam{});
    failures += check_training<float>("training step, Sgd with momentum", hg::Sgd{{.momentum = 0.9}});
    failures += check_training<float>("training step, AdamW", hg::AdamW{});
    failures += check_training<float>("training step, Adadelta", hg::Adadelta{});
    failures += check_training<float>("training step, RMSprop", hg::RMSprop{});
    failures += check_training<float>("training step, Adagrad", hg::Adagrad{});

    hg::Rng rng{1};
    using Large = hg::Chain<hg::Shape{784}, hg::Dense<1000>, hg::ReLU, hg::Dense<256>>;
    const auto large = hg::autoencoder<Large, hg::Mirror<Large>>(rng, hg::MeanSquaredError{});
    auto large_tape = large.tape();
    const Eigen::MatrixXf pictures = Eigen::MatrixXf::Constant(784, 256, 0.5f);
    failures += check("training step, 784-1000-256", [&] { large.gradient(pictures, large_tape, rng); });
    using Windows = hg::Chain<hg::Shape{2, 64}, hg::Conv1D<8, 5, 2, hg::Padding::Same>, hg::ReLU, hg::MaxPooling1D<>>;
    const auto series = hg::autoencoder<Windows, hg::Mirror<Windows>>(rng, hg::MeanSquaredError{});
    auto series_tape = series.tape();
    const Eigen::MatrixXf waves = Eigen::MatrixXf::Constant(128, 64, 0.5f);
    failures += check("training step, convolutions", [&] { series.gradient(waves, series_tape, rng); });

    using Encoder = hg::Chain<hg::Shape{128}, hg::Dense<64>, hg::ReLU, hg::Dense<16>>;
    const auto model = hg::autoencoder<Encoder, hg::Tied<Encoder>>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    const Eigen::MatrixXf x = Eigen::MatrixXf::Constant(128, 128, 0.5f);
    failures += check("encode with a tape", [&] { model.encode(x, tape); });
    failures += check("reconstruct with a tape", [&] { model.reconstruct(x, tape); });
    failures += check("reconstruct one sample with a tape", [&] { model.reconstruct(x.col(0), tape); });
    failures += check("encode a block with a tape", [&] { model.encode(x.middleCols(3, 50), tape); });
    failures += check("training step, tied weights", [&] { model.gradient(x, tape, rng); });

    // Every kind of code term, each with what it takes from the tape.
    using Code = hg::Chain<hg::Shape{128}, hg::Dense<32>, hg::Tanh, hg::Dense<16>, hg::Sigmoid>;
    using Back = hg::Chain<hg::Shape{16}, hg::Dense<128>, hg::Sigmoid>;
    const auto with = [&](const char* what, const auto& loss, const auto&... terms) {
        const auto kind = hg::autoencoder<Code, Back>(rng, loss, terms...);
        auto memory = kind.tape();
        return check(what, [&] { kind.gradient(x, memory, rng); });
    };
    const hg::MeanSquaredError squares;
    failures += with("training step, contractive", squares, hg::Contractive{0.1});
    failures += with("training step, contractive with probes", squares, hg::Contractive{.weight = 0.1, .probes = 2});
    failures +=
        with("training step, KlSparsity and MMD", squares, hg::KlSparsity{0.05, 1.0}, hg::MaximumMeanDiscrepancy{});
    failures += with("training step, TopK and PreActivationLoss", squares, hg::TopK<4>{},
                     hg::PreActivationLoss{.weight = 1e-3});
    failures += with("training step, BatchTopK", squares, hg::BatchTopK<4>{});
    failures += with("training step, JumpReLU", squares, hg::JumpReLU{.weight = 1e-3});
    using Drawn = hg::Chain<hg::Shape{128}, hg::Dense<64>, hg::BatchNormalization, hg::ReLU, hg::Dense<32>>;
    const auto variational = [&](const char* what, hg::GaussianLatent latent) {
        auto kind = hg::autoencoder<Drawn, Back>(rng, hg::BernoulliLikelihood{}, latent);
        auto memory = kind.tape();
        hg::Adam adam;
        return check(what, [&] {
            kind.gradient(x, memory, rng);
            adam.step(kind, memory);
        });
    };
    failures += variational("training step, variational with batch normalisation", {});
    failures += variational("training step, importance-weighted", {.samples = 4});

    auto sparse = hg::autoencoder<Code, Back>(rng, squares, hg::L1{0.01});
    auto sparse_tape = sparse.tape();
    failures += check("training step, unit norm", [&] {
        sparse.gradient(x, sparse_tape, rng);
        hg::remove_parallel_gradient(sparse, sparse_tape.gradient());
        hg::unit_norm_decoder(sparse);
    });

    using Conditional = hg::Chain<hg::Shape{128}, hg::Condition<10>, hg::Dense<64>,
                                  hg::Residual<hg::ReLU, hg::Dense<64>>, hg::BatchNormalization, hg::Dense<16>>;
    auto network = hg::network<Conditional>(rng);
    auto network_tape = network.tape();
    hg::Adam adam{{.amsgrad = true}};
    hg::ExponentialMovingAverage average;
    const Eigen::MatrixXf conditions = Eigen::MatrixXf::Constant(10, 128, 0.5f);
    Eigen::MatrixXf dx, drawn;
    failures += check("network forward, backward, step and evaluate", [&] {
        hg::binarize(x, rng, drawn);
        network.backward(network.forward(hg::given(drawn, conditions), network_tape, rng), network_tape, dx);
        adam.step(network, network_tape);
        average.update(network);
        network.evaluate(hg::given(x, conditions), network_tape);
    });
    return failures;
}
