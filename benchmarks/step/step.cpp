// Training steps and latencies on one thread. Prints lines `name value unit`; each value is the best of several rounds
// after a warm-up. The same work in other libraries is in peers/.
//
//     W1  train 784-32-784, ReLU and Sigmoid, binary cross-entropy, Adam, batches of 256
//     W2  train 784-1000-500-250-30 and back, Sigmoid, mean squared error, Adam, batches of 256
//     W3  train 288 x 1 through Conv1D 32k7s2, 16k7s2, transposed 16k7s2, 32k7s2, 1k7, same padding, ReLU between, mean
//         squared error, Adam, batches of 128
//     W4  train a variational autoencoder 784-400-20, ReLU, Bernoulli likelihood and divergence, Adam, batches of 128
//     W6  one sample through 784-32-784
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

namespace {

constexpr int rounds = 5;

template <class Work>
double seconds(Work work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Seconds of one call of `work`: the best round's mean, a round lasting about `round_seconds`.
template <class Work>
double best_seconds(double round_seconds, Work work) {
    work();
    const int calls = std::max(1, static_cast<int>(round_seconds / seconds(work)));
    double best = 1e30;
    for (int round = 0; round < rounds; ++round)
        best = std::min(best, seconds([&] {
                                  for (int i = 0; i < calls; ++i) work();
                              }) / calls);
    return best;
}

Eigen::MatrixXf uniform(hg::Index rows, hg::Index cols) {
    hg::Rng rng{1};
    Eigen::MatrixXf x(rows, cols);
    for (float& value : x.reshaped()) value = static_cast<float>(rng.uniform());
    return x;
}

/// Samples a second of training to reproduce the input, with Adam.
template <class Encoder, class Decoder, class Loss, class... Terms>
double training_rate(const Loss& loss, hg::Index batch, const Terms&... terms) {
    const Eigen::MatrixXf x = uniform(Encoder::input.size(), batch);
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, loss, terms...);
    auto tape = model.tape();
    hg::Adam adam{{.learning_rate = 1e-3}};
    const double step = best_seconds(1.0, [&] {
        model.gradient(x, tape, rng);
        adam.step(model.parameters(), tape.gradient());
    });
    return static_cast<double>(batch) / step;
}

using Sigmoid = hg::Sigmoid;
using SmallEncoder = hg::Chain<hg::Shape{784}, hg::Dense<32>, hg::ReLU>;
using SmallDecoder = hg::Chain<SmallEncoder::output, hg::Dense<784>, Sigmoid>;
using DeepEncoder = hg::Chain<hg::Shape{784}, hg::Dense<1000>, Sigmoid, hg::Dense<500>, Sigmoid, hg::Dense<250>,
                              Sigmoid, hg::Dense<30>, Sigmoid>;
using DeepDecoder = hg::Chain<DeepEncoder::output, hg::Dense<250>, Sigmoid, hg::Dense<500>, Sigmoid, hg::Dense<1000>,
                              Sigmoid, hg::Dense<784>, Sigmoid>;

template <hg::Index Filters, hg::Index Stride>
using Down = hg::Conv1D<Filters, 7, Stride, hg::Padding::Same>;
template <hg::Index Filters, hg::Index Stride>
using Up = hg::Conv1DTranspose<Filters, 7, Stride, hg::Padding::Same>;
using WaveEncoder = hg::Chain<hg::Shape{1, 288}, Down<32, 2>, hg::ReLU, Down<16, 2>, hg::ReLU>;
using LatentEncoder = hg::Chain<hg::Shape{784}, hg::Dense<400>, hg::ReLU, hg::Dense<40>>;
using LatentDecoder = hg::Chain<hg::Shape{20}, hg::Dense<400>, hg::ReLU, hg::Dense<784>, Sigmoid>;
using WaveDecoder = hg::Chain<WaveEncoder::output, Up<16, 2>, hg::ReLU, Up<32, 2>, hg::ReLU, Up<1, 1>>;

}  // namespace

int main() {
    std::printf("W1 %.0f samples/s\n", training_rate<SmallEncoder, SmallDecoder>(hg::BinaryCrossEntropy{}, 256));
    std::fflush(stdout);
    std::printf("W2 %.0f samples/s\n", training_rate<DeepEncoder, DeepDecoder>(hg::MeanSquaredError{}, 256));
    std::fflush(stdout);
    std::printf("W3 %.0f samples/s\n", training_rate<WaveEncoder, WaveDecoder>(hg::MeanSquaredError{}, 128));
    std::fflush(stdout);
    std::printf("W4 %.0f samples/s\n",
                training_rate<LatentEncoder, LatentDecoder>(hg::BernoulliLikelihood{}, 128, hg::GaussianLatent{}));
    std::fflush(stdout);

    hg::Rng rng{1};
    const auto model = hg::autoencoder<SmallEncoder, SmallDecoder>(rng, hg::BinaryCrossEntropy{});
    auto tape = model.tape();
    const Eigen::MatrixXf sample = uniform(784, 1);
    std::printf("W6 %.2f us\n", 1e6 * best_seconds(0.2, [&] { model.reconstruct(sample, tape); }));
}
