// Products with the Jacobian J of a chain, without forming it, and how they change with weights and input.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "hourglass/core/chain.hpp"
#include "hourglass/core/tape.hpp"
#include "hourglass/core/term.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace terms {

// Stands in a template of its own, whose arguments put the layer and its input's shape into the message.
template <class Layer, Shape In>
struct HasSecondDerivative {
    static constexpr bool value = core::TwiceDifferentiable<Layer, In, float>;
    static_assert(
        value,
        "hourglass: Contractive needs the second derivative of every layer of the encoder, and this one has no "
        "tangent and curvature");
};

/// Where one layer of a sweep finds its weights, its input x and output y, the vectors u at its output and v at its
/// input, the v that it makes at its output, and the gradient c of its input.
template <class T>
struct SweepCall {
    const T *w, *theta;
    T *dw, *dtheta;
    const T *x, *y, *u, *v;
    T *made, *c;
    Index columns;
};
template <class T>
using SweepFunction = void (*)(const void* layer, const SweepCall<T>& call);

// One layer's part, in templates of the layer alone, as in layer_call.hpp.

// v at the output from v at the input: J v.
template <class L, Shape In, class T>
void push_forward(const void* layer, const SweepCall<T>& s) {
    constexpr Index in = In.size(), out = L::output(In).size();
    static_cast<const L*>(layer)->template tangent<In>(
        core::weights_at<L, In>(s.w, s.theta), ConstView<T>{s.x, in, s.columns}, ConstView<T>{s.y, out, s.columns},
        ConstView<T>{s.v, in, s.columns}, View<T>{s.made, out, s.columns});
}
// The gradient of uᵀJv, added to that of the layer's weights and, at c, of its input.
template <class L, Shape In, class T>
void add_curvature(const void* layer, const SweepCall<T>& s) {
    constexpr Index in = In.size(), out = L::output(In).size();
    static_cast<const L*>(layer)->template curvature<In>(
        core::weights_at<L, In>(s.w, s.theta), ConstView<T>{s.x, in, s.columns}, ConstView<T>{s.y, out, s.columns},
        ConstView<T>{s.u, out, s.columns}, ConstView<T>{s.v, in, s.columns}, core::weights_at<L, In>(s.dw, s.dtheta),
        View<T>{s.c, in, s.columns});
}

/// `columns` vectors u, swept down the layers of a chain C of which a forward pass has just been done, and as many v,
/// swept up. There is one column for each sample of the pass; any number over layers that are linear, whose J is the
/// same for all samples.
template <class C, class T>
class JacobianSweep {
  public:
    static constexpr std::size_t depth = C::depth;
    static constexpr const auto& plan = C::plan;
    // One past the last layer that is not linear: no gradient gathers behind it.
    static constexpr std::size_t curved = [] {
        std::size_t end = 0;
        C::each([&]<std::size_t I>() {
            if (!core::traits_of<typename C::template Layer<I>>().linear) end = I + 1;
        });
        return end;
    }();

    Index columns;
    std::array<T*, depth + 1> u{}, v{};  ///< at each activation
    T* free;                             ///< room for as many columns of the widest activation

    /// Takes its vectors at activations 0 … last from `arena`, for which it needs `room`.
    JacobianSweep(const core::EncoderPass<T>& pass, Index columns_, std::size_t last, core::Arena<T>& arena)
        : columns(columns_), pass_(&pass) {
        for (std::size_t i = 0; i <= last; ++i) {
            const Index size = plan.shapes[i].size();
            u[i] = arena.take(size * columns);
            v[i] = arena.take(size * columns);
            if (i < curved && i < last) c_[i] = arena.take(size * columns);
        }
        free = arena.take(widest(last) * columns);
    }
    static Index room(Index columns, std::size_t last) {
        Index values = core::whole_lines<T>(widest(last) * columns);
        for (std::size_t i = 0; i <= last; ++i)
            values += (i < curved && i < last ? 3 : 2) * core::whole_lines<T>(plan.shapes[i].size() * columns);
        return values;
    }

    /// u of activations begin … end − 1 from that of activation `end`.
    void down(std::size_t begin, std::size_t end) const {
        static constexpr auto functions = C::template backward_functions<T>();
        std::array<bool, depth + 1> written{};
        for (std::size_t i = end; i-- > begin;) {
            core::LayerCall<T> call = backward_call(i, u[i + 1], u[i], nullptr);
            call.accumulate_dx = written[i];
            written[i] = true;
            if (const std::size_t from = plan.branch[i]; from != i) {
                call.branch_gradient = u[from];
                call.accumulate_branch = written[from];
                written[from] = true;
            }
            functions[i](pass_->layers[i], call);
        }
    }
    /// v of activation `end` from that of activation `begin`.
    void up(std::size_t begin, std::size_t end) const {
        static constexpr auto functions = functions_of<Tangents>();
        for (std::size_t i = begin; i < end; ++i) {
            functions[i](pass_->layers[i], sweep_call(i, nullptr));
            if (const std::size_t from = plan.branch[i]; from != i)
                for (Index k = 0; k < plan.shapes[i + 1].size() * columns; ++k) v[i + 1][k] += v[from][k];
        }
    }
    /// From v of activation `begin`: adds the gradient of uᵀJv, J that of layers begin … end − 1, to `gradient`, θ's,
    /// and to what has gathered.
    void curve(std::size_t begin, std::size_t end, T* gradient) const {
        static constexpr auto functions = functions_of<Curvatures>();
        for (std::size_t i = begin; i < end; ++i) {
            functions[i](pass_->layers[i], sweep_call(i, gradient));
            if (i + 1 < end) up(i, i + 1);
        }
    }
    /// Forgets what has gathered; where the pass wants the gradient of its input, it is added there.
    void clear_accumulated() {
        for (std::size_t i = 0; i < curved; ++i)
            if (i == 0 && pass_->dx)
                c_[0] = pass_->dx;
            else
                clear<T>({c_[i], plan.shapes[i].size(), columns});
    }
    /// The ordinary way back, of what has gathered.
    void backward_accumulated(T* gradient) const {
        static constexpr auto functions = C::template backward_functions<T>();
        const auto at = [&](std::size_t i) { return i == 0 ? pass_->dx : c_[i]; };
        for (std::size_t i = curved < 2 ? 0 : curved - 1; i-- > 0;) {
            core::LayerCall<T> call = backward_call(i, c_[i + 1], at(i), gradient);
            if (plan.branch[i] != i) call.branch_gradient = at(plan.branch[i]);
            functions[i](pass_->layers[i], call);
        }
    }

  private:
    static constexpr Index widest(std::size_t last) {
        Index most = 0;
        for (std::size_t i = 0; i <= last; ++i) most = std::max(most, plan.shapes[i].size());
        return most;
    }
    struct Tangents {
        template <class L, Shape In>
        static constexpr SweepFunction<T> of = &push_forward<L, In, T>;
    };
    struct Curvatures {
        template <class L, Shape In>
        static constexpr SweepFunction<T> of = &add_curvature<L, In, T>;
    };
    template <class Which>
    static constexpr std::array<SweepFunction<T>, depth + 1> functions_of() {
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return std::array<SweepFunction<T>, depth + 1>{
                Which::template of<typename C::template Layer<I>, plan.shapes[I]>..., nullptr};
        }
        (std::make_index_sequence<depth>{});
    }

    SweepCall<T> sweep_call(std::size_t i, T* gradient) const {
        return {pass_->theta + plan.offsets[i],
                pass_->theta,
                gradient ? gradient + plan.offsets[i] : nullptr,
                gradient,
                pass_->activation[i],
                pass_->activation[i + 1],
                u[i + 1],
                v[i],
                v[i + 1],
                c_[i],
                columns};
    }
    // Adds everywhere; a layer with random numbers, a cache or running values has no second derivative.
    core::LayerCall<T> backward_call(std::size_t i, T* dy, T* dx, T* gradient) const {
        return {.w = pass_->theta + plan.offsets[i],
                .theta = pass_->theta,
                .dw = gradient ? gradient + plan.offsets[i] : nullptr,
                .dtheta = gradient,
                .x = pass_->activation[i],
                .y = pass_->activation[i + 1],
                .dx = dx,
                .dy = dy,
                .condition = pass_->condition,
                .samples = columns,
                .outputs = columns,
                .random = Stream{0, 0},
                .training = false};
    }

    const core::EncoderPass<T>* pass_;
    std::array<T*, depth + 1> c_{};  // at the input of each layer that is not linear, or before such: the gradient with
                                     // respect to it, as far as it has gathered
};

// Whether an encoder's first layer knows the rows of its J, and what it says of them (`Dense`): a product with the
// identity would show them, too, but for as many multiplications as J has values times rows.
template <class Encoder, class T>
struct KnowsRows {
    using Layer = typename Encoder::template Layer<0>;
    static constexpr Shape input = Encoder::input;
    static constexpr auto size = static_cast<std::size_t>(core::parameters_of<Layer>(input));
    static constexpr bool value = requires(std::span<const T, size> w, T* norms, std::span<T, size> dw) {
        Layer::template squared_rows<input, T>(w, norms);
        Layer::template add_scaled_rows<input, T>(w, norms, dw);
    };

    static void squared(const T* w, T* norms) {
        Layer::template squared_rows<input, T>(std::span<const T, size>{w, size}, norms);
    }
    static void add_scaled(const T* w, const T* factors, T* dw) {
        Layer::template add_scaled_rows<input, T>(std::span<const T, size>{w, size}, factors,
                                                  std::span<T, size>{dw, size});
    }
};

}  // namespace terms
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
