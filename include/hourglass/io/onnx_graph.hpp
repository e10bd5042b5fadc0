// A graph of operators in the ONNX format (onnx.ai, "Open Neural Network Exchange"), put together and written.
//
// What is written are the messages of onnx/onnx.proto, by the numbers of their fields: ModelProto, GraphProto,
// NodeProto, AttributeProto, TensorProto, ValueInfoProto, TypeProto, TensorShapeProto and OperatorSetIdProto. The
// version of the format is 8, the operators are those of set 17, the first with LayerNormalization: ONNX 1.12 of 2022,
// and all that came after.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/shape.hpp"
#include "hourglass/core/version.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/io/protobuf.hpp"
#include "hourglass/io/tensor_shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

inline constexpr std::int64_t onnx_format = 8, onnx_operators = 17;

/// TensorProto.DataType, and which of them T is.
enum class OnnxType : std::int64_t { Float = 1, Int64 = 7, Double = 11 };
template <class T>
constexpr OnnxType onnx_type() {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, std::int64_t>,
                  "hourglass: ONNX graphs are of float or double");
    return std::is_same_v<T, float> ? OnnxType::Float : std::is_same_v<T, double> ? OnnxType::Double : OnnxType::Int64;
}

/// Extents of one sample, channels last: [features], [length, channels] or [rows, columns, channels]. A series of one
/// position is a plain vector, as `Shape` has it.
inline TensorShape sample_extents(Shape shape) {
    if (shape.positions() == 1) return {shape.channels};
    if (shape.columns == 1) return {shape.length, shape.channels};
    return {shape.length, shape.columns, shape.channels};
}

/// A named constant of an operator: a number, an integer, a word, or a list of integers.
class OnnxAttribute {
  public:
    template <std::floating_point N>
    OnnxAttribute(std::string_view name, N value) : name_(name), value_(static_cast<float>(value)) {}
    template <std::integral N>
    OnnxAttribute(std::string_view name, N value) : name_(name), value_(static_cast<std::int64_t>(value)) {}
    OnnxAttribute(std::string_view name, std::string_view word) : name_(name), value_(std::string{word}) {}
    OnnxAttribute(std::string_view name, TensorShape values) : name_(name), value_(std::move(values)) {}

    /// The AttributeProto.
    ProtobufMessage message() const {
        ProtobufMessage attribute;
        attribute.text(1, name_);
        if (const auto* real = std::get_if<float>(&value_)) {
            attribute.real(2, *real);
            attribute.integer(20, 1);  // FLOAT
        } else if (const auto* integer = std::get_if<std::int64_t>(&value_)) {
            attribute.integer(3, *integer);
            attribute.integer(20, 2);  // INT
        } else if (const auto* word = std::get_if<std::string>(&value_)) {
            attribute.text(4, *word);
            attribute.integer(20, 3);  // STRING
        } else {
            for (const Index i : std::get<TensorShape>(value_)) attribute.integer(8, i);
            attribute.integer(20, 7);  // INTS
        }
        return attribute;
    }

  private:
    std::string name_;
    std::variant<float, std::int64_t, std::string, TensorShape> value_;
};

/// Operators in the order in which they are computed, and the arrays they read. A value is known by its name.
class OnnxGraph {
  public:
    /// Values are of `type`. Samples stand along the first axis, whose extent is any number "n".
    explicit OnnxGraph(OnnxType type) : type_(type) {}

    OnnxType type() const { return type_; }

    /// A value that the caller gives, with the extents of a sample.
    void input(const std::string& name, const TensorShape& sample) {
        names_.insert(name);
        inputs_.push_back(value_info(name, sample));
    }
    /// An operator; returns the names of its `outputs` outputs, which begin with `layer`.
    std::vector<std::string> node(const std::string& layer, const std::string& op,
                                  const std::vector<std::string>& inputs, const std::vector<OnnxAttribute>& attributes,
                                  std::size_t outputs = 1) {
        Node made{op, unique(layer + "/" + op), inputs, {}, attributes};
        made.outputs.push_back(made.name);
        for (std::size_t i = 1; i < outputs; ++i) made.outputs.push_back(unique(made.name + "/" + text(i)));
        nodes_.push_back(made);
        return made.outputs;
    }
    /// An array. One of this name may be there already: it is then the same one, unless the name is `fresh` from
    /// `unique`. `Error` for a value that is not finite.
    template <class T>
    void array(const std::string& name, const TensorShape& extents, std::span<const T> values, bool fresh = false) {
        if (!names_.insert(name).second && !fresh) return;
        if constexpr (std::is_floating_point_v<T>)
            if (const Index i = first_non_finite(values.data(), static_cast<Index>(values.size())); i >= 0)
                fail("export_onnx: value ", i, " of ", name, " is ", values[static_cast<std::size_t>(i)],
                     ": nothing was written");
        ProtobufMessage tensor;
        for (const Index extent : extents) tensor.integer(1, extent);
        tensor.integer(2, static_cast<std::int64_t>(onnx_type<T>()));
        tensor.text(8, name);
        tensor.text(9, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
        arrays_.push_back(std::move(tensor));
    }
    /// A name that nothing has yet: this one, or with a number behind it.
    std::string unique(const std::string& name) {
        std::string free = name;
        for (int i = 2; !names_.insert(free).second; ++i) free = name + "_" + text(i);
        return free;
    }
    /// Makes `value` the graph's result, of this name. An input that is handed on as it is gets a node of its own.
    void output(const std::string& value, const std::string& name, const TensorShape& sample) {
        const auto made = std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& node) {
            return std::find(node.outputs.begin(), node.outputs.end(), value) != node.outputs.end();
        });
        if (made == nodes_.end()) {  // what came in goes out
            nodes_.push_back({"Identity", unique("Identity"), {value}, {name}, {}});
        } else {
            for (Node& node : nodes_) {
                std::replace(node.inputs.begin(), node.inputs.end(), value, name);
                std::replace(node.outputs.begin(), node.outputs.end(), value, name);
            }
        }
        outputs_.push_back(value_info(name, sample));
    }

    /// The bytes of a file: this graph under a name, and what is said about it. `Error` where they are more than a
    /// message may have.
    std::string file(std::string_view name, std::string_view description) const {
        ProtobufMessage graph, operators, model;
        for (const Node& node : nodes_) graph.message(1, node.message());
        graph.text(2, name);
        for (const ProtobufMessage& array : arrays_) graph.message(5, array);
        for (const ProtobufMessage& value : inputs_) graph.message(11, value);
        for (const ProtobufMessage& value : outputs_) graph.message(12, value);
        operators.text(1, "");  // the domain of the operators that are ONNX's own
        operators.integer(2, onnx_operators);
        model.integer(1, onnx_format);
        model.text(2, "hourglass");
        model.text(3, HOURGLASS_VERSION);
        model.text(6, description);
        model.message(7, graph);
        model.message(8, operators);
        constexpr std::size_t most = 2147483647;
        if (model.bytes().size() > most)
            fail("export_onnx: the file would have ", model.bytes().size(), " bytes, and an ONNX file has at most ",
                 most, ": nothing was written");
        return model.bytes();
    }

  private:
    struct Node {
        std::string op, name;
        std::vector<std::string> inputs, outputs;
        std::vector<OnnxAttribute> attributes;

        ProtobufMessage message() const {
            ProtobufMessage node;
            for (const std::string& input : inputs) node.text(1, input);
            for (const std::string& output : outputs) node.text(2, output);
            node.text(3, name);
            node.text(4, op);
            for (const OnnxAttribute& attribute : attributes) node.message(5, attribute.message());
            return node;
        }
    };

    // ValueInfoProto: a name and a type, whose first axis are the samples.
    ProtobufMessage value_info(const std::string& name, const TensorShape& sample) const {
        ProtobufMessage samples, shape, tensor, type, value;
        samples.text(2, "n");
        shape.message(1, samples);
        for (const Index extent : sample) {
            ProtobufMessage dimension;
            dimension.integer(1, extent);
            shape.message(1, dimension);
        }
        tensor.integer(1, static_cast<std::int64_t>(type_));
        tensor.message(2, shape);
        type.message(1, tensor);
        value.text(1, name);
        value.message(2, type);
        return value;
    }

    OnnxType type_;
    std::vector<Node> nodes_;
    std::vector<ProtobufMessage> arrays_, inputs_, outputs_;
    std::set<std::string> names_;
};

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
