// Three ways to a sparse code, side by side: how many of 1024 units are active for a test image, and what the
// reconstruction costs.
#include "published.hpp"

namespace hg = hourglass;

namespace {

using Linear = hg::Chain<hg::Shape{784}, hg::Dense<1024>>;
using Rectified = hg::Chain<hg::Shape{784}, hg::Dense<1024>, hg::ReLU>;
using Logistic = hg::Chain<hg::Shape{784}, hg::Dense<1024>, hg::Sigmoid>;
using Decoder = hg::Chain<hg::Shape{1024}, hg::Dense<784>>;

// A figure for each seed.
struct Results {
    published::Figures error, mean_activation, active, fewest, most;
};

// Trains with `term`; a unit counts as active above `tolerance`.
template <class Encoder, class Term>
Results measure(const support::FashionMnist& data, const Eigen::MatrixXf& train, double tolerance, const Term& term) {
    Results results;
    results.error = published::five_seeds([&](std::uint64_t seed) {
        hg::Rng rng{seed};
        auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, term);
        published::train(
            model, train, 64, 3, [](hg::Index) { return 1e-3; }, rng);
        const Eigen::MatrixXf code = model.encode(data.test);
        const auto counts = (code.array().abs() > static_cast<float>(tolerance)).colwise().count().eval();
        const std::size_t i = seed - 1;
        results.mean_activation[i] = static_cast<double>(code.mean());
        results.active[i] = hg::mean_active_units(code, tolerance);
        results.fewest[i] = static_cast<double>(counts.minCoeff());
        results.most[i] = static_cast<double>(counts.maxCoeff());
        return static_cast<double>(model.reconstruction_error(data.test).mean());
    });
    return results;
}

double median(published::Figures five) {
    std::sort(five.begin(), five.end());
    return five[2];
}

void print(const char* name, const published::Figures& five) {
    std::cout << "  " << std::left << std::setw(28) << name << std::right << std::fixed << std::setprecision(6)
              << std::setw(13) << median(five) << std::setw(13) << *std::min_element(five.begin(), five.end())
              << std::setw(13) << *std::max_element(five.begin(), five.end()) << '\n';
}
void print(const char* name, const Results& results) {
    std::cout << name << '\n';
    print("active units", results.active);
    print("mean squared error", results.error);
    print("mean activation", results.mean_activation);
    std::cout << std::flush;
}

}  // namespace

int main() {
    const support::FashionMnist data = published::load_fashion_mnist();
    const Eigen::MatrixXf train = data.train.leftCols(10000);
    std::cout << "Fashion-MNIST / 255, test images: 784-1024-784, 10 000 images, Adam 1e-3, batch 64, 3 epochs\n"
              << std::right << std::setw(43) << "median" << std::setw(13) << "lowest" << std::setw(13) << "highest"
              << '\n';
    const Results l1 = measure<Rectified>(data, train, 0, hg::L1{4e-4});
    print("L1, weight 4e-4 (ReLU)", l1);
    const Results kl = measure<Logistic>(data, train, 0.5, hg::KlSparsity{.target = 0.05, .weight = 1e-3});
    print("KL, target .05, weight 1e-3 (sigmoid; active: above one half)", kl);
    const Results top = measure<Linear>(data, train, 0, hg::TopK<32>{});
    print("TopK, 32", top);

    published::Table table{""};
    table.row("TopK: fewest active units", 32, 0, top.fewest);
    table.row("TopK: most active units", 32, 0, top.most);
    table.row("KL: mean activation", .05, .02, kl.mean_activation);
    // Gao et al. 2024: at the same number of active units TopK reconstructs better than a ReLU under L1.
    table.row("L1: about as many units", 32, 6, l1.active);
    const bool better = median(top.error) < median(l1.error);
    std::cout << "TopK's error is " << median(top.error) / median(l1.error) << " of L1's"
              << (better ? "  reached" : "  MISSED") << '\n';
    return better ? table.verdict() : 1;
}
