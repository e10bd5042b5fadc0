// What batches and targets are made of: in place where it lies in columns, evaluated where it does not.
#include <hourglass/hourglass.hpp>

#include "support/catch.hpp"

namespace hg = hourglass;

namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Whether the input holds the same values, and whether it reads them where they lie.
template <class X>
void check(const X& values, const float* first, bool in_place) {
    const hg::Input<float> input(values);
    CAPTURE(values);
    CHECK((input.data() == first) == in_place);
    REQUIRE(input.rows() == values.rows());
    REQUIRE(input.cols() == values.cols());
    for (hg::Index j = 0; j < input.cols(); ++j)
        for (hg::Index i = 0; i < input.rows(); ++i) {
            CHECK(input(i, j) == values(i, j));
            CHECK(input.data()[i + j * input.outerStride()] == values(i, j));
        }
}

}  // namespace

TEST_CASE("an input is read where it lies in columns, and evaluated elsewhere") {
    const Eigen::MatrixXf matrix = Eigen::MatrixXf::Random(4, 6);
    const RowMajor rows = matrix;
    const Eigen::VectorXf vector = matrix.col(1);
    const Eigen::RowVectorXf row_vector = matrix.row(2);
    const Eigen::ArrayXXf array = matrix.array();
    const float* const first = matrix.data();
    using Strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;

    check(matrix, first, true);
    check(vector, vector.data(), true);
    check(row_vector, row_vector.data(), true);
    check(array, array.data(), true);
    check(matrix.block(1, 2, 3, 3), first + 9, true);
    check(matrix.row(1), first + 1, true);
    check(matrix.col(5), first + 20, true);
    check(hg::ConstView<float>(first, 6, 4), first, true);
    check(rows.transpose(), rows.data(), true);
    check(Eigen::Map<const Eigen::MatrixXf, 0, Strides>(first, 2, 3, Strides(8, 1)), first, true);

    check(rows, rows.data(), false);
    check(matrix.transpose(), first, false);
    check(Eigen::Map<const Eigen::MatrixXf, 0, Strides>(first, 2, 3, Strides(8, 2)), first, false);
    check(2 * matrix, first, false);
    check(array + 1, array.data(), false);
    check(matrix.transpose() * matrix, first, false);
    check(matrix(Eigen::seqN(0, 2, 2), Eigen::all), first, false);
    check(matrix(Eigen::all, Eigen::seqN(0, 3, 2)), first, false);
    check(matrix.topRows(0), first, true);
    check(Eigen::MatrixXf(), nullptr, true);
}
