// What a layer is. Read this first; everything in layers/ is an instance of it.
//
//   struct Scale {                                              // y = s ∘ x, one learned factor per channel
//       static constexpr std::string_view name = "Scale";       // what tables and messages call it
//       static constexpr Shape output(Shape in) { return in; }  // said once: inputs are inferred along the chain
//       static constexpr Index parameters(Shape in) { return in.channels; }
//
//       template <Shape In, class T>  // w: parameters(In)   x: In.size() × n   y: output(In).size() × n
//       void forward(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y) const;    // y  = f(w, x)
//       template <Shape In, class T>
//       void backward(std::span<const T, parameters(In)> w, ConstView<T> x, ConstView<T> y, ConstView<T> dy,
//                     View<T> dx) const;                                                        // dx += (∂y/∂x)ᵀ dy
//       template <Shape In, class T>
//       void gradient(ConstView<T> x, ConstView<T> dy, std::span<T, parameters(In)> dw) const;  // dw += (∂y/∂w)ᵀ dy
//   };
//
// A layer is a value that holds configuration and nothing else: sizes are template arguments, knobs are members, and
// parameters, activations, gradients and random numbers are arguments. forward assigns; backward and gradient add,
// because several users may share a buffer. An impossible shape is a `fail` in output(): in a chain it stops the
// compiler.
//
// A layer without parameters leaves out parameters() and gradient(). What else a layer may say, when it is so:
//
//   initialize<In>(std::span<T, parameters(In)> w, Rng&) const   first values; without it they are zero
//   gradient<In>(x, dy, dw, bool held) const                     adds where dw is held, as always; else assigns and
//                                                                never reads it, which saves clearing what is large
//   backward<In>(w, x, y, dy, dx, bool held) const               the same for dx; each by itself, without a cache
//   static weights(Shape in) -> std::array<Weight, k>            names and extents of its parameters, in order
//   mirror<In>() const                                           the layer that undoes the shape change (Mirror<E>)
//   tied<In, Offset>() const                                     the same, with the weights found at Offset (Tied<E>)
//   static constexpr bool needs_input = false                    backward and gradient never read x
//   static constexpr bool needs_output = false                   backward never reads y
//   static constexpr bool in_place = true                        forward may find x and y in the same memory, and
//                                                                backward_in_place(y, dy) turns dy into dx there
//   static constexpr bool keeps_values = true                    only the shape changes, not one value
//   static constexpr Range range = Range::Unit                   every output value lies in (0, 1)
//   tangent<In>(w, x, y, v, t) const                             t = J v for J = ∂y/∂x; v as x, t as y
//   curvature<In>(w, x, y, u, v, dw, dx) const                   dw += ∂(uᵀJv)/∂w, dx += ∂(uᵀJv)/∂x; u as y, v as x.
//                                                                These two make a layer twice differentiable, which
//                                                                Contractive asks for; they read x and y where backward
//                                                                may, and are left out by a layer with a cache
//   static constexpr bool linear = true                          J depends on w alone: backward and tangent never
//                                                                read x or y, and curvature leaves dx as it is
//   static constexpr bool pointwise = true                       each value of y depends on the same value of x alone
//   static constexpr Index cache(Shape in)                       values per sample kept from forward to backward; then
//                                                                training calls forward and backward with one more
//                                                                argument, Pass<T>&, that holds them and the random
//                                                                numbers; so is gradient, if the layer has weights
//   static constexpr Index state(Shape in)                       running values that are no parameters (averages of
//                                                                batches): forward in evaluation takes them behind w,
//                                                                in training pass.statistics receives this batch's,
//                                                                and two more methods set the first values and fold a
//                                                                batch's in:
//   initialize_state<In>(std::span<T> state)   fold<In>(std::span<T> state, std::span<const T> statistics)
#pragma once

#include <Eigen/Core>
#include <array>
#include <span>
#include <string_view>

#include "hourglass/core/random.hpp"
#include "hourglass/core/shape.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Where a layer's outputs are known to lie.
enum class Range { Real, Unit };

/// One named array among a layer's parameters, first extent fastest in memory. Weight decay may leave out what does not
/// decay (biases, scales).
struct Weight {
    std::string_view name;
    std::array<Index, 3> extents = {1, 1, 1};
    bool decays = true;

    constexpr Index size() const { return extents[0] * extents[1] * extents[2]; }
};

/// What one training pass hands to a layer that asked for a cache: `cache`, cache(In) × n values that forward fills and
/// backward reads, this step's random numbers, and where this batch's statistics go.
template <class T>
struct Pass {
    View<T> cache;
    Stream random;
    std::span<T> statistics = {};
};

/// The weights of a layer that shares some with the encoder: `shared` lies in the encoder's slice, `own` in its own.
template <class T, std::size_t Shared, std::size_t Own>
struct TiedWeights {
    std::span<T, Shared> shared;
    std::span<T, Own> own;
};

// What a layer says of itself, or the cautious answer where it says nothing.

template <class Layer>
constexpr Index parameters_of(Shape in) {
    if constexpr (requires { Layer::parameters(in); })
        return Layer::parameters(in);
    else
        return 0;
}
template <class Layer, Shape In, class T>
concept Initialized = requires(const Layer& layer, std::span<T, static_cast<std::size_t>(parameters_of<Layer>(In))> w,
                               Rng& rng) {
    layer.template initialize<In>(w, rng);
};
template <class Layer, Shape In, class T>
concept TwiceDifferentiable = requires(const Layer& layer, ConstView<T> in, View<T> out,
                                       std::span<const T, static_cast<std::size_t>(parameters_of<Layer>(In))> w,
                                       std::span<T, static_cast<std::size_t>(parameters_of<Layer>(In))> dw) {
    layer.template tangent<In>(w, in, in, in, out);
    layer.template curvature<In>(w, in, in, in, in, dw, out);
};
template <class Layer>
constexpr Index cache_of(Shape in) {
    if constexpr (requires { Layer::cache(in); })
        return Layer::cache(in);
    else
        return 0;
}
template <class Layer>
constexpr Index state_of(Shape in) {
    if constexpr (requires { Layer::state(in); })
        return Layer::state(in);
    else
        return 0;
}
template <class Layer>
constexpr bool needs_input() {
    if constexpr (requires { Layer::needs_input; })
        return Layer::needs_input;
    else
        return true;
}
template <class Layer>
constexpr bool needs_output() {
    if constexpr (requires { Layer::needs_output; })
        return Layer::needs_output;
    else
        return true;
}
template <class Layer>
constexpr bool works_in_place() {
    if constexpr (requires { Layer::in_place; })
        return Layer::in_place;
    else
        return false;
}
template <class Layer>
constexpr bool keeps_values() {
    if constexpr (requires { Layer::keeps_values; })
        return Layer::keeps_values;
    else
        return false;
}
template <class Layer>
constexpr bool is_linear() {
    if constexpr (requires { Layer::linear; })
        return Layer::linear;
    else
        return false;
}
template <class Layer>
constexpr bool is_pointwise() {
    if constexpr (requires { Layer::pointwise; })
        return Layer::pointwise;
    else
        return false;
}
template <class Layer>
constexpr Range range_of() {
    if constexpr (requires { Layer::range; })
        return Layer::range;
    else
        return Range::Real;
}
template <class Layer>
constexpr std::string_view name_of() {
    if constexpr (requires { Layer::name; })
        return Layer::name;
    else
        return "layer";
}
template <class Layer>
constexpr auto weights_of(Shape in) {
    if constexpr (requires { Layer::weights(in); })
        return Layer::weights(in);
    else if constexpr (requires { Layer::parameters(in); })
        return std::array{Weight{"weights", {Layer::parameters(in), 1, 1}}};
    else
        return std::array<Weight, 0>{};
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
