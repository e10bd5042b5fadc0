// A frozen model gives what the model gives: every kind of layer, whatever lies on the stack, from several threads.
#include "hourglass/freeze.hpp"

#include <array>
#include <cmath>
#include <hourglass/hourglass.hpp>
#include <limits>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"

using Catch::Matchers::ContainsSubstring;

namespace hg = hourglass;
using hg::Index;
using hg::Shape;

namespace {

template <class T>
hg::Vector<T> noise(Index size, std::uint64_t seed, T from = -1, T to = 1) {
    hg::Rng rng{seed};
    return hg::Vector<T>::NullaryExpr(size, [&] { return static_cast<T>(rng.uniform(from, to)); });
}

// Leaves a value all over the stack that the next call will use.
template <class T>
EIGEN_DONT_INLINE void paint_stack(T value) {
    volatile T paint[1 << 15];
    for (volatile T& p : paint) p = value;
}

// Largest difference relative to the largest value.
template <class T>
double distance(const hg::Vector<T>& a, const hg::Vector<T>& b) {
    if (a.size() != b.size() || !a.allFinite() || !b.allFinite()) return std::numeric_limits<double>::infinity();
    return static_cast<double>((a - b).cwiseAbs().maxCoeff() / std::max(T(1), b.cwiseAbs().maxCoeff()));
}

// What call(x, y) or, where there is one, call(x, condition, y) writes, with one value on the stack and with another.
template <std::size_t Out, class T, class Call>
hg::Vector<T> result_of(const Call& call) {
    hg::Vector<T> once(static_cast<Index>(Out)), twice(once.size());
    paint_stack(std::numeric_limits<T>::quiet_NaN());
    call(std::span<T, Out>(once.data(), Out));
    paint_stack(T(1e30));
    call(std::span<T, Out>(twice.data(), Out));
    CHECK((once.array() == twice.array()).all());
    return once;
}

template <std::size_t Size, class T>
std::span<const T, Size> in(const hg::Vector<T>& values) {
    return std::span<const T, Size>(values.data(), Size);
}

// Weights and running values as if trained: nothing at its first value.
template <class Model>
void disturb(Model& model) {
    using T = typename Model::Scalar;
    model.parameters() += T(.1) * noise<T>(model.parameters().size(), 7);
    model.state() += T(.5) * noise<T>(model.state().size(), 8, 0, 1);
}

template <class Model>
void check(const std::string& name, Model model, double tolerance = 2e-6) {
    CAPTURE(name);
    using T = typename Model::Scalar;
    using Frozen = hg::Frozen<Model>;
    disturb(model);
    const Frozen frozen = hg::freeze(model);
    constexpr std::size_t inputs = Frozen::input_size, code = Frozen::code_size, outputs = Frozen::output_size,
                          conditions = Frozen::condition_size;
    for (std::uint64_t seed = 1; seed < 4; ++seed) {
        const hg::Vector<T> x = noise<T>(static_cast<Index>(inputs), seed),
                            z = noise<T>(static_cast<Index>(code), seed),
                            c = noise<T>(static_cast<Index>(conditions), seed);
        const auto batch = [&](const hg::Vector<T>& of, bool with) {
            return with ? hg::Batch<T>(hg::given(of, c)) : hg::Batch<T>(of);
        };
        constexpr bool encoder_reads = !requires(std::span<T, code> y) { frozen.encode(in<inputs>(x), y); };
        constexpr bool decoder_reads = !requires(std::span<T, outputs> y) { frozen.decode(in<code>(z), y); };
        const auto encoded = result_of<code, T>([&](std::span<T, code> y) {
            if constexpr (encoder_reads)
                frozen.encode(in<inputs>(x), in<conditions>(c), y);
            else
                frozen.encode(in<inputs>(x), y);
        });
        const auto decoded = result_of<outputs, T>([&](std::span<T, outputs> y) {
            if constexpr (decoder_reads)
                frozen.decode(in<code>(z), in<conditions>(c), y);
            else
                frozen.decode(in<code>(z), y);
        });
        const auto rebuilt = result_of<outputs, T>([&](std::span<T, outputs> y) {
            if constexpr (encoder_reads || decoder_reads)
                frozen.reconstruct(in<inputs>(x), in<conditions>(c), y);
            else
                frozen.reconstruct(in<inputs>(x), y);
        });
        CHECK(distance<T>(encoded, model.encode(batch(x, encoder_reads))) < tolerance);
        CHECK(distance<T>(decoded, model.decode(batch(z, decoder_reads))) < tolerance);
        CHECK(distance<T>(rebuilt, model.reconstruct(batch(x, encoder_reads || decoder_reads))) < tolerance);
    }
}

hg::Rng& rng() {
    static hg::Rng generator{3};
    return generator;
}

// A layer of somebody's own that acts on each value, sample by sample: it counts on x having the rows its shape says.
struct Gains {
    static constexpr hg::Traits traits{.needs_input = false, .needs_output = false, .linear = true, .pointwise = true};
    static constexpr Shape output(Shape in) { return in; }

    template <Shape In, class T>
    void forward(std::span<const T, 0>, hg::ConstView<T> x, hg::View<T> y) const {
        for (Index at = 0; at < x.size(); at += In.size())
            for (Index i = 0; i < In.size(); ++i) y.data()[at + i] = x.data()[at + i] * T(1 + i);
    }
    template <Shape In, class T>
    void backward(std::span<const T, 0>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T> dy,
                  hg::View<T> dx) const {
        for (Index at = 0; at < dx.size(); at += In.size())
            for (Index i = 0; i < In.size(); ++i) dx.data()[at + i] += dy.data()[at + i] * T(1 + i);
    }
};

template <Index Rows>
void check_matrix() {
    CAPTURE(Rows);
    constexpr Index columns = 1 + (Rows * 7) % 23;
    using Encoder = hg::Chain<Shape{columns}, hg::Dense<Rows>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<columns, false>>;
    check("float", hg::autoencoder<Encoder, Decoder>(rng(), hg::MeanSquaredError{}));
    check("double", hg::autoencoder<Encoder, Decoder, double>(rng(), hg::MeanSquaredError{}), 1e-14);
}

}  // namespace

TEST_CASE("Dense layers of any width give frozen what they gave") {
    []<Index... I>(std::integer_sequence<Index, I...>) { (check_matrix<I + 1>(), ...); }
    (std::make_integer_sequence<Index, 35>{});
    check_matrix<127>();
    check_matrix<128>();
    check_matrix<129>();
    check_matrix<144>();
    check_matrix<300>();
    // Rows that fill half a vector or less of AVX-512, or of AVX2, behind columns enough that halves are worth it.
    using Narrow = hg::Chain<Shape{100}, hg::Dense<8>, hg::Sigmoid, hg::Dense<64>, hg::Tanh, hg::Dense<4>, hg::ELU>;
    using Back = hg::Chain<Narrow::output, hg::Dense<70>, hg::Softplus, hg::Dense<2>, hg::Sigmoid, hg::Dense<100>>;
    check("narrow", hg::autoencoder<Narrow, Back>(rng(), hg::MeanSquaredError{}));
    check("narrow", hg::autoencoder<Narrow, Back, double>(rng(), hg::MeanSquaredError{}), 1e-14);
}

TEST_CASE("Deep and tied models give frozen what they gave") {
    using Encoder = hg::Chain<Shape{90}, hg::Dense<64>, hg::Sigmoid, hg::Dense<40, false>, hg::ReLU, hg::Dense<5>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<40>, hg::ELU, hg::Dense<90>, hg::Sigmoid>;
    check("deep", hg::autoencoder<Encoder, Decoder>(rng(), hg::BinaryCrossEntropy{}));
    check("tied", hg::autoencoder<Encoder, hg::Tied<Encoder>>(rng(), hg::MeanSquaredError{}));
    check("mirrored", hg::autoencoder<Encoder, hg::Mirror<Encoder>, double>(rng(), hg::MeanSquaredError{}), 1e-14);
    using Residual =
        hg::Chain<Shape{30},
                  hg::Residual<hg::Dense<20>, hg::SiLU, hg::Residual<hg::Dense<20>, hg::Tanh>, hg::Dense<30>>,
                  hg::Dense<7>, hg::Residual<hg::ReLU>>;
    check("residual", hg::autoencoder<Residual, hg::Chain<Residual::output, hg::Dense<30>, hg::Softmax>>(
                          rng(), hg::MeanSquaredError{}));
}

TEST_CASE("What normalises is multiplied into the dense layer before it, or else stands alone") {
    using B = hg::BatchNormalization;
    using Encoder = hg::Chain<Shape{20}, B, hg::Dense<33>, B, hg::ReLU, B, hg::Dense<9, false>, B>;
    using Decoder = hg::Chain<Encoder::output, B, hg::Dense<14>, hg::LayerNormalization, hg::Dense<20>, B, B>;
    check("normalised", hg::autoencoder<Encoder, Decoder>(rng(), hg::MeanSquaredError{}), 5e-6);
    check("tied", hg::autoencoder<Encoder, hg::Tied<Encoder>, double>(rng(), hg::MeanSquaredError{}), 1e-13);
    // The residual connection reads what the dense layer gives before it is normalised.
    using Branch = hg::Chain<Shape{8}, hg::Dense<8>, hg::Residual<B, hg::ReLU>, B>;
    check("branch", hg::autoencoder<Branch, hg::Mirror<Branch>>(rng(), hg::MeanSquaredError{}), 5e-6);
}

TEST_CASE("Series and pictures give frozen what they gave") {
    using Series = hg::Chain<Shape{2, 21}, hg::Conv1D<8, 3, 2, hg::Padding::Same>, hg::BatchNormalization, hg::ReLU,
                             hg::Dense<6>, hg::Sigmoid, hg::Flatten, hg::Dense<5>>;
    using Back = hg::Chain<Series::output, hg::Dense<66>, hg::Reshape<6, 11>, hg::ReLU,
                           hg::Conv1DTranspose<4, 3, 2, hg::Padding::Same>, hg::Cropping1D<0, 1>, hg::Conv1D<2, 1>>;
    check("series", hg::autoencoder<Series, Back>(rng(), hg::MeanSquaredError{}), 5e-6);
    using Pictures =
        hg::Chain<Shape{1, 8, 12}, hg::Conv2D<16, 3, 1, hg::Padding::Same>, hg::BatchNormalization, hg::ReLU,
                  hg::MaxPooling2D<>, hg::Residual<hg::Conv2D<16, 3, 1, hg::Padding::Same>, hg::ReLU>,
                  hg::Conv2D<4, 3, 2, hg::Padding::Same>>;
    using Up = hg::Chain<Pictures::output, hg::UpSampling2D<>, hg::Conv2DTranspose<8, 3, 2, hg::Padding::Same>,
                         hg::ReLU, hg::Conv2D<1, 3, 1, hg::Padding::Same>, hg::Sigmoid>;
    check("pictures", hg::autoencoder<Pictures, Up>(rng(), hg::BinaryCrossEntropy{}), 5e-6);
    using Tied = hg::Chain<Shape{1, 8, 12}, hg::Conv2D<6, 3, 1, hg::Padding::Same>, hg::ReLU, hg::Conv2D<3, 3>>;
    check("tied", hg::autoencoder<Tied, hg::Tied<Tied>>(rng(), hg::MeanSquaredError{}), 5e-6);
}

TEST_CASE("What makes the code, and conditions, are frozen too") {
    using Encoder = hg::Chain<Shape{30}, hg::Dense<20>, hg::ReLU, hg::Dense<8>>;
    using Decoder = hg::Chain<Shape{4}, hg::Dense<20>, hg::ReLU, hg::Dense<30>, hg::Sigmoid>;
    check("variational", hg::autoencoder<Encoder, Decoder>(rng(), hg::BernoulliLikelihood{}, hg::GaussianLatent{}));
    using Wide = hg::Chain<Shape{8}, hg::Dense<30>>;
    check("top k", hg::autoencoder<Encoder, Wide>(rng(), hg::MeanSquaredError{}, hg::TopK<3>{}));
    check("jump", hg::autoencoder<Encoder, Wide>(rng(), hg::MeanSquaredError{}, hg::JumpReLU{}));
    using Given = hg::Chain<Shape{30}, hg::Condition<3>, hg::Dense<20>, hg::ReLU, hg::Dense<8>>;
    using GivenToo = hg::Chain<Shape{4}, hg::Condition<3>, hg::Dense<30>, hg::Sigmoid>;
    check("both", hg::autoencoder<Given, GivenToo>(rng(), hg::BernoulliLikelihood{}, hg::GaussianLatent{}));
    check("encoder", hg::autoencoder<Given, Wide>(rng(), hg::MeanSquaredError{}));
    check("decoder", hg::autoencoder<Encoder, GivenToo>(rng(), hg::BernoulliLikelihood{}, hg::GaussianLatent{}));
}

TEST_CASE("Layers of somebody's own get the rows that their shape says") {
    using Own = hg::Chain<Shape{3}, hg::Dense<5>, hg::Dense<5>, hg::Residual<Gains>, Gains, hg::ReLU>;
    check("own", hg::autoencoder<Own, hg::Chain<Own::output, hg::Dense<3>, Gains>>(rng(), hg::MeanSquaredError{}));
}

TEST_CASE("A normalisation of inputs whose mean is large keeps its digits") {
    const auto encoder = hg::chain<Shape{1}>(hg::BatchNormalization{.99, 1e-5}, hg::Dense<1>{});
    auto model = hg::autoencoder(encoder, hg::chain<Shape{1}>(hg::Dense<1>{}), rng(), hg::MeanSquaredError{});
    model.state() << 101325, 25;
    const auto frozen = hg::freeze(model);
    for (float x = 101300; x < 101350; x += 0.125f) {
        std::array<float, 1> z{};
        frozen.encode(std::array{x}, z);
        CHECK(std::abs(z[0] - model.encode(hg::Vector<float>::Constant(1, x))(0)) < 1e-5f);
    }
}

TEST_CASE("A network is frozen whole") {
    using Net = hg::Chain<Shape{10}, hg::Dense<12>, hg::BatchNormalization, hg::Dropout, hg::Dense<3>, hg::Softmax>;
    hg::Network<float, Net::Flat> network{rng()};
    disturb(network);
    const auto frozen = hg::freeze(network);
    static_assert(frozen.input_size == 10 && frozen.output_size == 3 && frozen.condition_size == 0);
    const hg::Vector<float> x = noise<float>(10, 5);
    const auto y = result_of<3, float>([&](std::span<float, 3> out) { frozen.evaluate(in<10>(x), out); });
    CHECK(distance<float>(y, network.evaluate(x)) < 2e-6);
}

TEST_CASE("A frozen model does not throw, is small where its weights are many, and outlives the model") {
    using Encoder = hg::Chain<Shape{6}, hg::Dense<3>, hg::Tanh>;
    using Decoder = hg::Chain<Shape{3}, hg::Dense<6>>;
    auto model = hg::autoencoder<Encoder, Decoder>(rng(), hg::MeanSquaredError{});
    auto frozen = hg::freeze(model);
    std::array<float, 6> x{1, 2, 3, 4, 5, 6};
    std::array<float, 3> z{};
    static_assert(noexcept(frozen.encode(x, z))&& noexcept(frozen.decode(z, x))&& noexcept(frozen.reconstruct(x, x)));
    Eigen::Vector3f fixed;
    Eigen::VectorXf any;
    static_assert(noexcept(frozen.encode(x, fixed)), "its type says that it is of the right size");
    static_assert(!noexcept(frozen.encode(x, any)) && !noexcept(frozen.decode(fixed, any)));

    std::array<float, 6> apart{};
    frozen.reconstruct(x, apart);
    model.parameters().setZero();
    std::array<float, 6> still{};
    frozen.reconstruct(x, still);
    CHECK(apart == still);
    frozen.reconstruct(x, x);  // over itself
    CHECK(apart == x);

    using Large = hg::Chain<Shape{600}, hg::Dense<500>>;
    auto large = hg::autoencoder<Large, hg::Chain<Large::output, hg::Dense<600>>>(rng(), hg::MeanSquaredError{});
    const auto heap = hg::freeze(large);
    CHECK(sizeof heap < 1000);
    auto from = heap;
    const auto copy = std::move(from);  // works on, whether its weights lie in it or not
    std::vector<float> a(600, .5f), b(600), c(600);
    const auto rebuild = [&](const auto& by, std::vector<float>& to) {
        by.reconstruct(std::span<const float, 600>(a), std::span<float, 600>(to));
    };
    std::thread other([&] { rebuild(copy, b); });
    rebuild(heap, c);
    other.join();
    CHECK(b == c);
    rebuild(from, c);  // NOLINT(bugprone-use-after-move)
    CHECK(b == c);
    CHECK(distance<float>(Eigen::Map<hg::Vector<float>>(b.data(), 600),
                          large.reconstruct(hg::Vector<float>(Eigen::Map<hg::Vector<float>>(a.data(), 600)))) < 2e-6);

    const auto elsewhere = std::move(large);
    CHECK_THAT(error_of([&] { hg::freeze(large); }), ContainsSubstring("freeze: the model has no parameters any more"));
}

TEST_CASE("A frozen model takes vectors and columns, and says which size it expects") {
    using Encoder = hg::Chain<Shape{6}, hg::Dense<3>, hg::Tanh>;
    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng(), hg::MeanSquaredError{});
    const auto frozen = hg::freeze(model);
    const Eigen::MatrixXf x = Eigen::MatrixXf::Random(6, 5);
    const Eigen::VectorXf expected = model.encode(x.col(3));
    Eigen::VectorXf code(3), wrong(4);
    frozen.encode(x.col(3), code);
    CHECK(distance<float>(code, expected) < 2e-6);
    std::vector<float> sample(x.data() + 18, x.data() + 24), more(3);
    frozen.encode(sample, more);
    CHECK(std::equal(more.begin(), more.end(), code.data()));
    Eigen::MatrixXf codes = Eigen::MatrixXf::Zero(3, 2);
    frozen.encode(std::as_const(sample), codes.col(1));
    CHECK((codes.col(1).array() == code.array()).all());
    CHECK(codes.col(0).isZero(0));
    CHECK_THAT(error_of([&] { frozen.encode(sample, wrong); }),
               ContainsSubstring("Frozen::encode: expected 3 values, one sample, got 4"));
    CHECK_THAT(error_of([&] { frozen.encode(x, code); }),
               ContainsSubstring("Frozen::encode: expected 6 values, one sample, got 30"));
    CHECK_THAT(error_of([&] { frozen.decode(wrong, sample); }), ContainsSubstring("Frozen::decode: expected 3 values"));
    CHECK_THAT(error_of([&] { frozen.reconstruct(sample, wrong); }),
               ContainsSubstring("Frozen::reconstruct: expected 6 values"));
    CHECK_THAT(error_of([&] { frozen.encode(Eigen::MatrixXf::Zero(8, 6).eval().row(1), code); }),
               ContainsSubstring("Frozen::encode: the values of a sample must follow each other in memory"));
    const Eigen::MatrixXf two_columns = Eigen::MatrixXf::Zero(2, 3);
    CHECK_THAT(error_of([&] { frozen.encode(two_columns, code); }),
               ContainsSubstring("Frozen::encode: expected a vector or one column, got 2 x 3"));
}

TEST_CASE("A frozen network may write over its input, and says which size it expects") {
    const auto check = [](const auto& network) {
        using T = typename std::decay_t<decltype(network)>::Scalar;
        const hg::Vector<T> x = hg::Vector<T>::LinSpaced(6, T(-1), T(1)), expected = network.evaluate(x);
        hg::Vector<T> both = x;
        hg::freeze(network).evaluate(both, both);
        CHECK((both - expected).cwiseAbs().maxCoeff() <= 8 * std::numeric_limits<T>::epsilon());
    };
    hg::Rng rng{12};
    check(hg::network<hg::Chain<hg::Shape{6}, hg::Dense<6>>>(rng));
    check(hg::network<hg::Chain<hg::Shape{6}, hg::Dense<6>, hg::Tanh>, double>(rng));
    check(hg::network<hg::Chain<hg::Shape{6}, hg::Residual<hg::Dense<6>, hg::Tanh>>>(rng));
    check(hg::network<hg::Chain<hg::Shape{6}, hg::Dense<6>, hg::Residual<hg::Tanh, hg::Dense<6>>>, double>(rng));
    Eigen::VectorXf other(4);
    CHECK_THAT(
        error_of([&] { hg::freeze(hg::network<hg::Chain<hg::Shape{6}, hg::Dense<6>>>(rng)).evaluate(other, other); }),
        ContainsSubstring("Frozen::evaluate: expected 6 values"));
}

TEST_CASE("What is derived from a model is frozen as the model is") {
    using Encoder = hg::Chain<Shape{4}, hg::Dense<2>>;
    struct Mine : hg::Autoencoder<Encoder, hg::Mirror<Encoder>, hg::MeanSquaredError> {
        using Mine::BasicAutoencoder::BasicAutoencoder;
    };
    const Mine mine{rng()};
    std::array<float, 4> x{1, 2, 3, 4}, y{};
    hg::freeze(mine).reconstruct(x, y);
    CHECK(distance<float>(Eigen::Map<hg::Vector<float>>(y.data(), 4),
                          mine.reconstruct(hg::Vector<float>(Eigen::Map<hg::Vector<float>>(x.data(), 4)))) < 2e-6);
}

TEST_CASE("Denormal weights are zero when frozen, and what is not finite passes") {
    using Encoder = hg::Chain<Shape{2}, hg::Dense<2>>;
    auto model = hg::autoencoder<Encoder, hg::Chain<Encoder::output, hg::Dense<2>>>(rng(), hg::MeanSquaredError{});
    model.parameters().setConstant(1e-40f);
    const auto frozen = hg::freeze(model);
    std::array<float, 2> x{1e30f, 1e30f}, z{1, 1};
    frozen.encode(x, z);
    CHECK(z == std::array<float, 2>{0, 0});
    model.parameters().setConstant(1);
    x = {std::numeric_limits<float>::quiet_NaN(), 1};
    hg::freeze(model).encode(x, z);
    CHECK((std::isnan(z[0]) && std::isnan(z[1])));
}
