// Models and networks as ONNX graphs, for programs that compute such graphs.
//
// A layer of a program's own brings its nodes, of ONNX's operators (set 17), as a member that needs no header of these:
//
//     struct Scale {  // as in core/layer.hpp, and beside it:
//         template <class Nodes>
//         std::string onnx(Nodes& nodes, const std::string& x) const {
//             return nodes.node("Mul", {x, nodes.array("weights")});
//         }
//     };
//
// `x` is the name of its input, what it returns that of its output; what else `nodes` has is in io/onnx_nodes.hpp. A
// layer without does not compile here.
#pragma once

// Where min and max are macros they are set aside until the end of this file.
#pragma push_macro("min")
#pragma push_macro("max")
#undef min
#undef max

#include <concepts>
#include <cstddef>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/data/stream_bytes.hpp"
#include "hourglass/io/durable.hpp"
#include "hourglass/io/onnx_activations.hpp"
#include "hourglass/io/onnx_codes.hpp"
#include "hourglass/io/onnx_convolutions.hpp"
#include "hourglass/io/onnx_graph.hpp"
#include "hourglass/io/onnx_layers.hpp"
#include "hourglass/io/onnx_nodes.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/network.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// What of an autoencoder becomes a graph: `encode`, `decode` or `reconstruct`.
enum class OnnxPart { Encoder, Decoder, Reconstruction };

namespace io {

template <class L, class T>
concept BringsNodes = requires(const L& layer, OnnxNodes<T>& nodes, const std::string& x) {
    { layer.onnx(nodes, x) } -> std::convertible_to<std::string>;
};
template <class L, class T>
concept HasNodes = requires(OnnxNodes<T>& nodes, Exactly<L> layer, const std::string& x) {
    { add_nodes(nodes, layer, x) } -> std::convertible_to<std::string>;
};

/// Adds the nodes of a layer whose input is called `x`; the name of its output. `Error` for a hyperparameter out of
/// range.
template <class L, class T>
std::string nodes_of(const L& layer, OnnxNodes<T>& nodes, const std::string& x) {
    static_assert(BringsNodes<L, T> || HasNodes<L, T>,
                  "hourglass: this layer has no ONNX node: it brings its own as std::string onnx(nodes, x) const; "
                  "io/onnx.hpp shows one");
    if constexpr (requires { layer.check(); }) layer.check();
    if constexpr (BringsNodes<L, T>)
        return layer.onnx(nodes, x);
    else if constexpr (HasNodes<L, T>)
        return add_nodes(nodes, Exactly<L>{layer}, x);
    else
        return x;
}

/// Layers that become a graph, and what its input and output are called.
struct OnnxRange {
    std::size_t begin, end;
    Shape shape;  // of the input
    std::string_view name, input, output;
};

/// The bytes of a file with those layers of a model or network. Errors as `export_onnx` says.
template <class T, class Model>
std::string onnx_file(const Model& model, const OnnxRange& range) {
    static_assert(std::floating_point<T>, "hourglass: ONNX graphs are of float or double");
    OnnxGraph graph(onnx_type<T>());
    std::vector<std::string> activations{std::string{range.input}};  // from number `begin` on
    Shape output = range.shape;
    Index condition = 0;
    graph.input(activations.back(), sample_extents(range.shape));
    model.each_layer([&]<class L>(const L& layer, const core::LayerPlace<T>& place) {
        if (place.number < range.begin || place.number >= range.end) return;
        if (constexpr Index values = core::traits_of<L>().condition; values > 0 && condition == 0) {
            condition = values;
            graph.input("condition", {values});
        }
        auto arrays = arrays_at(core::weights_of<L>(place.input), place.weights.data());
        const auto state = arrays_at(core::states_of<L>(place.input), place.state.data());
        arrays.insert(arrays.end(), state.begin(), state.end());
        OnnxNodes<T> nodes(graph, place, std::move(arrays), activations[place.branch - range.begin]);
        activations.push_back(nodes_of(layer, nodes, activations.back()));
        output = place.output;
    });
    graph.output(activations.back(), std::string{range.output}, sample_extents(output));
    return graph.file(range.name, model.architecture());
}

template <class T, class Layers, std::size_t... Marks>
std::string onnx_file(const Network<T, Layers, Marks...>& network) {
    return onnx_file<T>(network, {0, Layers::depth, Layers::input, "network", "x", "y"});
}
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
std::string onnx_file(const BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>& model, OnnxPart part) {
    constexpr std::size_t code = BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>::first_decoder_layer;
    switch (part) {
        case OnnxPart::Encoder:
            return onnx_file<T>(model, {0, code, Encoder::input, "encoder", "x", "code"});
        case OnnxPart::Decoder:
            return onnx_file<T>(model,
                                {code, code + Decoder::depth, Decoder::input, "decoder", "code", "reconstruction"});
        case OnnxPart::Reconstruction:
            return onnx_file<T>(model,
                                {0, code + Decoder::depth, Encoder::input, "autoencoder", "x", "reconstruction"});
    }
    fail("export_onnx: there is no part number ", static_cast<int>(part), " of a model");
}

/// Writes them beside the old file and renames that, or to a stream. `Error` when the disk or the stream refuses.
inline void write_onnx(const std::string& path, const std::string& bytes) {
    DurableFile file("export_onnx", path);
    file.write(std::as_bytes(std::span{bytes}));
    file.commit();
}
inline void write_onnx(std::ostream& out, const std::string& bytes) {
    data::write_stream(out, "export_onnx",
                       [&] { out.write(bytes.data(), static_cast<std::streamsize>(bytes.size())); });
}

}  // namespace io

/// Writes the graph of `evaluate` (no dropout, running averages) to an ONNX file: input "x", output "y", and
/// "condition", n × values, where a layer reads one. Values are of the network's scalar type, n of them any number of
/// samples. Axes are as in Keras: [n, features], of a series [n, length, channels], of a picture [n, rows, columns,
/// channels]; row by row that is the memory of this library's batches. Slopes and epsilons are float there, whatever
/// the values are. Not every program that computes graphs has every operator in double: ONNX Runtime has no
/// convolution.
///
/// The file is written beside the old one and renamed, as by `save`. Errors, with nothing written: a network that has
/// been moved from, a parameter or running value that is not finite, a variance below 0, a hyperparameter out of range,
/// more bytes than an ONNX file may have, a path that is no ordinary file or a link to none, another writer,
/// and when the disk refuses.
template <class T, class Layers, std::size_t... Marks>
void export_onnx(const std::string& path, const Network<T, Layers, Marks...>& network) {
    io::write_onnx(path, io::onnx_file(network));
}
/// The same to a stream, which is then not all or nothing. Errors: the same but for the path's, and when the stream
/// fails.
template <class T, class Layers, std::size_t... Marks>
void export_onnx(std::ostream& out, const Network<T, Layers, Marks...>& network) {
    io::write_onnx(out, io::onnx_file(network));
}
/// The same of a part of an autoencoder: `encode` from "x" to "code" (a variational model's is the mean), `decode` from
/// "code" to "reconstruction", or `reconstruct` from "x" to "reconstruction". What the other part holds is not looked
/// at. Errors: the same, and a part that is none of the three.
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
void export_onnx(const std::string& path, const BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>& model,
                 OnnxPart part = OnnxPart::Reconstruction) {
    io::write_onnx(path, io::onnx_file(model, part));
}
/// The same to a stream, with the errors of the one for networks, and a part that is none of the three.
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
void export_onnx(std::ostream& out, const BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>& model,
                 OnnxPart part = OnnxPart::Reconstruction) {
    io::write_onnx(out, io::onnx_file(model, part));
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma pop_macro("max")
#pragma pop_macro("min")
