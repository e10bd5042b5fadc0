// Convolutions, poolings, upsamplings and borders as nodes of an ONNX graph.
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/io/onnx_nodes.hpp"
#include "hourglass/layers/borders.hpp"
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/conv1d_transpose.hpp"
#include "hourglass/layers/conv2d.hpp"
#include "hourglass/layers/conv2d_transpose.hpp"
#include "hourglass/layers/pooling.hpp"
#include "hourglass/layers/pooling2d.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

// Windows along one axis of positions: `count` of them over `length` positions, where the first one begins `before`
// positions ahead of it. Of a transposed convolution the windows lie over the output.
struct OnnxAxis {
    Index count, length, before, kernel, stride, dilation;

    // By how many positions the last window sticks out behind. Below 0: so many positions are left that none reaches.
    Index behind() const { return (count - 1) * stride + layers::reach(kernel, dilation) - before - length; }
};
// One of a series, two of a picture: rows, then columns.
using OnnxAxes = std::vector<OnnxAxis>;

inline OnnxAxes picture_axes(Extent count, Extent length, Extent before, Extent kernel, Extent stride,
                             Extent dilation = 1) {
    return {{count.rows, length.rows, before.rows, kernel.rows, stride.rows, dilation.rows},
            {count.columns, length.columns, before.columns, kernel.columns, stride.columns, dilation.columns}};
}
inline TensorShape of_each(const OnnxAxes& axes, Index OnnxAxis::*number) {
    TensorShape all;
    for (const OnnxAxis& axis : axes) all.push_back(axis.*number);
    return all;
}
inline std::vector<OnnxAttribute> window_attributes(const OnnxAxes& axes) {
    TensorShape pads = of_each(axes, &OnnxAxis::before);
    for (const OnnxAxis& axis : axes) pads.push_back(std::max<Index>(axis.behind(), 0));
    return {{"kernel_shape", of_each(axes, &OnnxAxis::kernel)},
            {"strides", of_each(axes, &OnnxAxis::stride)},
            {"pads", pads}};
}

// A convolution, or a transposed one, of a kernel that is there, with the bias where there is one.
template <class T>
std::string add_convolution(OnnxNodes<T>& nodes, const std::string& op, const std::string& x, const std::string& kernel,
                            const OnnxAxes& axes, std::vector<OnnxAttribute> attributes, Index groups) {
    const auto positions = static_cast<Index>(axes.size());
    attributes.emplace_back("dilations", of_each(axes, &OnnxAxis::dilation));
    attributes.emplace_back("group", groups);
    std::vector<std::string> inputs{nodes.channels_first(x, nodes.input(), positions), kernel};
    if (nodes.has("bias")) inputs.push_back(nodes.array("bias"));
    return nodes.channels_last(nodes.node(op, inputs, attributes), nodes.output(), positions);
}
template <class T>
std::string add_convolution(OnnxNodes<T>& nodes, const std::string& x, const OnnxAxes& axes, Index groups) {
    const std::string kernel =
        nodes.kernel(nodes.output().channels, nodes.input().channels / groups, of_each(axes, &OnnxAxis::kernel));
    return add_convolution(nodes, "Conv", x, kernel, axes, window_attributes(axes), groups);
}
template <class T>
std::string add_transposed(OnnxNodes<T>& nodes, const std::string& x, const OnnxAxes& axes, Index groups) {
    const std::string kernel =
        nodes.kernel(nodes.input().channels, nodes.output().channels / groups, of_each(axes, &OnnxAxis::kernel));
    auto attributes = window_attributes(axes);
    TensorShape unreached;
    for (const OnnxAxis& axis : axes) unreached.push_back(std::max<Index>(-axis.behind(), 0));
    attributes.emplace_back("output_padding", unreached);
    return add_convolution(nodes, "ConvTranspose", x, kernel, axes, std::move(attributes), groups);
}

template <class T, Index Filters, Index Kernel, Index Stride, Padding Pad, Index Dilation, bool UseBias, Index Groups>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Conv1D<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups>> of,
                      const std::string& x) {
    const Shape in = nodes.input();
    const layers::Windows laid = of.layer.windows(in);
    return add_convolution(nodes, x, {{laid.count, in.length, laid.left, Kernel, Stride, Dilation}}, Groups);
}
template <class T, Index Filters, Extent Kernel, Extent Stride, Padding Pad, Extent Dilation, bool UseBias,
          Index Groups>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Conv2D<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups>> of,
                      const std::string& x) {
    const Shape in = nodes.input();
    const layers::PictureWindows laid = of.layer.windows(in);
    return add_convolution(
        nodes, x, picture_axes(laid.count(), {in.length, in.columns}, laid.before(), Kernel, Stride, Dilation), Groups);
}

// The transposed ones, with a kernel of their own or with a shared one.
template <class T>
std::string add_transposed(OnnxNodes<T>& nodes, const std::string& x, layers::Windows laid, Index kernel, Index stride,
                           Index dilation, Index groups) {
    return add_transposed(nodes, x, {{nodes.input().length, laid.count, laid.left, kernel, stride, dilation}}, groups);
}
template <class T>
std::string add_transposed(OnnxNodes<T>& nodes, const std::string& x, layers::PictureWindows laid, Extent kernel,
                           Extent stride, Extent dilation, Index groups) {
    const Extent count{nodes.input().length, nodes.input().columns};
    return add_transposed(nodes, x, picture_axes(count, laid.count(), laid.before(), kernel, stride, dilation), groups);
}
template <class T, Index Filters, Index Kernel, Index Stride, Padding Pad, Index Dilation, bool UseBias, Index Groups>
std::string add_nodes(OnnxNodes<T>& nodes,
                      Exactly<Conv1DTranspose<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups>> of,
                      const std::string& x) {
    return add_transposed(nodes, x, of.layer.windows(nodes.input()), Kernel, Stride, Dilation, Groups);
}
template <class T, Index Filters, Extent Kernel, Extent Stride, Padding Pad, Extent Dilation, bool UseBias,
          Index Groups>
std::string add_nodes(OnnxNodes<T>& nodes,
                      Exactly<Conv2DTranspose<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups>> of,
                      const std::string& x) {
    return add_transposed(nodes, x, of.layer.windows(nodes.input()), Kernel, Stride, Dilation, Groups);
}
template <class T, Index Filters, Index Kernel, Index Stride, Padding Pad, Index Dilation, bool UseBias, Index Groups,
          Index Offset, Index Size>
std::string add_nodes(
    OnnxNodes<T>& nodes,
    Exactly<layers::Conv1DTransposed<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups, Offset, Size>>,
    const std::string& x) {
    using Layer = Conv1DTranspose<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups>;
    return add_transposed(nodes, x, Layer::windows(nodes.input()), Kernel, Stride, Dilation, Groups);
}
template <class T, Index Filters, Extent Kernel, Extent Stride, Padding Pad, Extent Dilation, bool UseBias,
          Index Groups, Index Offset, Index Size>
std::string add_nodes(
    OnnxNodes<T>& nodes,
    Exactly<layers::Conv2DTransposed<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups, Offset, Size>>,
    const std::string& x) {
    using Layer = Conv2DTranspose<Filters, Kernel, Stride, Pad, Dilation, UseBias, Groups>;
    return add_transposed(nodes, x, Layer::windows(nodes.input()), Kernel, Stride, Dilation, Groups);
}

// What sticks out does not count in either pooling: the operators' default.
template <class T>
std::string add_pooling(OnnxNodes<T>& nodes, const std::string& op, const std::string& x, const OnnxAxes& axes) {
    const auto positions = static_cast<Index>(axes.size());
    const std::string pooled =
        nodes.node(op, {nodes.channels_first(x, nodes.input(), positions)}, window_attributes(axes));
    return nodes.channels_last(pooled, nodes.output(), positions);
}
template <class T>
std::string add_pooling(OnnxNodes<T>& nodes, const std::string& op, const std::string& x, layers::Windows laid,
                        Index pool, Index stride) {
    return add_pooling(nodes, op, x, {{laid.count, nodes.input().length, laid.left, pool, stride, 1}});
}
template <class T>
std::string add_pooling(OnnxNodes<T>& nodes, const std::string& op, const std::string& x, layers::PictureWindows laid,
                        Extent pool, Extent stride) {
    const Extent length{nodes.input().length, nodes.input().columns};
    return add_pooling(nodes, op, x, picture_axes(laid.count(), length, laid.before(), pool, stride));
}
template <class T, Index Pool, Index Stride, Padding Pad>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<MaxPooling1D<Pool, Stride, Pad>> of, const std::string& x) {
    return add_pooling(nodes, "MaxPool", x, of.layer.windows(nodes.input()), Pool, Stride);
}
template <class T, Extent Pool, Extent Stride, Padding Pad>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<MaxPooling2D<Pool, Stride, Pad>> of, const std::string& x) {
    return add_pooling(nodes, "MaxPool", x, of.layer.picture_windows(nodes.input()), Pool, Stride);
}
template <class T, Index Pool, Index Stride, Padding Pad>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<AveragePooling1D<Pool, Stride, Pad>> of, const std::string& x) {
    return add_pooling(nodes, "AveragePool", x, of.layer.windows(nodes.input()), Pool, Stride);
}
template <class T, Extent Pool, Extent Stride, Padding Pad>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<AveragePooling2D<Pool, Stride, Pad>> of, const std::string& x) {
    return add_pooling(nodes, "AveragePool", x, of.layer.picture_windows(nodes.input()), Pool, Stride);
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<GlobalAveragePooling2D>, const std::string& x) {
    TensorShape axes;
    for (Index axis = 1; axis <= nodes.position_axes(nodes.input()); ++axis) axes.push_back(axis);
    return axes.empty() ? x : nodes.node("ReduceMean", {x}, {{"axes", axes}, {"keepdims", 0}});
}

// Each position tiled along an axis of its own.
template <class T, Index Size>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<UpSampling1D<Size>>, const std::string& x) {
    const Shape in = nodes.input();
    const std::string apart = nodes.reshape(x, {in.length, 1, in.channels});
    return nodes.reshape(nodes.node("Tile", {apart, nodes.integers({1, 1, Size, 1})}), sample_extents(nodes.output()));
}
template <class T, Extent Size, Interpolation How>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<UpSampling2D<Size, How>>, const std::string& x) {
    const std::string sizes = nodes.floats({1, 1, static_cast<float>(Size.rows), static_cast<float>(Size.columns)});
    const std::vector<OnnxAttribute> attributes =
        How == Interpolation::Bilinear
            ? std::vector<OnnxAttribute>{{"mode", "linear"}, {"coordinate_transformation_mode", "half_pixel"}}
            : std::vector<OnnxAttribute>{
                  {"mode", "nearest"}, {"coordinate_transformation_mode", "asymmetric"}, {"nearest_mode", "floor"}};
    const std::string larger = nodes.node("Resize", {nodes.channels_first(x, nodes.input(), 2), "", sizes}, attributes);
    return nodes.channels_last(larger, nodes.output(), 2);
}

// A margin of zeros, or one that is cut off. `axes` is 1 of a series, 2 of a picture.
template <class T>
std::string add_padding(OnnxNodes<T>& nodes, const std::string& x, Extent before, Extent after, Index axes) {
    const TensorShape pads = axes == 1
                                 ? TensorShape{0, before.rows, 0, 0, after.rows, 0}
                                 : TensorShape{0, before.rows, before.columns, 0, 0, after.rows, after.columns, 0};
    const std::string padded = nodes.node("Pad", {nodes.spread(x, nodes.input(), axes), nodes.integers(pads)});
    return nodes.gathered(padded, nodes.output(), axes);
}
template <class T>
std::string add_cropping(OnnxNodes<T>& nodes, const std::string& x, Extent before, Index axes) {
    const Shape out = nodes.output();
    TensorShape begin{before.rows}, end{before.rows + out.length}, along{1};
    if (axes == 2) {
        begin.push_back(before.columns);
        end.push_back(before.columns + out.columns);
        along.push_back(2);
    }
    const std::string cropped = nodes.node("Slice", {nodes.spread(x, nodes.input(), axes), nodes.integers(begin),
                                                     nodes.integers(end), nodes.integers(along)});
    return nodes.gathered(cropped, out, axes);
}
template <class T, Index Before, Index After>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<ZeroPadding1D<Before, After>>, const std::string& x) {
    return add_padding(nodes, x, {Before, 0}, {After, 0}, 1);
}
template <class T, Extent Before, Extent After>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<ZeroPadding2D<Before, After>>, const std::string& x) {
    return add_padding(nodes, x, Before, After, 2);
}
template <class T, Index Before, Index After>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Cropping1D<Before, After>>, const std::string& x) {
    return add_cropping(nodes, x, {Before, 0}, 1);
}
template <class T, Extent Before, Extent After>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Cropping2D<Before, After>>, const std::string& x) {
    return add_cropping(nodes, x, Before, 2);
}

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
