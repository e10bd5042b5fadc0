// Loops over channels that fill whole registers, and that do not, products, and an enlarged picture's convolution.
// Compiled at -O2 and -O3, for the processor that a compiler assumes by itself and for this very one: some warnings
// come from what optimisation makes of a loop.
#include "hourglass/hourglass.hpp"
#include "hourglass/kernels/product.hpp"

namespace hg = hourglass;

template <class Layer, hg::Shape In>
void there_and_back(const float* x, float* y, const float* dy, float* dx, hg::Index n) {
    constexpr hg::Index out = Layer::output(In).size();
    const hg::ConstView<float> input{x, In.size(), n};
    const std::span<const float, 0> none;
    Layer{}.template forward<In, float>(none, input, hg::View<float>{y, out, n}, {});
    Layer{}.template backward<In, float>(none, input, hg::ConstView<float>{y, out, n}, hg::ConstView<float>{dy, out, n},
                                         hg::View<float>{dx, In.size(), n}, {});
}

void pool(const float* x, float* y, const float* dy, float* dx, hg::Index n) {
    there_and_back<hg::MaxPooling2D<2>, hg::Shape{8, 26, 26}>(x, y, dy, dx, n);
    there_and_back<hg::MaxPooling2D<2>, hg::Shape{7, 26, 26}>(x, y, dy, dx, n);
    there_and_back<hg::MaxPooling1D<2>, hg::Shape{8, 64}>(x, y, dy, dx, n);
    there_and_back<hg::AveragePooling2D<2>, hg::Shape{8, 26, 26}>(x, y, dy, dx, n);
}

void multiply(hg::Index m, hg::Index n, hg::Index k, const float* a, const float* b, float* c) {
    hg::kernels::add_product(m, n, k, a, m, {b, 1, k}, c, m);
    hg::kernels::add_transposed_product(m, n, k, a, k, b, k, c, m);
}

float enlarge(const hg::Matrix<float>& x, hg::Rng& rng) {
    constexpr hg::Extent tall{2, 1};
    using Encoder = hg::Chain<hg::Shape{52, 7, 2}, hg::MaxPooling2D<tall, tall, hg::Padding::Same>>;
    using Decoder = hg::Chain<Encoder::output, hg::UpSampling2D<tall>, hg::Conv2D<52, tall>>;
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    return model.gradient(x, tape, rng);
}
