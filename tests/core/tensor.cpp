// Tensors seen as batches and batches seen as tensors: the same memory, the same values.
#include "hourglass/tensor.hpp"

#include <string>

#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/conv1d_transpose.hpp"
#include "hourglass/layers/conv2d.hpp"
#include "hourglass/losses/mean_squared_error.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/network.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;

TEST_CASE("tensors go in and come out as views") {
    using Encoder = hg::Chain<hg::Shape{2, 6}, hg::Conv1D<3, 2, 2>>;
    using Decoder = hg::Chain<Encoder::output, hg::Conv1DTranspose<2, 2, 2>>;
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();

    Eigen::Tensor<float, 3> batch(2, 6, 4);
    batch.setRandom();
    const auto x = hg::matrix(batch);
    CHECK(x.data() == batch.data());
    REQUIRE(x.rows() == 12);
    REQUIRE(x.cols() == 4);
    CHECK(x(2 * 3 + 1, 2) == batch(1, 3, 2));

    const Eigen::MatrixXf code = model.encode(hg::matrix(batch));
    const auto seen = hg::tensor(code, Encoder::output);
    CHECK(seen.data() == code.data());
    CHECK(seen.dimension(0) == 3);
    CHECK(seen.dimension(1) == 3);
    CHECK(seen.dimension(2) == 4);
    CHECK(seen(2, 1, 3) == code(5, 3));
    const auto rebuilt = hg::tensor(model.reconstruct(x, tape), Decoder::output);
    CHECK(rebuilt(1, 5, 3) == model.reconstruct(x)(11, 3));

    Eigen::Tensor<double, 2> flat(5, 3);
    flat.setRandom();
    CHECK(hg::matrix(flat).data() == flat.data());
    CHECK(hg::matrix(flat)(4, 2) == flat(4, 2));
    const std::string refused = "tensor: the matrix has 9 rows, the shape 2 x 3 has 6 values";
    CHECK_THROWS_WITH(hg::tensor(code, hg::Shape{2, 3}), refused);
    CHECK_THROWS_WITH(hg::tensor(model.encode(x, tape), hg::Shape{2, 3}), refused);
}

TEST_CASE("pictures are tensors of rank 4, rows the slower extent") {
    using Encoder = hg::Chain<hg::Shape{2, 5, 7}, hg::Conv2D<3, hg::Extent{2, 3}>>;
    hg::Rng rng{1};
    const auto network = hg::network<Encoder>(rng);
    Eigen::Tensor<float, 4> batch(2, 7, 5, 4);
    batch.setRandom();
    const auto x = hg::matrix(batch);
    CHECK(x.data() == batch.data());
    REQUIRE(x.rows() == 70);
    CHECK(x((3 * 7 + 6) * 2 + 1, 2) == batch(1, 6, 3, 2));
    const Eigen::MatrixXf y = network.evaluate(x);
    const auto seen = hg::tensor<4>(y, Encoder::output);
    CHECK(seen.data() == y.data());
    CHECK(seen.dimension(0) == 3);
    CHECK(seen.dimension(1) == 5);
    CHECK(seen.dimension(2) == 4);
    CHECK(seen.dimension(3) == 4);
    CHECK(seen(2, 4, 1, 3) == y((1 * 5 + 4) * 3 + 2, 3));
    CHECK(hg::tensor<2>(y, Encoder::output)(7, 1) == y(7, 1));
    CHECK_THROWS_WITH(hg::tensor(y, Encoder::output),
                      "tensor: the shape 3 x 4 x 5 is a picture, of which tensor<4> makes a view");
}
