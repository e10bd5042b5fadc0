// Search by code: the pictures whose codes are nearest to a picture's own, and groups of codes, beside the same with
// raw pixels and with principal components. Writes neighbours.png: eight pictures, and under each the nearest ones by
// code. Prints how many of the ten nearest pictures are of the same kind, and how well the groups are the kinds
// (purity, mutual information): all at most 1, larger is better. Components are as many numbers as the codes, pixels 24
// times as many.
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <iostream>
#include <numeric>
#include <vector>

#include "support/arguments.hpp"
#include "support/fashion_mnist.hpp"
#include "support/picture.hpp"

namespace hg = hourglass;

constexpr auto same = hg::Padding::Same;
using Encoder = hg::Chain<hg::Shape{1, 28, 28}, hg::Conv2D<16, 3, 2, same>, hg::ReLU, hg::Conv2D<32, 3, 2, same>,
                          hg::ReLU, hg::Flatten, hg::Dense<32>>;
using Decoder = hg::Mirror<Encoder, hg::Sigmoid>;

// The ten points of `among` nearest to a point, nearest first.
static std::vector<hg::Index> nearest(const Eigen::MatrixXf& among, const Eigen::VectorXf& point) {
    const Eigen::VectorXf distance = (among.colwise() - point).colwise().squaredNorm();
    std::vector<hg::Index> order(static_cast<std::size_t>(among.cols()));
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + 10, order.end(),
                      [&](hg::Index a, hg::Index b) { return distance[a] < distance[b]; });
    order.resize(10);
    return order;
}

// The share of the ten nearest that are of the point's own kind, mean over the points.
static double precision_at_10(const Eigen::MatrixXf& among, const Eigen::VectorXi& kinds, const Eigen::MatrixXf& points,
                              const Eigen::VectorXi& own) {
    hg::Index right = 0;
    for (hg::Index j = 0; j < points.cols(); ++j)
        for (const hg::Index i : nearest(among, points.col(j))) right += kinds[i] == own[j];
    return static_cast<double>(right) / static_cast<double>(10 * points.cols());
}

// Ten groups of points around means (Lloyd 1982), begun far from each other (Arthur and Vassilvitskii 2007).
static Eigen::VectorXi groups(const Eigen::MatrixXf& points, hg::Rng& rng) {
    Eigen::MatrixXf means(points.rows(), 10);
    Eigen::VectorXi group = Eigen::VectorXi::Zero(points.cols());
    Eigen::VectorXf distance = Eigen::VectorXf::Constant(points.cols(), 1);
    for (int k = 0; k < 10; ++k) {
        double at = rng.uniform() * static_cast<double>(distance.sum());
        hg::Index chosen = 0;
        while (chosen + 1 < points.cols() && (at -= static_cast<double>(distance[chosen])) > 0) ++chosen;
        means.col(k) = points.col(chosen);
        const Eigen::VectorXf now = (points.colwise() - means.col(k)).colwise().squaredNorm();
        distance = k == 0 ? now : distance.cwiseMin(now);
    }
    for (int turn = 0; turn < 30; ++turn) {
        Eigen::MatrixXf sums = Eigen::MatrixXf::Zero(points.rows(), 10);
        Eigen::VectorXf counts = Eigen::VectorXf::Zero(10);
        for (hg::Index j = 0; j < points.cols(); ++j) {
            (means.colwise() - points.col(j)).colwise().squaredNorm().minCoeff(&group[j]);
            sums.col(group[j]) += points.col(j);
            ++counts[group[j]];
        }
        for (int k = 0; k < 10; ++k)
            if (counts[k] > 0) means.col(k) = sums.col(k) / counts[k];
    }
    return group;
}

// How well groups and kinds agree: the share of points that are of their group's most frequent kind, and the mutual
// information of both over the mean of their entropies.
struct Agreement {
    double purity, information;
};
static Agreement agreement(const Eigen::VectorXi& group, const Eigen::VectorXi& kinds) {
    Eigen::Matrix<double, 10, 10> share = Eigen::Matrix<double, 10, 10>::Zero();
    for (hg::Index j = 0; j < group.size(); ++j) share(group[j], kinds[j]) += 1 / static_cast<double>(group.size());
    const auto entropy = [](const auto& p) {
        double sum = 0;
        for (const double value : p.reshaped())
            if (value > 0) sum -= value * std::log(value);
        return sum;
    };
    const double of_groups = entropy(share.rowwise().sum().eval()), of_kinds = entropy(share.colwise().sum().eval());
    return {share.rowwise().maxCoeff().sum(), 2 * (of_groups + of_kinds - entropy(share)) / (of_groups + of_kinds)};
}

int main(int argc, char** argv) {
    const support::Arguments arguments = support::read_arguments(argc, argv, {.epochs = 6});
    const support::FashionMnist data = support::load_fashion_mnist(arguments.data);
    const hg::Index n = arguments.small ? 2000 : 20000, queries = arguments.small ? 100 : 1000;
    const Eigen::MatrixXf train = data.train.leftCols(n), test = data.test.leftCols(queries);
    const Eigen::VectorXi kinds = data.train_labels.head(n), own = data.test_labels.head(queries);

    hg::Rng rng{arguments.seed};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    hg::Adam adam;
    auto tape = model.tape();
    auto batches = hg::minibatches(train, 64, rng);
    hg::ProgressBar bar{arguments.epochs, n};
    for (int epoch = 0; epoch < arguments.epochs; ++epoch, batches.shuffle(rng)) {
        for (const auto& batch : batches) {
            const float loss = model.gradient(batch, tape, rng);
            adam.step(model, tape);
            bar.advance(batch.cols(), {{"loss", loss}});
        }
        bar.end_epoch({{"test_loss", model.loss(test, tape)}});
    }

    const Eigen::VectorXf mean = train.rowwise().mean();
    const Eigen::MatrixXf centred = train.colwise() - mean;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXf> solver(centred * centred.transpose());
    const Eigen::MatrixXf basis = solver.eigenvectors().rightCols(Encoder::output.size());
    const Eigen::MatrixXf codes = model.encode(train), test_codes = model.encode(test);
    const auto show = [&](const char* name, const Eigen::MatrixXf& among, const Eigen::MatrixXf& points) {
        const Agreement found = agreement(groups(among, rng), kinds);
        std::cout << name << precision_at_10(among, kinds, points, own) << "             " << found.purity << "   "
                  << found.information << '\n';
    };
    std::cout << "                         precision at 10   purity   normalised mutual information\n";
    show("784 pixels               ", train, test);
    show("32 principal components  ", basis.transpose() * centred, basis.transpose() * (test.colwise() - mean));
    show("codes of 32 numbers      ", codes, test_codes);

    std::vector<Eigen::MatrixXf> rows(9, Eigen::MatrixXf(784, 8));
    for (hg::Index j = 0; j < 8; ++j) {
        rows[0].col(j) = test.col(j);
        const std::vector<hg::Index> found = nearest(codes, test_codes.col(j));
        for (std::size_t i = 1; i < rows.size(); ++i) rows[i].col(j) = train.col(found[i - 1]);
    }
    support::write_png("neighbours.png", support::grid(rows));
}
