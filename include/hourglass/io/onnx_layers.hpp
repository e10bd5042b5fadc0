// Layers other than activations as nodes of an ONNX graph.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "hourglass/io/onnx_nodes.hpp"
#include "hourglass/layers/batch_normalization.hpp"
#include "hourglass/layers/condition.hpp"
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/conv1d_transpose.hpp"
#include "hourglass/layers/dense.hpp"
#include "hourglass/layers/dropout.hpp"
#include "hourglass/layers/layer_normalization.hpp"
#include "hourglass/layers/pooling.hpp"
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

// Windows of an operator along the positions.
struct OnnxWindows {
    Index kernel, stride, before, behind;  // the last two: positions by which windows stick out

    std::vector<OnnxAttribute> attributes() const {
        return {{"kernel_shape", TensorShape{kernel}},
                {"strides", TensorShape{stride}},
                {"pads", TensorShape{before, behind}}};
    }
};
inline OnnxWindows windows_of(layers::Windows laid, Index kernel, Index stride, Index dilation, Index length) {
    const Index out = std::max<Index>((laid.count - 1) * stride + (kernel - 1) * dilation + 1 - length, 0);
    return {kernel, stride, laid.left, out - laid.left};
}

// A convolution, or a transposed one, with the bias where there is one.
template <class T>
std::string add_convolution(OnnxNodes<T>& nodes, const std::string& op, const std::string& x, const std::string& kernel,
                            const std::vector<OnnxAttribute>& attributes) {
    std::vector<std::string> inputs{nodes.channels_first(x, nodes.input()), kernel};
    if (nodes.has("bias")) inputs.push_back(nodes.array("bias"));
    return nodes.channels_last(nodes.node(op, inputs, attributes), nodes.output());
}
template <class T, Index Filters, Index Kernel, Index Stride, Padding Pad, Index Dilation, bool UseBias>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Conv1D<Filters, Kernel, Stride, Pad, Dilation, UseBias>>,
                      const std::string& x) {
    using Layer = Conv1D<Filters, Kernel, Stride, Pad, Dilation, UseBias>;
    const Shape in = nodes.input();
    auto attributes = windows_of(Layer::windows(in), Kernel, Stride, Dilation, in.length).attributes();
    attributes.emplace_back("dilations", TensorShape{Dilation});
    return add_convolution(nodes, "Conv", x, nodes.kernel(Filters, in.channels, Kernel), attributes);
}
// Without padding out come (length − 1)·stride + extent positions: where the stride is longer than a kernel's extent,
// there are more behind the last, and where padding is Same, fewer at both ends.
template <class T>
std::string add_transposed(OnnxNodes<T>& nodes, const std::string& x, Index kernel, Index stride, Index dilation,
                           bool same) {
    const Index extent = (kernel - 1) * dilation + 1, cut = same ? std::max<Index>(extent - stride, 0) : 0;
    auto attributes = OnnxWindows{kernel, stride, cut / 2, cut - cut / 2}.attributes();
    attributes.emplace_back("dilations", TensorShape{dilation});
    attributes.emplace_back("output_padding", TensorShape{std::max<Index>(stride - extent, 0)});
    return add_convolution(nodes, "ConvTranspose", x,
                           nodes.kernel(nodes.input().channels, nodes.output().channels, kernel), attributes);
}
template <class T, Index Filters, Index Kernel, Index Stride, Padding Pad, Index Dilation, bool UseBias>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Conv1DTranspose<Filters, Kernel, Stride, Pad, Dilation, UseBias>>,
                      const std::string& x) {
    return add_transposed(nodes, x, Kernel, Stride, Dilation, Pad == Padding::Same);
}
template <class T, Index Filters, Index Kernel, Index Stride, Padding Pad, Index Dilation, bool UseBias, Index Groups,
          Index Offset, Index Size>
std::string add_nodes(
    OnnxNodes<T>& nodes,
    Exactly<layers::Conv1DTransposed<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups, Offset, Size>>,
    const std::string& x) {
    return add_transposed(nodes, x, Kernel, Stride, Dilation, Pad == Padding::Same);
}

// What sticks out of the sequence does not count in either pooling: the operators' default.
template <class T>
std::string add_pooling(OnnxNodes<T>& nodes, const std::string& op, const std::string& x, const OnnxWindows& windows) {
    return nodes.channels_last(nodes.node(op, {nodes.channels_first(x, nodes.input())}, windows.attributes()),
                               nodes.output());
}
template <class T, Index Pool, Index Stride, Padding Pad>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<MaxPooling1D<Pool, Stride, Pad>>, const std::string& x) {
    const Shape in = nodes.input();
    return add_pooling(nodes, "MaxPool", x,
                       windows_of(MaxPooling1D<Pool, Stride, Pad>::windows(in), Pool, Stride, 1, in.length));
}
template <class T, Index Pool, Index Stride, Padding Pad>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<AveragePooling1D<Pool, Stride, Pad>>, const std::string& x) {
    const Shape in = nodes.input();
    return add_pooling(nodes, "AveragePool", x,
                       windows_of(AveragePooling1D<Pool, Stride, Pad>::windows(in), Pool, Stride, 1, in.length));
}
// Each position tiled along an axis of its own.
template <class T, Index Size>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<UpSampling1D<Size>>, const std::string& x) {
    const Shape in = nodes.input();
    const std::string apart = nodes.reshape(x, {in.length, 1, in.channels});
    return nodes.reshape(nodes.node("Tile", {apart, nodes.integers({1, 1, Size, 1})}), sample_extents(nodes.output()));
}

// The operator wants the channels behind the samples.
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<BatchNormalization> of, const std::string& x) {
    const std::vector<std::string> inputs{nodes.channels_first(x, nodes.input(), false), nodes.array("gamma"),
                                          nodes.array("beta"), nodes.array("moving_mean"),
                                          nodes.array("moving_variance")};
    return nodes.channels_last(nodes.node("BatchNormalization", inputs, {{"epsilon", of.layer.epsilon}}),
                               nodes.output(), false);
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<LayerNormalization> of, const std::string& x) {
    return nodes.node("LayerNormalization", {x, nodes.array("gamma"), nodes.array("beta")},
                      {{"axis", -1}, {"epsilon", of.layer.epsilon}});
}

template <class T>
std::string add_nodes(OnnxNodes<T>&, Exactly<Dropout>, const std::string& x) {
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
