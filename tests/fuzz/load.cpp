// hg::load of everything a run consists of. When it refuses a file nothing has changed; what it has loaded can be
// saved, loaded again as the same, and trained on.
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>

#include "../support/safetensors_bytes.hpp"
#include "target.hpp"

namespace hg = hourglass;

const bool prefixes_may_be_valid = false;

namespace {

using Encoder = hg::Chain<hg::Shape{3}, hg::Dense<2>, hg::BatchNormalization, hg::Dense<2>>;
using Decoder = hg::Chain<hg::Shape{1}, hg::Dense<3>>;

auto model_of(std::uint64_t seed) {
    hg::Rng rng{seed};
    return hg::autoencoder<Encoder, Decoder>(rng, hg::GaussianLikelihood{}, hg::GaussianLatent{});
}
auto double_model() {
    hg::Rng rng{1};
    return hg::autoencoder<Encoder, Decoder, double>(rng, hg::GaussianLikelihood{}, hg::GaussianLatent{});
}

const Eigen::MatrixXf& data() {
    static const Eigen::MatrixXf x = (Eigen::MatrixXf(3, 4) << 1, 2, 3, 5, 0, 1, 0, 2, 9, 8, 7, 5).finished();
    return x;
}

struct Run {
    explicit Run(std::uint64_t seed) : rng(seed), model(model_of(seed)), batches(hg::minibatches(data(), 2, rng)) {
        standard.fit(data());
        span.fit(data());
    }

    void step() {
        auto tape = model.tape();
        model.gradient(data(), tape, rng);
        adam.step(model, tape);
        batches.shuffle(rng);
        const float loss = model.loss(data(), tape);
        history.add({{"loss", loss}});
        stopping.update(loss, model);
    }

    void save(Bytes& bytes) const {
        hg::save(bytes, model, standard, span, adam, rng, batches, stopping, history, hg::named("t", t),
                 hg::named("on", on), hg::named("n", n), hg::named("m", m));
    }
    Bytes saved() const {
        Bytes bytes;
        save(bytes);
        return bytes;
    }
    bool load(std::span<const std::byte> file) {
        try {
            hg::load(file, model, standard, span, adam, rng, batches, stopping, history, hg::named("t", t),
                     hg::named("on", on), hg::named("n", n), hg::converting(hg::named("m", m)));
            return true;
        } catch (const hg::Error& error) {
            HOURGLASS_REQUIRE(std::string_view{error.what()}.starts_with("load: memory: "));
            return false;
        }
    }

    hg::Rng rng;
    decltype(model_of(1)) model;
    hg::Minibatches<float> batches;
    hg::Adam adam;
    hg::StandardScaler<float> standard;
    hg::MinMaxScaler<float> span;
    hg::EarlyStopping stopping{{.patience = 2}};
    hg::History history;
    double t = 0.5;
    bool on = true;
    std::int32_t n = 3;
    Eigen::MatrixXf m = Eigen::MatrixXf::Constant(2, 1, 0.25f);
};

// Whatever a loaded run does, an Error is all that may come of it.
void use(Run& run) {
    try {
        run.step();
        run.stopping.restore(run.model);
        run.standard.transform(data());
        run.span.transform(data());
        for (const auto& batch : run.batches.rest()) run.model.encode(batch);
    } catch (const hg::Error&) {
        return;
    }
}

}  // namespace

bool accepts(std::string_view words) {
    static Run run(1), again(2);
    static const Bytes before = run.saved();
    static auto other = double_model();
    static const auto untouched = double_model();
    const auto file = std::as_bytes(std::span{words});

    try {
        hg::load(file, hg::converting(other), hg::IgnoreOthers{});
        HOURGLASS_REQUIRE(other.parameters().allFinite() && other.state().allFinite());
        other = untouched;
    } catch (const hg::Error&) {
        HOURGLASS_REQUIRE(other.parameters() == untouched.parameters() && other.state() == untouched.state());
    }

    const bool taken = run.load(file);
    static Bytes after;
    run.save(after);
    if (!taken) {
        HOURGLASS_REQUIRE(after == before);
        return false;
    }
    HOURGLASS_REQUIRE(again.load(after));
    HOURGLASS_REQUIRE(again.saved() == after);
    use(run);
    use(again);
    run = Run(1);
    again = Run(2);
    return true;
}

static std::string as_text(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::vector<std::string> valid_files() {
    Run run(3);
    run.step();
    return {as_text(run.saved())};
}

std::vector<std::string> malformed_files() {
    Run run(3);
    std::vector<std::string> files{as_text(with_header(run.saved(), "\"history\":\"[]\"", "\"history\":\"[1]\""))};
    run.step();
    const Bytes good = run.saved();
    for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string_view>>{
             {"0 Dense", "0 Danse"},
             {"\"model\":", "\"modem\":"},
             {"\"adam\":\"Adam\"", "\"adam\":\"AdamW\""},
             {"\"adam.steps\"", "\"adam.stips\""},
             {"\"shape\":[3,2]", "\"shape\":[2,3]"},
             {"\"dtype\":\"F32\"", "\"dtype\":\"I32\""},
             {"{\\\"encoder.1.momentum\\\":0.99", "{\\\"encoder.1.momentum\\\":1.99"},
             {"{\\\"encoder.1.momentum", "{\\\"more\\\":1,\\\"encoder.1.momentum"},
             {"{\\\"encoder.1.momentum", "{\\\"encoder.1.epsilon\\\":1,\\\"encoder.1.momentum"},
             {"{\\\"encoder.1.momentum\\\":", "{\\\"encoder.1.momentum\\\":[[[["},
             {"code.samples\\\":1", "code.samples\\\":1.5"},
             {"code.beta\\\":1", "code.beta\\\":1e999"},
             {"beta_1\\\":0.9", "beta_1\\\":null"},
             {"clip\\\":false", "clip\\\":2"},
             {"patience\\\":2", "patience\\\":-2"},
             {"[\\\"loss\\\"]", "[\\\"loss\\\""},
             {"[\\\"loss\\\"]", "[\\\"loss\\\"]x"},
             {"[\\\"loss\\\"]", "[\\\"lost\\\"]"},
             {"[\\\"loss\\\"]", "[\\\"loss\\\",\\\"loss\\\"]"},
             {"[\\\"loss\\\"]", "[[[[[["},
             {"\"StandardScaler\"", "\"MinMaxScaler\""},
             {"\"t\":", "\"u\":"},
             {"\"on\":{\"dtype\":\"BOOL\"", "\"on\":{\"dtype\":\"U8\""},
             {"\"m\":{\"dtype\":\"F32\",\"shape\":[1,2]", "\"m\":{\"dtype\":\"F32\",\"shape\":[2]"},
         }) {
        files.push_back(as_text(with_header(good, from, to)));
        HOURGLASS_REQUIRE(files.back() != as_text(good));  // the test holds the words that it breaks
    }
    // One value of a tensor is another.
    const hg::io::TensorFile file(good, "f");
    const auto with_value = [&](std::string_view name, auto value) {
        Bytes bytes = good;
        std::memcpy(bytes.data() + (file.find(name)->bytes.data() - good.data()), &value, sizeof value);
        files.push_back(as_text(bytes));
    };
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    with_value("decoder.0.kernel", std::numeric_limits<float>::infinity());
    with_value("adam.moments", std::numeric_limits<float>::quiet_NaN());
    with_value("adam.steps", std::int64_t{-1});
    with_value("adam.steps", std::numeric_limits<std::int64_t>::max());
    with_value("early_stopping.epochs", std::int64_t{0});
    with_value("early_stopping.epochs", std::numeric_limits<std::int64_t>::max());
    with_value("early_stopping.best", nan);
    with_value("early_stopping.best_parameters", nan);
    with_value("minibatches.next", std::int64_t{3});
    with_value("minibatches.order", std::int64_t{4});
    with_value("minibatches.samples", std::int64_t{5});
    with_value("standard_scaler.scale", 0.0);
    with_value("min_max_scaler.range", nan);
    with_value("on", std::uint8_t{2});
    with_value("t", nan);
    return files;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    accepts({reinterpret_cast<const char*>(data), size});
    return 0;
}
