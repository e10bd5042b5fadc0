#include "hourglass/data/minibatches.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <ranges>
#include <string>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

using Batches = hg::Minibatches<float>;
using Pairs = hg::PairedMinibatches<float, float>;
static_assert(std::input_iterator<hg::data::BatchIterator<Batches>>);
static_assert(std::input_iterator<hg::data::BatchIterator<Pairs>>);
static_assert(std::ranges::input_range<Batches> && std::ranges::common_range<Batches>);
static_assert(std::is_same_v<std::iter_value_t<hg::data::BatchIterator<Batches>>, Eigen::Map<const Eigen::MatrixXf>>);
static_assert(std::is_move_constructible_v<Batches> && !std::is_copy_constructible_v<Batches>);

// Column j is (j, 100 + j, …): a sample says which one it is.
template <class T>
Eigen::MatrixX<T> numbered(Eigen::Index rows, Eigen::Index columns) {
    return Eigen::MatrixX<T>::NullaryExpr(rows, columns, [](auto i, auto j) { return static_cast<T>(100 * i + j); });
}

// Which samples the batches hold, in order; every column is checked whole.
template <class Range>
std::vector<int> samples(Range&& batches, Eigen::Index rows) {
    std::vector<int> seen;
    for (const auto& batch : batches) {
        CHECK(batch.rows() == rows);
        for (Eigen::Index j = 0; j < batch.cols(); ++j) {
            seen.push_back(static_cast<int>(batch(0, j)));
            for (Eigen::Index i = 0; i < rows; ++i) CHECK(batch(i, j) == static_cast<double>(100 * i) + seen.back());
        }
    }
    return seen;
}

const std::vector<int> in_order{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

}  // namespace

TEMPLATE_TEST_CASE("minibatches in order are views into the data", "", float, double) {
    const auto data = numbered<TestType>(3, 10);
    std::vector<Eigen::Index> sizes;
    const TestType* expected = data.data();
    for (const auto& batch : hg::minibatches(data, 4)) {
        static_assert(std::is_same_v<decltype(batch), const Eigen::Map<const Eigen::MatrixX<TestType>>&>);
        CHECK(batch.data() == expected);
        CHECK(batch.rows() == 3);
        sizes.push_back(batch.cols());
        expected += batch.size();
    }
    CHECK(sizes == std::vector<Eigen::Index>{4, 4, 2});
    CHECK(samples(hg::minibatches(data, 4), 3) == in_order);
}

TEMPLATE_TEST_CASE("shuffled minibatches hold every sample once", "", float, double) {
    const auto data = numbered<TestType>(3, 10);
    hg::Rng rng{7};
    auto first = samples(hg::minibatches(data, 4, rng), 3), second = samples(hg::minibatches(data, 4, rng), 3);
    CHECK(first != in_order);
    CHECK(first != second);
    hg::Rng again{7};
    CHECK(samples(hg::minibatches(data, 4, again), 3) == first);
    std::sort(first.begin(), first.end());
    CHECK(first == in_order);
}

TEST_CASE("the order is drawn at the call") {
    const auto data = numbered<float>(2, 10);
    hg::Rng rng{7}, untouched{7};
    auto batches = hg::minibatches(data, 4, rng);
    const hg::Rng after = rng;
    CHECK_FALSE(after == untouched);
    samples(batches, 2);
    CHECK(rng == after);
}

TEST_CASE("the last partial batch is dropped by choice") {
    const auto data = numbered<float>(2, 10);
    hg::Rng rng{7};
    CHECK(samples(hg::minibatches(data, 4, hg::LastBatch::Drop), 2) == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
    CHECK(samples(hg::minibatches(data, 4, rng, hg::LastBatch::Drop), 2).size() == 8);
    CHECK(hg::minibatches(data, 5, hg::LastBatch::Drop).size() == 2);
    CHECK(hg::minibatches(data, 5).size() == 2);
    CHECK(hg::minibatches(data, 4).size() == 3);
    CHECK(samples(hg::minibatches(data, 1), 2) == in_order);
    CHECK(samples(hg::minibatches(data, 10), 2) == in_order);
    CHECK(samples(hg::minibatches(data, 1000), 2) == in_order);
}

TEST_CASE("a kept range is shuffled again in the same buffer, like a fresh one") {
    const auto data = numbered<float>(2, 10);
    hg::Rng rng{7};
    auto batches = hg::minibatches(data, 4, rng);
    const float* const buffer = batches.batch(0).data();
    const auto first = samples(batches, 2);
    hg::Rng copy = rng;
    batches.shuffle(rng);
    const auto second = samples(batches, 2);
    CHECK(first != second);
    CHECK(second == samples(hg::minibatches(data, 4, copy), 2));
    CHECK(batches.batch(2).data() == buffer);
}

TEST_CASE("a range goes on after the last batch handed out, and from the first when it is rewound") {
    const auto data = numbered<float>(2, 10);
    hg::Rng rng{7};
    const auto check = [](auto batches) {
        const auto left = [&] {
            hg::Index count = 0;
            for ([[maybe_unused]] const auto& batch : batches.rest()) ++count;
            return count;
        };
        const std::vector<hg::Index> order = batches.order().order();
        batches.batch(1);
        CHECK(left() == 1);
        CHECK(left() == 0);
        batches.rewind();
        CHECK(left() == 3);
        CHECK(batches.order().order() == order);
    };
    check(hg::minibatches(data, 4));
    check(hg::minibatches(data, 4, rng));
    check(hg::minibatches(data, data, 4, rng));
}

TEST_CASE("an order that is none of these samples is not put back") {
    const auto data = numbered<float>(2, 4);
    hg::Rng rng{7};
    auto batches = hg::minibatches(data, 2, rng);
    const std::vector<hg::Index> order = batches.order().order();
    const auto refused = [&](std::vector<hg::Index> other, hg::Index next) {
        const std::string message = error_of([&] { batches.order().restore(std::move(other), next); });
        CHECK(batches.order().order() == order);
        CHECK(batches.order().next() == 0);
        return message;
    };
    CHECK(refused({0, 1, 2}, 0) == "minibatches: the order is one of 3 samples, the data has 4");
    CHECK(refused({0, 1, 2, 4}, 0) == "minibatches: the order is none: sample 4 is not there, or there twice");
    CHECK(refused({0, 1, 2, 1}, 0) == "minibatches: the order is none: sample 1 is not there, or there twice");
    CHECK(refused({0, 1, 2, 3}, 3) == "minibatches: batch 3 cannot be the next one: there are 2");
    batches.order().restore({3, 1, 0, 2}, 1);
    CHECK(batches.batch(0).col(0) == data.col(3));
}

TEST_CASE("samples and targets come in the same order") {
    const auto noisy = numbered<float>(3, 10);
    const Eigen::MatrixXd clean = numbered<double>(2, 10);
    hg::Rng rng{7};
    int seen = 0;
    for (const auto& [x, target] : hg::minibatches(noisy, clean, 4, rng)) {
        REQUIRE(x.cols() == target.cols());
        CHECK(x.topRows(2).cast<double>() == target);
        seen += static_cast<int>(x.cols());
    }
    CHECK(seen == 10);

    seen = 0;
    for (const auto& [x, target] : hg::minibatches(noisy, clean, 4, hg::LastBatch::Drop)) {
        CHECK(x.data() == noisy.col(seen).data());
        CHECK(target.data() == clean.col(seen).data());
        seen += static_cast<int>(x.cols());
    }
    CHECK(seen == 8);
    for (const auto& [x, target] : hg::minibatches(noisy, noisy, 4)) CHECK(x.data() == target.data());
}

TEST_CASE("blocks and maps are read where they are, whatever lies between their columns") {
    const auto data = numbered<float>(5, 12);
    hg::Rng rng{7};
    for (const auto& batch : hg::minibatches(data.middleCols(0, 10), 10)) CHECK(batch.data() == data.data());
    CHECK(samples(hg::minibatches(data.leftCols(10), 4), 5) == in_order);
    CHECK(samples(hg::minibatches(data.topLeftCorner(3, 10), 4), 3) == in_order);
    CHECK(samples(hg::minibatches(data.topLeftCorner(3, 10), 4, rng), 3).size() == 10);
    const Eigen::Map<const Eigen::MatrixXf> map(data.data(), 5, 10);
    CHECK(samples(hg::minibatches(map, 3), 5) == in_order);
    const Eigen::Ref<const Eigen::MatrixXf> ref = data.leftCols(10);
    CHECK(samples(hg::minibatches(ref, 3), 5) == in_order);
    const Eigen::RowVectorXf row = data.row(0).head(10);
    for (const auto& batch : hg::minibatches(row, 10)) CHECK(batch.data() == row.data());
    CHECK(samples(hg::minibatches(data.row(0).head(10), 4), 1) == in_order);
    const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> row_major = data.leftCols(10);
    CHECK(samples(hg::minibatches(row_major, 4), 5) == in_order);
    CHECK(samples(hg::minibatches(row_major, 4, rng), 5).size() == 10);
}

TEST_CASE("a temporary matrix lives in the range") {
    hg::Rng rng{7};
    CHECK(samples(hg::minibatches(numbered<float>(40, 10), 4), 40) == in_order);
    CHECK(samples(hg::minibatches(numbered<float>(40, 10), 4, rng), 40).size() == 10);
    const auto zero = Eigen::MatrixXf::Zero(40, 10);
    CHECK(samples(hg::minibatches(numbered<float>(40, 10) + zero, 4), 40) == in_order);
    for (const auto& [x, target] : hg::minibatches(numbered<float>(40, 10), numbered<float>(40, 10), 4, rng))
        CHECK(x == target);

    // Taken over, not copied, and still in place after the range has moved.
    auto data = numbered<float>(40, 10);
    const float* const memory = data.data();
    auto batches = hg::minibatches(std::move(data), 4);
    auto moved = std::move(batches);
    CHECK(moved.batch(0).data() == memory);
    auto other = hg::minibatches(numbered<float>(40, 10), 4);
    other = std::move(moved);
    CHECK(samples(other, 40) == in_order);
}

TEST_CASE("minibatches refuses what cannot be cut") {
    const auto data = numbered<float>(2, 10);
    hg::Rng rng{7};
    const hg::Rng before = rng;
    CHECK_THAT(error_of([&] { hg::minibatches(data, 0, rng); }),
               ContainsSubstring("batch size must be at least 1, got 0"));
    CHECK_THAT(error_of([&] { hg::minibatches(data, -3); }), ContainsSubstring("got -3"));
    CHECK_THAT(error_of([&] { hg::minibatches(Eigen::MatrixXf(5, 0), 2, rng); }),
               ContainsSubstring("the data is 5 x 0: it has no columns (samples)"));
    CHECK_THAT(error_of([&] { hg::minibatches(Eigen::MatrixXf(0, 5), 2, rng); }),
               ContainsSubstring("the data is 0 x 5: it has no rows (features)"));
    CHECK_THAT(error_of([&] { hg::minibatches(data, Eigen::MatrixXf(0, 10), 2, rng); }),
               ContainsSubstring("the target is 0 x 10"));
    CHECK_THAT(error_of([&] { hg::minibatches(data, data.leftCols(9), 2, rng); }),
               ContainsSubstring("x has 10 columns (samples), the target has 9"));
    CHECK_THAT(error_of([&] { hg::minibatches(data, 11, rng, hg::LastBatch::Drop); }),
               ContainsSubstring("the batch size is 11, the data has 10 samples"));
    CHECK(rng == before);
}

TEST_CASE("a batch that there is not is refused in every build") {
    const auto data = numbered<float>(2, 10);
    hg::Rng rng{7};
    auto ordered = hg::minibatches(data, 4);
    auto shuffled = hg::minibatches(data, 4, rng);
    auto pairs = hg::minibatches(data, data, 4);
    for (const Eigen::Index bad : {Eigen::Index{-1}, Eigen::Index{3}, Eigen::Index{99}}) {
        const std::string expected =
            "minibatches: there is no batch " + std::to_string(bad) + ": there are 3, counted from 0";
        CHECK(error_of([&] { ordered.batch(bad); }) == expected);
        CHECK(error_of([&] { shuffled.batch(bad); }) == expected);
        CHECK(error_of([&] { pairs.batch(bad); }) == expected);
    }
    CHECK(ordered.batch(2).cols() == 2);
}
