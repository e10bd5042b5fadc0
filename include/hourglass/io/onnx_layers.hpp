// Layers that look at one position at a time, and what moves values about, as nodes of an ONNX graph.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "hourglass/io/onnx_nodes.hpp"
#include "hourglass/layers/batch_normalization.hpp"
#include "hourglass/layers/condition.hpp"
#include "hourglass/layers/dense.hpp"
#include "hourglass/layers/dropout.hpp"
#include "hourglass/layers/group_normalization.hpp"
#include "hourglass/layers/layer_normalization.hpp"
#include "hourglass/layers/reshape.hpp"
#include "hourglass/layers/residual.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

// x W + b over the last axis.
template <class T>
std::string add_dense(OnnxNodes<T>& nodes, const std::string& x, const std::string& kernel) {
    const std::string product = nodes.node("MatMul", {x, kernel});
    return nodes.has("bias") ? nodes.node("Add", {product, nodes.array("bias")}) : product;
}
template <class T, Index Units, bool UseBias>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Dense<Units, UseBias>>, const std::string& x) {
    return add_dense(nodes, x, nodes.array("kernel"));
}
template <class T, Index Outputs, bool UseBias, Index Offset, Index Size>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<layers::DenseTransposed<Outputs, UseBias, Offset, Size>>,
                      const std::string& x) {
    const std::string kernel = nodes.shared_kernel(Outputs, nodes.input().channels);
    return add_dense(nodes, x, nodes.node("Transpose", {kernel}, {{"perm", TensorShape{1, 0}}}));
}

// The operator wants the channels behind the samples.
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<BatchNormalization> of, const std::string& x) {
    const Index axes = nodes.position_axes(nodes.input());
    const std::vector<std::string> inputs{nodes.channels_first(x, nodes.input(), axes), nodes.array("gamma"),
                                          nodes.array("beta"), nodes.array("moving_mean"),
                                          nodes.array("moving_variance")};
    return nodes.channels_last(nodes.node("BatchNormalization", inputs, {{"epsilon", of.layer.epsilon}}),
                               nodes.output(), axes);
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<LayerNormalization> of, const std::string& x) {
    return nodes.node("LayerNormalization", {x, nodes.array("gamma"), nodes.array("beta")},
                      {{"axis", -1}, {"epsilon", of.layer.epsilon}});
}

// The operator came with set 18, and was mended in set 21: here by hand, over positions and the channels of a group.
template <class T, Index Groups>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<GroupNormalization<Groups>> of, const std::string& x) {
    const Shape in = nodes.input();
    const auto mean = [&](const std::string& values) {
        return nodes.node("ReduceMean", {values}, {{"axes", TensorShape{1, 3}}});
    };
    const std::string grouped = nodes.reshape(x, {in.positions(), Groups, in.channels / Groups}),
                      centred = nodes.node("Sub", {grouped, mean(grouped)}),
                      variance = mean(nodes.node("Mul", {centred, centred})),
                      deviation = nodes.node("Sqrt", {nodes.node("Add", {variance, nodes.constant(of.layer.epsilon)})}),
                      scaled = nodes.reshape(nodes.node("Div", {centred, deviation}), sample_extents(in));
    return nodes.node("Add", {nodes.node("Mul", {scaled, nodes.array("gamma")}), nodes.array("beta")});
}

template <class T>
std::string add_nodes(OnnxNodes<T>&, Exactly<Dropout>, const std::string& x) {
    return x;
}
template <class T>
std::string add_nodes(OnnxNodes<T>&, Exactly<SpatialDropout>, const std::string& x) {
    return x;
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Flatten>, const std::string& x) {
    return nodes.reshape(x, sample_extents(nodes.output()));
}
template <class T, auto... Extents>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Reshape<Extents...>>, const std::string& x) {
    return nodes.reshape(x, sample_extents(nodes.output()));
}
template <class T, std::size_t Count>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<layers::Add<Count>>, const std::string& x) {
    return nodes.node("Add", {x, nodes.branch()});
}
// The condition behind the channels of each position.
template <class T, Index Values>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Condition<Values>>, const std::string& x) {
    std::string condition = nodes.condition();
    if (const Shape in = nodes.input(); in.positions() > 1) {
        TensorShape one = sample_extents({Values, in.length, in.columns}), copies = one;
        std::fill(one.begin(), one.end() - 1, Index{1});
        copies.back() = 1;
        copies.insert(copies.begin(), 1);
        condition = nodes.node("Tile", {nodes.reshape(condition, one), nodes.integers(copies)});
    }
    return nodes.node("Concat", {x, condition}, {{"axis", -1}});
}

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
