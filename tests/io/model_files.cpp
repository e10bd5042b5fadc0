// Objects in files: what is saved comes back bit for bit, and what does not fit changes nothing.
#include <sys/wait.h>
#include <unistd.h>

#include <Eigen/Core>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/files.hpp"
#include "support/safetensors_bytes.hpp"

namespace hg = hourglass;

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

using Encoder = hg::Chain<hg::Shape{12}, hg::Dense<8>, hg::BatchNormalization, hg::LeakyReLU,
                          hg::Residual<hg::Dense<8>, hg::Tanh>, hg::Dropout, hg::Dense<6>>;
using Decoder = hg::Chain<hg::Shape{3}, hg::Dense<12>, hg::Sigmoid>;

auto model_of(std::uint64_t seed, double beta = 1, double stddev = 0.1) {
    hg::Rng rng{seed};
    return hg::autoencoder<Encoder, Decoder>(rng, hg::LearnedGaussianLikelihood{}, hg::GaussianNoise{stddev},
                                             hg::GaussianLatent{.beta = beta});
}
using Model = decltype(model_of(1));

/// Everything a run consists of.
struct Run {
    explicit Run(std::uint64_t seed)
        : rng(seed),
          model(model_of(seed, 0.5 + static_cast<double>(seed))),
          x((Eigen::MatrixXf::Random(12, 70).array() + 1) / 2),
          batches(hg::minibatches(x, 16, rng)) {}

    // Epochs of three batches and the rest, so that the order is worn in the middle.
    void train(int steps) {
        auto tape = model.tape();
        for (int step = 0; step < steps;) {
            for (const auto& batch : batches.rest()) {
                model.gradient(batch, tape, rng);
                adam.step(model, tape);
                if (++step == steps) return;
            }
            stopping.update(model.loss(x), model);
            history.add({{"loss", model.loss(x)}, {"nan", std::numeric_limits<double>::quiet_NaN()}});
            batches.shuffle(rng);
        }
    }

    hg::Rng rng;
    Model model;
    Eigen::MatrixXf x;
    hg::Minibatches<float> batches;
    hg::Adam adam{{.learning_rate = 3e-3}};
    hg::EarlyStopping stopping{{.patience = 4, .min_delta = 0.25}};
    hg::History history;
};

bool same(const Run& a, const Run& b) {
    std::ostringstream in_a, in_b;
    hg::save(in_a, a.model, a.rng, a.batches, a.adam, a.stopping, a.history);
    hg::save(in_b, b.model, b.rng, b.batches, b.adam, b.stopping, b.history);
    return in_a.str() == in_b.str() && a.model.parameters() == b.model.parameters() &&
           a.model.state() == b.model.state() && a.rng == b.rng && a.adam.moments<float>() == b.adam.moments<float>() &&
           a.adam.steps() == b.adam.steps();
}

template <class... Objects>
Bytes saved(const Objects&... objects) {
    Bytes bytes;
    hg::save(bytes, objects...);
    return bytes;
}

/// A program's own layer, with hyperparameters of fewer bits than those of the library.
struct Shift {
    static constexpr std::string_view name = "Shift";
    static constexpr hg::Traits traits{.needs_input = false, .needs_output = false};
    std::int8_t steps = 3;
    std::uint16_t period = 7;
    float by = 0.5f;

    void check() const {}
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("steps", self.steps);
        use("period", self.period);
        use("by", self.by);
    }
    static constexpr hg::Shape output(hg::Shape in) { return in; }
    template <hg::Shape In, class T>
    void forward(std::span<const T, 0>, hg::ConstView<T> x, hg::View<T> y) const {
        y = x.array() + T(by);
    }
    template <hg::Shape In, class T>
    void backward(std::span<const T, 0>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T> dy,
                  hg::View<T> dx) const {
        dx += dy;
    }
};

}  // namespace

TEST_CASE("a run that is saved and loaded goes on as if nothing had been") {
    const int before = GENERATE(0, 1, 5, 7, 13);
    Run whole(1), other(2);
    other.x = whole.x;
    other.train(4);
    whole.train(before);
    std::stringstream file;
    hg::save(file, whole.model, whole.adam, whole.rng, whole.batches, whole.stopping, whole.history);
    hg::load(file, other.history, other.stopping, other.batches, other.rng, other.adam, other.model);  // in any order
    CHECK(same(whole, other));
    CHECK(other.model.term<hg::GaussianLatent>().beta == 1.5);
    CHECK(other.stopping.options().patience == 4);
    whole.train(9);
    other.train(9);
    CHECK(same(whole, other));
}

TEST_CASE("files, streams and memory hold the same bytes, in an order of their own") {
    const Folder folder("files");
    const auto model = model_of(1);
    hg::Adam adam;
    double threshold = 0.25;
    const std::string path = folder / "a.safetensors";
    hg::save(path, model, adam, hg::named("threshold", threshold));
    std::ostringstream stream;
    hg::save(stream, hg::named("threshold", threshold), adam, model);
    CHECK(text_of(path) == stream.str());
    const Bytes bytes = saved(adam, hg::named("threshold", 0.25), model);
    CHECK(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == stream.str());
    CHECK((header_of(bytes).size() + 8) % 8 == 0);
    auto from_file = model_of(2), from_stream = model_of(3), from_memory = model_of(4);
    double read = 0;
    hg::load(path, from_file, adam, hg::named("threshold", read));
    CHECK(read == 0.25);
    std::istringstream in(stream.str());
    in.exceptions(std::ios::failbit | std::ios::badbit | std::ios::eofbit);
    hg::load(in, from_stream, adam, hg::named("threshold", read));
    hg::load(bytes, from_memory, adam, hg::named("threshold", read));
    CHECK(from_file.parameters() == model.parameters());
    CHECK(from_stream.parameters() == model.parameters());
    CHECK(from_memory.parameters() == model.parameters());
    CHECK(from_file.state() == model.state());
}

TEST_CASE("arrays lie under the names and in the layout of Keras") {
    hg::Rng rng{1};
    const auto network =
        hg::network<hg::Chain<hg::Shape{2, 9}, hg::Conv1D<4, 3>, hg::BatchNormalization, hg::Flatten, hg::Dense<5>>>(
            rng);
    const Bytes bytes = saved(network);
    const hg::io::TensorFile file(bytes, "f");
    const auto shape = [&](const char* name) { return file.find(name)->shape; };
    CHECK(shape("0.kernel") == hg::io::TensorShape{3, 2, 4});  // window, channels, filters
    CHECK(shape("0.bias") == hg::io::TensorShape{4});
    CHECK(shape("1.moving_variance") == hg::io::TensorShape{4});
    CHECK(shape("3.kernel") == hg::io::TensorShape{28, 5});
    CHECK(file.find("0.kernel")->at<float>(5) == network.parameters()[5]);
    CHECK(file.metadata().at("format") == "hourglass 1");
    CHECK_THAT(file.metadata().at("network"),
               StartsWith("0 Conv1D, window 3: 2 x 9 to 4 x 7, 28 parameters\n1 BatchNorm"));
    CHECK(file.metadata().at("network.hyperparameters") == R"({"1.momentum":0.99,"1.epsilon":0.001})");
}

TEST_CASE("scalers, numbers, vectors and matrices come back") {
    const Eigen::MatrixXf x = Eigen::MatrixXf::Random(3, 20);
    hg::StandardScaler standard{{.missing = true}};
    hg::MinMaxScaler minmax{{.low = -1, .high = 1, .clip = true, .together = true, .missing = true}};
    standard.fit(x), minmax.fit(x);
    const float f = 0.1f;
    const bool yes = true;
    const std::int64_t many = -(std::int64_t{1} << 62);
    const std::uint8_t small = 200;
    const Eigen::Vector3d three(1, 2, 3);
    const Eigen::MatrixXf matrix = Eigen::MatrixXf::Random(2, 5);
    const Eigen::RowVectorXi row = Eigen::RowVectorXi::LinSpaced(4, 0, 3);
    const Bytes bytes =
        saved(standard, minmax, hg::named("f", f), hg::named("yes", yes), hg::named("many", many),
              hg::named("small", small), hg::named("three", three), hg::named("matrix", matrix), hg::named("row", row));
    hg::StandardScaler standard2;
    hg::MinMaxScaler minmax2;
    float f2 = 0;
    bool yes2 = false;
    std::int64_t many2 = 0;
    std::uint8_t small2 = 0;
    Eigen::Vector3d three2;
    Eigen::MatrixXf matrix2;
    Eigen::RowVectorXi row2;
    hg::load(bytes, hg::named("row", row2), hg::named("matrix", matrix2), hg::named("three", three2),
             hg::named("small", small2), hg::named("many", many2), hg::named("yes", yes2), hg::named("f", f2), minmax2,
             standard2);
    CHECK(standard2.transform(x) == standard.transform(x));
    CHECK(minmax2.transform(2 * x) == minmax.transform(2 * x));
    CHECK(standard2.options().missing);
    CHECK((minmax2.options().clip && minmax2.options().together && minmax2.options().missing));
    CHECK((f2 == f && yes2 && many2 == many && small2 == 200));
    CHECK((three2 == three && matrix2 == matrix && row2 == row));
    hg::StandardScaler<double> of_double;  // statistics are in double whatever the scaler is of
    hg::load(bytes, of_double, hg::IgnoreOthers{});
    CHECK(of_double.mean() == standard.mean());
    Eigen::Vector4d four = Eigen::Vector4d::Ones();
    CHECK_THAT(error_of([&] { hg::load(bytes, hg::named("three", four), hg::IgnoreOthers{}); }),
               StartsWith("load: memory: tensor three has the shape [3], which is no vector as expected here"));
    CHECK(four == Eigen::Vector4d::Ones());
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, 0, 2, 4> at_most_four;
    CHECK_THAT(error_of([&] { hg::load(bytes, hg::named("matrix", at_most_four), hg::IgnoreOthers{}); }),
               StartsWith("load: memory: tensor matrix has the shape [5, 2], which is no matrix as expected here"));
    CHECK_THAT(error_of([&] { hg::load(bytes, hg::named("f", many2), hg::IgnoreOthers{}); }),
               ContainsSubstring("tensor f is of type F32, expected I64"));
}

TEST_CASE("hyperparameters that are yes or no, and numbers that may be missing, come back") {
    const auto made = [](bool approximate, std::optional<double> threshold) {
        hg::Rng rng{1};
        return hg::autoencoder(hg::chain<hg::Shape{6}>(hg::Dense<4>{}, hg::GELU{approximate}),
                               hg::chain<hg::Shape{4}>(hg::Dense<6>{}), rng, hg::MeanSquaredError{},
                               hg::BatchTopK<2>{.threshold = threshold});
    };
    auto model = made(true, 0.25);
    const Bytes bytes = saved(model), without = saved(made(false, std::nullopt));
    auto other = made(false, std::nullopt);
    hg::load(bytes, other);
    CHECK(other.encoder().layer<1>().approximate);
    CHECK(other.term<hg::BatchTopK<2>>().threshold == 0.25);
    CHECK(saved(other) == bytes);
    hg::load(without, other);
    CHECK(!other.encoder().layer<1>().approximate);
    CHECK(!other.term<hg::BatchTopK<2>>().threshold);
    CHECK_THAT(hg::io::TensorFile(without, "f").metadata().at("model.hyperparameters"),
               ContainsSubstring("\"encoder.1.approximate\":false") && ContainsSubstring("\"code.threshold\":null"));
    CHECK_THAT(error_of([&] { hg::load(with_header(bytes, "approximate\\\":true", "approximate\\\":2"), other); }),
               ContainsSubstring("encoder.1.approximate is 2, expected true or false"));
}

TEST_CASE("an optimiser of double parameters comes back with its moments") {
    hg::Adam adam, read;
    Eigen::VectorXd theta = Eigen::VectorXd::Ones(3), copy;
    const Eigen::VectorXd gradient = Eigen::Vector3d(0.1, -0.2, 1.0 / 3);
    adam.step(theta, gradient);
    hg::load(saved(adam), read);
    CHECK(read.moments<double>() == adam.moments<double>());
    copy = theta;
    adam.step(theta, gradient);
    read.step(copy, gradient);
    CHECK(copy == theta);
}

TEST_CASE("names and words with signs that JSON has to escape come back") {
    const std::string name = "tab\there, \x01 and \"quotes\\\n";
    double value = 0;
    const Bytes bytes = saved(hg::named(name, 0.5));
    CHECK_THAT(header_of(bytes), ContainsSubstring(R"("tab\u0009here, \u0001 and \"quotes\\\n":{)"));
    hg::load(bytes, hg::named(name, value));
    CHECK(value == 0.5);
}

TEST_CASE("batches that are cut otherwise are another order") {
    const Eigen::MatrixXf x = Eigen::MatrixXf::Random(2, 10);
    hg::Rng rng{1};
    auto keep = hg::minibatches(x, 4, rng), drop = hg::minibatches(x, 4, rng, hg::LastBatch::Drop);
    CHECK_THAT(error_of([&] { hg::load(saved(keep), drop); }),
               ContainsSubstring("minibatches.batches is 3, here it is 2"));
    const std::vector<hg::Index> order = keep.order().order();
    CHECK_THAT(error_of([&] { hg::load(with_header(saved(keep), "\"shape\":[10]", "\"shape\":[5,2]"), keep); }),
               ContainsSubstring("tensor minibatches.order has the shape [5, 2], expected one extent"));
    CHECK(keep.order().order() == order);
}

TEST_CASE("two of a kind need names") {
    auto a = model_of(1), b = model_of(2);
    CHECK_THAT(error_of([&] { saved(a, b); }),
               StartsWith("save: there are two of model: each object needs a name of its own, hg::named(…)"));
    const Bytes bytes = saved(hg::named("a", a), hg::named("b", b));
    auto c = model_of(3), d = model_of(4);
    hg::load(bytes, hg::named("b", d), hg::named("a", c));
    CHECK((c.parameters() == a.parameters() && d.parameters() == b.parameters()));
    CHECK(hg::io::TensorFile(bytes, "f").find("b.encoder.3.0.kernel") != nullptr);
    double t = 1;
    CHECK_THAT(error_of([&] { saved(hg::named("t", t), hg::named("t", t)); }),
               StartsWith("save: there are two tensors called t: each object needs a name of its own, hg::named(…)"));
    CHECK_THAT(error_of([&] { hg::load(bytes, hg::named("a", c), hg::named("a", d)); }),
               ContainsSubstring("is asked for twice: each object needs a name of its own, hg::named(…)"));
    hg::History history;
    history.add({{"loss", 1}, {"rate", 2}});
    CHECK(error_of([&] { hg::load(with_header(saved(history), "\\\"rate\\\"]", "\\\"loss\\\"]"), history); }) ==
          "load: memory: history: the column loss stands twice");
    CHECK(error_of([&] { hg::named("", t); }) == "named: the name is empty");
}

TEST_CASE("what does not fit is refused, and nothing is changed") {
    Run run(1), other(2);
    run.train(6), other.train(3);
    double t = 0.5, kept = 7;
    const Bytes good = saved(run.model, run.adam, hg::named("t", t));
    std::ostringstream before, after;
    const auto refused = [&](const Bytes& bytes, std::string_view message) {
        before.str(""), after.str("");
        hg::save(before, other.model, other.adam);
        CHECK_THAT(error_of([&] { hg::load(bytes, other.model, other.adam, hg::named("t", kept)); }),
                   ContainsSubstring(std::string{message}));
        hg::save(after, other.model, other.adam);
        CHECK(before.str() == after.str());
        CHECK(kept == 7);
    };
    refused(with_header(good, "encoder.2 LeakyReLU", "encoder.2 ELU"),
            "model: the file has \"encoder.2 ELU: 8 to 8, 0 parameters\", expected \"encoder.2 LeakyReLU: 8 to 8, 0 "
            "parameters\"");
    refused(with_header(good, "\"model\":", "\"modem\":"),
            "load: memory: it says nothing of model; it holds adam, modem");
    refused(with_header(good, "\"adam\":\"Adam\"", "\"adam\":\"AdamW\""),
            "adam: the file has \"AdamW\", expected \"Adam\"");
    refused(with_header(good, "\"decoder.0.bias\"", "\"decoder.7.bias\""),
            "there is no tensor decoder.0.bias; there are decoder.7.bias, encoder.0.bias");
    refused(with_header(good, "\"t\":{", "\"tt\":{"), "there is no tensor t; there are ");
    // Of another ending, but near: not the first in the file.
    CHECK(error_of([&] {
              hg::load(saved(run.model, hg::named("treshold", t)), other.model, hg::named("threshold", kept));
          }) == "load: memory: there is no tensor threshold; there are treshold");
    CHECK(error_of([&] {
              hg::load(saved(run.model, hg::named("limit", t)), other.model, hg::named("threshold", kept));
          }).starts_with("load: memory: there is no tensor threshold; there are decoder.0.bias, decoder.0.kernel, "));
    refused(with_header(good, "\"format\":\"hourglass 1\"", "\"format\":\"hourglass 2\""),
            "load: memory: it has the format hourglass 2, this version of the library reads hourglass 1");
    refused(with_header(good, "\"shape\":[3,12]", "\"shape\":[12,3]"),
            "tensor decoder.0.kernel has the shape [12, 3], expected [3, 12]");
    refused(with_header(good, "\"dtype\":\"F32\"", "\"dtype\":\"I32\""), "adam.moments is I32");
    refused(with_header(good, "encoder.4.rate\\\":0.5", "encoder.4.rate\\\":1.5"),
            "encoder.4: Dropout: the rate must be in [0, 1), got 1.5");
    refused(with_header(good, "encoder.4.rate\\\":0.5", "encoder.4.rate\\\":null"),
            "encoder.4.rate is null, expected a number");
    refused(with_header(good, "encoder.4.rate", "encoder.4.rats"), "there is no encoder.4.rate");
    refused(with_header(good, "{\\\"encoder.1.momentum", "{\\\"more\\\":1,\\\"encoder.1.momentum"),
            "more is not a hyperparameter");
    refused(with_header(good, "code.samples\\\":1", "code.samples\\\":1.5"),
            "code.samples is 1.5, expected an integer");
    refused(with_header(good, "beta_1\\\":0.9", "beta_1\\\":1.9"), "adam: Adam: beta_1 must be in [0, 1)");
    refused(with_header(good, "beta_1\\\":0.9", "beta_1\\\":1e999"), "expected a number");
    for (std::size_t length = 0; length < good.size(); length += 97)
        refused(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)), "load: memory: ");
    Bytes longer = good;
    longer.push_back(std::byte{0});
    refused(longer, "bytes of data");
    const auto with_nan = [&](std::string_view name) {
        Bytes bytes = good;
        const hg::io::TensorFile file(bytes, "f");
        const auto at = file.find(name)->bytes.data() - bytes.data();
        for (std::ptrdiff_t i = 0; i < 4; ++i) bytes[static_cast<std::size_t>(at + 4 + i)] = std::byte{0xff};
        return bytes;
    };
    refused(with_nan("encoder.0.kernel"), "tensor encoder.0.kernel: value 1 of 96 is nan");
    refused(with_nan("encoder.1.moving_variance"), "tensor encoder.1.moving_variance: value 1 of 8 is nan");
    refused(with_nan("adam.moments"), "adam: Adam::restore: moment m of parameter 1 must be finite");
    CHECK_THAT(error_of([&] { hg::load(with_header(saved(run.history), "[\\\"loss", "[{\\\"loss"), other.history); }),
               StartsWith("load: memory: history: expected \", at byte 1"));

    hg::load(good, other.model, other.adam, hg::named("t", kept));
    CHECK((kept == 0.5 && other.model.parameters() == run.model.parameters()));
    CHECK_THAT(error_of([&] { hg::load(good, other.model); }),
               ContainsSubstring("tensor adam.moments belongs to nothing that is to be loaded"));
    hg::load(good, other.model, hg::IgnoreOthers{});
}

TEST_CASE("layers of one name and size that compute otherwise are another architecture") {
    hg::Rng rng{1};
    const auto refused = [&](auto saved, auto loaded) {
        std::stringstream file;
        hg::save(file, hg::network(saved, rng));
        auto other = hg::network(loaded, rng);
        CHECK_THAT(error_of([&] { hg::load(file, other); }), ContainsSubstring("expected \""));
    };
    using hg::chain, hg::Shape;
    refused(chain<Shape{4}>(hg::GroupNormalization<2>{}), chain<Shape{4}>(hg::GroupNormalization<4>{}));
    refused(chain<Shape{4}>(hg::TopK<2>{}), chain<Shape{4}>(hg::TopK<3>{}));
    refused(chain<Shape{4}>(hg::BatchTopK<2>{}), chain<Shape{4}>(hg::BatchTopK<3>{}));
    refused(chain<Shape{4, 3, 3}>(hg::UpSampling2D<2>{}),
            chain<Shape{4, 3, 3}>(hg::UpSampling2D<2, hg::Interpolation::Bilinear>{}));
    constexpr hg::Padding same = hg::Padding::Same;
    refused(chain<Shape{4, 8}>(hg::Conv1D<4, 3, 1, same>{}), chain<Shape{4, 8}>(hg::Conv1D<4, 3, 1, same, 2>{}));
    refused(chain<Shape{4, 8}>(hg::MaxPooling1D<2>{}), chain<Shape{4, 8}>(hg::MaxPooling1D<3, 2, same>{}));
    refused(chain<Shape{4, 8}>(hg::ZeroPadding1D<2, 1>{}), chain<Shape{4, 8}>(hg::ZeroPadding1D<1, 2>{}));
}

TEST_CASE("a variance below zero is neither saved nor loaded, nor put back") {
    using Chain = hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::BatchNormalization>;
    hg::Rng rng{1};
    auto network = hg::network<Chain>(rng);
    auto wide = hg::network<Chain, double>(rng);
    network.state()[2] = -7;  // a mean
    network.state()[6] = 4;   // a variance
    const Bytes good = saved(network);
    Bytes bad = good;
    const hg::io::TensorFile file(good, "f");
    const std::byte* const variances = file.find("1.moving_variance")->bytes.data();
    const auto put = [&](float value) {
        std::memcpy(bad.data() + (variances - good.data()) + 2 * sizeof(float), &value, sizeof value);
    };
    const auto refused = [&](auto& model, auto&& argument, const std::string& message) {
        const auto parameters = model.parameters().eval();
        const auto state = model.state().eval();
        CHECK(error_of([&] { hg::load(bad, argument); }) == message);
        CHECK((model.parameters() == parameters && model.state() == state));
    };
    put(-1);
    auto other = hg::network<Chain>(rng);
    const std::string sentence = "load: memory: tensor 1.moving_variance: value 2 of 4 is ";
    refused(other, other, sentence + "-1, expected at least 0");
    refused(wide, hg::converting(wide), sentence + "-1, expected at least 0");
    put(std::numeric_limits<float>::quiet_NaN());
    refused(other, other, sentence + "nan");
    put(std::numeric_limits<float>::infinity());
    refused(other, other, sentence + "inf");
    put(-0.0f);
    hg::load(bad, other);
    CHECK(other.state()[6] == 0);

    network.state()[6] = -1;
    CHECK(error_of([&] { saved(network); }) ==
          "save: tensor 1.moving_variance: value 2 of 4 is -1, expected at least 0: nothing was written");
    // Early stopping keeps running values of a model that its file does not know.
    hg::EarlyStopping stopping;
    stopping.update(1, network);
    hg::EarlyStopping from_file;
    hg::load(saved(stopping), from_file);
    CHECK(error_of([&] { from_file.restore(other); }) ==
          "EarlyStopping::restore: value 2 of the best epoch's 1.moving_variance is -1, expected at least 0");
    CHECK(other.state()[6] == 0);
}

TEST_CASE("a message says once where it comes from") {
    Run run(1);
    run.train(6);
    hg::MinMaxScaler scaler;
    scaler.fit(run.x);
    const auto refused = [](const Bytes& good, std::string_view from, std::string_view to, auto&& object) {
        return error_of([&] { hg::load(with_header(good, from, to), object); });
    };
    const Bytes adam = saved(run.adam), stopping = saved(run.stopping), ranges = saved(scaler),
                batches = saved(run.batches), named = saved(hg::named("days", run.batches)), model = saved(run.model);
    CHECK(refused(adam, "beta_1", "beta_7", run.adam) == "load: memory: adam.hyperparameters: there is no beta_1");
    CHECK_THAT(refused(adam, "{\\\"learning", "[\\\"learning", run.adam),
               StartsWith("load: memory: adam.hyperparameters: expected {, at byte "));
    CHECK(refused(adam, "beta_1\\\":0.9", "beta_1\\\":9", run.adam) ==
          "load: memory: adam: Adam: beta_1 must be in [0, 1), got 9");
    CHECK(refused(stopping, "patience", "patients", run.stopping) ==
          "load: memory: early_stopping.hyperparameters: there is no patience");
    CHECK(refused(stopping, "patience\\\":4", "patience\\\":-4", run.stopping) ==
          "load: memory: early_stopping: EarlyStopping: the patience must be at least 0, got -4");
    CHECK(refused(ranges, "clip\\\":false", "clip\\\":2", scaler) ==
          "load: memory: min_max_scaler.hyperparameters: clip is 2, expected true or false");
    CHECK(refused(ranges, "high\\\":1", "high\\\":-1", scaler) ==
          "load: memory: min_max_scaler: MinMaxScaler: the range must be finite with low < high, got [0, -1]");
    hg::MinMaxScaler of_older{{.together = true, .missing = true}};  // a file that says nothing of these
    hg::load(with_header(ranges, ",\\\"together\\\":false,\\\"missing\\\":false", ""), of_older);
    CHECK((!of_older.options().together && !of_older.options().missing && of_older.min() == scaler.min()));
    CHECK(refused(ranges, ",\\\"missing", ",\\\"mussing", scaler) ==
          "load: memory: min_max_scaler.hyperparameters: mussing is not a hyperparameter of what is to be loaded");
    CHECK(refused(model, "4.rate\\\":0.5", "4.rate\\\":2", run.model) ==
          "load: memory: model.hyperparameters: encoder.4: Dropout: the rate must be in [0, 1), got 2");
    const auto with_next = [](const Bytes& file, const std::string& tensor) {
        Bytes bytes = file;
        const hg::io::TensorFile whole(bytes, "f");
        const auto at = static_cast<std::size_t>(whole.find(tensor)->bytes.data() - bytes.data());
        bytes[at] = std::byte{99};
        return bytes;
    };
    const std::string sentence = "minibatches: batch 99 cannot be the next one: there are 5";
    CHECK(error_of([&] { hg::load(with_next(batches, "minibatches.next"), run.batches); }) ==
          "load: memory: " + sentence);
    CHECK(error_of([&] { hg::load(with_next(named, "days.next"), hg::named("days", run.batches)); }) ==
          "load: memory: days: " + sentence);
    std::ifstream none;
    none.setstate(std::ios::failbit);
    CHECK(error_of([&] { hg::load(none, run.adam); }) == "load: the stream cannot be read; was the file opened?");
    std::istringstream shorter("x");
    CHECK_THAT(error_of([&] { hg::load(shorter, run.adam); }), StartsWith("load: the stream: the file has 1 bytes"));
}

TEST_CASE("a hyperparameter that its type cannot hold is refused") {
    hg::Rng rng{1};
    auto network = hg::network<hg::Chain<hg::Shape{2}, Shift>>(rng);
    const Bytes good = saved(network);
    hg::load(good, network);
    const auto refused = [&](std::string_view from, std::string_view to, const std::string& message) {
        CHECK(error_of([&] { hg::load(with_header(good, from, to), network); }) ==
              "load: memory: network.hyperparameters: " + message);
        CHECK(saved(network) == good);
    };
    refused("steps\\\":3", "steps\\\":128", "0.steps is 128, which its type cannot hold");
    refused("steps\\\":3", "steps\\\":-129", "0.steps is -129, which its type cannot hold");
    refused("period\\\":7", "period\\\":-1", "0.period is -1, which its type cannot hold");
    refused("by\\\":0.5", "by\\\":1e39", "0.by is 1e+39, which its type cannot hold");
}

TEST_CASE("integers come back, however large, and numbers are JSON's") {
    for (const hg::Index patience : {hg::Index{0}, (hg::Index{1} << 53) + 1, std::numeric_limits<hg::Index>::max()}) {
        const hg::EarlyStopping forever({.patience = patience});
        hg::EarlyStopping read;
        hg::load(saved(forever), read);
        CHECK(read.options().patience == patience);
    }
    const Bytes good = saved(hg::EarlyStopping({.patience = 4}));
    hg::EarlyStopping stopping;
    hg::load(with_header(good, "patience\\\":4", "patience\\\":1.2e1"), stopping);  // from a file made elsewhere
    CHECK(stopping.options().patience == 12);
    for (const char* const text : {"04", ".4e1", "4.", "4.e1", "+4", "-04", "0x4", "inf"})
        CHECK_THAT(error_of([&] {
                       hg::load(with_header(good, "patience\\\":4", std::string("patience\\\":") + text), stopping);
                   }),
                   StartsWith("load: memory: early_stopping.hyperparameters: expected"));
    CHECK(stopping.options().patience == 12);
}

TEST_CASE("statistics from another program may be in another floating-point type") {
    const Eigen::Vector2f mean(1, 2), scale(0.5, 4);
    hg::io::Contents contents;
    contents.describe("standard_scaler", "StandardScaler");
    contents.describe("format", "hourglass 1");
    contents.add("standard_scaler.mean", {2}, mean.data(), hg::io::Use::Record);
    contents.add("standard_scaler.scale", {2}, scale.data(), hg::io::Use::Record);
    hg::StandardScaler scaler{{.missing = true}};
    hg::load(bytes_of(contents), scaler);
    CHECK(!scaler.options().missing);  // of which that file says nothing
    CHECK((scaler.mean() == mean.cast<double>() && scaler.scale() == scale.cast<double>()));
}

TEST_CASE("another scalar type is converted where that is asked for") {
    using Same = hg::Chain<hg::Shape{6}, hg::Dense<4>, hg::BatchNormalization>;
    hg::Rng rng{1};
    auto in_float = hg::network<Same>(rng);
    auto in_double = hg::network<Same, double>(rng);
    const Bytes of_float = saved(in_float), of_double = saved(in_double);
    CHECK_THAT(error_of([&] { hg::load(of_float, in_double); }),
               ContainsSubstring("is of type F32, expected F64; hg::converting(…) takes it"));
    hg::load(of_float, hg::converting(in_double));
    CHECK(Eigen::VectorXf(in_double.parameters().cast<float>()) == in_float.parameters());
    in_float.parameters().setZero();
    hg::load(of_double, hg::converting(in_float));
    const hg::io::TensorFile file(of_double, "f");
    CHECK(in_float.parameters()[0] == static_cast<float>(file.find("0.kernel")->at<double>(0)));
    in_double.parameters()[2] = 1e300;
    const Eigen::VectorXf before = in_float.parameters();
    CHECK_THAT(error_of([&] { hg::load(saved(in_double), hg::converting(in_float)); }),
               ContainsSubstring("tensor 0.kernel: value 2 of 24 is inf"));
    CHECK(before == in_float.parameters());

    // To the nearest: a denormal number or 0, and no infinity, be it by rounding alone.
    in_double.parameters().setZero();
    in_double.parameters()[2] = 1e-40;
    in_double.parameters()[3] = -1e-60;
    in_double.parameters()[4] = 0.1;
    hg::load(saved(in_double), hg::converting(in_float));
    CHECK(in_float.parameters()[2] == 1e-40f);
    CHECK((in_float.parameters()[3] == 0 && std::signbit(in_float.parameters()[3])));
    CHECK(in_float.parameters()[4] == 0.1f);
    const double largest{std::numeric_limits<float>::max()};
    float number = 7;
    Eigen::VectorXf vector = Eigen::VectorXf::Ones(2);
    for (const double wide : {largest * (1 + 0x1p-24), 1e300}) {
        CHECK_THAT(error_of([&] { hg::load(saved(hg::named("n", wide)), hg::converting(hg::named("n", number))); }),
                   StartsWith("load: memory: tensor n: value 0 of 1 is inf"));
        const Eigen::Vector2d values(1, -wide);
        CHECK_THAT(error_of([&] { hg::load(saved(hg::named("v", values)), hg::converting(hg::named("v", vector))); }),
                   StartsWith("load: memory: tensor v: value 1 of 2 is -inf"));
    }
    CHECK((number == 7 && vector == Eigen::VectorXf::Ones(2)));
    hg::load(saved(hg::named("n", largest * (1 + 0x1p-26))), hg::converting(hg::named("n", number)));
    CHECK(number == std::numeric_limits<float>::max());

    // Half precision, all of whose numbers have a known value.
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        const int exponent = half >> 10 & 31, fraction = half & 1023;
        const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
        if (exponent < 31 && static_cast<double>(hg::io::from_half(half)) != (half >> 15 ? -magnitude : magnitude))
            FAIL(bits);
        if (exponent == 31 && hg::is_finite(hg::io::from_half(half))) FAIL(bits);
    }
    CHECK(hg::io::from_bfloat(0x3fc0) == 1.5f);
}

TEST_CASE("what cannot be loaded is not saved, and denormal parameters become zero") {
    const Folder folder("files");
    const std::string path = folder / "a.safetensors";
    auto model = model_of(1);
    hg::save(path, model);
    const std::string old = text_of(path);
    model.parameters()[0] = std::numeric_limits<float>::infinity();
    CHECK_THAT(error_of([&] { hg::save(path, model); }),
               StartsWith("save: tensor encoder.0.kernel: value 0 of 96 is inf"));
    hg::StandardScaler scaler;
    auto wild = model_of(1);
    wild.term<hg::GaussianLatent>().beta = -1;
    CHECK_THAT(error_of([&] { hg::save(path, wild); }), ContainsSubstring("code: GaussianLatent: beta must be"));
    CHECK_THAT(error_of([&] { hg::save(path, scaler); }), StartsWith("save: standard_scaler is not fitted"));
    CHECK_THAT(error_of([&] { hg::save(path, hg::named("t", std::numeric_limits<double>::quiet_NaN())); }),
               StartsWith("save: t is nan"));
    CHECK_THAT(error_of([&] { hg::save(path, hg::named("\xff", 1.0)); }),
               ContainsSubstring("a string that is not UTF-8"));
    CHECK_THAT(error_of([&] { hg::save(path, hg::named("__metadata__", 1.0)); }),
               StartsWith("save: no tensor may be called __metadata__"));
    hg::History history;
    history.add({{"\xe9poque", 1}});
    CHECK_THAT(error_of([&] { hg::save(path, history); }), ContainsSubstring("a string that is not UTF-8"));
    const auto moved = std::move(model);
    CHECK_THAT(error_of([&] { hg::save(path, model); }),
               ContainsSubstring("moved from"));  // NOLINT(bugprone-use-after-move)
    CHECK(text_of(path) == old);

    auto small = model_of(1), read = model_of(2);
    small.parameters()[0] = 1e-40f, small.parameters()[1] = -1e-40f,
    small.parameters()[2] = std::numeric_limits<float>::min();
    hg::save(path, small);
    hg::load(path, read);
    CHECK(read.parameters()[0] == 0);
    CHECK((read.parameters()[1] == 0 && std::signbit(read.parameters()[1])));
    CHECK(read.parameters()[2] == std::numeric_limits<float>::min());
}

TEST_CASE("places that are no files are refused, links are followed, modes stay") {
    namespace fs = std::filesystem;
    const Folder folder("files");
    const auto model = model_of(1);
    CHECK_THAT(error_of([&] { hg::save(folder / "none/a", model); }),
               ContainsSubstring("none/a.partial cannot be written: No such file"));
    CHECK_THAT(error_of([&] { hg::save(folder.path.string(), model); }), ContainsSubstring("is no ordinary file"));
    CHECK_THAT(error_of([&] { hg::save("/dev/null", model); }), ContainsSubstring("is no ordinary file"));
    CHECK_THAT(error_of([&] {
                   auto other = model_of(2);
                   hg::load(folder / "none", other);
               }),
               ContainsSubstring("none cannot be opened"));
    CHECK_THAT(error_of([&] {
                   auto other = model_of(2);
                   hg::load(folder.path.string(), other);
               }),
               ContainsSubstring("is no ordinary file"));
    CHECK(error_of([&] {
              auto other = model_of(2);
              hg::load("/dev/zero", other);
          }) == "load: /dev/zero is no ordinary file");
    std::ifstream of_a_folder(folder.path);
    CHECK_THAT(error_of([&] {
                   auto other = model_of(2);
                   hg::load(of_a_folder, other);
               }),
               ContainsSubstring("the stream failed while it was read"));
    hg::save(folder / "a", model);
    fs::permissions(folder / "a", fs::perms::owner_read | fs::perms::owner_write);
    fs::create_symlink(folder / "not there", folder / "astray");
    CHECK_THAT(error_of([&] { hg::save(folder / "astray", model); }),
               ContainsSubstring("is a link to what is not there"));
    const std::string kept = text_of(folder / "a");
    fs::create_symlink(folder / "a", folder / "c.partial");  // what is not ours is not written through
    CHECK_THAT(error_of([&] { hg::save(folder / "c", model, hg::named("t", 1.0)); }),
               ContainsSubstring("c.partial cannot be written"));
    fs::create_hard_link(folder / "a", folder / "d.partial");
    CHECK_THAT(error_of([&] { hg::save(folder / "d", model, hg::named("t", 1.0)); }),
               ContainsSubstring("is no file of its own"));
    CHECK((text_of(folder / "a") == kept && fs::exists(folder / "d.partial")));
    fs::remove(folder / "d.partial");
    double t = 0;
    CHECK_THAT(error_of([&] { hg::save((folder / "e") + std::string("\0x", 2), model); }),
               ContainsSubstring("holds a zero byte"));
    CHECK_THAT(
        error_of([&] { hg::load((folder / "a") + std::string("\0x", 2), hg::named("t", t), hg::IgnoreOthers{}); }),
        StartsWith("load: the path ") && ContainsSubstring("holds a zero byte"));
    fs::create_symlink(folder / "a", folder / "link");
    hg::save(folder / "link", model, hg::named("t", 1.0));
    CHECK(fs::is_symlink(folder / "link"));
    CHECK(fs::status(folder / "a").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    hg::load(folder / "a", hg::named("t", t), hg::IgnoreOthers{});
    CHECK(t == 1);
    CHECK_FALSE(fs::exists(folder / "a.partial"));
    // A file that nobody may write is replaced all the same; what a writer leaves behind who is killed, can be written.
    constexpr fs::perms read_only = fs::perms::owner_read | fs::perms::others_read;
    fs::permissions(folder / "a", read_only);
    if (const pid_t child = ::fork(); child == 0) {
        hg::io::DurableFile file("save", folder / "a");
        ::_exit(0);
    } else {
        ::waitpid(child, nullptr, 0);
    }
    CHECK(fs::status(folder / "a.partial").permissions() == (read_only | fs::perms::owner_write));
    hg::save(folder / "a", model);
    CHECK(fs::status(folder / "a").permissions() == read_only);
    CHECK_FALSE(fs::exists(folder / "a.partial"));
    std::ofstream(folder / "b.partial") << std::string(100'000, 'x');  // what a program that was killed has left behind
    hg::save(folder / "b", model);
    CHECK(fs::file_size(folder / "b") == saved(model).size());
    std::ofstream broken;
    CHECK(error_of([&] { hg::save(broken, model); }) == "save: writing to the stream failed");
    std::ofstream full("/dev/full");
    full.exceptions(std::ios::badbit | std::ios::failbit);  // which it throws as something else
    CHECK(error_of([&] { hg::save(full, model); }) == "save: writing to the stream failed");
    CHECK_THAT(error_of([&] { hg::save(folder / "a/b", model); }), ContainsSubstring("a/b: Not a directory"));
}
