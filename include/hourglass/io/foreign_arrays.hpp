// The arrays of one layer as another framework writes them: under which names, and in which order.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hourglass/core/code_term.hpp"
#include "hourglass/core/layer.hpp"
#include "hourglass/io/flattening.hpp"
#include "hourglass/io/source.hpp"
#include "hourglass/layers/activations.hpp"
#include "hourglass/layers/batch_normalization.hpp"
#include "hourglass/layers/conv1d.hpp"
#include "hourglass/layers/conv1d_transpose.hpp"
#include "hourglass/layers/conv2d.hpp"
#include "hourglass/layers/conv2d_transpose.hpp"
#include "hourglass/layers/dense.hpp"
#include "hourglass/layers/dropout.hpp"
#include "hourglass/layers/layer_normalization.hpp"
#include "hourglass/layers/prelu.hpp"
#include "hourglass/layers/softmax.hpp"
#include "hourglass/terms/jump_relu.hpp"
#include "hourglass/terms/top_k.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// The kinds of kernels.
enum class Kernel : std::size_t { None, Dense, Convolution, Transposed, Convolution2D, Transposed2D };
template <class L>
inline constexpr Kernel kernel_of = Kernel::None;
template <auto... A>
inline constexpr Kernel kernel_of<Dense<A...>> = Kernel::Dense;
template <auto... A>
inline constexpr Kernel kernel_of<Conv1D<A...>> = Kernel::Convolution;
template <auto... A>
inline constexpr Kernel kernel_of<Conv1DTranspose<A...>> = Kernel::Transposed;
template <auto... A>
inline constexpr Kernel kernel_of<Conv2D<A...>> = Kernel::Convolution2D;
template <auto... A>
inline constexpr Kernel kernel_of<Conv2DTranspose<A...>> = Kernel::Transposed2D;

/// The groups of a convolution, of which each sees channels of its own.
template <class L>
inline constexpr Index groups_of = 1;
template <class L>
    requires(kernel_of<L> > Kernel::Dense)
inline constexpr Index groups_of<L> = L::groups;

/// How a framework writes weights.
struct Framework {
    /// The extents of each kind of kernel, the slowest first: o outputs, i inputs, k taps, which are h rows of w in a
    /// picture.
    std::array<std::string_view, 6> kernels;
    /// What it calls the kernel, bias, scale and shift, the running mean and variance, and slopes that are learned.
    std::array<std::string_view, 7> names;
    char separator;                         ///< between a module's name and a tensor's
    bool flattens_positions_first = false;  ///< the positions of a series are fastest in memory
    bool reverses_taps = false;             ///< the first tap of a transposed convolution is the last one here
    std::string_view counter{};             ///< a tensor of its normalisations that is of no use here
};
inline constexpr Framework keras{{"o", "io", "kio", "koi", "hwio", "hwoi"},
                                 {"kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "alpha"},
                                 '/'};
inline constexpr Framework pytorch{{"o", "oi", "oik", "iok", "oihw", "iohw"},
                                   {"weight", "bias", "weight", "bias", "running_mean", "running_var", "weight"},
                                   '.',
                                   true,
                                   false,
                                   "num_batches_tracked"};
inline constexpr Framework flax{{"o", "io", "kio", "kio", "hwio", "hwio"},
                                {"kernel", "bias", "scale", "bias", "mean", "var", "negative_slope"},
                                '.',
                                false,
                                true};
inline constexpr Framework flax_transposing{{"o", "io", "kio", "koi", "hwio", "hwoi"}, flax.names, '.'};

/// What importing has to know of a layer.
struct ForeignLayer {
    std::string path;
    std::string_view name;
    Kernel kernel;
    Index groups;
    std::vector<Weight> arrays;  // parameters, then running values
    std::size_t parameters;      // how many of them
    Passage passage;

    std::string title() const { return path + " (" + std::string{name} + ")"; }
};

/// Layers that are not pointwise, and treat all values of a vector alike.
template <class L>
inline constexpr bool keeps_order = core::traits_of<L>().pointwise;
template <>
inline constexpr bool keeps_order<BatchNormalization> = true;
template <>
inline constexpr bool keeps_order<LayerNormalization> = true;
template <>
inline constexpr bool keeps_order<PReLU> = true;
template <>
inline constexpr bool keeps_order<Softmax> = true;
template <>
inline constexpr bool keeps_order<Dropout> = true;
template <>
inline constexpr bool keeps_order<SpatialDropout> = true;
template <Index K>
inline constexpr bool keeps_order<TopK<K>> = true;
template <Index K>
inline constexpr bool keeps_order<BatchTopK<K>> = true;
template <>
inline constexpr bool keeps_order<JumpReLU> = true;

/// What L does to the order of values, and all that importing has to know of L at a place in a model.
template <class L>
constexpr Passing passing_of(Shape in, Shape out) {
    constexpr Traits traits = core::traits_of<L>();
    if (traits.keeps_values) return Passing::Reshapes;
    if (groups_of<L> != 1) return Passing::Other;  // no value can change its group
    if (kernel_of<L> != Kernel::None || core::is_tied<L>) return Passing::Mixes;
    if (traits.condition > 0) return Passing::Appends;
    if (keeps_order<L>) return Passing::Keeps;
    return core::makes_code<L> && in.size() == 2 * out.size() ? Passing::Halves : Passing::Other;
}
template <class L>
ForeignLayer foreign_layer(std::string_view path, Shape in, Shape out) {
    ForeignLayer layer{std::string{path}, core::name_of<L>(), kernel_of<L>, groups_of<L>, {}, 0, {}};
    const auto add = [&](const auto& arrays) {
        for (const Weight& array : arrays)
            if (array.size() > 0) layer.arrays.push_back(array);
    };
    add(core::weights_of<L>(in));
    layer.parameters = layer.arrays.size();
    add(core::states_of<L>(in));
    layer.passage = {layer.title(), in, out, passing_of<L>(in, out), core::traits_of<L>().branch};
    return layer;
}

/// A number for each axis of a kernel: its extents, or the place of an element.
struct Axes {
    Index outputs = 1, inputs = 1, rows = 1, taps = 1;  // taps of a row; the rows of a picture's kernel

    constexpr Index& operator[](char axis) {
        return axis == 'o' ? outputs : axis == 'i' ? inputs : axis == 'h' ? rows : taps;
    }
    constexpr Index operator[](char axis) const {
        return axis == 'o' ? outputs : axis == 'i' ? inputs : axis == 'h' ? rows : taps;
    }
};
/// The place of an element in an array of these extents, the slowest axis first.
inline Index offset_in(std::string_view axes, const Axes& extents, const Axes& element) {
    Index at = 0;
    for (const char axis : axes) at = at * extents[axis] + element[axis];
    return at;
}

/// Reads the arrays of one layer from the tensors of its modules.
template <class T>
class ForeignArrays {
  public:
    /// `before` and `behind` are the orders of the layer's inputs and outputs. `Error` for several modules of a layer
    /// that is neither dense nor a convolution without groups. Refers to all that it is made of.
    ForeignArrays(Source& source, const Framework& framework, const ForeignLayer& layer,
                  const std::vector<std::string>& modules, const Order& before, const Order& behind)
        : source_(source), framework_(framework), layer_(layer), modules_(modules), before_(before), behind_(behind) {
        if (modules.size() > 1 && (layer.kernel == Kernel::None || layer.groups > 1))
            fail(source.where(), "layer ", layer.title(), " has ", static_cast<Index>(modules.size()),
                 " modules; only the outputs of dense layers and of convolutions without groups are joined");
        for (const std::string& module : modules)
            if (const std::string counter = name_of_tensor(module, framework.counter);
                !framework.counter.empty() && source.file().find(counter))
                source.take(counter, one_layer_each);
    }

    /// The values of an array, in the order they have here. Errors: an array other than a kernel with several extents;
    /// a tensor that is missing, taken already, of integers, of another shape, not finite, or below 0 where nothing may
    /// be; modules that do not have the layer's outputs together.
    Vector<T> values(const Weight& array) const {
        const Kernel kind = array.name == "kernel" ? layer_.kernel : Kernel::None;
        const std::string_view ours = keras.kernels[static_cast<std::size_t>(kind)];
        if (kind == Kernel::None && array.extents.rank() > 1)
            fail(source_.where(), "the array ", array.name, " of layer ", layer_.title(),
                 " has several extents, and how another framework arranges them is not known");
        Axes extents;
        for (std::size_t d = 0; d < ours.size(); ++d) extents[ours[ours.size() - 1 - d]] = array.extents[d];
        const std::vector<Block> blocks = blocks_of(array, kind, extents);
        const std::string_view theirs = framework_.kernels[static_cast<std::size_t>(kind)];
        const bool reverse = (kind == Kernel::Transposed || kind == Kernel::Transposed2D) && framework_.reverses_taps;
        Vector<T> made(array.size());
        for (Index o = 0; o < extents.outputs; ++o) {
            Index output = ordered(behind_, o);
            auto block = blocks.begin();
            for (; output >= block->extents.outputs; ++block) output -= block->extents.outputs;
            for (Index i = 0; i < extents.inputs; ++i)
                for (Index tap = 0; tap < extents.rows * extents.taps; ++tap) {
                    const Index there = reverse ? extents.rows * extents.taps - 1 - tap : tap;
                    const Axes from{output, ordered(before_, i), there / extents.taps, there % extents.taps};
                    const bool one_for_all = block->tensor->size() == 1;
                    made[offset_in(ours, extents, {o, i, tap / extents.taps, tap % extents.taps})] =
                        converted<T>(*block->tensor, one_for_all ? 0 : offset_in(theirs, block->extents, from));
                }
        }
        return made;
    }

  private:
    /// A module's tensor and its extents.
    struct Block {
        const Tensor* tensor;
        Axes extents;
    };

    static Index ordered(const Order& order, Index i) { return order.empty() ? i : order[static_cast<std::size_t>(i)]; }
    // Behind the usual separator, or the other one where the file has only that.
    std::string name_of_tensor(const std::string& module, std::string_view tensor) const {
        if (module.empty()) return std::string{tensor};
        const std::string usual = module + framework_.separator + std::string{tensor};
        const std::string other = module + (framework_.separator == '.' ? '/' : '.') + std::string{tensor};
        return !source_.file().find(usual) && source_.file().find(other) ? other : usual;
    }
    std::string name_of_tensor(std::string module, const Weight& array) const {
        std::string_view name = array.name;
        const auto& known = keras.names;
        const auto at = static_cast<std::size_t>(std::find(known.begin(), known.end(), name) - known.begin());
        if (at < known.size()) name = framework_.names[at];
        // Flax keeps running values in a collection of their own.
        const bool running = at == 4 || at == 5;
        if (running && framework_.names == flax.names &&
            (module.starts_with("params.") || module.starts_with("params/")))
            module.replace(0, 6, "batch_stats");
        return name_of_tensor(module, name);
    }
    std::vector<Block> blocks_of(const Weight& array, Kernel kind, const Axes& extents) const {
        std::vector<Block> blocks;
        Index outputs = 0;
        std::string names;
        for (const std::string& module : modules_) {
            blocks.push_back(block_of(name_of_tensor(module, array), kind, extents, array.name == "alpha"));
            if (array.not_negative) source_.template require_not_negative<T>(*blocks.back().tensor);
            outputs += blocks.back().extents.outputs;
            names += (names.empty() ? "" : " and ") + blocks.back().tensor->name;
        }
        if (outputs != extents.outputs)
            fail(source_.where(), "tensors ", names, " have ", outputs, " outputs together, expected ", extents.outputs,
                 " for layer ", layer_.title());
        return blocks;
    }
    // Slopes of a PReLU: one for all channels (a scalar in Flax), or Keras's, which have an extent of 1 for each axis
    // of positions that they are shared over.
    static bool is_vector_or_one(const TensorShape& shape, Index outputs) {
        Index values = 1;
        for (const Index extent : shape) values *= extent;
        return values == 1 || (values == outputs && !shape.empty() && shape.back() == outputs);
    }
    // Of several modules each may have any number of outputs.
    Block block_of(const std::string& name, Kernel kind, const Axes& extents, bool is_slopes) const {
        const std::string_view axes = framework_.kernels[static_cast<std::size_t>(kind)];
        const Tensor& tensor = source_.take(name, one_layer_each);
        source_.template require_type<T>(tensor, true);
        Axes found = extents;
        if (const std::size_t o = axes.find('o'); modules_.size() > 1 && o < tensor.shape.size())
            found.outputs = tensor.shape[o];
        TensorShape expected;
        for (const char axis : axes) expected.push_back(found[axis]);
        if (tensor.shape != expected && !(is_slopes && is_vector_or_one(tensor.shape, found.outputs)))
            fail(source_.where(), "tensor ", name, " has the shape ", shown(tensor.shape), ", expected ",
                 shown(expected), " for layer ", layer_.title());
        source_.template require_finite<T>(tensor);
        return {&tensor, found};
    }

    static constexpr std::string_view one_layer_each = "a module has its weights for one layer, and is named once";

    Source& source_;
    const Framework& framework_;
    const ForeignLayer& layer_;
    const std::vector<std::string>& modules_;
    const Order &before_, &behind_;
};

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
