// A variational autoencoder of handwritten digits beside the one that is told which digit it is (Kingma, Rezende,
// Mohamed and Welling 2014; Sohn, Lee and Yan 2015): the negative evidence lower bound of the test images, one draw of
// each code.
#include "published.hpp"

namespace hg = hourglass;

namespace {

using Encoder = hg::Chain<hg::Shape{64}, hg::Dense<128>, hg::ReLU, hg::Dense<16>>;
using Decoder = hg::Chain<hg::Shape{8}, hg::Dense<128>, hg::ReLU, hg::Dense<64>, hg::Sigmoid>;
using ConditionalEncoder = hg::Chain<hg::Shape{64}, hg::Condition<10>, hg::Dense<128>, hg::ReLU, hg::Dense<16>>;
using ConditionalDecoder =
    hg::Chain<hg::Shape{8}, hg::Condition<10>, hg::Dense<128>, hg::ReLU, hg::Dense<64>, hg::Sigmoid>;

struct Labelled {
    Eigen::MatrixXf images, labels;  // 64 × n and 10 × n
};

Labelled load(const std::string& name) {
    Labelled data{published::load_optdigits(name), {}};
    std::ifstream file(std::string(HOURGLASS_DATA_DIR) + "/optdigits/" + name);
    const hg::Csv classes = hg::read_csv(file, {.header = hg::CsvHeader::Absent, .columns = {64}});
    data.labels = hg::one_hot(classes.values.row(0).transpose().cast<int>(), 10);
    return data;
}

// The test objective of models trained on the batches that `batch_of` makes of images and labels.
template <class E, class D, class BatchOf>
published::Figures measure(std::size_t seeds, const Labelled& train, const Labelled& test, BatchOf batch_of) {
    return published::each_seed(seeds, [&](std::uint64_t seed) {
        hg::Rng rng{seed};
        auto model = hg::autoencoder<E, D>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});
        hg::Adam adam;
        auto tape = model.tape();
        auto batches = hg::minibatches(train.images, train.labels, 100, rng);
        for (int epoch = 0; epoch < 100; ++epoch, batches.shuffle(rng))
            for (const auto& [images, labels] : batches) {
                model.gradient(batch_of(images, labels), tape, rng);
                adam.step(model, tape);
            }
        const auto bound = hg::importance_weighted_bound(model, batch_of(test.images, test.labels), 1, rng);
        return -static_cast<double>(bound.mean());
    });
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t seeds = published::seeds(argc, argv, 5);
    const Labelled train = load("optdigits.tra"), test = load("optdigits.tes");
    published::Table table{"optdigits / 16, test objective in nats: 64-128-8, Adam 1e-3, batch 100, 100 epochs"};
    table.row(
        "plain", published::within(24.4, .3),
        measure<Encoder, Decoder>(seeds, train, test, [](const auto& x, const auto&) { return hg::Batch<float>{x}; }));
    table.row("conditional", {.at_most = 21.6},
              measure<ConditionalEncoder, ConditionalDecoder>(
                  seeds, train, test, [](const auto& x, const auto& labels) { return hg::given(x, labels); }));
    return table.verdict();
}
