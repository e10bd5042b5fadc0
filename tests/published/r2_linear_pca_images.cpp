// A linear autoencoder finds the subspace of principal component analysis, here on Fashion-MNIST.
//
// Each bound lies 40 standard errors of five seeds from the figure, or more.
#include "published.hpp"

namespace {

namespace hg = hourglass;

template <hg::Index K>
void rows(published::Table& table, const support::FashionMnist& data, const Eigen::VectorXd& pca, double figure,
          std::size_t seeds) {
    const std::string k = "k = " + hg::text(K);
    table.row(k + ", PCA", published::within(figure, 5e-7), pca[K]);  // the figures are printed with six decimals
    table.row(k + ", autoencoder", published::within(figure, 0.01 * figure),
              published::each_seed(seeds, [&](std::uint64_t seed) {
                  return published::linear_autoencoder_error<784, K>(data.train, data.test, 32, 5, 4e-3, seed);
              }));
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t seeds = published::seeds(argc, argv, 5);
    const support::FashionMnist data = published::load_fashion_mnist();
    published::Table table{"Fashion-MNIST / 255, test MSE: 784-k-784, linear"};
    const Eigen::VectorXd pca = published::pca_errors(data.train, data.test);
    rows<32>(table, data, pca, .015142, seeds);
    rows<64>(table, data, pca, .010368, seeds);
    return table.verdict();
}
