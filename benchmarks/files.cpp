// Saving a run at the demo's size, moments, order of the batches and best parameters included, over an epoch of its
// training: the counter save/epoch is to stay below 0.01. Loading beside it.
#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <chrono>
#include <cstdio>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <string>

namespace hg = hourglass;

namespace {

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<256>, hg::ReLU, hg::Dense<128>, hg::ReLU, hg::Dense<32>>;

struct Run {
    static constexpr hg::Index samples = 54'000;  // what the demo trains on
    hg::Rng rng{42};
    Eigen::MatrixXf images = Eigen::MatrixXf::Random(784, samples).cwiseAbs();
    decltype(hg::autoencoder<Encoder, hg::Mirror<Encoder, hg::Sigmoid>>(rng, hg::BinaryCrossEntropy{})) model =
        hg::autoencoder<Encoder, hg::Mirror<Encoder, hg::Sigmoid>>(rng, hg::BinaryCrossEntropy{});
    hg::Tape<float> tape = model.tape();
    hg::Adam adam;
    hg::Minibatches<float> batches = hg::minibatches(images, 256, rng);
    hg::EarlyStopping stopping;
    hg::History history;
    std::string path = "benchmark_files.safetensors";
    double epoch_seconds = 0;

    Run() {
        const auto begin = std::chrono::steady_clock::now();
        for (const auto& batch : batches) {
            model.gradient(batch, tape, rng);
            adam.step(model, tape);
        }
        epoch_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        stopping.update(1, model);
        history.add({{"loss", 1}});
    }
    ~Run() { std::remove(path.c_str()); }
    void save() { hg::save(path, model, adam, rng, batches, stopping, history); }
    void load() { hg::load(path, model, adam, rng, batches, stopping, history); }
};
Run& run() {
    static Run one;
    return one;
}

void save(benchmark::State& state) {
    Run& r = run();
    double spent = 0;
    for (auto _ : state) {
        const auto begin = std::chrono::steady_clock::now();
        r.save();
        spent += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    state.counters["save/epoch"] = spent / static_cast<double>(state.iterations()) / r.epoch_seconds;
}
void load(benchmark::State& state) {
    Run& r = run();
    r.save();
    for (auto _ : state) r.load();
}
void to_memory(benchmark::State& state) {
    Run& r = run();
    std::vector<std::byte> memory;
    for (auto _ : state) hg::save(memory, r.model, r.adam, r.rng, r.batches, r.stopping, r.history);
    state.SetBytesProcessed(static_cast<std::int64_t>(memory.size()) * state.iterations());
}
BENCHMARK(save)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(load)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(to_memory)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
