// One sample at a time in RTNeural (Chowdhury), all sizes known to the compiler: the counterpart of a frozen model.
// Prints lines `name value unit` as hourglass_step does, each the best of several rounds. Built where CMake is told
// where RTNeural lies; its back end is chosen by a macro, RTNEURAL_USE_EIGEN or RTNEURAL_USE_XSIMD.
#include <RTNeural/RTNeural.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

#include "../support/arguments.hpp"
#include "../support/timing.hpp"

namespace {

template <int In, int Out>
using Dense = RTNeural::DenseT<float, In, Out>;
template <int Size>
using ReLU = RTNeural::ReLuActivationT<float, Size>;
template <int Size>
using Sigmoid = RTNeural::SigmoidActivationT<float, Size>;

using W5 = RTNeural::ModelT<float, 140, 140, Dense<140, 32>, ReLU<32>, Dense<32, 16>, ReLU<16>, Dense<16, 8>, ReLU<8>,
                            Dense<8, 16>, ReLU<16>, Dense<16, 32>, ReLU<32>, Dense<32, 140>, Sigmoid<140>>;
using W6 = RTNeural::ModelT<float, 784, 784, Dense<784, 32>, ReLU<32>, Dense<32, 784>, Sigmoid<784>>;

// Weights as after an initialisation: a product with zeros might be no product.
template <int In, int Out, class Random>
void fill(Dense<In, Out>& layer, Random& random) {
    std::uniform_real_distribution<float> weight(-0.2f, 0.2f);
    std::vector<std::vector<float>> weights(Out, std::vector<float>(In));
    for (auto& row : weights)
        for (float& value : row) value = weight(random);
    layer.setWeights(weights);
    const std::vector<float> bias(Out, 0.1f);
    layer.setBias(bias.data());
}
template <int... Layer, class Model, class Random>
void fill_dense(Model& model, Random& random) {
    (fill(model.template get<Layer>(), random), ...);
}

template <class Model>
double microseconds(Model& model) {
    alignas(64) float x[(Model::input_size + 15) / 16 * 16];  // xsimd's back end reads whole vectors
    std::fill(std::begin(x), std::end(x), 0.3f);
    volatile float kept = 0;
    const double best = 1e6 * support::best_seconds(0.5, [&] { kept = model.forward(x); });
    (void)kept;
    return best;
}

}  // namespace

int main(int argc, char** argv) {
    const support::Arguments arguments(argc, argv);
    std::mt19937 random(1);
    const auto small = std::make_unique<W5>();
    fill_dense<0, 2, 4, 6, 8, 10>(*small, random);
    if (arguments.wanted("W5f")) std::printf("W5f %.3f us\n", microseconds(*small));
    const auto wide = std::make_unique<W6>();
    fill_dense<0, 2>(*wide, random);
    if (arguments.wanted("W6f")) std::printf("W6f %.3f us\n", microseconds(*wide));
}
