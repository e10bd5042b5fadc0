// How training steps scale: over the batch, the width, the depth, the length of series and the threads. Prints a table,
// values between commas; `draw` beside this file makes a picture of it.
//
//     batch W1  784-32-784, ReLU and Sigmoid, binary cross-entropy
//     batch W2  784-1000-500-250-30 and back, Sigmoid, mean squared error
//     width     784-w-784, ReLU and Sigmoid, binary cross-entropy, batches of 256
//     depth     256 values through d layers of 256 with ReLU and one without, mean squared error, batches of 256
//     length    n x 1 through Conv1D 32k7s2, 16k7s2, transposed 16k7s2, 32k7s2, 1k7, same padding, ReLU between, mean
//               squared error, batches of 16
//
// All with Adam. Operations are counted as in plain loops: forward, and twice that on the way back but for the gradient
// of the input. *Bytes touched* are those of passes that walk each array once for each use: the weights in the forward
// pass and on the way back, their gradient as it is written, seven times Adam (weights, gradient and two moments read,
// all but the gradient written); of each layer's output six (written, read by the next layer and by its weights'
// gradient; its own gradient written and read by two), and three of the input. What the caches keep comes from there,
// so that bytes a second may be above the memory's rate; a step that is far below both limits waits for neither.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <hourglass/hourglass.hpp>
#include <hourglass/workers.hpp>
#include <initializer_list>

#include "../support/limits.hpp"
#include "../support/nets.hpp"
#include "../support/timing.hpp"

namespace hg = hourglass;

namespace {

/// What a step does for one sample.
class Work {
  public:
    explicit Work(double input) : values_(3 * input) {}

    /// A layer that takes so many multiplications forward.
    Work& layer(double multiplications, double outputs) {
        operations_ += (first_ ? 4 : 6) * multiplications;
        values_ += 6 * outputs;
        first_ = false;
        return *this;
    }
    double operations() const { return operations_; }
    double bytes(double samples, double parameters) const {
        return sizeof(float) * (10 * parameters + samples * values_);
    }

  private:
    double operations_ = 0, values_;
    bool first_ = true;
};

Work dense_work(std::initializer_list<double> widths) {
    Work work(*widths.begin());
    for (const double* width = widths.begin() + 1; width != widths.end(); ++width)
        work.layer(width[-1] * width[0], width[0]);
    return work;
}

/// Measures on one thread and on more, and prints.
class Table {
  public:
    explicit Table(int threads) : workers_(threads), peak_(support::fma_peak()) {
        std::printf("# FMA %.1f GFLOP/s a thread, memory %.1f GB/s\n", 1e-9 * peak_, 1e-9 * support::memory_rate());
        std::printf("curve,x,threads,samples/s,GFLOP/s,%% of FMA,MB touched,GB/s\n");
    }

    template <class Encoder, class Decoder, class Loss>
    void add(const char* curve, hg::Index x, hg::Index batch, const Loss& loss, const Work& work) {
        hg::Rng rng{1};
        Eigen::MatrixXf samples(Encoder::input.size(), batch);
        for (float& value : samples.reshaped()) value = static_cast<float>(rng.uniform());
        auto model = hg::autoencoder<Encoder, Decoder>(rng, loss);
        auto alone = model.tape(), shared = model.tape(workers_);
        hg::Adam adam{{.learning_rate = 1e-3}};
        double best[2] = {1e30, 1e30};
        for (int turn = 0; turn < 3; ++turn)  // in turns, so that a slow moment of the machine is one for both
            for (auto* tape : {&alone, &shared}) {
                if (tape == &shared && workers_.size() == 1) continue;
                double& least = best[tape == &shared];
                const auto step = [&] {
                    model.gradient(samples, *tape, rng);
                    adam.step(model, *tape);
                };
                least = std::min(least, support::best_seconds(0.2, step));
            }
        const auto n = static_cast<double>(batch);
        const double bytes = work.bytes(n, static_cast<double>(model.parameters().size()));
        for (const int threads : {1, workers_.size()}) {
            const double step = best[threads > 1], rate = work.operations() * n / step;
            std::printf("%s,%td,%d,%.0f,%.2f,%.1f,%.3f,%.2f\n", curve, x, threads, n / step, 1e-9 * rate,
                        100 * rate / (threads * peak_), 1e-6 * bytes, 1e-9 * bytes / step);
            if (workers_.size() == 1) break;
        }
        std::fflush(stdout);
    }

  private:
    hg::Workers workers_;
    double peak_;
};

template <hg::Index width>
using WideEncoder = hg::Chain<hg::Shape{784}, hg::Dense<width>, hg::ReLU>;
template <hg::Index width>
using WideDecoder = hg::Chain<hg::Shape{width}, hg::Dense<784>, hg::Sigmoid>;

/// A chain of `depth` layers of 256, each with ReLU.
template <int depth, class... Layers>
struct Stack : Stack<depth - 1, hg::Dense<256>, hg::ReLU, Layers...> {};
template <class... Layers>
struct Stack<0, Layers...> {
    using Encoder = hg::Chain<hg::Shape{256}, Layers...>;
};

void batches(Table& table) {
    for (const hg::Index n : {1, 4, 16, 64, 256, 1024, 4096})
        table.add<nets::SmallEncoder, nets::SmallDecoder>("batch W1", n, n, hg::BinaryCrossEntropy{},
                                                          dense_work({784, 32, 784}));
    for (const hg::Index n : {1, 4, 16, 64, 256, 1024, 4096})
        table.add<nets::DeepEncoder, nets::DeepDecoder>("batch W2", n, n, hg::MeanSquaredError{},
                                                        dense_work({784, 1000, 500, 250, 30, 250, 500, 1000, 784}));
}

template <hg::Index... width>
void widths(Table& table) {
    (table.add<WideEncoder<width>, WideDecoder<width>>("width", width, 256, hg::BinaryCrossEntropy{},
                                                       dense_work({784, width, 784})),
     ...);
}

template <int... depth>
void depths(Table& table) {
    const auto work = [](int layers) {
        Work sum(256);
        for (int i = 0; i <= layers; ++i) sum.layer(256 * 256, 256);
        return sum;
    };
    (table.add<typename Stack<depth>::Encoder, hg::Chain<hg::Shape{256}, hg::Dense<256>>>(
         "depth", depth, 256, hg::MeanSquaredError{}, work(depth)),
     ...);
}

template <hg::Index... length>
void lengths(Table& table) {
    const auto work = [](double n) {
        const double taps = 7;
        return Work(n)
            .layer(taps * n / 2 * 1 * 32, 32 * n / 2)
            .layer(taps * n / 4 * 32 * 16, 16 * n / 4)
            .layer(taps * n / 4 * 16 * 16, 16 * n / 2)
            .layer(taps * n / 2 * 16 * 32, 32 * n)
            .layer(taps * n * 32 * 1, n);
    };
    (table.add<nets::SeriesEncoder<length>, nets::SeriesDecoder<length>>("length", length, 16, hg::MeanSquaredError{},
                                                                         work(length)),
     ...);
}

}  // namespace

int main(int argc, char** argv) {
    Table table(argc > 1 ? std::atoi(argv[1]) : 2);
    batches(table);
    widths<16, 32, 64, 256, 1024, 4096, 8192>(table);
    depths<1, 4, 16, 64>(table);
    lengths<64, 256, 1024, 4096, 16384, 65536>(table);
}
