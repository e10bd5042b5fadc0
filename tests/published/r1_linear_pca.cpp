// A linear autoencoder finds the subspace of principal component analysis (Baldi and Hornik 1989), here on optdigits:
// its test error comes within 1 % of the projection's.
//
// The optimum is reached to a few parts in ten thousand: the bounds lie 20 standard errors of ten seeds away, or more.
#include "published.hpp"

namespace {

namespace hg = hourglass;

template <hg::Index K>
void row(published::Table& table, const Eigen::MatrixXf& train, const Eigen::MatrixXf& test, double pca,
         std::size_t seeds) {
    const std::string k = "k = " + hg::text(K);
    table.row(k + ", autoencoder", published::within(pca, 0.01 * pca),
              published::each_seed(seeds, [&](std::uint64_t seed) {
                  return published::linear_autoencoder_error<64, K>(train, test, 64, 200, 1e-2, seed);
              }));
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t seeds = published::seeds(argc, argv, 10);
    const Eigen::MatrixXf train = published::load_optdigits("optdigits.tra");
    const Eigen::MatrixXf test = published::load_optdigits("optdigits.tes");

    published::Table table{"optdigits / 16, test MSE: 64-k-64, linear"};
    // The figures are printed with five decimals.
    const Eigen::VectorXd pca = published::pca_errors(train, test);
    table.row("k = 2, PCA", published::within(.05362, 5e-6), pca[2]);
    table.row("k = 4, PCA", published::within(.03864, 5e-6), pca[4]);
    table.row("k = 8, PCA", published::within(.02513, 5e-6), pca[8]);
    table.row("k = 16, PCA", published::within(.01188, 5e-6), pca[16]);
    table.row("k = 32, PCA", published::within(.00277, 5e-6), pca[32]);
    row<2>(table, train, test, .05362, seeds);
    row<4>(table, train, test, .03864, seeds);
    row<8>(table, train, test, .02513, seeds);
    row<16>(table, train, test, .01188, seeds);
    row<32>(table, train, test, .00277, seeds);
    return table.verdict();
}
