// What a layer is. Read this first; everything in layers/ is an instance of it.
//
//   struct Scale {                                              // y = s ∘ x, one learned factor per channel
//       static constexpr std::string_view name = "Scale";       // what tables, messages and files call it: to a file
//                                                               // layers of one name and equal sizes are the same
//       static constexpr Traits traits{.needs_output = false};  // what else it says of itself, see Traits
//       static constexpr Shape output(Shape in) { return in; }  // said once: inputs are inferred along the chain
//       static constexpr Index parameters(Shape in) { return in.channels; }
//
//       template <Shape In, class T>  // w: parameters(In)   x: In.size() × n   y: output(In).size() × n
//       void forward(std::span<const T, parameters(In)> w, ConstView<T> x, View<T> y) const;
//       template <Shape In, class T>                                       // y  = f(w, x)
//       void backward(std::span<const T, parameters(In)> w, ConstView<T> x, ConstView<T> y, ConstView<T> dy,
//                     View<T> dx) const;                                   // dx += (∂y/∂x)ᵀ dy
//       template <Shape In, class T>
//       void gradient(std::span<const T, parameters(In)> w, ConstView<T> x, ConstView<T> y, ConstView<T> dy,
//                     std::span<T, parameters(In)> dw) const;              // dw += (∂y/∂w)ᵀ dy
//   };
//
// A layer is a value that holds configuration and nothing else: sizes are template arguments, hyperparameters are
// members, and parameters, activations, gradients and random numbers are arguments. `gradient` is called before
// `backward`, and only for layers with parameters; `backward` only where somebody wants dx. An impossible shape is a
// `fail` in output(): in a chain it stops the compiler.
//
// Each of the three may declare a further parameter, the last one, `const Context<T>& context` (see there). A
// `backward` or `gradient` without it always *adds*: where there is nothing to add to, that was cleared before. One
// that declares it must *assign*, as nobody has cleared what it writes to, unless `context.accumulate` says to add. The
// backward of a layer that works in place must declare it: to clear dx would be to clear dy.
//
// A layer without parameters leaves out parameters() and gradient(). What else a layer may have, when it has it:
//
//   initialize<In>(std::span<T, parameters(In)> w, Rng&) const   first values; without it they are zero
//   static weights(Shape in) -> std::array<Weight, k>            names and extents of its parameters, in order
//   each_hyperparameter(self, use)                               static: use("rate", self.rate) for each member that is
//                                                                a number, which tables show and files keep, and then
//       check() const                                            `Error` for one out of range
//   hyperparameters() const -> std::string                       what else the table shows, of the layer's type:
//                                                                "kernel 7, stride 2"
//   static cache(Shape in) -> Index                              values a sample that training keeps for the way back
//   static state(Shape in) -> Index                              running values that are no parameters (averages of
//                                                                batches), and then all of these:
//       static states(Shape in) -> std::array<Weight, k>         their names and extents, and which are never negative
//       initialize_state<In>(std::span<T> state) const           their first values
//       fold<In>(std::span<T> state, std::span<const T> batch) const    takes in what forward has put in the context
//   static unit_axis                                             which extent of its `kernel`, the first of its arrays,
//                                                                numbers its output channels, 0 or 1; the other one of
//                                                                these numbers its input's (`revive`)
//   mirror<In>() const                                           the layer that undoes the shape change (Mirror<E>)
//   tied<In, Offset>() const                                     the same, with the weights found at Offset (Tied<E>),
//                                                                which that layer says: `shared_offset` and how many,
//                                                                `shared_parameters`
//   onnx(nodes, x) const -> std::string                          its nodes in an ONNX graph (io/onnx.hpp)
//   tangent<In>(w, x, y, v, t) const                             t = J v for J = ∂y/∂x; v as x, t as y
//   curvature<In>(w, x, y, u, v, dw, dx) const                   dw += ∂(uᵀJv)/∂w, dx += ∂(uᵀJv)/∂x; u as y, v as x.
//                                                                These two make a layer twice differentiable, which
//                                                                Contractive asks for; they read x and y where backward
//                                                                may, and are left out by a layer with a cache
#pragma once

#include <Eigen/Core>
#include <array>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "hourglass/core/random.hpp"
#include "hourglass/core/shape.hpp"
#include "hourglass/core/slice.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/core/workers.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Where a layer's outputs are known to lie.
enum class Range { Real, Unit };

/// The link functions of generalised linear models (Nelder and Wedderburn 1972) that losses know: an activation is the
/// inverse of one when it makes probabilities of scores, `Sigmoid` of the logistic one, `Softmax` of the other. A loss
/// of the same link is then computed from the scores. `EachGroup`: channels fall into groups with a link each, which
/// layer or loss names as its `groups`.
enum class Link { None, Logistic, Softmax, EachGroup };

/// What a layer says of itself; the defaults are the cautious answers.
struct Traits {
    bool needs_input = true;    ///< backward or gradient reads x
    bool needs_output = true;   ///< backward or gradient reads y
    bool in_place = false;      ///< x and y may be the same memory, and so may dy and dx (which is then assigned); of
                                ///< no account with needs_input
    bool keeps_values = false;  ///< only the shape changes, not one value
    bool linear = false;        ///< J depends on w alone: backward and tangent never read x or y, curvature leaves dx
    bool pointwise = false;     ///< each value of y depends on the same value of x alone
    Link link = Link::None;     ///< whose inverse it is; y then lies in (0, 1)
    Range range = Range::Real;  ///< where y lies, without a link
    bool by_sample = false;  ///< in training what a sample gets depends on no other one of the batch, and the gradient
                             ///< of the weights is a sum over samples: both may then be computed part by part, on
                             ///< threads. In evaluation every layer is taken to be so.
    bool gradient_in_parts = false;  ///< gradient computes the part of dw that the context says, over all samples
    bool shared_in_parts = false;    ///< and of a tied layer the `shared_part` of the shared one, too
    std::size_t branch = 0;          ///< reads the activation before that many layers as well (`Add` of `Residual`)
    Index condition = 0;             ///< reads so many values that the caller gives with each sample (`Condition`)
    bool takes_missing = false;      ///< NaN in x is a missing value, and what y holds for it is finite
    bool by_channel = false;         ///< each channel of y is made of the same channel of x, at any positions and
                                     ///< samples, or 0 (`TopK`), and weights are of a channel each (`revive`)
};

/// Extents of an array of up to four dimensions, the first one fastest in memory; those left out are 1.
struct Extents {
    std::array<Index, 4> values;  ///< the first one fastest

    constexpr Extents(Index a, Index b = 1, Index c = 1, Index d = 1) : values{a, b, c, d} {}
    constexpr Index operator[](std::size_t i) const { return values[i]; }
    /// Their product.
    constexpr Index size() const { return values[0] * values[1] * values[2] * values[3]; }
    /// Number of dimensions without trailing ones, at least 1.
    constexpr std::size_t rank() const {
        std::size_t n = 4;
        while (n > 1 && values[n - 1] == 1) --n;
        return n;
    }
};

/// One named array among a layer's parameters or running values. Weight decay may leave out what does not decay
/// (biases, scales); files and `EarlyStopping` refuse values below 0 where they would be none (variances).
struct Weight {
    std::string_view name;      ///< "kernel", "bias"
    Extents extents = 1;        ///< the first one fastest
    bool decays = true;         ///< whether weight decay is usual
    bool not_negative = false;  ///< whether a value below 0 is an error

    /// How many values.
    constexpr Index size() const { return extents.size(); }
};

namespace core {

/// Channels side by side, and the link of what is compared there.
struct LinkedChannels {
    Index channels;
    Link link;

    friend constexpr bool operator==(const LinkedChannels&, const LinkedChannels&) = default;
};

// Any part of a layer's weights, and more.
inline constexpr Slice all_values{0, std::numeric_limits<Index>::max() / 2};

}  // namespace core

/// What a pass hands to a layer beside weights and activations.
template <class T>
struct Context {
    bool training = false;          ///< dropout and its like act
    bool accumulate = true;         ///< gradient and backward add; else they assign, and read nothing they write
    std::span<T> cache = {};        ///< cache(In) × n values from forward to backward (training)
    Stream random{0, 0};            ///< this layer's random numbers in this step (training)
    std::span<const T> state = {};  ///< the running values
    std::span<T> statistics = {};   ///< receives this batch's, in their layout (training)
    ConstView<T> condition{nullptr, 0, 0};  ///< what the caller gave with the batch, a column for each of its samples
    const T* branch = nullptr;              ///< the activation `traits.branch` layers back
    T* branch_gradient = nullptr;           ///< … and its gradient, null where nobody wants it
    bool accumulate_branch = true;          ///< whether that one is added to
    Slice part = core::all_values;          ///< of dw: a column is computed whose first value lies there
                                            ///< (`gradient_in_parts`)
    Slice shared_part = core::all_values;   ///< of the shared dw, in a layer that has one
    core::Team* team = nullptr;             ///< threads, for a layer that looks across the batch (core/workers.hpp)
};

/// The weights of a layer that shares some with the encoder: `shared` lies in the encoder's slice, `own` in its own.
/// Such a layer adds to the shared gradient always; its gradient() takes the context only if it gives parts of it.
template <class T, std::size_t Shared, std::size_t Own>
struct TiedWeights {
    std::span<T, Shared> shared;  ///< the encoder's
    std::span<T, Own> own;        ///< this layer's
};

namespace core {

// What a layer says of itself, or the cautious answer where it says nothing.

template <class L>
constexpr Traits traits_of() {
    if constexpr (requires { L::traits; })
        return L::traits;
    else
        return {};
}
template <class L>
constexpr std::string_view name_of() {
    if constexpr (requires { L::name; })
        return L::name;
    else
        return "layer";
}
template <class L>
constexpr Index parameters_of(Shape in) {
    if constexpr (requires { L::parameters(in); })
        return L::parameters(in);
    else
        return 0;
}
template <class L>
constexpr Index cache_of(Shape in) {
    if constexpr (requires { L::cache(in); })
        return L::cache(in);
    else
        return 0;
}
template <class L>
constexpr Index state_of(Shape in) {
    if constexpr (requires { L::state(in); })
        return L::state(in);
    else
        return 0;
}
template <class L>
constexpr Range range_of() {
    constexpr Link link = traits_of<L>().link;
    return link == Link::None || link == Link::EachGroup ? traits_of<L>().range : Range::Unit;
}
template <class L>
constexpr auto weights_of(Shape in) {
    if constexpr (requires { L::weights(in); })
        return L::weights(in);
    else if constexpr (requires { L::parameters(in); })
        return std::array{Weight{"weights", L::parameters(in)}};
    else
        return std::array<Weight, 0>{};
}
template <class L>
constexpr auto states_of(Shape in) {
    if constexpr (requires { L::states(in); })
        return L::states(in);
    else if constexpr (requires { L::state(in); })
        return std::array{Weight{"state", L::state(in)}};
    else
        return std::array<Weight, 0>{};
}

/// The first of an array's values that is below 0 where none may be; −1 without one.
template <class T>
Index first_out_of_range(const Weight& array, const T* values) {
    for (Index i = 0; array.not_negative && i < array.size(); ++i)
        if (values[i] < 0) return i;
    return -1;
}

/// Whether a layer uses weights of another, see `TiedWeights`.
template <class L>
inline constexpr bool is_tied = requires {
    L::shared_offset;
};

// How a layer receives its weights, at `own`, and those that it uses of another, at `shared`.
template <class L, Shape In, class T>
auto weights_in(T* own, [[maybe_unused]] T* shared) {
    constexpr auto size = static_cast<std::size_t>(parameters_of<L>(In));
    if constexpr (is_tied<L>) {
        constexpr auto count = static_cast<std::size_t>(L::shared_parameters);
        return TiedWeights<T, count, size>{std::span<T, count>(shared, count), std::span<T, size>(own, size)};
    } else {
        return std::span<T, size>{own, size};
    }
}
// The same; `all` is the vector that those of all layers lie in. Not by way of the other: this is compiled for each
// layer.
template <class L, Shape In, class T>
auto weights_at(T* own, [[maybe_unused]] T* all) {
    constexpr auto size = static_cast<std::size_t>(parameters_of<L>(In));
    if constexpr (is_tied<L>)
        return weights_in<L, In>(own, all + L::shared_offset);
    else
        return std::span<T, size>{own, size};
}

// Which methods a layer has, and which of them take the context. Looked for once for each layer, shape and scalar type.
enum class Method { Missing, WithoutContext, WithContext };

template <class L, Shape In, class T>
struct MethodsOf {
    using Weights = decltype(weights_at<L, In, const T>(nullptr, nullptr));
    using Gradient = decltype(weights_at<L, In, T>(nullptr, nullptr));
    static constexpr bool has_weights = parameters_of<L>(In) > 0 || is_tied<L>;

    static constexpr Method forward = [] {
        if constexpr (requires(const L& l, Weights w, ConstView<T> x, View<T> y, const Context<T>& c) {
                          l.template forward<In>(w, x, y, c);
                      })
            return Method::WithContext;
        else if constexpr (requires(const L& l, Weights w, ConstView<T> x, View<T> y) {
                               l.template forward<In>(w, x, y);
                           })
            return Method::WithoutContext;
        else
            return Method::Missing;
    }();
    static constexpr Method backward = [] {
        if constexpr (requires(const L& l, Weights w, ConstView<T> x, View<T> dx, const Context<T>& c) {
                          l.template backward<In>(w, x, x, x, dx, c);
                      })
            return Method::WithContext;
        else if constexpr (requires(const L& l, Weights w, ConstView<T> x, View<T> dx) {
                               l.template backward<In>(w, x, x, x, dx);
                           })
            return Method::WithoutContext;
        else
            return Method::Missing;
    }();
    static constexpr Method gradient = [] {
        if constexpr (!has_weights || requires(const L& l, Weights w, ConstView<T> x, Gradient dw,
                                               const Context<T>& c) { l.template gradient<In>(w, x, x, x, dw, c); })
            return Method::WithContext;
        else if constexpr (requires(const L& l, Weights w, ConstView<T> x, Gradient dw) {
                               l.template gradient<In>(w, x, x, x, dw);
                           })
            return Method::WithoutContext;
        else
            return Method::Missing;
    }();
    static constexpr bool complete =
        forward != Method::Missing && backward != Method::Missing && gradient != Method::Missing;
};

template <class L>
concept HasOutput = requires(Shape in) {
    { L::output(in) } -> std::same_as<Shape>;
};
template <class L, Shape In, class T>
concept TwiceDifferentiable = requires(const L& layer, ConstView<T> in, View<T> out,
                                       decltype(weights_at<L, In, const T>(nullptr, nullptr)) w,
                                       decltype(weights_at<L, In, T>(nullptr, nullptr)) dw) {
    layer.template tangent<In>(w, in, in, in, out);
    layer.template curvature<In>(w, in, in, in, in, dw, out);
};

}  // namespace core

/// Whether L is a layer for samples of shape In: it has output() and the methods above, with arguments that fit.
template <class L, Shape In, class T = float>
concept Layer = core::HasOutput<L> && core::MethodsOf<L, In, T>::complete;

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
