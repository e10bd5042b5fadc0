// Inference without the heap: a trained model's weights laid out for reading, one sample at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <tuple>
#include <type_traits>

#include "hourglass/core/flush_denormals.hpp"
#include "hourglass/core/trainable.hpp"
#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/packed_matrix.hpp"
#include "hourglass/layers/batch_normalization.hpp"
#include "hourglass/layers/dense.hpp"
#include "hourglass/layers/pointwise.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/network.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

// How many outputs a dense layer has whose weights can be packed; 0 for what is none.
template <class L>
inline constexpr Index dense_outputs = 0;
template <Index Units, bool UseBias>
inline constexpr Index dense_outputs<Dense<Units, UseBias>> = Units;
template <Index Outputs, bool UseBias, Index Offset, Index Size>
inline constexpr Index dense_outputs<layers::DenseTransposed<Outputs, UseBias, Offset, Size>> = Outputs;

// How a layer is computed: a dense one on a flat vector from packed weights, the normalisation behind it within it, any
// other normalisation by a mean, a factor and a shift for each channel, the rest as in any evaluation.
enum class FrozenWay { Packed, Folded, Scaled, AsItIs };

/// What the compiler knows of a frozen network: the way of each layer, where its weights lie, and its activations.
template <class T, class Layers, std::size_t... Marks>
struct FrozenPlan {
    static constexpr std::size_t depth = Layers::depth;
    static constexpr Plan<depth> plan = Layers::template marked_plan<Marks...>();
    template <std::size_t I>
    using Layer = typename Layers::template Layer<I>;
    template <class V>
    using Each = std::array<V, depth + 1>;

    template <std::size_t I>
    static constexpr FrozenWay way() {
        if constexpr (std::is_same_v<Layer<I>, BatchNormalization>) {
            if constexpr (I > 0)
                if (way<I - 1>() == FrozenWay::Packed && !plan.needed[I]) return FrozenWay::Folded;
            return FrozenWay::Scaled;
        } else {
            return dense_outputs<Layer<I>> > 0 && plan.shapes[I].positions() == 1 ? FrozenWay::Packed
                                                                                  : FrozenWay::AsItIs;
        }
    }
    template <std::size_t I>
    using Matrix = kernels::PackedMatrix<T, std::max<Index>(dense_outputs<Layer<I>>, 1), plan.shapes[I].channels>;

    // Where the weights that it shares lie in θ, and how many.
    template <std::size_t I>
    static constexpr Slice shared() {
        if constexpr (is_tied<Layer<I>>)
            return {Layer<I>::shared_offset, Layer<I>::shared_parameters};
        else
            return {0, 0};
    }
    // Whether layer I acts on each value alike, in a stretch that begins at `Begin`, and there are values behind its
    // input's up to the end of a cache line.
    template <std::size_t I, std::size_t Begin>
    static constexpr bool is_whole() {
        if constexpr (I <= Begin) {
            return false;
        } else {
            // Of others' layers it is not known whether they ask for the size that the shape says.
            constexpr bool pointwise = std::is_base_of_v<Pointwise<Layer<I>>, Layer<I>>;
            constexpr FrozenWay before = way<I - 1>();
            return pointwise &&
                   (before == FrozenWay::Packed || before == FrozenWay::Folded || is_whole<I - 1, Begin>());
        }
    }
    // Values of its weights when frozen: those that it shares stand before its own.
    template <std::size_t I>
    static constexpr Index size() {
        switch (way<I>()) {
            case FrozenWay::Packed:
                return Matrix<I>::size;
            case FrozenWay::Folded:
                return 0;
            case FrozenWay::Scaled:
                return 3 * plan.shapes[I].channels;
            case FrozenWay::AsItIs:
                break;
        }
        return shared<I>().size + parameters_of<Layer<I>>(plan.shapes[I]) + state_of<Layer<I>>(plan.shapes[I]);
    }
    // Where the weights of each layer lie; the last one is their number.
    static constexpr Each<Index> offsets() {
        Each<Index> at{};
        Layers::each([&]<std::size_t I>() { at[I + 1] = at[I] + whole_lines<T>(size<I>()); });
        return at;
    }

    // Room for activation i: whole cache lines, and what a product writes behind it.
    static constexpr Each<Index> rooms() {
        Each<Index> rooms{};
        Layers::each([&]<std::size_t I>() {
            const Index written = way<I>() == FrozenWay::Packed ? Matrix<I>::padded_rows : plan.shapes[I + 1].size();
            rooms[I + 1] = whole_lines<T>(written);
        });
        return rooms;
    }
    // Where activations lie on the stack: each where nothing lies that is still to be read.
    struct Places {
        Each<Index> at{};
        Index room = 0;
    };
    static constexpr Places places() {
        Each<std::size_t> owner{}, last{};  // in whose memory it lies; the last layer that reads that memory
        Layers::each([&]<std::size_t I>() {
            const bool stays = plan.in_place[I] || way<I>() == FrozenWay::Folded || way<I>() == FrozenWay::Scaled;
            owner[I + 1] = stays && !plan.needed[I] ? owner[I] : I + 1;
        });
        for (std::size_t i = 0; i < depth; ++i) last[owner[i]] = i, last[owner[plan.branch[i]]] = i;
        for (const std::size_t mark : {Marks..., depth}) last[owner[mark]] = depth;
        const Each<Index> values = rooms();
        Places places;
        for (std::size_t i = 1; i <= depth; ++i) {
            Index& at = places.at[i];
            if (owner[i] != i) {
                at = places.at[owner[i]];
                continue;
            }
            for (bool moved = true; moved;) {
                moved = false;
                for (std::size_t k = 1; k < i; ++k) {
                    const Index behind = places.at[k] + values[k];
                    if (owner[k] == k && last[k] + 1 >= i && at < behind && places.at[k] < at + values[i])
                        at = behind, moved = true;
                }
            }
            places.room = std::max(places.room, at + values[i]);
        }
        return places;
    }
};

/// The layers of a network with their weights, read only. `Marks` are activations where a stretch may begin or end.
template <class T, class Layers, std::size_t... Marks>
class FrozenLayers {
    using Frame = FrozenPlan<T, Layers, Marks...>;
    static constexpr std::size_t depth = Layers::depth;
    static constexpr const auto& plan = Frame::plan;
    static constexpr auto offsets = Frame::offsets();
    static constexpr auto places = Frame::places();
    template <std::size_t I>
    using Layer = typename Frame::template Layer<I>;
    template <std::size_t I>
    using Matrix = typename Frame::template Matrix<I>;
    template <std::size_t I>
    static constexpr FrozenWay way = Frame::template way<I>();
    template <std::size_t I>
    static constexpr Slice shared = Frame::template shared<I>();
    static constexpr Index size = offsets[depth];
    static constexpr bool in_object = size * static_cast<Index>(sizeof(T)) <= Index{1} << 20;

  public:
    /// Values of memory on the stack that a stretch takes.
    static constexpr Index room = places.room;

    /// Of a network that has its values.
    template <class Passes>
    explicit FrozenLayers(const Passes& passes) : layers_(passes.layers_) {
        if constexpr (in_object)
            weights_.fill(T(0));
        else
            weights_ = Vector<T>::Zero(size);
        Layers::each([&]<std::size_t I>() { store<I>(passes.theta_.data(), passes.state_.data()); });
        // A denormal weight costs 20 times another, and is nothing.
        if constexpr (std::floating_point<T>)
            for (Index i = 0; i < size; ++i)
                if (T& w = weights_.data()[i]; std::abs(w) < std::numeric_limits<T>::min()) w = T(0);
    }

    // What is moved from is copied: it works on, as it does with weights in the object.
    FrozenLayers(const FrozenLayers&) = default;
    FrozenLayers& operator=(const FrozenLayers&) = default;

    /// y = what layers Begin … End − 1 make of x, `condition` being what the caller gives with it.
    template <std::size_t Begin, std::size_t End>
    void run(const T* x, const T* condition, T* y) const noexcept {
        const FlushDenormals scope;
        run_stretch<Begin, End>(x, condition, y);
    }

  private:
    template <std::size_t I>
    void store(const T* theta, const T* state) {
        const T* const w = theta + plan.offsets[I];
        T* to = weights_.data() + offsets[I];
        if constexpr (way<I> == FrozenWay::Packed) {
            if constexpr (constexpr std::size_t next = std::min(I + 1, depth - 1); way<next> == FrozenWay::Folded)
                pack<I>(theta, w, to, affine<next>(theta + plan.offsets[next], state + plan.states[next]));
            else
                pack<I>(theta, w, to, [](Index) { return Affine{T(1), T(0)}; });
        } else if constexpr (way<I> == FrozenWay::Scaled) {
            // The mean apart: it may be large beside the deviation, and x − μ then is what has the digits.
            constexpr Index channels = plan.shapes[I].channels;
            const auto of_channel = affine<I>(w, state + plan.states[I]);
            std::copy_n(state + plan.states[I], channels, to);
            for (Index c = 0; c < channels; ++c) to[channels + c] = of_channel(c).factor;
            std::copy_n(w + channels, channels, to + 2 * channels);
        } else if constexpr (way<I> == FrozenWay::AsItIs) {
            to = std::copy_n(theta + shared<I>.begin, shared<I>.size, to);
            to = std::copy_n(w, parameters_of<Layer<I>>(plan.shapes[I]), to);
            std::copy_n(state + plan.states[I], state_of<Layer<I>>(plan.shapes[I]), to);
        }
    }
    // A dense layer's W and b, each row multiplied by a factor, and a shift added to b.
    template <std::size_t I, class OfRow>
    static void pack(const T* theta, const T* w, T* to, const OfRow& of_row) {
        constexpr Index rows = dense_outputs<Layer<I>>, columns = plan.shapes[I].channels;
        constexpr bool tied = is_tied<Layer<I>>;  // to the W of columns × rows that leads there
        constexpr Index before_bias = tied ? 0 : rows * columns;
        const T* const matrix = tied ? theta + shared<I>.begin : w;
        Matrix<I>::pack(
            to,
            [&](Index i, Index k) {
                return of_row(i).factor * (tied ? matrix[k + i * columns] : matrix[i + k * rows]);
            },
            [&](Index i) {
                const auto [factor, shift] = of_row(i);
                if constexpr (parameters_of<Layer<I>>(plan.shapes[I]) > before_bias)
                    return factor * w[before_bias + i] + shift;
                else
                    return shift;
            });
    }
    // A normalisation of channel c by running averages: γ (x − μ)/√(σ² + ε) + β = factor · x + shift.
    struct Affine {
        T factor, shift;
    };
    template <std::size_t I>
    auto affine(const T* w, const T* state) const {
        const T epsilon = static_cast<T>(layers_.template layer<I>().epsilon);
        return [=](Index c) {
            using std::sqrt;
            constexpr Index channels = plan.shapes[I].channels;
            const T factor = w[c] / sqrt(state[channels + c] + epsilon);
            return Affine{factor, w[channels + c] - factor * state[c]};
        };
    }

    // Not inlined, so that no arithmetic leaves the scope in which denormals are flushed.
    template <std::size_t Begin, std::size_t End>
    EIGEN_DONT_INLINE void run_stretch(const T* x, const T* condition, T* y) const noexcept {
        alignas(64) T memory[static_cast<std::size_t>(std::max<Index>(room, 1))];
        const auto activation = [&](std::size_t i) { return i == Begin ? x : memory + places.at[i]; };
        Layers::each([&]<std::size_t I>() {
            if constexpr (Begin <= I && I < End) {
                constexpr std::size_t from = plan.branch[I];
                run_layer<I, Frame::template is_whole<I, Begin>()>(
                    activation(I), memory + places.at[I + 1], from < Begin ? nullptr : activation(from), condition);
            }
        });
        std::copy_n(activation(End), plan.shapes[End].size(), y);
    }
    // `Whole` says that there are values in x up to the end of a cache line.
    template <std::size_t I, bool Whole>
    void run_layer(const T* x, T* y, [[maybe_unused]] const T* branch, [[maybe_unused]] const T* condition) const {
        constexpr Shape in = plan.shapes[I];
        const T* const w = weights_.data() + offsets[I];
        if constexpr (way<I> == FrozenWay::Packed) {
            Matrix<I>::product(w, x, y);
            constexpr Index written = Matrix<I>::padded_rows;
            std::fill_n(y + written, whole_lines<T>(written) - written, T(0));
        } else if constexpr (way<I> == FrozenWay::Scaled) {
            for (Index i = 0; i < in.size(); i += in.channels)
                kernels::map_packs(
                    in.channels, y + i,
                    [](const kernels::Pack<T>& value, const kernels::Pack<T>& mean, const kernels::Pack<T>& factor,
                       const kernels::Pack<T>& shift) { return factor * (value - mean) + shift; },
                    x + i, w, w + in.channels, w + 2 * in.channels);
        } else if constexpr (way<I> == FrozenWay::AsItIs) {
            if (traits_of<Layer<I>>().keeps_values && x == y) return;
            constexpr Index own = parameters_of<Layer<I>>(in), running = state_of<Layer<I>>(in);
            const T* const mine = w + shared<I>.size;
            const Context<T> context{.state = {mine + own, static_cast<std::size_t>(running)},
                                     .condition = {condition, condition ? Layers::condition : 0, condition ? 1 : 0},
                                     .branch = branch};
            const auto values = weights_at<I>(w, mine);
            // What acts on each value acts on whole vectors: none are left over.
            constexpr Index in_size = Whole ? whole_lines<T>(in.size()) : in.size();
            constexpr Index out_size = Whole ? in_size : plan.shapes[I + 1].size();
            const ConstView<T> from{x, in_size, 1};
            const View<T> to{y, out_size, 1};
            const auto& layer = layers_.template layer<I>();
            if constexpr (MethodsOf<Layer<I>, in, T>::forward == Method::WithContext)
                layer.template forward<in>(values, from, to, context);
            else
                layer.template forward<in>(values, from, to);
        }
    }

    template <std::size_t I>
    static auto weights_at(const T* before, const T* mine) {
        constexpr auto size_of = [](Index values) { return static_cast<std::size_t>(values); };
        constexpr std::size_t own = size_of(parameters_of<Layer<I>>(plan.shapes[I])), all = size_of(shared<I>.size);
        const std::span<const T, own> own_values(mine, own);
        if constexpr (is_tied<Layer<I>>)
            return TiedWeights<const T, all, own>{std::span<const T, all>(before, all), own_values};
        else
            return own_values;
    }

    Layers layers_;
    // In the object on a cache line; else in memory aligned as Eigen's vectors are.
    alignas(64) std::conditional_t<in_object, std::array<T, static_cast<std::size_t>(std::max<Index>(size, 1))>,
                                   Vector<T>> weights_;
};

/// The values of one sample as an argument of a frozen model, N of them, const where T is: a span or an array of that
/// size, or whatever has data() and size(), such as a std::vector, an Eigen vector or a column of a matrix. Those are
/// looked at when they are handed over: `Error` for another size, or where values do not follow each other.
template <class T, std::size_t N>
class SampleValues {
  public:
    constexpr SampleValues(std::span<T, N> values) noexcept : data_(values.data()) {}
    template <class V>
        requires(std::is_convertible_v<V&, std::span<T, N>>)
    // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): one of these is no span
    constexpr SampleValues(V&& values) noexcept : data_(std::span<T, N>(values).data()) {}
    template <class V>
        requires(!std::is_convertible_v<V&, std::span<T, N>> && requires(V & v) {
            { v.data() } -> std::convertible_to<T*>;
            v.size();
        })
    // NOLINTNEXTLINE(bugprone-forwarding-reference-overload)
    SampleValues(V&& values) : data_(values.data()) {
        if constexpr (requires { std::tuple_size<std::remove_cvref_t<V>>::value; })
            static_assert(std::tuple_size<std::remove_cvref_t<V>>::value == N,
                          "hourglass: an array given to a frozen model must have its size: input_size, code_size, …");
        if (static_cast<std::size_t>(values.size()) != N)
            fail("Frozen: expected ", N, " values, one sample, got ", values.size());
        if constexpr (requires { values.innerStride(); })
            if (values.innerStride() != 1 || (values.rows() != 1 && values.cols() != 1))
                fail("Frozen: the values of a sample must follow each other in memory: give a copy");
    }

    T* data() const { return data_; }

  private:
    T* data_;
};

}  // namespace core

/// A trained model or network for inference, one sample a call, as `freeze` makes it: its layers and their weights,
/// which change no more. No method allocates, locks or throws, and several threads may use one at once. The result is
/// that of `Autoencoder::encode` and its like, or `Network::evaluate`, to rounding: dense layers' weights are laid out
/// for reading, a `BatchNormalization` behind one is multiplied into it, and denormal weights have become zero.
/// Activations lie on the stack, `stack_size` bytes. x and the result may be the same memory.
///
/// Arguments are spans or arrays, whose size the compiler knows, or vectors and columns, whose size is looked at when
/// they are handed over (`Error` for another one).
template <class Model>
class Frozen;

template <class T, class Encoder, class Decoder, class Loss, class... Terms>
class Frozen<BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>> {
    using Pipeline = models::Pipeline<Encoder, Decoder, Loss, Terms...>;
    using Layers = typename Pipeline::Layers;
    using All = core::FrozenLayers<T, Layers, Pipeline::code_begin, Pipeline::code_end>;
    static constexpr std::size_t code_at = Pipeline::code_end, depth = Layers::depth;
    template <std::size_t Begin, std::size_t End>
    static constexpr bool is_conditional = Layers::plan.condition_between(Begin, End) > 0;
    static constexpr std::size_t size(Shape shape) { return static_cast<std::size_t>(shape.size()); }
    template <std::size_t N>
    using Given = core::SampleValues<const T, N>;
    template <std::size_t N>
    using Result = core::SampleValues<T, N>;

  public:
    using Scalar = T;
    static constexpr std::size_t input_size = size(Encoder::input),    ///< values of a sample
        code_size = size(Decoder::input),                              ///< of its code
        output_size = size(Decoder::output),                           ///< of what the decoder makes of it
        condition_size = static_cast<std::size_t>(Layers::condition),  ///< of what is given with it (`Condition`)
        stack_size = static_cast<std::size_t>(All::room) * sizeof(T);

    explicit Frozen(const BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>& model)
        : layers_(core::Inside::of(model)) {}

    /// The code of a sample (of a variational model its mean); where the encoder reads a condition, with that.
    void encode(Given<input_size> x, Result<code_size> code) const noexcept requires(!is_conditional<0, code_at>) {
        layers_.template run<0, code_at>(x.data(), nullptr, code.data());
    }
    void encode(Given<input_size> x, Given<condition_size> condition, Result<code_size> code) const noexcept
        requires(is_conditional<0, code_at>) {
        layers_.template run<0, code_at>(x.data(), condition.data(), code.data());
    }
    /// The decoder's output for a code.
    void decode(Given<code_size> code, Result<output_size> y) const noexcept requires(!is_conditional<code_at, depth>) {
        layers_.template run<code_at, depth>(code.data(), nullptr, y.data());
    }
    void decode(Given<code_size> code, Given<condition_size> condition, Result<output_size> y) const noexcept
        requires(is_conditional<code_at, depth>) {
        layers_.template run<code_at, depth>(code.data(), condition.data(), y.data());
    }
    /// The decoder's output for the code of a sample.
    void reconstruct(Given<input_size> x, Result<output_size> y) const noexcept requires(!is_conditional<0, depth>) {
        layers_.template run<0, depth>(x.data(), nullptr, y.data());
    }
    void reconstruct(Given<input_size> x, Given<condition_size> condition, Result<output_size> y) const noexcept
        requires(is_conditional<0, depth>) {
        layers_.template run<0, depth>(x.data(), condition.data(), y.data());
    }

  private:
    All layers_;
};

template <class T, class Layers, std::size_t... Marks>
class Frozen<Network<T, Layers, Marks...>> {
    using All = core::FrozenLayers<T, Layers, Marks...>;
    static constexpr bool is_conditional = Layers::condition > 0;
    static constexpr std::size_t size(Shape shape) { return static_cast<std::size_t>(shape.size()); }
    template <std::size_t N>
    using Given = core::SampleValues<const T, N>;
    template <std::size_t N>
    using Result = core::SampleValues<T, N>;

  public:
    using Scalar = T;
    static constexpr std::size_t input_size = size(Layers::input), output_size = size(Layers::output),
                                 condition_size = static_cast<std::size_t>(Layers::condition),
                                 stack_size = static_cast<std::size_t>(All::room) * sizeof(T);

    explicit Frozen(const Network<T, Layers, Marks...>& network) : layers_(core::Inside::of(network)) {}

    /// The chain's output for a sample; where it reads a condition, with that.
    void evaluate(Given<input_size> x, Result<output_size> y) const noexcept requires(!is_conditional) {
        layers_.template run<0, Layers::depth>(x.data(), nullptr, y.data());
    }
    void evaluate(Given<input_size> x, Given<condition_size> condition, Result<output_size> y) const noexcept
        requires(is_conditional) {
        layers_.template run<0, Layers::depth>(x.data(), condition.data(), y.data());
    }

  private:
    All layers_;
};

/// `model`, or a network, as it is now, for inference: a copy of its weights, in the object itself up to 1 MB and above
/// in one allocation made here. `Error` when the model has been moved from.
///
///     const auto frozen = hg::freeze(model);
///     std::array<float, 784> sample{};
///     std::array<float, 64> code;
///     frozen.encode(sample, code);
template <class T, class Encoder, class Decoder, class Loss, class... Terms>
auto freeze(const BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>& model) {
    core::Inside::of(model).require_values("freeze", "model");
    return Frozen<BasicAutoencoder<T, Encoder, Decoder, Loss, Terms...>>(model);
}
template <class T, class Layers, std::size_t... Marks>
auto freeze(const Network<T, Layers, Marks...>& network) {
    core::Inside::of(network).require_values("freeze", "network");
    return Frozen<Network<T, Layers, Marks...>>(network);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
