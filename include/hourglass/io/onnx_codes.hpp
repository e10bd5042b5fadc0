// What makes the code of a model, in evaluation, as nodes of an ONNX graph.
#pragma once

#include <string>

#include "hourglass/io/onnx_nodes.hpp"
#include "hourglass/terms/gaussian_latent.hpp"
#include "hourglass/terms/jump_relu.hpp"
#include "hourglass/terms/top_k.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

// The means: at each position the first half of the channels.
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<GaussianLatent>, const std::string& x) {
    return nodes.node("Slice",
                      {x, nodes.integers({0}), nodes.integers({nodes.input().channels / 2}), nodes.integers({-1})});
}

// x where it is above the threshold, else 0. A product, so that NaN stays.
template <class T>
std::string add_step(OnnxNodes<T>& nodes, const std::string& x, const std::string& threshold) {
    const std::string above = nodes.node("Greater", {x, threshold});
    return nodes.node("Mul", {x, nodes.node("Cast", {above}, {{"to", static_cast<Index>(nodes.type())}})});
}
// The k largest values of each sample, all its positions together; of equal ones TopK takes the first, as the library
// does.
template <class T>
std::string add_largest(OnnxNodes<T>& nodes, const std::string& x, Index k) {
    const Shape shape = nodes.input();
    const bool series = shape.positions() > 1;
    const std::string values = series ? nodes.reshape(x, {shape.size()}) : x;
    const auto largest = nodes.nodes("TopK", {values, nodes.integers({k})}, {{"axis", -1}}, 2);
    const std::string zeros = nodes.node("Expand", {nodes.constant(0), nodes.node("Shape", {values})}),
                      kept = nodes.node("ScatterElements", {zeros, largest[1], largest[0]}, {{"axis", 1}});
    return series ? nodes.reshape(kept, sample_extents(shape)) : kept;
}

template <class T, Index K>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<TopK<K>>, const std::string& x) {
    return add_largest(nodes, x, K);
}
template <class T, Index K>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<BatchTopK<K>> of, const std::string& x) {
    if (of.layer.threshold) return add_step(nodes, x, nodes.constant(*of.layer.threshold));
    return add_largest(nodes, x, K);
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<JumpReLU>, const std::string& x) {
    const std::string logs = nodes.array("log_threshold", sample_extents(nodes.input()));
    return add_step(nodes, x, nodes.node("Exp", {logs}));
}

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
