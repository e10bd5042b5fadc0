// Training steps, rates of evaluation and latencies. Prints lines `name value unit`; each value is the best of several
// rounds after a warm-up. The same work in other libraries is in peers/.
//
//     W1  train 784-32-784, ReLU and Sigmoid, binary cross-entropy, Adam, batches of 256
//     W2  train 784-1000-500-250-30 and back, Sigmoid, mean squared error, Adam, batches of 256
//         W2-256: its reconstruction of so many samples; W2e-4096: their codes
//     W3  train 288 x 1 through Conv1D 32k7s2, 16k7s2, transposed 16k7s2, 32k7s2, 1k7, same padding, ReLU between, mean
//         squared error, Adam, batches of 128
//     W4  train a variational autoencoder 784-400-20, ReLU, Bernoulli likelihood and divergence, Adam, batches of 128
//     W6  one sample through 784-32-784; W6f: through the same one frozen
//     W5f one sample through 140-32-16-8 and back, ReLU and at the end Sigmoid, frozen
//     W7  train the convolutional autoencoder of Keras's blog (Chollet 2016), pictures of 28 x 28: 16, 8 and 8
//         filters, each with ReLU and max-pooling, and back with upsamplings, binary cross-entropy, Adam, batches of
//         128; W7-1 and W7-256: its reconstruction of so many pictures
//     W8  train the convolutional net of the variational autoencoder of TensorFlow's and Keras's examples: 32 and 64
//         filters of stride 2, dense 16 and 3136, transposed 64, 32 and 1, binary cross-entropy, Adam, batches of 128;
//         W8-1 and W8-256
//
// FMA is what one core does at most: multiplications and additions a second of float vectors that never leave the
// registers; memory what it reads and writes of arrays that no cache holds. Behind W7 and W8 stands what share of it
// they do, counting what a plain loop multiplies and adds: forward, and twice that on the way back, but for the
// gradient of the input.
//
//     hourglass_step [--threads N] [NAME...]
//
// does all of it, or what is named, on one thread or so many. With the number alone as its argument it prints, for W1
// to W4, W7 and W8, the rate on one thread and on so many, taken in turns, and their ratio; and the same of W1 with
// batches of 16, of W4 with several codes a sample, of a tied layer with a contractive term and of tied convolutions.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <hourglass/freeze.hpp>
#include <hourglass/hourglass.hpp>
#include <hourglass/workers.hpp>
#include <span>

#include "../support/arguments.hpp"
#include "../support/limits.hpp"
#include "../support/nets.hpp"
#include "../support/timing.hpp"

namespace hg = hourglass;

namespace {

using support::best_seconds;

Eigen::MatrixXf uniform(hg::Index rows, hg::Index cols) {
    hg::Rng rng{1};
    Eigen::MatrixXf x(rows, cols);
    for (float& value : x.reshaped()) value = static_cast<float>(rng.uniform());
    return x;
}

void show(const char* name, double rate) {
    std::printf("%s %.0f samples/s\n", name, rate);
    std::fflush(stdout);
}

/// A tape that runs on those threads.
template <class Model>
auto tape_on(hg::Workers& workers, const Model& model) {
    return workers.size() == 1 ? model.tape() : model.tape(workers);
}

/// Samples a second of training to reproduce the input, with Adam.
template <class Encoder, class Decoder, class Loss, class... Terms>
double training_rate(hg::Workers& workers, const Loss& loss, hg::Index batch, const Terms&... terms) {
    const Eigen::MatrixXf x = uniform(Encoder::input.size(), batch);
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, loss, terms...);
    auto tape = tape_on(workers, model);
    hg::Adam adam{{.learning_rate = 1e-3}};
    const double step = best_seconds(2.5, [&] {
        model.gradient(x, tape, rng);
        adam.step(model, tape);
    });
    return static_cast<double>(batch) / step;
}

/// The same on one thread and on those of `workers`, in turns: the best of each.
template <class Encoder, class Decoder, class Loss, class... Terms>
void compare_threads(const char* name, hg::Workers& workers, const Loss& loss, hg::Index batch, const Terms&... terms) {
    const Eigen::MatrixXf x = uniform(Encoder::input.size(), batch);
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, loss, terms...);
    auto alone = model.tape(), shared = model.tape(workers);
    hg::Adam adam{{.learning_rate = 1e-3}};
    double best[2] = {1e30, 1e30};
    for (int turn = 0; turn < 20; ++turn)
        for (auto* tape : {&alone, &shared})
            best[tape == &shared] = std::min(best[tape == &shared], best_seconds(0.25, [&] {
                                                 model.gradient(x, *tape, rng);
                                                 adam.step(model, *tape);
                                             }));
    const double rate = static_cast<double>(batch);
    std::printf("%s %.0f samples/s on one thread, %.0f on %d: %.2f\n", name, rate / best[0], rate / best[1],
                workers.size(), best[0] / best[1]);
    std::fflush(stdout);
}

using namespace nets;

/// What a plain loop multiplies and adds for one picture, forward: positions x taps x channels x filters of each layer.
struct Work {
    double first, others;  // of the first layer, and of the others

    double forward() const { return 2 * (first + others); }
    double training() const { return 2 * (2 * first + 3 * others); }
};
constexpr double taps = 9;
constexpr Work blog_work{28 * 28 * taps * 16, taps*(14 * 14 * 16 * 8 + 7 * 7 * 8 * 8 + 4 * 4 * 8 * 8 + 8 * 8 * 8 * 8 +
                                                    14 * 14 * 8 * 16 + 28 * 28 * 16)};
constexpr Work strided_work{
    14 * 14 * taps * 32, taps*(7 * 7 * 32 * 64 + 7 * 7 * 64 * 64 + 14 * 14 * 64 * 32 + 28 * 28 * 32) + 2 * 3136 * 16};

/// The large net's reconstructions and codes.
void evaluations(hg::Workers& workers, const support::Arguments& arguments) {
    hg::Rng rng{1};
    const auto model = hg::autoencoder<DeepEncoder, DeepDecoder>(rng, hg::MeanSquaredError{});
    auto tape = tape_on(workers, model);
    const Eigen::MatrixXf all = uniform(784, 4096), some = all.leftCols(256);
    if (arguments.wanted("W2-256")) show("W2-256", 256 / best_seconds(2.5, [&] { model.reconstruct(some, tape); }));
    if (arguments.wanted("W2e-4096")) show("W2e-4096", 4096 / best_seconds(2.5, [&] { model.encode(all, tape); }));
}

/// Training, one picture and 256 of them, each with its share of the peak.
template <class Encoder, class Decoder>
void pictures(const char* name, hg::Workers& workers, const Work& work, double peak) {
    const double rate = training_rate<Encoder, Decoder>(workers, hg::BinaryCrossEntropy{}, 128);
    std::printf("%s %.0f samples/s, %.0f %% of FMA\n", name, rate, 100 * rate * work.training() / peak);
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{});
    auto tape = tape_on(workers, model);
    const Eigen::MatrixXf all = uniform(784, 256), one = all.leftCols(1);
    const double latency = best_seconds(1.0, [&] { model.reconstruct(one, tape); });
    std::printf("%s-1 %.2f us, %.0f %% of FMA\n", name, 1e6 * latency, 100 * work.forward() / latency / peak);
    const double together = 256 / best_seconds(2.5, [&] { model.reconstruct(all, tape); });
    std::printf("%s-256 %.0f samples/s, %.0f %% of FMA\n", name, together, 100 * together * work.forward() / peak);
    std::fflush(stdout);
}

/// One sample at a time through a frozen model, from memory to memory.
template <class Encoder, class Decoder>
void one_frozen(const char* name) {
    hg::Rng rng{1};
    const auto frozen = hg::freeze(hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{}));
    const Eigen::VectorXf x = uniform(Encoder::input.size(), 1);
    Eigen::VectorXf y(Decoder::output.size());
    std::printf("%s %.3f us\n", name, 1e6 * best_seconds(0.5, [&] {
                                          frozen.reconstruct(
                                              std::span<const float, frozen.input_size>(x.data(), frozen.input_size),
                                              std::span<float, frozen.output_size>(y.data(), frozen.output_size));
                                      }));
    std::fflush(stdout);
}
/// With `threads`, each rate on one thread and on so many.
void speed_ups(int threads) {
    using LayerEncoder = hg::Chain<hg::Shape{784}, hg::Dense<500>, Sigmoid>;
    using PictureEncoder = hg::Chain<hg::Shape{1, 28, 28}, Conv<16, 2>, hg::ReLU, Conv<32, 2>, hg::ReLU>;
    hg::Workers workers{threads};
    compare_threads<SmallEncoder, SmallDecoder>("W1", workers, hg::BinaryCrossEntropy{}, 256);
    compare_threads<SmallEncoder, SmallDecoder>("W1, batches of 16", workers, hg::BinaryCrossEntropy{}, 16);
    compare_threads<DeepEncoder, DeepDecoder>("W2", workers, hg::MeanSquaredError{}, 256);
    compare_threads<WaveEncoder, WaveDecoder>("W3", workers, hg::MeanSquaredError{}, 128);
    compare_threads<LatentEncoder, LatentDecoder>("W4", workers, hg::BernoulliLikelihood{}, 128, hg::GaussianLatent{});
    compare_threads<BlogEncoder, BlogDecoder>("W7", workers, hg::BinaryCrossEntropy{}, 128);
    compare_threads<StridedEncoder, StridedDecoder>("W8", workers, hg::BinaryCrossEntropy{}, 128);
    compare_threads<LatentEncoder, LatentDecoder>("W4, 5 codes a sample", workers, hg::BernoulliLikelihood{}, 128,
                                                  hg::GaussianLatent{.samples = 5});
    compare_threads<LayerEncoder, hg::Tied<LayerEncoder>>("784-500, tied and contractive", workers,
                                                          hg::MeanSquaredError{}, 256, hg::Contractive{0.01});
    compare_threads<PictureEncoder, hg::Tied<PictureEncoder>>("Tied convolutions", workers, hg::MeanSquaredError{},
                                                              128);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::isdigit(static_cast<unsigned char>(argv[1][0]))) {
        speed_ups(std::atoi(argv[1]));
        return 0;
    }
    const support::Arguments arguments(argc, argv);
    hg::Workers workers{arguments.threads};
    if (arguments.wanted("W1"))
        show("W1", training_rate<SmallEncoder, SmallDecoder>(workers, hg::BinaryCrossEntropy{}, 256));
    if (arguments.wanted("W2"))
        show("W2", training_rate<DeepEncoder, DeepDecoder>(workers, hg::MeanSquaredError{}, 256));
    evaluations(workers, arguments);
    if (arguments.wanted("W3"))
        show("W3", training_rate<WaveEncoder, WaveDecoder>(workers, hg::MeanSquaredError{}, 128));
    if (arguments.wanted("W4"))
        show("W4", training_rate<LatentEncoder, LatentDecoder>(workers, hg::BernoulliLikelihood{}, 128,
                                                               hg::GaussianLatent{}));
    if (arguments.wanted("W6")) {
        hg::Rng rng{1};
        const auto model = hg::autoencoder<SmallEncoder, SmallDecoder>(rng, hg::BinaryCrossEntropy{});
        auto tape = tape_on(workers, model);
        const Eigen::MatrixXf sample = uniform(784, 1);
        std::printf("W6 %.2f us\n", 1e6 * best_seconds(1.0, [&] { model.reconstruct(sample, tape); }));
        std::fflush(stdout);
    }
    if (arguments.wanted("W5f")) one_frozen<EcgEncoder, EcgDecoder>("W5f");
    if (arguments.wanted("W6f")) one_frozen<SmallEncoder, SmallDecoder>("W6f");
    const double core = support::fma_peak(), all = core * workers.size();
    std::printf("FMA %.1f GFLOP/s\nmemory %.1f GB/s\n", 1e-9 * core, 1e-9 * support::memory_rate());
    if (arguments.wanted("W7")) pictures<BlogEncoder, BlogDecoder>("W7", workers, blog_work, all);
    if (arguments.wanted("W8")) pictures<StridedEncoder, StridedDecoder>("W8", workers, strided_work, all);
}
