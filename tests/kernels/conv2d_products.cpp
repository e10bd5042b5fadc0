// The products behind 2-D convolutions against plain loops, over sizes of which no two are alike; and the bits of a
// sample, whichever batch it stands in.
#include <algorithm>

#include "hourglass/core/random.hpp"
#include "hourglass/kernels/convolution2d.hpp"
#include "support/gradient_check.hpp"

namespace hg = hourglass;
using hg::Extent;
using hg::Index;
using hg::kernels::Convolution2D;
using hg::kernels::Side;

namespace {

// Calls use(f, i, w) for every product that makes up a convolution: values f of the short picture and i of the long one
// meet in weight w.
template <class Use>
void each_product(const Convolution2D& c, Use use) {
    const Index per_group = c.channels / c.groups, filters_per_group = c.filters / c.groups;
    for (Index p = 0; p < c.positions.rows; ++p)
        for (Index q = 0; q < c.positions.columns; ++q)
            for (Index a = 0; a < c.kernel.rows; ++a)
                for (Index b = 0; b < c.kernel.columns; ++b) {
                    const Index row = p * c.stride.rows + a * c.dilation.rows - c.before.rows;
                    const Index column = q * c.stride.columns + b * c.dilation.columns - c.before.columns;
                    if (row < 0 || row >= c.size.rows || column < 0 || column >= c.size.columns) continue;
                    for (Index f = 0; f < c.filters; ++f)
                        for (Index i = 0; i < per_group; ++i)
                            use((p * c.positions.columns + q) * c.filters + f,
                                (row * c.size.columns + column) * c.channels + f / filters_per_group * per_group + i,
                                ((a * c.kernel.columns + b) * per_group + i) * c.filters + f);
                }
}

template <class T>
void check_products(const Convolution2D& c, Index samples) {
    CAPTURE(c.channels, c.size.rows, c.size.columns, c.filters, c.positions.rows, c.positions.columns);
    CAPTURE(c.kernel.rows, c.kernel.columns, c.stride.rows, c.stride.columns, c.dilation.rows, c.dilation.columns);
    CAPTURE(c.before.rows, c.before.columns, c.groups, samples);
    const Eigen::MatrixXd w = oracle::values(c.filters * c.depth(), 1, 1);
    const Eigen::MatrixXd x = oracle::values(c.long_size(), samples, 2), y = oracle::values(c.short_size(), samples, 3);
    Eigen::MatrixXd forward = Eigen::MatrixXd::Zero(y.rows(), samples), gradient = Eigen::MatrixXd::Zero(w.size(), 1);
    Eigen::MatrixXd back = Eigen::MatrixXd::Zero(x.rows(), samples);
    for (Index j = 0; j < samples; ++j)
        each_product(c, [&](Index f, Index i, Index k) {
            forward(f, j) += w(k) * x(i, j);
            back(i, j) += w(k) * y(f, j);
            gradient(k) += y(f, j) * x(i, j);
        });
    const hg::Matrix<T> wt = w.cast<T>(), xt = x.cast<T>(), yt = y.cast<T>();
    const hg::Matrix<T> bias = oracle::values(std::max(c.filters, c.channels), 1, 4).cast<T>();
    const double tolerance = oracle::tolerance<T> * std::max(1.0, static_cast<double>(c.depth()) / 100);

    // Added to what is there, and over what the buffers held: with a bias for each channel, or with none.
    hg::Matrix<T> added_y = yt, added_x = xt, added_w = wt;
    hg::kernels::add_convolution<T>(c, wt.data(), xt.data(), added_y.data(), samples);
    hg::kernels::add_transposed_convolution<T>(c, wt.data(), yt.data(), added_x.data(), samples);
    hg::kernels::add_kernel_gradient<Side::Short, T>(c, yt.data(), xt.data(), added_w.data(), nullptr, samples);
    CHECK(oracle::difference(added_y, Eigen::MatrixXd(y + forward)) <= tolerance);
    CHECK(oracle::difference(added_x, Eigen::MatrixXd(x + back)) <= tolerance);
    CHECK(oracle::difference(added_w, Eigen::MatrixXd(w + gradient)) <= tolerance);
    for (const T* start : {bias.data(), static_cast<const T*>(nullptr)}) {
        const auto started = [&](Eigen::MatrixXd sum, Index channels) {
            for (Index i = 0; start && i < sum.rows(); ++i)
                sum.row(i).array() += static_cast<double>(start[i % channels]);
            return sum;
        };
        hg::Matrix<T> over_y = oracle::poisoned<T>(y.rows(), samples), over_x = oracle::poisoned<T>(x.rows(), samples);
        hg::kernels::add_convolution<T>(c, wt.data(), xt.data(), over_y.data(), samples, {false, start});
        hg::kernels::add_transposed_convolution<T>(c, wt.data(), yt.data(), over_x.data(), samples, {false, start});
        CHECK(oracle::difference(over_y, started(forward, c.filters)) <= tolerance);
        CHECK(oracle::difference(over_x, started(back, c.channels)) <= tolerance);
        // A sample alone gives the bits it gives among others.
        hg::Matrix<T> alone_y(y.rows(), 1), alone_x(x.rows(), 1);
        const Index last = samples - 1;
        hg::kernels::add_convolution<T>(c, wt.data(), xt.col(last).data(), alone_y.data(), 1, {false, start});
        hg::kernels::add_transposed_convolution<T>(c, wt.data(), yt.col(last).data(), alone_x.data(), 1,
                                                   {false, start});
        CHECK((alone_y.array() == over_y.col(last).array()).all());
        CHECK((alone_x.array() == over_x.col(last).array()).all());
    }
}

void check(const Convolution2D& c, Index samples) {
    check_products<double>(c, samples);
    check_products<float>(c, samples);
}

}  // namespace

TEST_CASE("2-D convolutions agree with plain loops") {
    // channels, size, filters, positions, kernel, stride, dilation, before, groups
    check({1, {5, 7}, 2, {4, 3}, {2, 3}, {1, 2}, {1, 1}, {0, 0}}, 3);
    check({3, {5, 7}, 4, {3, 7}, {3, 2}, {2, 1}, {1, 1}, {1, 0}}, 5);
    check({9, {4, 6}, 17, {4, 3}, {3, 4}, {1, 2}, {1, 1}, {1, 1}}, 3);
    check({16, {7, 5}, 8, {7, 5}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, 4);
    check({2, {9, 8}, 3, {5, 4}, {3, 2}, {1, 1}, {2, 4}, {0, 0}}, 2);
    check({12, {9, 8}, 5, {9, 4}, {3, 2}, {1, 2}, {2, 3}, {2, 1}}, 2);
    check({5, {3, 4}, 7, {3, 4}, {1, 1}, {1, 1}, {1, 1}, {0, 0}}, 3);   // pointwise
    check({5, {5, 4}, 7, {3, 2}, {1, 1}, {2, 2}, {1, 1}, {0, 0}}, 3);   // one tap, but strides
    check({2, {3, 2}, 3, {3, 2}, {7, 5}, {1, 1}, {1, 1}, {3, 2}}, 3);   // sticks out at all sides at once
    check({2, {2, 3}, 2, {3, 4}, {2, 2}, {1, 1}, {3, 3}, {2, 3}}, 2);   // positions that see nothing
    check({3, {3, 2}, 4, {1, 1}, {3, 2}, {1, 1}, {1, 1}, {0, 0}}, 6);   // one position
    check({80, {5, 4}, 6, {5, 4}, {3, 4}, {1, 1}, {1, 1}, {1, 1}}, 3);  // many channels
    check({70, {5, 6}, 5, {3, 3}, {5, 3}, {2, 2}, {1, 1}, {2, 0}}, 2);  // and strides
    check({3, {5, 7}, 1, {5, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, 3);   // one filter
    check({3, {5, 7}, 1, {4, 8}, {4, 2}, {1, 1}, {1, 1}, {1, 1}}, 3);
}

TEST_CASE("2-D convolutions whose work is cut agree with plain loops") {
    check({16, {30, 30}, 50, {30, 30}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
          2);  // bands of rows, more filters than a block has
    check({32, {30, 29}, 1, {30, 29}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, 2);  // bands for one filter
    check({9, {41, 60}, 7, {21, 20}, {5, 3}, {2, 3}, {1, 1}, {2, 0}}, 2);   // bands, strides
    check({4, {2, 200}, 5, {2, 200}, {2, 3}, {1, 1}, {1, 1}, {0, 1}}, 2);   // rows longer than a block is deep
    check({300, {9, 40}, 5, {9, 40}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, 1);   // rows too wide for a band
    check({90, {4, 5}, 200, {4, 5}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, 1);    // a phase's kernel cut into channels
    check({20, {7, 6}, 150, {3, 3}, {5, 2}, {2, 2}, {1, 1}, {1, 0}}, 2);    // and into rows of taps
    check({600, {4, 5}, 6, {4, 5}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 2}, 2);  // a panel cut in depth
    check({150, {8, 9}, 4, {4, 5}, {3, 3}, {1, 1}, {2, 2}, {0, 0}}, 2);     // the same with gaps
    check({1, {16, 49}, 1, {8, 41}, {5, 5}, {1, 1}, {2, 2}, {0, 0}}, 2);    // a part of one position
}

TEST_CASE("2-D convolutions by minimal filtering agree with plain loops") {
    check({16, {5, 7}, 32, {5, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, 3);
    check({32, {6, 15}, 16, {4, 14}, {3, 2}, {1, 1}, {1, 1}, {0, 0}}, 2);    // nothing sticks out, two taps
    check({16, {5, 18}, 16, {7, 21}, {3, 4}, {1, 1}, {1, 1}, {2, 3}}, 2);    // much does, four taps
    check({16, {4, 19}, 32, {4, 15}, {1, 5}, {1, 1}, {1, 1}, {0, 0}}, 2);    // one row of five taps
    check({48, {9, 14}, 80, {9, 14}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, 1);    // channels and filters cut
    check({16, {5, 120}, 16, {5, 120}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, 1);  // strips cut in columns
    check({16, {40, 16}, 16, {40, 16}, {5, 3}, {1, 1}, {1, 1}, {2, 1}}, 1);  // and in rows
    check({16, {30, 15}, 16, {8, 15}, {23, 3}, {1, 1}, {1, 1}, {0, 1}}, 1);  // more rows of taps than there is room for
    check({16, {6, 15}, 16, {6, 15}, {3, 3}, {1, 1}, {1, 1}, {1, 40}}, 1);   // tiles that see nothing
    check({16, {7, 14}, 16, {4, 7}, {3, 5}, {2, 2}, {1, 1}, {1, 2}}, 2);     // the way back, a phase of three taps
    check({96, {4, 19}, 32, {4, 15}, {1, 5}, {1, 1}, {1, 1}, {0, 0}}, 1);    // five taps of many channels
    check({112, {5, 14}, 96, {5, 14}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, 1);   // cut in both
    check({16, {11, 30}, 32, {11, 10}, {2, 7}, {1, 3}, {1, 1}, {1, 2}}, 2);  // and of three
}

TEST_CASE("grouped convolutions agree with plain loops") {
    check({4, {5, 7}, 6, {4, 6}, {2, 2}, {1, 1}, {1, 1}, {0, 0}, 2}, 3);
    check({6, {5, 7}, 6, {5, 7}, {3, 2}, {1, 1}, {1, 1}, {1, 0}, 6}, 3);    // depthwise
    check({5, {6, 5}, 15, {3, 5}, {3, 3}, {2, 1}, {1, 1}, {1, 1}, 5}, 2);   // three filters a channel
    check({24, {4, 5}, 16, {4, 5}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 2}, 3);  // long runs
    check({6, {4, 5}, 4, {4, 5}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 2}, 3);    // one tap
}

TEST_CASE("2-D convolutions over random sizes agree with plain loops") {
    hg::Rng rng{7};
    const auto up_to = [&](Index most) { return 1 + static_cast<Index>(rng.uniform() * static_cast<double>(most)); };
    for (int round = 0; round < 60; ++round) {
        const Index groups = rng.uniform() < 0.3 ? up_to(3) : 1;
        const Extent kernel{up_to(4), up_to(4)}, stride{up_to(3), up_to(3)}, dilation{up_to(2), up_to(2)};
        const Extent before{up_to(3) - 1, up_to(3) - 1}, size{up_to(9), up_to(9)}, positions{up_to(6), up_to(6)};
        const Index channels = groups * up_to(9), filters = groups * up_to(9), samples = up_to(6);
        check({channels, size, filters, positions, kernel, stride, dilation, before, groups}, samples);
    }
}
