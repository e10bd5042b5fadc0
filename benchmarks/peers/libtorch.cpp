// The work of hourglass_step done by libtorch, `[--threads N] [NAME...]` as there. Prints lines `name value unit`; each
// value is the best of several rounds after a warm-up.
#include <torch/torch.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <vector>

#include "../support/arguments.hpp"
#include "../support/timing.hpp"

namespace {

using support::best_seconds;

using Loss = std::function<torch::Tensor(const torch::Tensor&, const torch::Tensor&)>;

/// Samples a second of training `model` to reproduce its input, with Adam.
double training_rate(torch::nn::Sequential model, const Loss& loss, const torch::Tensor& x) {
    torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(1e-3));
    const double step = best_seconds(2.5, [&] {
        adam.zero_grad();
        loss(model->forward(x), x).backward();
        adam.step();
    });
    return static_cast<double>(x.size(0)) / step;
}

/// The variational autoencoder of PyTorch's examples: 784-400-20.
struct Variational : torch::nn::Module {
    torch::nn::Linear hidden{784, 400}, mean{400, 20}, log_variance{400, 20}, back{20, 400}, out{400, 784};

    Variational() {
        register_module("hidden", hidden);
        register_module("mean", mean);
        register_module("log_variance", log_variance);
        register_module("back", back);
        register_module("out", out);
    }
    torch::Tensor objective(const torch::Tensor& x) {
        const auto h = torch::relu(hidden(x)), m = mean(h), l = log_variance(h);
        const auto z = m + torch::exp(0.5 * l) * torch::randn_like(m);
        const auto y = torch::sigmoid(out(torch::relu(back(z))));
        return torch::binary_cross_entropy(y, x, {}, at::Reduction::Sum) - 0.5 * torch::sum(1 + l - m.pow(2) - l.exp());
    }
};

/// Samples a second of training it, with Adam.
double variational_rate(const torch::Tensor& x) {
    Variational model;
    torch::optim::Adam adam(model.parameters(), torch::optim::AdamOptions(1e-3));
    const double step = best_seconds(2.5, [&] {
        adam.zero_grad();
        model.objective(x).backward();
        adam.step();
    });
    return static_cast<double>(x.size(0)) / step;
}

void show(const char* name, double rate) {
    std::printf("%s %.0f samples/s\n", name, rate);
    std::fflush(stdout);
}

/// Samples a second through the model.
double evaluation_rate(torch::nn::Sequential model, const torch::Tensor& x) {
    const c10::InferenceMode inference;
    model->eval();
    return static_cast<double>(x.size(0)) / best_seconds(2.5, [&] { model->forward(x); });
}

torch::nn::Sequential small() {
    return torch::nn::Sequential(torch::nn::Linear(784, 32), torch::nn::ReLU(), torch::nn::Linear(32, 784),
                                 torch::nn::Sigmoid());
}

/// The large net, or its first layers.
torch::nn::Sequential deep(std::size_t layers = 8) {
    torch::nn::Sequential model;
    const std::vector<int64_t> widths{784, 1000, 500, 250, 30, 250, 500, 1000, 784};
    for (std::size_t i = 1; i <= layers; ++i) {
        model->push_back(torch::nn::Linear(widths[i - 1], widths[i]));
        model->push_back(torch::nn::Sigmoid());
    }
    return model;
}

torch::nn::Sequential waves() {
    using Down = torch::nn::Conv1d;
    using Up = torch::nn::ConvTranspose1d;
    const auto down = [](int64_t in, int64_t out) { return torch::nn::Conv1dOptions(in, out, 7).stride(2).padding(3); };
    const auto up = [](int64_t in, int64_t out, int64_t stride) {
        return torch::nn::ConvTranspose1dOptions(in, out, 7).stride(stride).padding(3).output_padding(stride - 1);
    };
    return torch::nn::Sequential(Down(down(1, 32)), torch::nn::ReLU(), Down(down(32, 16)), torch::nn::ReLU(),
                                 Up(up(16, 16, 2)), torch::nn::ReLU(), Up(up(16, 32, 2)), torch::nn::ReLU(),
                                 Up(up(32, 1, 1)));
}

torch::nn::Conv2d conv(int64_t in, int64_t out, int64_t stride = 1, int64_t padding = 1) {
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(padding));
}

torch::nn::Sequential blog() {
    const auto pool = [] { return torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(2).ceil_mode(true)); };
    const auto up = [] {
        return torch::nn::Upsample(torch::nn::UpsampleOptions().scale_factor(std::vector<double>{2, 2}));
    };
    using torch::nn::ReLU;
    return torch::nn::Sequential(conv(1, 16), ReLU(), pool(), conv(16, 8), ReLU(), pool(), conv(8, 8), ReLU(), pool(),
                                 conv(8, 8), ReLU(), up(), conv(8, 8), ReLU(), up(), conv(8, 16, 1, 0), ReLU(), up(),
                                 conv(16, 1), torch::nn::Sigmoid());
}

torch::nn::Sequential strided() {
    const auto back = [](int64_t in, int64_t out, int64_t stride) {
        return torch::nn::ConvTranspose2d(
            torch::nn::ConvTranspose2dOptions(in, out, 3).stride(stride).padding(1).output_padding(stride - 1));
    };
    using torch::nn::Linear, torch::nn::ReLU;
    return torch::nn::Sequential(conv(1, 32, 2), ReLU(), conv(32, 64, 2), ReLU(), torch::nn::Flatten(),
                                 Linear(3136, 16), Linear(16, 3136), ReLU(),
                                 torch::nn::Unflatten(torch::nn::UnflattenOptions(1, {64, 7, 7})), back(64, 64, 2),
                                 ReLU(), back(64, 32, 2), ReLU(), back(32, 1, 1), torch::nn::Sigmoid());
}

/// Training, and the reconstruction of one picture and of 256.
void pictures(const char* name, torch::nn::Sequential (*net)(), const Loss& loss) {
    show(name, training_rate(net(), loss, torch::rand({128, 1, 28, 28})));
    const c10::InferenceMode inference;
    auto model = net();
    model->eval();
    const auto all = torch::rand({256, 1, 28, 28}), one = torch::rand({1, 1, 28, 28});
    std::printf("%s-1 %.2f us\n", name, 1e6 * best_seconds(1.0, [&] { model->forward(one); }));
    std::printf("%s-256 %.0f samples/s\n", name, 256 / best_seconds(2.5, [&] { model->forward(all); }));
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const support::Arguments arguments(argc, argv);
    at::set_num_threads(arguments.threads);
    torch::manual_seed(1);
    const auto vectors = torch::rand({256, 784});
    const Loss cross_entropy = [](const auto& y, const auto& x) { return torch::binary_cross_entropy(y, x); };
    const Loss squared_error = [](const auto& y, const auto& x) { return torch::mse_loss(y, x); };

    if (arguments.wanted("W1")) show("W1", training_rate(small(), cross_entropy, vectors));
    if (arguments.wanted("W2")) show("W2", training_rate(deep(), squared_error, vectors));
    if (arguments.wanted("W2-256")) show("W2-256", evaluation_rate(deep(), vectors));
    if (arguments.wanted("W2e-4096")) show("W2e-4096", evaluation_rate(deep(4), torch::rand({4096, 784})));
    if (arguments.wanted("W3")) show("W3", training_rate(waves(), squared_error, torch::rand({128, 1, 288})));
    if (arguments.wanted("W4")) show("W4", variational_rate(torch::rand({128, 784})));
    if (arguments.wanted("W6")) {
        const c10::InferenceMode inference;
        auto model = small();
        model->eval();
        const auto sample = torch::rand({1, 784});
        std::printf("W6 %.2f us\n", 1e6 * best_seconds(1.0, [&] { model->forward(sample); }));
        std::fflush(stdout);
    }
    if (arguments.wanted("W7")) pictures("W7", blog, cross_entropy);
    if (arguments.wanted("W8")) pictures("W8", strided, cross_entropy);
}
