// The contractive penalty: how far the code moves when the input does.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "hourglass/core/chain.hpp"
#include "hourglass/core/term.hpp"
#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/product.hpp"
#include "hourglass/terms/jacobian.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// weight · ‖∂code/∂x‖²_F, the squared Frobenius norm of the whole encoder's Jacobian J, mean over the batch: the
/// penalty of contractive autoencoders (Rifai, Vincent, Muller, Glorot and Bengio 2011), there for one sigmoid layer,
/// here for a chain of any depth of layers that have a second derivative (layer.hpp: `tangent` and `curvature`). x is
/// what the encoder sees: behind a corruption, the corrupted input. Where another term makes the code (`TopK`,
/// `GaussianLatent`), J is that of the encoder's own output. At the kink of a ReLU its derivatives are those of the
/// lower side.
///
/// With `probes` = 0 value and gradient are exact. Linear layers followed by pointwise ones, such as the single sigmoid
/// layer, have a closed form that costs little; other chains cost one pass over the encoder for each value of the code.
///
/// With `probes` = k > 0 both are an unbiased estimate, (1/k) Σᵢ ‖Jᵀeᵢ‖² over k vectors e of random signs, drawn anew
/// for each sample and step (Hutchinson 1990), that costs k passes: for wide codes. In evaluation the signs stay the
/// same.
///
///     hg::Contractive{0.1f}
///     hg::Contractive{.weight = 0.1, .probes = 4}
///
/// `check()`, which models call: `Error` unless the weight is finite and at least 0, and probes is at least 0.
struct Contractive {
    static constexpr std::string_view name = "Contractive";
    static constexpr Slot slot = Slot::Code;
    static constexpr bool over_encoder = true;

    double weight;     ///< at least 0
    Index probes = 0;  ///< k, vectors that the norm is estimated from; 0: it is exact

    constexpr void check() const {
        if (!(weight >= 0 && weight <= 1e30))
            fail("Contractive: the weight must be finite and at least 0, got ", weight);
        if (probes < 0) fail("Contractive: the number of probes must be at least 0 (0: exact), got ", probes);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("weight", self.weight);
        use("probes", self.probes);
    }

    /// True: that it compiles says that the term can act on this encoder.
    template <class Encoder>
    static constexpr bool accepts() {
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (true && ... &&
                    terms::HasSecondDerivative<typename Encoder::template Layer<I>, Encoder::plan.shapes[I]>::value);
        }
        (std::make_index_sequence<Encoder::depth>{});
    }

    /// Values of scratch memory that the methods below need for n samples.
    template <class Encoder, class T>
    static Index scratch(Index n) {
        static_assert(accepts<Encoder>());
        return Work<Encoder, T>::room(n);
    }

    /// The penalty of a pass that has just run forward; its random numbers give the step's signs.
    template <class Encoder, class T>
    T value(const core::EncoderPass<T>& pass) const {
        Work<Encoder, T> work(pass);
        return penalty(work, static_cast<T*>(nullptr), pass.random);
    }

    /// The same, adding the gradient with respect to the encoder's weights and, where the pass asks for it, with
    /// respect to its input.
    template <class Encoder, class T>
    T gradient(const core::EncoderPass<T>& pass) const {
        Work<Encoder, T> work(pass);
        work.samples.clear_accumulated();
        const T value = penalty(work, pass.gradient, pass.random);
        work.samples.backward_accumulated(pass.gradient);
        return value;
    }

    /// ‖J‖²_F of each sample of that pass, without the weight, assigned to `norms`; with probes the estimate.
    template <class Encoder, class T>
    void squared_norms(const core::EncoderPass<T>& pass, core::Accumulator<T>* norms) const {
        Work<Encoder, T> work(pass);
        std::fill_n(norms, pass.samples, core::Accumulator<T>(0));
        penalty(work, static_cast<T*>(nullptr), pass.random, norms);
        for (Index j = 0; j < pass.samples; ++j) norms[j] /= core::Accumulator<T>(static_cast<double>(vectors()));
    }

  private:
    // How many layers come before the first whose J depends on x; together they are the front, of constant J. No
    // residual block reaches over its end.
    template <class Encoder>
    static constexpr std::size_t front_of() {
        std::size_t front = 0;
        Encoder::each([&]<std::size_t I>() {
            if (front == I && core::traits_of<typename Encoder::template Layer<I>>().linear) ++front;
        });
        for (std::size_t i = Encoder::depth; i-- > front;)
            if (Encoder::plan.branch[i] < front) {
                front = Encoder::plan.branch[i];
                i = Encoder::depth;
            }
        return front;
    }
    // Whether every layer behind the front is pointwise.
    template <class Encoder>
    static constexpr bool has_closed_form() {
        bool pointwise = true;
        Encoder::each([&]<std::size_t I>() {
            constexpr Traits traits = core::traits_of<typename Encoder::template Layer<I>>();
            if (I >= front_of<Encoder>() && !traits.pointwise && !traits.keeps_values) pointwise = false;
        });
        return pointwise;
    }

    // The vectors of a step: one for each sample; and one for each unit, a value of activation `front`, for the front's
    // J. Of many units some are worked at a time.
    template <class Encoder, class T>
    struct Work {
        static constexpr std::size_t depth = Encoder::depth, front = front_of<Encoder>();
        static constexpr Index inputs = Encoder::input.size(), code = Encoder::output.size(),
                               width = Encoder::plan.shapes[front].size();
        static constexpr bool closed = has_closed_form<Encoder>(), may_condense = front > 0 && width <= inputs;
        // Whether the front is one layer that knows the rows of its J.
        static constexpr bool knows_rows = [] {
            if constexpr (front == 1)
                return terms::KnowsRows<Encoder, T>::value;
            else
                return false;
        }();

        static constexpr Index block = may_condense ? width : closed ? std::min<Index>(width, 128) : 0;

        core::Arena<T> arena;
        terms::JacobianSweep<Encoder, T> samples, units;
        const T* theta;
        T *gram, *outer;

        explicit Work(const core::EncoderPass<T>& pass)
            : arena(pass.scratch),
              samples(pass, pass.samples, depth, arena),
              units(pass, block, front, arena),
              theta(pass.theta),
              gram(arena.take(may_condense ? width * width : width)),
              outer(arena.take(may_condense ? width * width : 0)) {}
        static Index room(Index n) {
            using Sweep = terms::JacobianSweep<Encoder, T>;
            return Sweep::room(n, depth) + Sweep::room(block, front) +
                   core::whole_lines<T>(may_condense ? width * width : width) +
                   core::whole_lines<T>(may_condense ? width * width : 0);
        }

        // Columns first, … of the front's Jᵀ, as many as go into a block.
        void transpose_front(Index first) {
            units.columns = std::min(block, width - first);
            T* const identity = units.u[front];
            std::fill_n(identity, width * units.columns, T(0));
            for (Index i = 0; i < units.columns; ++i) identity[i * width + first + i] = T(1);
            units.down(0, front);
        }
    };

    // What is added to the objective; where `gradient` is not null its gradient, to it and to the samples' c; where
    // `each` is not null Σ ‖Jᵀe‖² of each sample, to that.
    template <class Encoder, class T>
    T penalty(Work<Encoder, T>& work, T* gradient, const Stream& random, core::Accumulator<T>* each = nullptr) const {
        if constexpr (Work<Encoder, T>::closed)
            if (probes == 0) return closed_form(work, gradient, each);
        if constexpr (Work<Encoder, T>::may_condense)
            if (passes<Encoder>() * work.samples.columns > 2 * Work<Encoder, T>::width)
                return condensed(work, gradient, random, each);
        return swept(work, gradient, random, each);
    }

    template <class Encoder>
    Index passes() const {
        return probes > 0 ? probes : Encoder::output.size();
    }
    // Over how many vectors the ‖Jᵀe‖² are averaged, …
    Index vectors() const { return std::max<Index>(probes, 1); }
    // … and what that of one pass and sample counts for.
    double share(Index samples) const {
        return weight / (static_cast<double>(vectors()) * static_cast<double>(samples));
    }

    // Pass by pass: u of the code is e, and r = u of the input. d‖r‖² = 2 rᵀ d(Jᵀe) = d(eᵀJ v) for v = 2r held fixed,
    // which is the sum over the layers of uᵀ dJ v.
    template <class Encoder, class T>
    T swept(Work<Encoder, T>& work, T* gradient, const Stream& random, core::Accumulator<T>* each) const {
        using W = Work<Encoder, T>;
        terms::JacobianSweep<Encoder, T>& s = work.samples;
        const double scale = share(s.columns);
        core::Accumulator<T> sum(0);
        for (Index pass = 0; pass < passes<Encoder>(); ++pass) {
            choose_direction<W::code>(pass, s.u[W::depth], s.columns, random);
            s.down(0, W::depth);
            sum += scaled_dot(W::inputs, s.columns, s.u[0], s.u[0], T(2 * scale), s.v[0], each);
            if (gradient) s.curve(0, W::depth, gradient);
        }
        return T(sum * core::Accumulator<T>(scale));
    }

    // The same where the front is narrower than the input: with F its J and G = F Fᵀ, ‖Fᵀu‖² = uᵀG u, so a pass goes no
    // further down than the front's output. For the front itself, Σ d(uᵀG u) = 2 Σ uᵀ dF Fᵀu = 2 tr(dF Fᵀ S) with
    // S = Σ u uᵀ: one column of FᵀS for each unit.
    template <class Encoder, class T>
    T condensed(Work<Encoder, T>& work, T* gradient, const Stream& random, core::Accumulator<T>* each) const {
        using W = Work<Encoder, T>;
        constexpr Index width = W::width, inputs = W::inputs;
        terms::JacobianSweep<Encoder, T>&s = work.samples, &f = work.units;
        const double scale = share(s.columns);
        work.transpose_front(0);
        std::copy_n(f.u[0], inputs * width, f.v[0]);
        f.up(0, W::front);
        std::copy_n(f.v[W::front], width * width, work.gram);
        std::fill_n(work.outer, width * width, T(0));

        core::Accumulator<T> sum(0);
        for (Index pass = 0; pass < passes<Encoder>(); ++pass) {
            choose_direction<W::code>(pass, s.u[W::depth], s.columns, random);
            s.down(W::front, W::depth);
            const T* const u = s.u[W::front];
            clear<T>({s.free, width, s.columns});
            kernels::add_product(width, s.columns, width, work.gram, width, {u, 1, width}, s.free, width);
            sum += scaled_dot(width, s.columns, u, s.free, T(2 * scale), s.v[W::front], each);
            if (gradient) {
                s.curve(W::front, W::depth, gradient);
                kernels::add_product(width, width, s.columns, u, width, {u, width, 1}, work.outer, width);
            }
        }
        if (gradient) {
            for (Index i = 0; i < width * width; ++i) work.outer[i] *= T(2 * scale);
            clear<T>({f.v[0], inputs, width});
            kernels::add_product(inputs, width, width, f.u[0], inputs, {work.outer, 1, width}, f.v[0], inputs);
            f.curve(0, W::front, gradient);
        }
        return T(sum * core::Accumulator<T>(scale));
    }

    // Pointwise layers have a diagonal J, of diagonal d, so that ‖J‖² = Σ_j d_j² ‖Fᵀe_j‖². One pass has them all: over
    // the pointwise layers with u = 1 for all units at once, over the front with a column for each unit.
    template <class Encoder, class T>
    T closed_form(Work<Encoder, T>& work, T* gradient, core::Accumulator<T>* each) const {
        using W = Work<Encoder, T>;
        constexpr Index width = W::width, inputs = W::inputs;
        terms::JacobianSweep<Encoder, T>&s = work.samples, &f = work.units;
        const double scale = share(s.columns);
        T* const norms = work.gram;
        if constexpr (W::knows_rows)
            terms::KnowsRows<Encoder, T>::squared(work.theta, norms);
        else
            for (Index first = 0; first < width; first += W::block) {
                work.transpose_front(first);
                for (Index i = 0; i < f.columns; ++i)
                    norms[first + i] = ConstView<T>{f.u[0] + i * inputs, inputs, 1}.squaredNorm();
            }

        std::fill_n(s.u[W::depth], width * s.columns, T(1));
        s.down(W::front, W::depth);
        const T* const d = s.u[W::front];
        core::Accumulator<T> sum(0);
        for (Index j = 0; j < s.columns; ++j) {
            T* const scaled = s.free + j * width;
            for (Index i = 0; i < width; ++i) scaled[i] = d[j * width + i] * norms[i];
        }
        sum += scaled_dot(width, s.columns, d, s.free, T(2 * scale), s.v[W::front], each);
        if (gradient) {
            s.curve(W::front, W::depth, gradient);
            T* const factors = norms;  // which have done their part
            std::fill_n(factors, width, T(0));
            for (Index j = 0; j < s.columns; ++j)
                kernels::each_pack(
                    width,
                    [&](kernels::Pack<T>& factor, const kernels::Pack<T>& derivative) {
                        factor += T(2 * scale) * square(derivative);
                    },
                    factors, d + j * width);
            if constexpr (W::knows_rows)
                terms::KnowsRows<Encoder, T>::add_scaled(work.theta, factors, gradient);
            else
                for (Index first = 0; first < width; first += W::block) {
                    if (W::block < width) work.transpose_front(first);
                    for (Index i = 0; i < f.columns; ++i)
                        for (Index k = 0; k < inputs; ++k)
                            f.v[0][i * inputs + k] = factors[first + i] * f.u[0][i * inputs + k];
                    f.curve(0, W::front, gradient);
                }
        }
        return T(sum * core::Accumulator<T>(scale));
    }

    // Σ a·b over size × n values, those of a column added to `each` of it, too, unless that is null; v = factor · b.
    template <class T>
    static core::Accumulator<T> scaled_dot(Index size, Index n, const T* a, const T* b, const T& factor, T* v,
                                           core::Accumulator<T>* each) {
        core::Accumulator<T> sum(0);
        for (Index j = 0; j < n; ++j, a += size, b += size, v += size) {
            const core::Accumulator<T> dot(kernels::sum_packs<T>(
                size, [](const kernels::Pack<T>& left, const kernels::Pack<T>& right) { return left * right; }, a, b));
            sum += dot;
            if (each) each[j] += dot;
            kernels::map_packs(
                size, v, [&](const kernels::Pack<T>& value) { return kernels::Pack<T>(factor) * value; }, b);
        }
        return sum;
    }

    // e of each sample: the code's value number `pass`, or signs that depend on nothing but the step, the sample and
    // the pass.
    template <Index Code, class T>
    void choose_direction(Index pass, T* e, Index samples, const Stream& random) const {
        constexpr Index block = 256;  // where a stream can be entered
        const Index from = (Code + block - 1) / block * block * pass;
        std::fill_n(e, Code * samples, T(0));
        for (Index j = 0; j < samples; ++j)
            if (probes == 0)
                e[j * Code + pass] = T(1);
            else
                random.choose(j, 0.5, T(1), T(-1), std::span<T>{e + j * Code, static_cast<std::size_t>(Code)}, from);
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
