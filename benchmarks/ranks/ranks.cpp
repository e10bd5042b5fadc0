// Training steps of W2 and W8 (step/step.cpp) on the ranks of an MPI job, on whatever machines mpirun gives it:
//
//     mpirun -np 2 hourglass_ranks
//
// Prints, for each net, what many_machines.py reads: parameters; milliseconds of the gradient of a batch that each rank
// has, of the all-reduce that averages them and of the optimiser's step; samples a second of all ranks with a batch for
// each, and with one batch divided among them. On a single rank also the rate with two threads. Each is the best of
// several rounds.
#include <algorithm>
#include <array>
#include <cstdio>
#include <hourglass/hourglass.hpp>
#include <hourglass/train/mpi.hpp>
#include <hourglass/workers.hpp>

#include "../support/nets.hpp"

namespace hg = hourglass;

namespace {

Eigen::MatrixXf uniform(hg::Index rows, hg::Index cols, std::uint64_t seed) {
    hg::Rng rng{seed};
    return Eigen::MatrixXf::NullaryExpr(rows, cols, [&] { return static_cast<float>(rng.uniform()); });
}

/// Seconds of each of several kinds of work, in turns, all ranks together: the best round's mean, of the slowest rank.
template <class... Work>
std::array<double, sizeof...(Work)> best_seconds(const Work&... work) {
    std::array<double, sizeof...(Work)> best;
    best.fill(1e30);
    for (int round = 0; round < 8; ++round) {
        std::size_t number = 0;
        const auto measure = [&](const auto& one) {
            constexpr int calls = 4;
            MPI_Barrier(MPI_COMM_WORLD);
            const double start = MPI_Wtime();
            for (int i = 0; i < calls; ++i) one();
            double seconds = (MPI_Wtime() - start) / calls;
            MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
            best[number] = std::min(best[number], seconds), ++number;
        };
        (measure(work), ...);
    }
    return best;
}

template <class Model>
void measure(const char* name, Model model, hg::Index batch) {
    const hg::DataParallel ranks{MPI_COMM_WORLD};
    const Eigen::MatrixXf whole = uniform(784, batch, 1),
                          own = uniform(784, batch, static_cast<std::uint64_t>(ranks.rank()));
    hg::Rng rng{1};
    hg::Adam adam{{.learning_rate = 1e-3}};
    auto tape = model.tape();
    hg::Workers workers{2};
    auto threads = model.tape(workers);
    const auto on_threads = [&] {
        if (ranks.size() > 1) return;
        model.gradient(whole, threads, rng);
        adam.step(model, threads);
    };
    const auto seconds = best_seconds([&] { model.gradient(own, tape, rng); },
                                      [&] {
                                          ranks.average(tape, {{ranks.rank() * batch, batch}, ranks.size() * batch});
                                      },
                                      [&] { adam.step(model, tape); },
                                      [&] {
                                          ranks.gradient_of_shards(model, own, tape, rng);
                                          adam.step(model, tape);
                                      },
                                      [&] {
                                          ranks.gradient(model, whole, tape, rng);
                                          adam.step(model, tape);
                                      },
                                      on_threads);
    if (ranks.rank() != 0) return;
    const double samples = static_cast<double>(batch);
    std::printf(
        "%s: %ld parameters, batches of %ld, %d ranks: gradient %.3f ms, all-reduce %.3f ms, optimiser %.3f ms; "
        "a batch each %.0f samples/s, one batch for all %.0f samples/s\n",
        name, static_cast<long>(model.parameters().size()), static_cast<long>(batch), ranks.size(), 1e3 * seconds[0],
        1e3 * seconds[1], 1e3 * seconds[2], samples * ranks.size() / seconds[3], samples / seconds[4]);
    if (ranks.size() == 1) std::printf("%s: two threads %.0f samples/s\n", name, samples / seconds[5]);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    MPI_Init(&argc, &argv);
    hg::Rng rng{1};
    measure("W2", hg::autoencoder<nets::DeepEncoder, nets::DeepDecoder>(rng, hg::MeanSquaredError{}), 256);
    measure("W8", hg::autoencoder<nets::StridedEncoder, nets::StridedDecoder>(rng, hg::BinaryCrossEntropy{}), 128);
    MPI_Finalize();
}
