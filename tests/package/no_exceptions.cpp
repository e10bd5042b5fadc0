// Trains, saves and loads without exceptions; then makes an error, whose sentence reaches the handler.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <sstream>
#include <vector>

#include "hourglass/hourglass.hpp"
#include "hourglass/io/safetensors.hpp"

namespace hg = hourglass;

#if defined(HOURGLASS_ERROR_HANDLER)
void HOURGLASS_ERROR_HANDLER(const char* message) {
    std::printf("handler: %s\n", message);
    std::exit(3);
}
#endif

int main() {
    hg::Rng rng{42};
    using Encoder = hg::Chain<hg::Shape{4}, hg::Dense<2>>;
    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{});
    std::istringstream table("0.1,0.2,0.3,0.4\n0.4,0.3,0.2,0.1\n");
    const Eigen::MatrixXf x = hg::read_csv(table).values.cast<float>();
    hg::Adam adam;
    auto tape = model.tape();
    {
        hg::ProgressBar bar{1, x.cols()};
        model.gradient(x, tape, rng);
        adam.step(model, tape);
        bar.advance(x.cols());
    }
    std::vector<std::byte> file;
    hg::save(file, model, adam);
    hg::load(std::span<const std::byte>{file}, model, adam);
    std::puts("trained");
    std::fflush(stdout);
    model.encode(Eigen::MatrixXf::Zero(3, 1));
    std::puts("went on");
}
