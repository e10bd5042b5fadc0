// Weights that were trained in PyTorch, Keras or Flax.
//
// In Python they are put into a safetensors file under the names that they have there:
//
//     safetensors.torch.save_file(model.state_dict(), "vae.safetensors")                                     # PyTorch
//     safetensors.numpy.save_file({w.path: numpy.asarray(w) for w in model.weights}, "vae.safetensors")      # Keras 3
//     safetensors.flax.save_file(flax.traverse_util.flatten_dict(variables, sep="."), "vae.safetensors")     # Flax
#pragma once

// Where min and max are macros they are set aside until the end of this file.
#pragma push_macro("min")
#pragma push_macro("max")
#undef min
#undef max

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/io/foreign_arrays.hpp"
#include "hourglass/io/safetensors.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// A module of a Python model by its name in the file, or several, `{"fc_mean", "fc_log_var"}`, whose outputs are those
/// of one layer here, one module's after the other's.
struct Modules {
    std::vector<std::string> names;

    Modules(const char* name) : names{name} {}
    Modules(std::string name) : names{std::move(name)} {}
    Modules(std::initializer_list<std::string> several) : names(several) {}
    Modules(std::vector<std::string> several) : names(std::move(several)) {}
};

/// Which module each layer has its weights from: {{"encoder.0", "fc1"}, {"encoder.2", {"fc_mean", "fc_log_var"}}}.
using LayerModules = std::vector<std::pair<std::string, Modules>>;

/// What of Flax the shapes of its tensors do not say.
struct FlaxOptions {
    bool transpose_kernel = false;  ///< as the model's transposed convolutions were told
};

/// A model that takes its weights from a file of another framework; an argument of `load`.
template <class Model>
class FromPython {
    static_assert(!std::is_const_v<Model>, "hourglass: what is loaded must not be const");
    using T = typename Model::Scalar;

  public:
    /// Refers to the model and the framework.
    FromPython(Model& model, LayerModules modules, const Framework& framework)
        : model_(model), modules_(std::move(modules)), framework_(framework) {}

    /// Looks at all that the file holds for the model; what comes back assigns it and cannot fail. Errors as
    /// `from_pytorch` says.
    auto staged(Source& source) const {
        const std::vector<ForeignLayer> layers = layers_of_model();
        const std::vector<const Modules*> modules = modules_of(source, layers);
        const Flattening flattening = framework_.flattens_positions_first ? Flattening(passages(layers), source.where())
                                                                          : Flattening(layers.size());
        const std::map<std::string, T*, std::less<>> places = places_of_model();
        std::vector<std::pair<T*, Vector<T>>> arrays;
        for (std::size_t i = 0; i < layers.size(); ++i) {
            if (!modules[i]) continue;
            const ForeignArrays<T> read(source, framework_, layers[i], modules[i]->names, flattening.before(i),
                                        flattening.behind(i));
            for (const Weight& array : layers[i].arrays)
                arrays.emplace_back(places.at(layers[i].path + "." + std::string{array.name}), read.values(array));
        }
        return [arrays = std::move(arrays)]() noexcept {
            for (const auto& [to, values] : arrays) std::copy_n(values.data(), values.size(), to);
        };
    }

  private:
    std::vector<ForeignLayer> layers_of_model() const {
        std::vector<ForeignLayer> layers;
        std::as_const(model_).each_layer([&]<class L>(const L&, const auto& place) {
            layers.push_back(foreign_layer<L>(place.name, place.input, place.output));
        });
        return layers;
    }
    static std::vector<Passage> passages(const std::vector<ForeignLayer>& layers) {
        std::vector<Passage> chain;
        chain.reserve(layers.size());
        for (const ForeignLayer& layer : layers) chain.push_back(layer.passage);
        return chain;
    }
    std::map<std::string, T*, std::less<>> places_of_model() const {
        std::map<std::string, T*, std::less<>> places;
        const auto keep = [&](std::string_view name, const auto&, auto values) { places.emplace(name, values.data()); };
        model_.each_weight(keep);
        model_.each_state(keep);
        return places;
    }
    // The modules of each layer, null for one without weights. `Error` unless every layer with weights has an entry of
    // its own and every entry a layer.
    std::vector<const Modules*> modules_of(const Source& source, const std::vector<ForeignLayer>& layers) const {
        std::vector<const Modules*> found(layers.size());
        for (const auto& [path, modules] : modules_) {
            const auto at = std::find_if(layers.begin(), layers.end(),
                                         [&wanted = path](const auto& l) { return l.path == wanted; });
            if (at == layers.end())
                fail(source.where(), "there is no layer ", path, "; with weights there are ", with_weights(layers));
            if (at->arrays.empty()) fail(source.where(), "layer ", at->title(), " has no weights to be loaded");
            if (modules.names.empty()) fail(source.where(), "no module is named for layer ", at->title());
            const Modules*& of_layer = found[static_cast<std::size_t>(at - layers.begin())];
            if (of_layer) fail(source.where(), "layer ", at->title(), " is named twice");
            of_layer = &modules;
        }
        for (std::size_t i = 0; i < layers.size(); ++i)
            if (!layers[i].arrays.empty() && !found[i])
                fail(source.where(), "no module is named for layer ", layers[i].title(), ", which has weights");
        return found;
    }
    static std::string with_weights(const std::vector<ForeignLayer>& layers) {
        std::string all;
        for (const ForeignLayer& layer : layers)
            if (!layer.arrays.empty()) all += (all.empty() ? "" : ", ") + layer.path;
        return all.empty() ? "none" : all;
    }

    Model& model_;
    LayerModules modules_;
    const Framework& framework_;
};

}  // namespace io

/// For `load`: `model` takes the weights that a model of the same architecture has learned in PyTorch, from a file of
/// its `state_dict()`. Each layer with weights is given the name of its module there, or the names of several whose
/// outputs it joins: the mean and the log-variance of a variational model are one `Dense` of twice the width.
///
///     hg::load("vae.safetensors", hg::from_pytorch(model, {{"encoder.0", "fc1"},
///                                                          {"encoder.2", {"fc_mean", "fc_log_var"}},
///                                                          {"decoder.0", "fc3"},
///                                                          {"decoder.2", "fc4"}}));
///
/// Which tensors a module has, and how they lie, follows from the layer. Numbers of any floating-point type are rounded
/// to the model's. Hyperparameters stay: PyTorch's ε is 1e-5, `BatchNormalization{0.9, 1e-5}`, and
/// `LayerNormalization{1e-5}`, `GroupNormalization<8>{1e-5}`; what a loss has learned stays too. `Padding::Same` is
/// Keras's: `padding=p` at both ends is the same where (taps − 1)·dilation + 1 − stride = 2p and, but for a transposed
/// convolution, the stride divides the length.
///
/// PyTorch keeps the positions of a series or picture fastest, the library its channels: the weights of layers between
/// a `Flatten` and a `Reshape` are put in the order that fits, so that series go in and come out as everywhere here. A
/// flattened code that no layer with weights has mixed is in another order than there. Of a layer of the program's own
/// it is known that it treats all values alike where its traits say `pointwise`.
///
/// Returns an argument of `load`, which refers to the model: nothing is read before. Errors, all of them `load`'s,
/// before anything is changed: a layer that does not exist, or has weights and no module, or has two entries; a layer
/// without weights, or one whose outputs cannot be joined, with several modules; a model or network that has been moved
/// from; a tensor that is missing, has another
/// shape, is of integers, is not finite, or is a variance below 0; a module that two layers have; a tensor that nobody
/// takes (`IgnoreOthers{}` passes it over); a flattened series that no order of weights makes the same.
template <class Model>
io::FromPython<Model> from_pytorch(Model& model, io::LayerModules modules) {
    return {model, std::move(modules), io::pytorch};
}

/// The same from Keras 3, where modules are called as in `weight.path`, without the part behind the last "/":
/// {{"encoder.0", "dense"}, {"decoder.0", "dense_1"}}. Flattened series lie as here. ε and momentum have the same
/// defaults. Errors: the same, but for the flattened series.
template <class Model>
io::FromPython<Model> from_keras(Model& model, io::LayerModules modules) {
    return {model, std::move(modules), io::keras};
}

/// The same from Flax, where modules are called as in the flattened variables: {{"encoder.0", "params.Dense_0"}}. The
/// running statistics of "params.BatchNorm_0" are taken from "batch_stats.BatchNorm_0"; those of a module without
/// "params." (NNX) from itself. Flattened series lie as here. Flax's ε is 1e-5 for batches and 1e-6 for layers. With
/// `{.transpose_kernel = true}` the kernels of transposed convolutions are those of the convolution they transpose.
/// Errors: as from Keras.
template <class Model>
io::FromPython<Model> from_flax(Model& model, io::LayerModules modules, io::FlaxOptions options = {}) {
    return {model, std::move(modules), options.transpose_kernel ? io::flax_transposing : io::flax};
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma pop_macro("max")
#pragma pop_macro("min")
