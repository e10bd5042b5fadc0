// The floor of binary cross-entropy: grey pixels taken for probabilities have an entropy, which even a perfect
// reconstruction pays. In nats per pixel.
#include "published.hpp"

namespace hg = hourglass;

// −t ln p − (1 − t) ln(1 − p), mean over all values, 0 ln 0 being 0.
static double cross_entropy(const Eigen::MatrixXd& p, const Eigen::MatrixXd& t) {
    const auto term = [](double weight, double probability) {
        return weight > 0 ? -weight * std::log(probability) : 0;
    };
    double sum = 0;
    for (Eigen::Index i = 0; i < t.size(); ++i)
        sum += term(t.data()[i], p.data()[i]) + term(1 - t.data()[i], 1 - p.data()[i]);
    return sum / static_cast<double>(t.size());
}

int main() {
    const support::FashionMnist data = published::load_fashion_mnist();
    const Eigen::MatrixXf& t = data.test;
    const Eigen::MatrixXf mean = data.train.rowwise().mean().replicate(1, t.cols());
    const Eigen::MatrixXf logits = (t.array() / (1 - t.array())).log().max(-40).min(40);

    const auto view = [](const Eigen::MatrixXf& x) { return hg::ConstView<float>{x.data(), x.rows(), x.cols()}; };
    const hg::BinaryCrossEntropy loss;
    const auto from_logits = hg::BinaryCrossEntropy::from_logits();

    published::Table table{"Fashion-MNIST / 255, test pictures, binary cross-entropy"};
    constexpr double floor = .242166, mean_image = .49109, tolerance = 1e-5;
    table.row("floor, formula", published::within(floor, tolerance), cross_entropy(t.cast<double>(), t.cast<double>()));
    table.row("floor, library", published::within(floor, tolerance),
              static_cast<double>(loss.value<float>(view(t), view(t))));
    table.row("floor, library, from logits", published::within(floor, tolerance),
              static_cast<double>(from_logits.value<float>(view(logits), view(t))));
    table.row("mean image, formula", published::within(mean_image, tolerance),
              cross_entropy(mean.cast<double>(), t.cast<double>()));
    table.row("mean image, library", published::within(mean_image, tolerance),
              static_cast<double>(loss.value<float>(view(mean), view(t))));
    return table.verdict();
}
