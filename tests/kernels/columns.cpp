// Sums of columns against plain loops, at sizes around every edge of the ways they are taken together.
#include "hourglass/kernels/columns.hpp"

#include "support/gradient_check.hpp"

namespace hg = hourglass;
using hg::Index;

TEST_CASE("the sum of columns agrees with plain loops") {
    for (const Index rows : {1, 2, 3, 7, 16, 31, 32, 33, 64, 65, 100})
        for (const Index columns : {0, 1, 7, 8, 9, 31, 32, 33, 511, 512, 1023, 1024, 1025, 1100}) {
            CAPTURE(rows, columns);
            const Eigen::MatrixXd dy = oracle::values(rows, std::max<Index>(columns, 1), 1).leftCols(columns);
            const Eigen::MatrixXd before = oracle::values(rows, 1, 2);
            Eigen::MatrixXd expected = before;
            for (Index j = 0; j < columns; ++j) expected += dy.col(j);
            const auto check = [&]<class T>(T) {
                const hg::Matrix<T> from = dy.cast<T>();
                hg::Matrix<T> db = before.cast<T>();
                hg::kernels::add_columns<T>(rows, columns, from.data(), db.data());
                CHECK(oracle::difference(db, expected) <= oracle::tolerance<T>);
            };
            check(float{});
            check(double{});
        }
}
