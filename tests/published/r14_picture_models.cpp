// Two convolutional autoencoders of pictures beside the same programs in PyTorch (tests/reference/picture_models.py):
// the blog net of Keras (Chollet 2016) on the first 12 000 pictures of Fashion-MNIST, and the strided net of the
// variational autoencoder in TensorFlow's and Keras's examples, without sampling, on the first 4 000. Ten epochs,
// binary cross-entropy, Adam, batches of 128.
#include "published.hpp"

namespace {

namespace hg = hourglass;

template <hg::Index Filters, hg::Index Stride = 1, hg::Padding Pad = hg::Padding::Same>
using Conv = hg::Conv2D<Filters, 3, Stride, Pad>;
template <hg::Index Filters, hg::Index Stride>
using Back = hg::Conv2DTranspose<Filters, 3, Stride, hg::Padding::Same>;
using Pool = hg::MaxPooling2D<2, 2, hg::Padding::Same>;

using BlogEncoder =
    hg::Chain<hg::Shape{1, 28, 28}, Conv<16>, hg::ReLU, Pool, Conv<8>, hg::ReLU, Pool, Conv<8>, hg::ReLU, Pool>;
using BlogDecoder =
    hg::Chain<BlogEncoder::output, Conv<8>, hg::ReLU, hg::UpSampling2D<>, Conv<8>, hg::ReLU, hg::UpSampling2D<>,
              Conv<16, 1, hg::Padding::Valid>, hg::ReLU, hg::UpSampling2D<>, Conv<1>, hg::Sigmoid>;
static_assert(BlogEncoder::parameters + BlogDecoder::parameters == 4385);

using StridedEncoder =
    hg::Chain<hg::Shape{1, 28, 28}, Conv<32, 2>, hg::ReLU, Conv<64, 2>, hg::ReLU, hg::Flatten, hg::Dense<16>>;
using StridedDecoder = hg::Chain<hg::Shape{16}, hg::Dense<3136>, hg::ReLU, hg::Reshape<64, 7, 7>, Back<64, 2>, hg::ReLU,
                                 Back<32, 2>, hg::ReLU, Back<1, 1>, hg::Sigmoid>;

// The mean test loss after ten epochs.
template <class Encoder, class Decoder>
published::Figures test_losses(std::size_t seeds, const Eigen::MatrixXf& train, const Eigen::MatrixXf& test) {
    return published::each_seed(seeds, [&](std::uint64_t seed) {
        hg::Rng rng{seed};
        auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{});
        auto tape = model.tape();
        hg::Adam adam{{.learning_rate = 1e-3}};
        auto batches = hg::minibatches(train, 128, rng);
        for (int epoch = 0; epoch < 10; ++epoch, batches.shuffle(rng))
            for (const auto& batch : batches) {
                model.gradient(batch, tape, rng);
                adam.step(model, tape);
            }
        return static_cast<double>(model.loss(test));
    });
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t seeds = published::seeds(argc, argv, 4);
    const support::FashionMnist data = published::load_fashion_mnist();
    published::Table table{"Fashion-MNIST / 255, BCE, Adam 1e-3, batch 128, 10 epochs, beside PyTorch's seeds"};
    table.twin_row("test BCE, blog net", {.300651, .001310, 6},
                   test_losses<BlogEncoder, BlogDecoder>(seeds, data.train.leftCols(12000), data.test));
    table.twin_row("test BCE, strided net", {.300022, .001048, 6},
                   test_losses<StridedEncoder, StridedDecoder>(seeds, data.train.leftCols(4000), data.test));
    return table.verdict();
}
