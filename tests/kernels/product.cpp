// Products against plain loops, at sizes around every edge of tiles, stripes and depth blocks.
#include "hourglass/kernels/product.hpp"

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hourglass/core/random.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;

namespace {

template <class T>
hg::Matrix<T> random(hg::Index rows, hg::Index cols, hg::Rng& rng) {
    hg::Matrix<T> m(rows, cols);
    for (T& v : m.reshaped()) v = static_cast<T>(rng.uniform(-1, 1));
    return m;
}

// Sums in double, added to `c`; what the product itself must agree with to rounding.
template <class A, class B, class C>
Eigen::MatrixXd plain(const A& a, const B& b, const C& c) {
    Eigen::MatrixXd sum = c.template cast<double>();
    for (hg::Index j = 0; j < b.cols(); ++j)
        for (hg::Index i = 0; i < a.rows(); ++i)
            for (hg::Index k = 0; k < a.cols(); ++k)
                sum(i, j) += static_cast<double>(a(i, k)) * static_cast<double>(b(k, j));
    return sum;
}

// Whether the processor has vectors of them (and Eigen may use these).
template <class T>
constexpr bool on_packs = hg::kernels::Pack<T>::lanes > 1;

template <class T>
void check(hg::Index rows, hg::Index columns, hg::Index depth, hg::Rng& rng) {
    CAPTURE(rows, columns, depth);
    const hg::Matrix<T> a = random<T>(rows, depth, rng), b = random<T>(depth, columns, rng),
                        start = random<T>(rows, columns, rng);
    const hg::Matrix<T> a_transposed = a.transpose(), b_transposed = b.transpose();
    const Eigen::MatrixXd expected = plain(a, b, start);
    // Rounding of a sum of `depth` products below 1, each in one fused or two rounded steps.
    const double bound = static_cast<double>(depth + 2) * static_cast<double>(std::numeric_limits<T>::epsilon());
    const auto agrees = [&](const hg::Matrix<T>& c) {
        CHECK((c.template cast<double>() - expected).cwiseAbs().maxCoeff() <= bound);
    };
    hg::Matrix<T> c = start;
    hg::kernels::add_product(rows, columns, depth, a.data(), rows, {b.data(), 1, depth}, c.data(), rows);
    agrees(c);
    c = start;
    hg::kernels::add_product(rows, columns, depth, a.data(), rows, {b_transposed.data(), columns, 1}, c.data(), rows);
    agrees(c);
    c = start;
    hg::kernels::add_transposed_product(rows, columns, depth, a_transposed.data(), depth, b.data(), depth, c.data(),
                                        rows);
    agrees(c);

    // What C held is not even read when the product starts from something else.
    const hg::Matrix<T> column = random<T>(rows, 1, rng);
    for (const T* same : {column.data(), static_cast<const T*>(nullptr)}) {
        const hg::Matrix<T> from = (same ? column : hg::Matrix<T>::Zero(rows, 1)).replicate(1, columns);
        const Eigen::MatrixXd over = plain(a, b, from);
        const auto written = [&](const auto& product) {
            c.setConstant(std::numeric_limits<T>::quiet_NaN());
            product(hg::kernels::Initial<T>{false, same});
            CHECK((c.template cast<double>() - over).cwiseAbs().template maxCoeff<Eigen::PropagateNaN>() <= bound);
        };
        written([&](hg::kernels::Initial<T> s) {
            hg::kernels::add_product(rows, columns, depth, a.data(), rows, {b.data(), 1, depth}, c.data(), rows, s);
        });
        written([&](hg::kernels::Initial<T> s) {
            hg::kernels::add_product(rows, columns, depth, a.data(), rows, {b_transposed.data(), columns, 1}, c.data(),
                                     rows, s);
        });
        written([&](hg::kernels::Initial<T> s) {
            hg::kernels::add_transposed_product(rows, columns, depth, a_transposed.data(), depth, b.data(), depth,
                                                c.data(), rows, s);
        });
    }
}

// Told from 0 by its bits, as -ffast-math takes one for the other.
template <class T>
constexpr auto bits(T value) {
    return std::bit_cast<std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>(value);
}
template <class T>
constexpr T negative_zero = std::bit_cast<T>(decltype(bits(T(0))){1} << (8 * sizeof(T) - 1));

}  // namespace

TEMPLATE_TEST_CASE("products agree with plain loops", "", float, double) {
    hg::Rng rng{1};
    for (const hg::Index rows : {1, 3, 4, 7, 16, 33, 65, 131}) {
        for (const hg::Index columns : {1, 2, 5, 12, 25, 38}) {
            for (const hg::Index depth : {1, 31, 129, 513}) check<TestType>(rows, columns, depth, rng);
        }
    }
    for (int i = 0; i < 50; ++i) {
        const auto size = [&](std::uint64_t bound) { return static_cast<hg::Index>(1 + rng.below(bound)); };
        check<TestType>(size(150), size(80), size(600), rng);
    }
    check<TestType>(300, 1, 70, rng);     // many rows against one column
    check<TestType>(1205, 33, 440, rng);  // large enough to be fetched ahead
    check<TestType>(1205, 97, 900, rng);  // and to be laid out for fewer columns
    check<TestType>(800, 33, 60, rng);    // more rows than a shallow block has
    check<TestType>(787, 905, 230, rng);  // B's rows far enough apart to be copied, for more rows than a block has
}

TEMPLATE_TEST_CASE("a product writes its rows alone", "", float, double) {
    using T = TestType;
    hg::Rng rng{4};
    const hg::Index rows = GENERATE(range(1, 50), values<int>({61, 100, 209})), beside = 19, columns = 37;
    const hg::Index depth = GENERATE(20, 150);
    const hg::Matrix<T> a = random<T>(rows, depth, rng), b = random<T>(depth, columns, rng);
    const hg::Matrix<T> a_transposed = a.transpose(), b_transposed = b.transpose();
    const auto leaves_the_rest = [&](const auto& product) {
        hg::Matrix<T> c = random<T>(rows + beside, columns, rng), compact = c.topRows(rows);
        c.bottomRows(beside).setConstant(negative_zero<T>);  // of which the sum with a zero would be another
        product(c.data(), rows + beside);
        product(compact.data(), rows);
        CHECK(c.topRows(rows) == compact);
        hg::Index touched = 0;
        for (const T value : c.bottomRows(beside).reshaped()) touched += bits(value) != bits(negative_zero<T>);
        CHECK(touched == 0);
    };
    leaves_the_rest([&](T* c, hg::Index step) {
        hg::kernels::add_product(rows, columns, depth, a.data(), rows, {b.data(), 1, depth}, c, step);
    });
    leaves_the_rest([&](T* c, hg::Index step) {
        hg::kernels::add_product(rows, columns, depth, a.data(), rows, {b_transposed.data(), columns, 1}, c, step);
    });
    leaves_the_rest([&](T* c, hg::Index step) {
        hg::kernels::add_transposed_product(rows, columns, depth, a_transposed.data(), depth, b.data(), depth, c, step);
    });
}

TEST_CASE("an empty product adds nothing") {
    float c = 3;
    const float one = 1;
    hg::kernels::add_product(1, 1, 0, &one, 1, {&one, 1, 1}, &c, 1);
    hg::kernels::add_transposed_product(1, 1, 0, &one, 1, &one, 1, &c, 1);
    CHECK(c == 3);
}

TEST_CASE("a column's bits do not depend on its neighbours") {
    hg::Rng rng{2};
    // Rows that fill packets of every size and rows that fill none; contractions of one part to nine.
    const hg::Index rows = GENERATE(64, 145, 157, 300, 61, 1, 2, 3), depth = GENERATE(300, 20, 700, 784, 1600);
    const Eigen::MatrixXf a = random<float>(rows, depth, rng),
                          b = random<float>(depth, 200, rng);  // columns enough to lay out A
    Eigen::MatrixXf whole = Eigen::MatrixXf::Zero(rows, 200), part = Eigen::MatrixXf::Zero(rows, 37);
    hg::kernels::add_product(rows, 200, depth, a.data(), rows, {b.data(), 1, depth}, whole.data(), rows);
    hg::kernels::add_product(rows, 37, depth, a.data(), rows, {b.data() + 40 * depth, 1, depth}, part.data(), rows);
    CHECK(part == whole.middleCols(40, 37));

    Eigen::VectorXf alone = Eigen::VectorXf::Zero(rows);
    hg::kernels::add_product(rows, 1, depth, a.data(), rows, {b.data() + 40 * depth, 1, depth}, alone.data(), rows);
    CHECK(alone == whole.col(40));
}

TEMPLATE_TEST_CASE("a column's bits do not depend on whether B's rows are copied", "", float, double) {
    using T = TestType;
    hg::Rng rng{5};
    constexpr hg::Index apart = 1001, first = 40, beside = 19;
    // Columns that leave one alone behind those that are copied together.
    const hg::Index rows = GENERATE(192, 404, 787), depth = GENERATE(128, 230, 300), columns = GENERATE(97, 1001);
    const hg::Index some = GENERATE(1, 37);
    const hg::Matrix<T> a = random<T>(rows, depth, rng), b = random<T>(apart, depth, rng);
    REQUIRE(hg::kernels::is_right_worth_a_copy<T>(rows, columns, depth, {b.data(), apart, 1}) == on_packs<T>);
    REQUIRE(!hg::kernels::is_right_worth_a_copy<T>(rows, some, depth, {b.data(), apart, 1}));
    const hg::Matrix<T> start = random<T>(rows + beside, columns, rng);
    for (const auto& initial : {hg::kernels::Initial<T>{}, hg::kernels::Initial<T>{false, a.data()},
                                hg::kernels::Initial<T>{false, nullptr}}) {
        hg::Matrix<T> whole = start, part = start.middleCols(first, some);
        hg::kernels::add_product(rows, columns, depth, a.data(), rows, {b.data(), apart, 1}, whole.data(),
                                 rows + beside, initial);
        hg::kernels::add_product(rows, some, depth, a.data(), rows, {b.data() + first, apart, 1}, part.data(),
                                 rows + beside, initial);
        CHECK(part == whole.middleCols(first, some));
        CHECK(whole.bottomRows(beside) == start.bottomRows(beside));
    }
}

TEMPLATE_TEST_CASE("a column has the same bits alone and in a batch, transposed or not", "", float, double) {
    using T = TestType;
    hg::Rng rng{3};
    const auto check_rows = [&](hg::Index rows, hg::Index depth) {
        CAPTURE(rows, depth);
        constexpr hg::Index columns = 7;
        const hg::Matrix<T> a = random<T>(rows, depth, rng), transposed = a.transpose(),
                            b = random<T>(depth, columns, rng), start = random<T>(rows, columns, rng);
        const auto product = [&](hg::Index j, hg::Index count, hg::Matrix<T> c, hg::kernels::Initial<T> initial = {}) {
            hg::kernels::add_product(rows, count, depth, a.data(), rows, {b.data() + j * depth, 1, depth}, c.data(),
                                     rows, initial);
            return c;
        };
        const auto transposed_product = [&](hg::Index j, hg::Index count, hg::Matrix<T> c,
                                            hg::kernels::Initial<T> initial = {}) {
            hg::kernels::add_transposed_product(rows, count, depth, transposed.data(), depth, b.data() + j * depth,
                                                depth, c.data(), rows, initial);
            return c;
        };
        const hg::Matrix<T> whole = product(0, columns, start), over = product(0, columns, start, {false, a.data()});
        CHECK(transposed_product(0, columns, start) == whole);
        CHECK(transposed_product(0, columns, start, {false, a.data()}) == over);
        for (const hg::Index j : {0, 6}) {
            CHECK(product(j, 1, start.col(j)) == whole.col(j));
            CHECK(transposed_product(j, 1, start.col(j)) == whole.col(j));
            CHECK(transposed_product(j, 1, start.col(j), {false, a.data()}) == over.col(j));
        }
    };
    for (hg::Index depth = 1; depth <= 400; depth += depth < 70 ? 1 : 11) check_rows(39, depth);
    for (hg::Index rows = 1; rows <= 102; ++rows) check_rows(rows, 1 + 7 * rows % 250);
    for (const hg::Index rows : {129, 130, 131, 132, 259}) check_rows(rows, 300);  // more than one block of rows
    for (const hg::Index depth : {512, 513, 1025}) check_rows(39, depth);  // more than one block of the contraction
    check_rows(147, 784);
}
