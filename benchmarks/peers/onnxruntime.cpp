// The library's own networks, exported and evaluated by ONNX Runtime from C++, without Python's share of each call.
// Prints lines `name value unit` as hourglass_step does, each the best of several rounds. Built where CMake is told
// where the headers lie; the library itself, whose path is a macro, is that of Python's package.
#define ORT_API_MANUAL_INIT
#include <dlfcn.h>
#include <onnxruntime_cxx_api.h>

#include <cstdio>
#include <hourglass/io/onnx.hpp>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "../support/arguments.hpp"
#include "../support/nets.hpp"
#include "../support/timing.hpp"

namespace hg = hourglass;

namespace {

using support::best_seconds;

/// Evaluates a part of a model for a batch of that many samples, which it reads and writes where they are.
class Session {
  public:
    template <class Encoder, class Decoder, class Loss>
    Session(const Ort::Env& environment, int threads, const hg::Autoencoder<Encoder, Decoder, Loss>& model,
            hg::OnnxPart part, hg::Index samples) {
        std::ostringstream file;
        hg::export_onnx(file, model, part);
        const std::string bytes = file.str();
        Ort::SessionOptions options;
        options.SetIntraOpNumThreads(threads);
        options.SetInterOpNumThreads(1);
        session_ = Ort::Session(environment, bytes.data(), bytes.size(), options);
        output_name_ = part == hg::OnnxPart::Encoder ? "code" : "reconstruction";
        const hg::Index in = Encoder::input.size(),
                        out = (part == hg::OnnxPart::Encoder ? Encoder::output : Decoder::output).size();
        x_.assign(static_cast<std::size_t>(in * samples), 0.3f);
        y_.resize(static_cast<std::size_t>(out * samples));
        input_ = tensor(x_, samples, in), output_ = tensor(y_, samples, out);
    }
    void run() {
        const char* const x = "x";
        session_.Run(Ort::RunOptions{nullptr}, &x, &input_, 1, &output_name_, &output_, 1);
    }

  private:
    static Ort::Value tensor(std::vector<float>& values, hg::Index samples, hg::Index features) {
        const std::int64_t shape[] = {samples, features};
        return Ort::Value::CreateTensor<float>(Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU),
                                               values.data(), values.size(), shape, 2);
    }
    Ort::Session session_{nullptr};
    const char* output_name_;
    std::vector<float> x_, y_;
    Ort::Value input_{nullptr}, output_{nullptr};
};

const OrtApi* runtime() {
    void* const library = dlopen(HOURGLASS_ONNXRUNTIME_LIBRARY, RTLD_NOW);
    if (!library) {
        std::fprintf(stderr, "%s\n", dlerror());
        return nullptr;
    }
    using Base = const OrtApiBase* (*)();
    const auto base = reinterpret_cast<Base>(dlsym(library, "OrtGetApiBase"));
    const OrtApi* const api = base ? base()->GetApi(ORT_API_VERSION) : nullptr;
    if (!api) std::fprintf(stderr, "%s is older than its headers\n", HOURGLASS_ONNXRUNTIME_LIBRARY);
    return api;
}

}  // namespace

int main(int argc, char** argv) {
    const support::Arguments arguments(argc, argv);
    const OrtApi* const api = runtime();
    if (!api) return 1;
    Ort::InitApi(api);
    const Ort::Env environment(ORT_LOGGING_LEVEL_ERROR);
    hg::Rng rng{1};
    const auto deep = hg::autoencoder<nets::DeepEncoder, nets::DeepDecoder>(rng, hg::MeanSquaredError{});
    const auto ecg = hg::autoencoder<nets::EcgEncoder, nets::EcgDecoder>(rng, hg::MeanSquaredError{});
    const auto small = hg::autoencoder<nets::SmallEncoder, nets::SmallDecoder>(rng, hg::BinaryCrossEntropy{});
    const auto rate = [&](const char* name, const auto& model, hg::OnnxPart part, hg::Index samples) {
        if (!arguments.wanted(name)) return;
        Session session(environment, arguments.threads, model, part, samples);
        const double seconds = best_seconds(2.5, [&] { session.run(); });
        std::printf("%s %.0f samples/s\n", name, static_cast<double>(samples) / seconds);
    };
    const auto one = [&](const char* name, const auto& model) {
        if (!arguments.wanted(name)) return;
        Session session(environment, arguments.threads, model, hg::OnnxPart::Reconstruction, 1);
        std::printf("%s %.3f us\n", name, 1e6 * best_seconds(1.0, [&] { session.run(); }));
    };
    rate("W2-256", deep, hg::OnnxPart::Reconstruction, 256);
    rate("W2e-4096", deep, hg::OnnxPart::Encoder, 4096);
    one("W5f", ecg);
    one("W6f", small);
}
