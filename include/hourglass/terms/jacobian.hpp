// Products with the Jacobian J of a chain, without forming it, and how they change with weights and input.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
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
/// input, the v that it makes at its output, and the gradient c that is added to that of its input.
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

/// Whether a sweep has one column for each sample of the pass, or any number, over layers that are linear, whose J is
/// the same for all samples.
enum class Columns { OfSamples, Any };

/// `columns` vectors u, swept down the layers of a chain C of which a forward pass has just been done, and as many v,
/// swept up.
template <class C, class T>
class JacobianSweep {
  public:
    static constexpr std::size_t depth = C::depth;
    static constexpr const auto& plan = C::plan;

    Index columns;
    std::array<T*, depth + 1> u{}, v{};  ///< at each activation
    T* free;                             ///< room for as many columns of the widest activation

    /// Takes its vectors at activations first … last from `arena`, for which it needs `room`.
    JacobianSweep(const core::EncoderPass<T>& pass, Columns kind, Index columns_, std::size_t first, std::size_t last,
                  core::Arena<T>& arena)
        : columns(columns_), pass_(&pass), kind_(kind) {
        for (std::size_t i = first; i <= last; ++i) {
            u[i] = arena.take(plan.shapes[i].size() * columns);
            v[i] = arena.take(plan.shapes[i].size() * columns);
        }
        free = arena.take(widest(first, last) * columns);
    }
    static Index room(Index columns, std::size_t first, std::size_t last) {
        Index values = core::whole_lines<T>(widest(first, last) * columns);
        for (std::size_t i = first; i <= last; ++i) values += 2 * core::whole_lines<T>(plan.shapes[i].size() * columns);
        return values;
    }
    /// The same of some of its columns.
    JacobianSweep part(const Slice& some) const {
        JacobianSweep part = *this;
        part.columns = some.size;
        if (kind_ == Columns::OfSamples) part.first_ += some.begin;
        Index widest = 0;
        for (std::size_t i = 0; i <= depth; ++i)
            if (u[i]) {
                part.u[i] += plan.shapes[i].size() * some.begin;
                part.v[i] += plan.shapes[i].size() * some.begin;
                widest = std::max(widest, plan.shapes[i].size());
            }
        part.free += widest * some.begin;
        return part;
    }

    /// u of activations begin … end − 1 from that of activation `end`.
    void down(std::size_t begin, std::size_t end) const {
        static constexpr auto functions = C::template backward_functions<T>();
        std::array<bool, depth + 1> written{};
        for (std::size_t i = end; i-- > begin;) {
            core::LayerCall<T> call = backward_call(i, u[i + 1], u[i]);
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
    /// v of activations begin + 1 … end from that of activation `begin`.
    void up(std::size_t begin, std::size_t end) const {
        static constexpr auto functions = functions_of<Tangents>();
        for (std::size_t i = begin; i < end; ++i) {
            functions[i](pass_->layers[i], sweep_call(i, nullptr));
            if (const std::size_t from = plan.branch[i]; from != i)
                for (Index k = 0; k < plan.shapes[i + 1].size() * columns; ++k) v[i + 1][k] += v[from][k];
        }
    }
    /// What is made sample by sample of the gradient of uᵀJv, J that of layers begin … end − 1: from v of activation
    /// `begin` that of the others before `end`, and what layers without weights add to the gradients of their inputs.
    void curve(std::size_t begin, std::size_t end) const {
        for (std::size_t i = begin; i < end; ++i) {
            if (!has_weights(i)) curve_layer(i, nullptr);
            if (i + 1 < end) up(i, i + 1);
        }
    }
    /// The rest, once `curve` has been done of all columns: adds that of these layers' weights to θ's `gradient`. Each
    /// layer is one thread's, and so are `more` tasks, task(0), …, which come first.
    template <class Task>
    void curve_layers(std::size_t begin, std::size_t end, T* gradient, core::Team* team, Index more,
                      const Task& task) const {
        std::array<std::size_t, depth + 1> layers{};
        std::size_t count = 0;
        for (std::size_t i = begin; i < end; ++i)
            if (has_weights(i)) layers[count++] = i;
        core::each_task(team, more + static_cast<Index>(count), [&](Index t) {
            if (t < more)
                task(t);
            else
                curve_layer(layers[static_cast<std::size_t>(t - more)], gradient);
        });
    }
    void curve_layers(std::size_t begin, std::size_t end, T* gradient, core::Team* team) const {
        curve_layers(begin, end, gradient, team, 0, [](Index) {});
    }

  private:
    static constexpr bool has_weights(std::size_t i) { return plan.offsets[i + 1] > plan.offsets[i]; }
    void curve_layer(std::size_t i, T* gradient) const {
        static constexpr auto functions = functions_of<Curvatures>();
        functions[i](pass_->layers[i], sweep_call(i, gradient));
    }
    static constexpr Index widest(std::size_t first, std::size_t last) {
        Index most = 0;
        for (std::size_t i = first; i <= last; ++i) most = std::max(most, plan.shapes[i].size());
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
                activation(i),
                activation(i + 1),
                u[i + 1],
                v[i],
                v[i + 1],
                pass_->added && pass_->added[i] ? pass_->added[i] + plan.shapes[i].size() * first_ : nullptr,
                columns};
    }
    // A layer with random numbers, a cache or running values has no second derivative.
    core::LayerCall<T> backward_call(std::size_t i, T* dy, T* dx) const {
        return {.w = pass_->theta + plan.offsets[i],
                .theta = pass_->theta,
                .x = activation(i),
                .y = activation(i + 1),
                .dx = dx,
                .dy = dy,
                .condition = pass_->condition,
                .samples = columns,
                .outputs = columns,
                .random = Stream{0, 0},
                .training = false};
    }
    T* activation(std::size_t i) const { return pass_->activation[i] + plan.sizes[i] * first_; }

    const core::EncoderPass<T>* pass_;
    Columns kind_;
    Index first_ = 0;  // the sample of the first column; linear layers are shown the pass's first, and do not look
};

}  // namespace terms
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
