// What a layer makes its nodes of an ONNX graph with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/trainable.hpp"
#include "hourglass/io/onnx_graph.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// One named array of a layer, and all of a layer's, whose values lie one after the other.
template <class T>
struct OnnxArray {
    Weight weight;
    const T* values;
};
template <class T, class Weights>
std::vector<OnnxArray<T>> arrays_at(const Weights& weights, const T* values) {
    std::vector<OnnxArray<T>> all;
    for (const Weight& w : weights) {
        all.push_back({w, values});
        values += w.size();
    }
    return all;
}

/// The graph as one layer sees it. Values, arrays and constants are known by their names, of which `node` takes some
/// and gives one. Samples stand along the first axis, then the extents of a sample with the channels last, as
/// `sample_extents` has them. Numbers are of the model's type T.
template <class T>
class OnnxNodes {
  public:
    OnnxNodes(OnnxGraph& graph, const core::LayerPlace<T>& place, std::vector<OnnxArray<T>> arrays, std::string branch)
        : graph_(graph), place_(place), arrays_(std::move(arrays)), branch_(std::move(branch)) {}

    /// The shapes of the layer's input and output.
    const Shape& input() const { return place_.input; }
    const Shape& output() const { return place_.output; }
    OnnxType type() const { return graph_.type(); }

    /// An operator over inputs; the name of its output, or of the first one. Inputs that an operator may go without are
    /// left out as "".
    std::string node(const std::string& op, const std::vector<std::string>& inputs,
                     const std::vector<OnnxAttribute>& attributes = {}) {
        return graph_.node(place_.name, op, inputs, attributes).front();
    }
    /// The same, with the names of several outputs.
    std::vector<std::string> nodes(const std::string& op, const std::vector<std::string>& inputs,
                                   const std::vector<OnnxAttribute>& attributes, std::size_t outputs) {
        return graph_.node(place_.name, op, inputs, attributes, outputs);
    }

    /// An array of the layer's `weights()` or `states()`, with its extents in reverse: the same bytes, row-major. A
    /// layer that does not name its arrays has "weights" and "state". Errors, of the next one too: an array that the
    /// layer does not have, other extents than for its values, a value that is not finite, or below 0 where nothing may
    /// be.
    std::string array(std::string_view name) {
        const OnnxArray<T>& found = find(name);
        const auto& extents = found.weight.extents;
        TensorShape reversed(extents.values.begin(), extents.values.begin() + static_cast<int>(extents.rank()));
        std::reverse(reversed.begin(), reversed.end());
        return array(name, reversed);
    }
    /// The same with other extents of as many values.
    std::string array(std::string_view name, const TensorShape& extents) {
        const OnnxArray<T>& found = find(name);
        if (count_of(extents) != found.weight.size())
            fail("export_onnx: ", place_.name, ".", name, " has ", found.weight.size(), " values, expected ",
                 shown(extents), " of them: nothing was written");
        if (const Index i = core::first_out_of_range(found.weight, found.values); i >= 0)
            fail("export_onnx: value ", i, " of ", place_.name, ".", name, " is ", found.values[i],
                 ", expected at least 0: nothing was written");
        return put(place_.name + "." + std::string{name}, extents,
                   std::span{found.values, static_cast<std::size_t>(found.weight.size())});
    }
    bool has(std::string_view name) const {
        return std::any_of(arrays_.begin(), arrays_.end(),
                           [&](const OnnxArray<T>& array) { return array.weight.name == name; });
    }
    /// A kernel of a convolution, its own or the one it shares: filters (of the transposed one, input channels) fastest
    /// in memory, and here the first axis, then channels of a group, then taps, whose extents are the slowest first.
    /// Errors: no kernel, a value that is not finite.
    std::string kernel(Index filters, Index channels, const TensorShape& taps) {
        const T* const from = is_tied() ? place_.shared.data() : find("kernel").values;
        const Index all = count_of(taps);
        std::vector<T> transposed;
        for (Index f = 0; f < filters; ++f)
            for (Index c = 0; c < channels; ++c)
                for (Index k = 0; k < all; ++k) transposed.push_back(from[f + filters * (c + channels * k)]);
        TensorShape extents{filters, channels};
        extents.insert(extents.end(), taps.begin(), taps.end());
        return put(owner() + ".kernel", extents, std::span<const T>{transposed});
    }
    /// The kernel of a dense layer that a tied one shares, as that layer has it: outputs of the tied one × inputs.
    /// `Error` for a value that is not finite.
    std::string shared_kernel(Index outputs, Index inputs) {
        return put(owner() + ".kernel", {outputs, inputs},
                   place_.shared.first(static_cast<std::size_t>(outputs * inputs)));
    }

    /// A number of the model's type, and integers and floats, as operators take them where no attribute is meant.
    std::string constant(double value) {
        const T number = static_cast<T>(value);
        return put(graph_.unique(place_.name + "/constant"), {}, std::span{&number, 1}, true);
    }
    std::string integers(const TensorShape& values) {
        const std::vector<std::int64_t> numbers(values.begin(), values.end());
        return put(graph_.unique(place_.name + "/integers"), {static_cast<Index>(numbers.size())},
                   std::span<const std::int64_t>{numbers}, true);
    }
    std::string floats(const std::vector<float>& values) {
        return put(graph_.unique(place_.name + "/floats"), {static_cast<Index>(values.size())},
                   std::span<const float>{values}, true);
    }

    /// The caller's values of each sample, n × values, and the activation `traits.branch` layers back.
    std::string condition() const { return "condition"; }
    const std::string& branch() const { return branch_; }

    /// The same values with other extents of a sample.
    std::string reshape(const std::string& x, TensorShape sample) {
        sample.insert(sample.begin(), 0);  // 0: the axis as it is
        return node("Reshape", {x, integers(sample)});
    }
    /// How many axes of positions a sample of this shape has: 0, 1 of a series, 2 of a picture.
    static Index position_axes(Shape shape) { return static_cast<Index>(sample_extents(shape).size()) - 1; }
    /// A sample of this shape with so many axes of positions, where it has fewer, and from there back.
    std::string spread(const std::string& x, Shape shape, Index axes) {
        if (position_axes(shape) == axes) return x;
        return axes == 1 ? reshape(x, {shape.length, shape.channels})
                         : reshape(x, {shape.length, shape.columns, shape.channels});
    }
    std::string gathered(const std::string& x, Shape shape, Index axes) {
        return position_axes(shape) == axes ? x : reshape(x, sample_extents(shape));
    }
    /// Channels from the last place of a sample of this shape to the first, with so many axes of positions behind them,
    /// and back.
    std::string channels_first(const std::string& x, Shape shape, Index axes) {
        if (axes == 0) return x;
        if (shape.positions() == 1)
            return reshape(x, axes == 1 ? TensorShape{shape.channels, 1} : TensorShape{shape.channels, 1, 1});
        return node("Transpose", {spread(x, shape, axes)},
                    {{"perm", axes == 1 ? TensorShape{0, 2, 1} : TensorShape{0, 3, 1, 2}}});
    }
    std::string channels_last(const std::string& x, Shape shape, Index axes) {
        if (axes == 0) return x;
        if (shape.positions() == 1) return reshape(x, {shape.channels});
        return gathered(node("Transpose", {x}, {{"perm", axes == 1 ? TensorShape{0, 2, 1} : TensorShape{0, 2, 3, 1}}}),
                        shape, axes);
    }

  private:
    static Index count_of(const TensorShape& extents) {
        return std::accumulate(extents.begin(), extents.end(), Index{1}, std::multiplies{});
    }
    bool is_tied() const { return !place_.shared.empty(); }
    const std::string& owner() const { return is_tied() ? place_.shared_name : place_.name; }
    const OnnxArray<T>& find(std::string_view name) const {
        for (const OnnxArray<T>& array : arrays_)
            if (array.weight.name == name) return array;
        fail("export_onnx: layer ", place_.name, " has no array ", name, ": nothing was written");
    }
    template <class V>
    std::string put(const std::string& name, const TensorShape& extents, std::span<const V> values,
                    bool fresh = false) {
        graph_.array(name, extents, values, fresh);
        return name;
    }

    OnnxGraph& graph_;
    const core::LayerPlace<T>& place_;
    std::vector<OnnxArray<T>> arrays_;
    std::string branch_;
};

/// A layer of exactly this type, not of one derived from it, whose nodes might be others.
template <class L>
struct Exactly {
    const L& layer;
};

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
