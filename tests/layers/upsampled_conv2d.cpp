// A convolution behind an upsampling is computed with it, as one: to the numbers of the two by themselves.
#include <string>
#include <vector>

#include "hourglass/hourglass.hpp"
#include "hourglass/workers.hpp"
#include "support/error_of.hpp"
#include "support/model_check.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;
using oracle::difference, oracle::values;

namespace {

constexpr auto same = hg::Padding::Same;

/// Both layers as one network, against each as a network of its own.
template <class T, hg::Shape In, class Up, class Conv>
void check_pair(bool fused, double tolerance) {
    using Both = hg::Chain<In, Up, Conv>;
    using Large = hg::Chain<In, Up>;
    using Behind = hg::Chain<Large::output, Conv>;
    CHECK(Both::Flat::template fused_plan<>().fused[0] == fused);

    hg::Rng rng{3};
    auto both = hg::network<Both, T>(rng);
    auto large = hg::network<Large, T>(rng);
    auto behind = hg::network<Behind, T>(rng);
    both.parameters() = values(both.parameters().size(), 1, 5, -1, 1).template cast<T>();
    behind.parameters() = both.parameters();
    const hg::Matrix<T> x = values(In.size(), 5, 7, -1, 1).template cast<T>(),
                        dy = values(Both::output.size(), 5, 8, -1, 1).template cast<T>();

    auto tape = both.tape(), large_tape = large.tape(), behind_tape = behind.tape();
    const hg::Matrix<T> y = both.forward(x, tape, rng),
                        expected = behind.forward(large.forward(x, large_tape, rng), behind_tape, rng);
    CHECK(difference(y, expected) < tolerance);
    CHECK(difference(both.evaluate(x), expected) < tolerance);
    CHECK((both.evaluate(x.col(2)) - both.evaluate(x).col(2)).isZero(0));

    hg::Matrix<T> dx, d_large, dx_expected;
    tape.gradient().setConstant(std::numeric_limits<T>::quiet_NaN());  // assigned, not added to
    both.backward(dy, tape, dx);
    behind.backward(dy, behind_tape, d_large);
    large.backward(d_large, large_tape, dx_expected);
    CHECK(difference(dx, dx_expected) < tolerance);
    CHECK(difference(tape.gradient(), behind_tape.gradient()) < tolerance * 10);

    hg::Workers workers{3};
    auto shared = both.tape(workers);
    hg::Matrix<T> dx_shared;
    CHECK((both.forward(x, shared, rng) - y).isZero(0));
    both.backward(dy, shared, dx_shared);
    CHECK((dx_shared - dx).isZero(0));
    CHECK((shared.gradient() - tape.gradient()).isZero(0));
}

}  // namespace

TEST_CASE("A convolution behind a nearest upsampling gives what the two give one after the other") {
    constexpr hg::Extent uneven{2, 3}, flat{1, 3}, kernel{3, 2};
    check_pair<double, hg::Shape{3, 5, 7}, hg::UpSampling2D<2>, hg::Conv2D<4, 3, 1, same>>(true, 1e-12);
    check_pair<double, hg::Shape{2, 4, 3}, hg::UpSampling2D<uneven>, hg::Conv2D<3, kernel>>(true, 1e-12);
    check_pair<double, hg::Shape{2, 3, 4}, hg::UpSampling2D<3>, hg::Conv2D<1, kernel, 1, same, 1, false>>(true, 1e-12);
    check_pair<double, hg::Shape{1, 3, 4}, hg::UpSampling2D<flat>, hg::Conv2D<2, 4, 1, same>>(true, 1e-12);
    // As many values as there is room for.
    constexpr hg::Extent tall{2, 1};
    check_pair<float, hg::Shape{52, 4, 2}, hg::UpSampling2D<tall>, hg::Conv2D<52, tall>>(true, 1e-4);
    check_pair<float, hg::Shape{16, 4, 4}, hg::UpSampling2D<2>, hg::Conv2D<16, 3, 1, same>>(true, 2e-5);
}

TEST_CASE("Pairs that are dearer or something else as one stay two") {
    check_pair<float, hg::Shape{40, 3, 3}, hg::UpSampling2D<2>, hg::Conv2D<24, 3, 1, same>>(false, 5e-5);
    constexpr auto fuses = []<class Up, class Conv>(Up, Conv) {
        return hg::Chain<hg::Shape{2, 4, 4}, Up, Conv>::Flat::template fused_plan<>().fused[0];
    };
    constexpr auto bilinear = hg::Interpolation::Bilinear;
    CHECK(fuses(hg::UpSampling2D<2>{}, hg::Conv2D<2, 3>{}));
    CHECK_FALSE(fuses(hg::UpSampling2D<2, bilinear>{}, hg::Conv2D<2, 3>{}));
    CHECK_FALSE(fuses(hg::UpSampling2D<2>{}, hg::Conv2D<2, 3, 2>{}));
    CHECK_FALSE(fuses(hg::UpSampling2D<2>{}, hg::Conv2D<2, 3, 1, same, 2>{}));
    CHECK_FALSE(fuses(hg::UpSampling2D<2>{}, hg::Conv2D<2, 3, 1, same, 1, true, 2>{}));
    CHECK_FALSE(fuses(hg::UpSampling2D<2>{}, hg::Conv2D<2, 1>{}));
    CHECK_FALSE(fuses(hg::MaxPooling2D<2>{}, hg::Conv2D<2, 2>{}));
}

TEST_CASE("A code between the two, or an encoder of both, is computed layer by layer") {
    hg::Rng rng{1};
    const hg::Matrix<double> x = values(4, 6, 2, 0.1, 0.9);
    // The code is what the upsampling makes.
    using Encoder = hg::Chain<hg::Shape{1, 2, 2}, hg::UpSampling2D<2>>;
    using Decoder = hg::Chain<Encoder::output, hg::Conv2D<1, 3>, hg::UpSampling2D<2>, hg::Conv2D<1, 3>>;
    auto model = hg::autoencoder<Encoder, Decoder, double>(rng, hg::MeanSquaredError{}, hg::L1{0.1});
    CHECK(difference(model.encode(x), hg::network<Encoder, double>(rng).evaluate(x)) == 0);
    CHECK(difference(model.decode(model.encode(x)), model.reconstruct(x)) < 1e-14);
    oracle::check_model_in<double>(
        []<class T>(hg::Rng& birth) {
            return hg::autoencoder<Encoder, Decoder, T>(birth, hg::MeanSquaredError{}, hg::L1{0.1});
        },
        x, x, oracle::InputGradient::Check);

    // The Jacobian of an encoder is of each layer by itself.
    using Larger = hg::Chain<hg::Shape{1, 2, 2}, hg::UpSampling2D<2>, hg::Conv2D<1, 3>, hg::Tanh>;
    using Back = hg::Chain<Larger::output, hg::UpSampling2D<2>, hg::Conv2D<1, 3>>;
    oracle::check_model_in<double>(
        []<class T>(hg::Rng& birth) {
            return hg::autoencoder<Larger, Back, T>(birth, hg::MeanSquaredError{}, hg::Contractive{0.1});
        },
        x, x, oracle::InputGradient::Check);
}

TEST_CASE("What is not finite is looked for through fused layers") {
    hg::Rng rng{1};
    auto network =
        hg::network<hg::Chain<hg::Shape{1, 2, 2}, hg::UpSampling2D<2>, hg::Conv2D<1, 3>, hg::UpSampling2D<2>>>(rng);
    network.parameters()[3] = std::numeric_limits<float>::infinity();
    auto tape = network.tape();
    const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(4, 3), target = Eigen::MatrixXf::Zero(16, 3);
    CHECK_THAT(error_of([&] { network.gradient(x, target, hg::MeanSquaredError{}, tape, rng); }),
               ContainsSubstring("comes out of layer 1 (Conv2D), for sample 0"));
}
