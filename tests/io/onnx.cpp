// ONNX graphs: the bytes are well-formed messages of the fields that ONNX names, every input of a node is there before
// it, and what would not load is refused. That graphs compute what models compute is tests/onnx.

#include <Eigen/Core>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/onnx.hpp>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/files.hpp"

namespace hg = hourglass;

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

/// A message taken apart: by field, the numbers and the runs of bytes that it holds, in order.
struct Message {
    std::map<unsigned, std::vector<std::uint64_t>> numbers;
    std::map<unsigned, std::vector<std::string_view>> texts;

    explicit Message(std::string_view bytes) {
        while (!bytes.empty()) {
            const std::uint64_t tag = varint(bytes);
            const auto field = static_cast<unsigned>(tag >> 3);
            if (field == 0) throw std::runtime_error("a field number 0");
            switch (tag & 7) {
                case 0:
                    numbers[field].push_back(varint(bytes));
                    break;
                case 2: {
                    const auto length = static_cast<std::size_t>(varint(bytes));
                    texts[field].push_back(take(bytes, length));
                    break;
                }
                case 5: {
                    std::uint32_t bits = 0;
                    std::memcpy(&bits, take(bytes, 4).data(), 4);
                    numbers[field].push_back(bits);
                    break;
                }
                default:
                    throw std::runtime_error("a wire type that ONNX has no use for");
            }
        }
    }
    std::uint64_t number(unsigned field) const { return numbers.at(field).at(0); }
    std::string text(unsigned field) const { return std::string{texts.at(field).at(0)}; }
    std::vector<std::string> all_text(unsigned field) const {
        const auto found = texts.find(field);
        if (found == texts.end()) return {};
        return {found->second.begin(), found->second.end()};
    }
    std::vector<Message> messages(unsigned field) const {
        std::vector<Message> all;
        for (const std::string& bytes : all_text(field)) {
            kept().push_back(std::make_unique<std::string>(bytes));
            all.emplace_back(*kept().back());
        }
        return all;
    }

  private:
    static std::string_view take(std::string_view& bytes, std::size_t count) {
        if (count > bytes.size()) throw std::runtime_error("a message ends early");
        const std::string_view taken = bytes.substr(0, count);
        bytes.remove_prefix(count);
        return taken;
    }
    static std::uint64_t varint(std::string_view& bytes) {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 70; shift += 7) {
            const auto byte = static_cast<unsigned char>(take(bytes, 1)[0]);
            value |= std::uint64_t{byte & 0x7fu} << shift;
            if (byte < 0x80) return value;
        }
        throw std::runtime_error("an integer of more than ten bytes");
    }
    // What messages inside messages are views of.
    static std::vector<std::unique_ptr<std::string>>& kept() {
        static std::vector<std::unique_ptr<std::string>> all;
        return all;
    }
};

/// "x [n, 8, 2]" of a ValueInfoProto.
std::string shown(const Message& value, std::uint64_t element) {
    const Message tensor = value.messages(2).at(0).messages(1).at(0);
    CHECK(tensor.number(1) == element);
    std::string extents;
    for (const Message& dimension : tensor.messages(2).at(0).messages(1))
        (extents += extents.empty() ? "" : ", ") +=
            dimension.texts.count(2) ? dimension.text(2) : std::to_string(dimension.number(1));
    return value.text(1) + " [" + extents + "]";
}

struct Graph {
    std::string face;                               // "x [n, 784] -> code [n, 32]"
    std::vector<std::string> operators;             // in order
    std::map<std::string, std::string> arrays;      // "[784, 32]" by name
    std::map<std::string, std::string> bytes;       // of them
    std::map<std::string, std::string> attributes;  // "3, 2" by name, those of the last node that has it
};

/// Reads a file, and looks at what holds for every one.
Graph read(const std::string& file, std::uint64_t element = 1) {
    const Message model(file);
    CHECK(model.number(1) == 8);
    CHECK(model.text(2) == "hourglass");
    const Message operators = model.messages(8).at(0);
    CHECK(operators.text(1).empty());
    CHECK(operators.number(2) == 17);
    const Message graph = model.messages(7).at(0);
    Graph found;
    std::set<std::string> known;
    for (const Message& input : graph.messages(11)) {
        (found.face += found.face.empty() ? "" : ", ") += shown(input, element);
        CHECK(known.insert(input.text(1)).second);
    }
    for (const Message& array : graph.messages(5)) {
        std::string extents;
        std::uint64_t size = 1;
        if (array.numbers.count(1))
            for (const std::uint64_t extent : array.numbers.at(1)) {
                (extents += extents.empty() ? "" : ", ") += std::to_string(extent);
                size *= extent;
            }
        const std::uint64_t type = array.number(2);
        CHECK((type == element || type == 7));
        CHECK(array.text(9).size() == size * (type == 1 ? 4 : 8));
        CHECK(known.insert(array.text(8)).second);
        found.arrays[array.text(8)] = "[" + extents + "]";
        found.bytes[array.text(8)] = array.text(9);
    }
    std::set<std::string> names;
    for (const Message& node : graph.messages(1)) {
        for (const std::string& input : node.all_text(1)) CHECK((input.empty() || known.count(input) == 1));
        for (const std::string& output : node.all_text(2)) CHECK(known.insert(output).second);
        CHECK(names.insert(node.text(3)).second);
        found.operators.push_back(node.text(4));
        for (const Message& attribute : node.messages(5)) {
            const std::uint64_t kind = attribute.number(20);
            if (kind == 3) {
                CHECK(attribute.texts.size() == 2);
                found.attributes[attribute.text(1)] = attribute.text(4);
                continue;
            }
            CHECK(attribute.numbers.count(kind == 1 ? 2 : kind == 2 ? 3 : 8) == 1);
            CHECK(attribute.numbers.size() == 2);
            if (kind == 1) continue;
            std::string& values = found.attributes[attribute.text(1)] = "";
            for (const std::uint64_t value : attribute.numbers.at(kind == 2 ? 3 : 8))
                (values += values.empty() ? "" : ", ") += std::to_string(value);
        }
    }
    const auto outputs = graph.messages(12);
    CHECK(outputs.size() == 1);
    CHECK(known.count(outputs.at(0).text(1)) == 1);
    found.face += " -> " + shown(outputs.at(0), element);
    return found;
}

template <class... Arguments>
std::string exported(const Arguments&... arguments) {
    std::ostringstream out;
    hg::export_onnx(out, arguments...);
    return out.str();
}

/// y = w₀ x, with a node of its own: one that wants an array of another name than it has, where it is told to.
struct Scale {
    std::string_view wants = "weights";
    hg::io::TensorShape extents{1};

    static constexpr std::string_view name = "Scale";
    static constexpr hg::Shape output(hg::Shape in) { return in; }
    static constexpr hg::Index parameters(hg::Shape) { return 1; }
    template <hg::Shape In, class T>
    void forward(std::span<const T, 1> w, hg::ConstView<T> x, hg::View<T> y) const {
        y = w[0] * x;
    }
    template <hg::Shape In, class T>
    void backward(std::span<const T, 1>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>, hg::View<T>) const {}
    template <hg::Shape In, class T>
    void gradient(std::span<const T, 1>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>, std::span<T, 1>) const {}
    template <class Nodes>
    std::string onnx(Nodes& nodes, const std::string& x) const {
        return nodes.node("Mul", {x, nodes.array(wants, extents)});
    }
};

using Operators = std::vector<std::string>;
using Encoder = hg::Chain<hg::Shape{12}, hg::Dense<8>, hg::BatchNormalization, hg::Dropout, hg::Dense<3>>;
using Series = hg::Chain<hg::Shape{2, 8}, hg::Conv1D<4, 3, 2, hg::Padding::Same>, hg::ReLU>;

}  // namespace

TEST_CASE("a network is a graph of its layers in evaluation") {
    hg::Rng rng{1};
    auto network = hg::network<Encoder>(rng);
    const Graph graph = read(exported(network));
    CHECK(graph.face == "x [n, 12] -> y [n, 3]");
    CHECK(graph.operators == Operators{"MatMul", "Add", "BatchNormalization", "MatMul", "Add"});
    CHECK(graph.arrays == std::map<std::string, std::string>{{"0.kernel", "[12, 8]"},
                                                             {"0.bias", "[8]"},
                                                             {"1.gamma", "[8]"},
                                                             {"1.beta", "[8]"},
                                                             {"1.moving_mean", "[8]"},
                                                             {"1.moving_variance", "[8]"},
                                                             {"3.kernel", "[8, 3]"},
                                                             {"3.bias", "[3]"}});
    network.each_weight([&](std::string_view name, std::span<const hg::Index>, const auto& values) {
        const std::string& bytes = graph.bytes.at(std::string{name});
        CHECK(std::memcmp(bytes.data(), values.data(), bytes.size()) == 0);
    });
    CHECK(exported(network) == exported(network));
}

TEST_CASE("the parts of a model have names of their own") {
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Series, hg::Mirror<Series>>(rng, hg::MeanSquaredError{});
    CHECK(read(exported(model)).face == "x [n, 8, 2] -> reconstruction [n, 8, 2]");
    CHECK(exported(model) == exported(model, hg::OnnxPart::Reconstruction));
    const Graph encoder = read(exported(model, hg::OnnxPart::Encoder));
    CHECK(encoder.face == "x [n, 8, 2] -> code [n, 4, 4]");
    CHECK(encoder.operators == Operators{"Transpose", "Conv", "Transpose", "Relu"});
    CHECK(encoder.arrays.at("encoder.0.kernel") == "[4, 2, 3]");
    const Graph decoder = read(exported(model, hg::OnnxPart::Decoder));
    CHECK(decoder.face == "code [n, 4, 4] -> reconstruction [n, 8, 2]");
    CHECK(decoder.arrays.count("encoder.0.kernel") == 0);
    CHECK_THAT(error_of([&] { exported(model, static_cast<hg::OnnxPart>(9)); }),
               ContainsSubstring("export_onnx: there is no part number 9"));
}

TEST_CASE("shared weights stand once, and with the part that shares them") {
    hg::Rng rng{1};
    const auto dense = hg::autoencoder<Encoder, hg::Tied<Encoder>>(rng, hg::MeanSquaredError{});
    CHECK(read(exported(dense)).arrays.count("decoder.0.kernel") == 0);
    const Graph decoder = read(exported(dense, hg::OnnxPart::Decoder));
    CHECK(decoder.arrays.at("encoder.3.kernel") == "[8, 3]");
    CHECK(decoder.arrays.at("decoder.0.bias") == "[8]");
    CHECK(decoder.arrays.count("encoder.3.bias") == 0);
    const auto series = hg::autoencoder<Series, hg::Tied<Series>>(rng, hg::MeanSquaredError{});
    CHECK(read(exported(series)).arrays.size() == 3);  // one kernel, two biases
    CHECK(read(exported(series, hg::OnnxPart::Decoder)).arrays.at("encoder.0.kernel") == "[4, 2, 3]");
}

TEST_CASE("a condition is an input where it is read") {
    hg::Rng rng{1};
    using Plain = hg::Chain<hg::Shape{6}, hg::Dense<8>>;
    using Decoder = hg::Chain<hg::Shape{2, 2}, hg::Condition<3>, hg::Flatten, hg::Condition<3>, hg::Dense<6>>;
    using Halves = hg::Chain<hg::Shape{6}, hg::Dense<8>, hg::Reshape<4, 2>>;
    const auto model = hg::autoencoder<Halves, Decoder>(rng, hg::GaussianLikelihood{}, hg::GaussianLatent{});
    CHECK(read(exported(model)).face == "x [n, 6], condition [n, 3] -> reconstruction [n, 6]");
    CHECK(read(exported(model, hg::OnnxPart::Encoder)).face == "x [n, 6] -> code [n, 2, 2]");
    CHECK(read(exported(model, hg::OnnxPart::Decoder)).face ==
          "code [n, 2, 2], condition [n, 3] -> reconstruction [n, 6]");
    CHECK(read(exported(hg::network<Plain>(rng))).face == "x [n, 6] -> y [n, 8]");
}

TEST_CASE("values are of the network's type, and one that changes nothing is a graph too") {
    hg::Rng rng{1};
    const Graph graph = read(exported(hg::network<Encoder, double>(rng)), 11);
    CHECK(graph.bytes.at("0.bias").size() == 64);
    CHECK(read(exported(hg::network<hg::Chain<hg::Shape{3, 4, 5}, hg::Dropout>>(rng))).face ==
          "x [n, 4, 5, 3] -> y [n, 4, 5, 3]");
    CHECK(read(exported(hg::network<hg::Chain<hg::Shape{3}, hg::Dropout>>(rng))).operators == Operators{"Identity"});
}

TEST_CASE("a layer may bring nodes of its own, of arrays that it has") {
    hg::Rng rng{1};
    auto network = hg::network(hg::chain<hg::Shape{3}>(hg::Dense<2>{}, Scale{}), rng);
    const Graph graph = read(exported(network));
    CHECK(graph.operators == Operators{"MatMul", "Add", "Mul"});
    CHECK(graph.arrays.at("1.weights") == "[1]");
    CHECK(error_of([&] { exported(hg::network(hg::chain<hg::Shape{3}>(Scale{"factor"}), rng)); }) ==
          "export_onnx: layer 0 has no array factor: nothing was written");
    CHECK(error_of([&] {
              exported(hg::network(hg::chain<hg::Shape{3}>(Scale{"weights", {5}}), rng));
          }) == "export_onnx: 0.weights has 1 values, expected [5] of them: nothing was written");
}

TEST_CASE("a code's thresholds are compared with it") {
    hg::Rng rng{1};
    using Short = hg::Chain<hg::Shape{6}, hg::Dense<4>>;
    auto shared = hg::autoencoder<Short, hg::Mirror<Short>>(rng, hg::MeanSquaredError{}, hg::BatchTopK<2>{});
    CHECK(read(exported(shared, hg::OnnxPart::Encoder)).operators ==
          Operators{"MatMul", "Add", "TopK", "Shape", "Expand", "ScatterElements"});
    shared.term<hg::BatchTopK<2>>().threshold = 0.25;
    const Graph estimated = read(exported(shared, hg::OnnxPart::Encoder));
    CHECK(estimated.operators == Operators{"MatMul", "Add", "Greater", "Cast", "Mul"});
    const float threshold = 0.25f;
    CHECK(estimated.bytes.at("code/constant") == std::string(reinterpret_cast<const char*>(&threshold), sizeof(float)));
    const auto learned = hg::autoencoder<Short, hg::Mirror<Short>>(rng, hg::MeanSquaredError{}, hg::JumpReLU{0.1});
    const Graph jumping = read(exported(learned, hg::OnnxPart::Encoder));
    CHECK(jumping.operators == Operators{"MatMul", "Add", "Exp", "Greater", "Cast", "Mul"});
    CHECK(jumping.arrays.at("code.log_threshold") == "[4]");
}

TEST_CASE("channels stand first where an operator wants them there, of series and of pictures") {
    hg::Rng rng{1};
    const auto normalised = [&]<class Chain>(std::type_identity<Chain>) {
        return read(exported(hg::network<Chain>(rng))).operators;
    };
    using hg::BatchNormalization, hg::Chain, hg::Shape;
    CHECK(normalised(std::type_identity<Chain<Shape{3}, BatchNormalization>>{}) == Operators{"BatchNormalization"});
    const Operators turned{"Transpose", "BatchNormalization", "Transpose"};
    CHECK(normalised(std::type_identity<Chain<Shape{3, 4}, BatchNormalization>>{}) == turned);
    CHECK(normalised(std::type_identity<Chain<Shape{3, 4, 5}, BatchNormalization>>{}) == turned);
}

TEST_CASE("rows come before columns, and groups are said") {
    hg::Rng rng{1};
    using hg::Extent, hg::Padding, hg::Shape;
    constexpr Shape picture{4, 5, 7};
    const auto graph_of = [&](const auto& layer) {
        return read(exported(hg::network(hg::chain<picture>(layer), rng)));
    };
    const Operators turned{"Transpose", "Conv", "Transpose"};

    const Graph conv = graph_of(hg::Conv2D<6, Extent{3, 2}, Extent{2, 1}, Padding::Same, Extent{1, 2}, true, 2>{});
    CHECK(conv.face == "x [n, 5, 7, 4] -> y [n, 3, 7, 6]");
    CHECK(conv.operators == turned);
    CHECK(conv.arrays.at("0.kernel") == "[6, 2, 3, 2]");
    CHECK(conv.attributes.at("kernel_shape") == "3, 2");
    CHECK(conv.attributes.at("strides") == "2, 1");
    CHECK(conv.attributes.at("dilations") == "1, 2");
    CHECK(conv.attributes.at("pads") == "1, 1, 1, 1");
    CHECK(conv.attributes.at("group") == "2");

    const Graph transposed = graph_of(hg::Conv2DTranspose<6, Extent{2, 4}, Extent{3, 2}, Padding::Same, 1, true, 2>{});
    CHECK(transposed.face == "x [n, 5, 7, 4] -> y [n, 15, 14, 6]");
    CHECK(transposed.arrays.at("0.kernel") == "[4, 3, 2, 4]");
    CHECK(transposed.attributes.at("pads") == "0, 1, 0, 1");
    CHECK(transposed.attributes.at("output_padding") == "1, 0");

    const Graph pooled = graph_of(hg::MaxPooling2D<Extent{3, 2}, Extent{2, 3}, Padding::Same>{});
    CHECK(pooled.face == "x [n, 5, 7, 4] -> y [n, 3, 3, 4]");
    CHECK(pooled.attributes.at("pads") == "1, 0, 1, 1");
    const Graph larger = graph_of(hg::UpSampling2D<Extent{2, 3}, hg::Interpolation::Bilinear>{});
    CHECK(larger.operators == Operators{"Transpose", "Resize", "Transpose"});
    CHECK(larger.attributes.at("mode") == "linear");
    CHECK(larger.attributes.at("coordinate_transformation_mode") == "half_pixel");

    // A vector is a picture of one position.
    using One = hg::Chain<Shape{4}, hg::Conv2D<6, Extent{3, 2}, 1, Padding::Same>>;
    CHECK(read(exported(hg::network<One>(rng))).operators == Operators{"Reshape", "Conv", "Reshape"});
}

TEST_CASE("what would not compute is refused before a file is touched") {
    const Folder folder("onnx");
    const std::string path = folder / "a.onnx";
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>>(rng, hg::MeanSquaredError{}, hg::BatchTopK<2>{});
    hg::export_onnx(path, model);
    const std::string before = text_of(path);
    CHECK(before == exported(model));
    const float value = model.parameters()[17];
    model.parameters()[17] = std::numeric_limits<float>::quiet_NaN();
    CHECK_THAT(error_of([&] { hg::export_onnx(path, model); }),
               ContainsSubstring("export_onnx: value 17 of encoder.0.kernel is nan: nothing was written"));
    CHECK_NOTHROW(exported(model, hg::OnnxPart::Decoder));  // which does not read it
    model.parameters()[17] = value;
    model.state()[3] = std::numeric_limits<float>::infinity();
    CHECK_THAT(error_of([&] { hg::export_onnx(path, model); }),
               ContainsSubstring("export_onnx: value 3 of encoder.1.moving_mean is inf: nothing was written"));
    model.state()[3] = 0;
    model.state()[9] = -1;
    CHECK_THAT(error_of([&] { hg::export_onnx(path, model); }),
               ContainsSubstring("export_onnx: value 1 of encoder.1.moving_variance is -1, expected at least 0: "
                                 "nothing was written"));
    model.state()[9] = 1;
    model.term<hg::BatchTopK<2>>().threshold = std::numeric_limits<double>::infinity();
    CHECK_THAT(error_of([&] { hg::export_onnx(path, model); }),
               ContainsSubstring("BatchTopK: the threshold must be finite"));
    model.term<hg::BatchTopK<2>>().threshold = std::nullopt;
    CHECK_THAT(error_of([&] { hg::export_onnx(folder / "none/a.onnx", model); }),
               StartsWith("export_onnx: ") && ContainsSubstring("none/a.onnx.partial cannot be written: No such file"));
    CHECK(error_of([&] { hg::export_onnx(folder.path.string(), model); }) ==
          "export_onnx: " + folder.path.string() + " is no ordinary file: give a stream instead");
    CHECK_THAT(error_of([&] { hg::export_onnx((folder / "b") + std::string("\0x", 2), model); }),
               StartsWith("export_onnx: the path ") && ContainsSubstring("holds a zero byte"));
    CHECK_THAT(error_of([&] { hg::export_onnx(folder / "a.onnx/b", model); }),
               StartsWith("export_onnx: ") && ContainsSubstring("a.onnx/b: Not a directory"));
    std::ostringstream broken;
    broken.setstate(std::ios::badbit);
    CHECK_THAT(error_of([&] { hg::export_onnx(broken, model); }),
               ContainsSubstring("export_onnx: writing to the stream failed"));
    std::ofstream full("/dev/full");
    full.exceptions(std::ios::badbit | std::ios::failbit);
    CHECK(error_of([&] { hg::export_onnx(full, model); }) == "export_onnx: writing to the stream failed");
    const auto moved = std::move(model);
    CHECK_THAT(error_of([&] { hg::export_onnx(path, model); }),  // NOLINT(bugprone-use-after-move)
               ContainsSubstring("it has been moved from"));
    CHECK(text_of(path) == before);
    CHECK(exported(moved) == before);
    CHECK(!std::filesystem::exists(path + ".partial"));
}
