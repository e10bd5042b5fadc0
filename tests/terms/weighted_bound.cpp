// The importance-weighted bound of several codes a sample, in shards of the batch.
#include <utility>

#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;
using hg::Index, hg::Matrix;

namespace {

constexpr hg::Shape both{4};
constexpr Index rows = 5, k = 3;

struct Batch {
    Matrix<double> prediction, target, x, code;
};
struct Result {
    Matrix<double> dprediction, dx, dcode;
    std::pair<double, double> value;
};

/// Of some of a batch's samples, as if they were all of them.
Result weighted(const Batch& all, Index first, Index count) {
    const auto view = [](const Matrix<double>& values, Index begin, Index columns) {
        return hg::ConstView<double>{values.data() + begin * values.rows(), values.rows(), columns};
    };
    const auto written = [](Matrix<double>& values) {
        return hg::View<double>{values.data(), values.rows(), values.cols()};
    };
    Result r{
        Matrix<double>::Zero(rows, count * k), Matrix<double>::Zero(4, count), Matrix<double>::Zero(2, count * k), {}};
    hg::Vector<double> scratch(hg::GaussianLatent::weighted_room(rows, count * k));
    r.value = hg::GaussianLatent{.beta = 0.7, .samples = k}.weighted_gradient<both, double>(
        [](Index) { return hg::GaussianLikelihood{}; }, view(all.prediction, first * k, count * k),
        view(all.target, first, count), view(all.x, first, count), view(all.code, first * k, count * k),
        written(r.dprediction), written(r.dx), written(r.dcode), scratch.data(), nullptr);
    return r;
}

}  // namespace

TEST_CASE("the weighted bound of a batch in shards is the mean of its samples'") {
    constexpr Index n = 70;  // four shards
    hg::Rng rng{4};
    const auto drawn = [&](Index size, Index columns) {
        return Matrix<double>(Matrix<double>::NullaryExpr(size, columns, [&] { return rng.normal(); }));
    };
    const Batch all{drawn(rows, n * k), drawn(rows, n), drawn(4, n), drawn(2, n * k)};
    const Result whole = weighted(all, 0, n);
    const double samples = n;
    double reconstruction = 0, rest = 0;
    for (Index j = 0; j < n; ++j) {
        const Result one = weighted(all, j, 1);
        reconstruction += one.value.first / samples, rest += one.value.second / samples;
        CHECK((whole.dprediction.middleCols(j * k, k) - one.dprediction / samples).cwiseAbs().maxCoeff() <= 1e-15);
        CHECK((whole.dx.col(j) - one.dx / samples).cwiseAbs().maxCoeff() <= 1e-15);
        CHECK((whole.dcode.middleCols(j * k, k) - one.dcode / samples).cwiseAbs().maxCoeff() <= 1e-15);
    }
    CHECK(whole.value.first == Approx(reconstruction).epsilon(1e-13));
    CHECK(whole.value.second == Approx(rest).epsilon(1e-13));
}
