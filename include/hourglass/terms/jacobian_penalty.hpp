// The ways to compute ‖J‖²_F of an encoder and its gradient: in closed form, behind the products of the front's rows,
// or vector by vector.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>

#include "hourglass/core/term.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/kernels/pack.hpp"
#include "hourglass/kernels/product.hpp"
#include "hourglass/kernels/symmetric_product.hpp"
#include "hourglass/terms/linear_ends.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace terms {

/// The memory of a step, and which ways to compute it there are and pay. Of many of the front's units some are worked
/// at a time.
template <class Encoder, class T>
struct PenaltyMemory {
    using Ends = LinearEnds<Encoder>;
    using Sweep = JacobianSweep<Encoder, T>;
    using Back = LinearBack<Encoder, T>;
    static constexpr std::size_t depth = Encoder::depth, front = Ends::front, back = Ends::back;
    static constexpr Index inputs = Encoder::input.size(), code = Encoder::output.size(),
                           width = Encoder::plan.shapes[front].size();
    // B is kept, and code² multiplications a unit go into BᵀB, however few probes or samples there are.
    static constexpr Index most_code = std::min<Index>(1024, 8 * width);
    // F Fᵀ takes width² values and width² · inputs multiplications, no more than a dense layer's weights and its pass
    // over `width` samples. Of a convolution both would be many times what its own passes take, and a vector to go
    // through F Fᵀ costs more than one through the convolution.
    static constexpr Index most_units = 256, most_dense_units = 1024;
    static constexpr bool has_back = (back < depth),
                          may_condense = (front > 0) && width <= inputs && (Ends::knows_front || width <= most_units) &&
                                         !(Ends::pointwise_between && !has_back),
                          closed = Ends::pointwise_between && (!has_back || (may_condense && code <= most_code));
    // Whether the closed form is taken where probes are asked for: only where it costs no more than some hundreds of
    // them. It depends on nothing but types, as parts of a batch get what the whole does.
    static constexpr bool exact_with_probes =
        closed && (width <= most_units || (Ends::knows_front && (!has_back || width <= most_dense_units)));
    // Gram matrices: F Fᵀ, what is gathered for its gradient, BᵀB.
    static constexpr Index block = may_condense ? width
                                   : closed     ? std::min<Index>(width, 128)
                                                : 0,
                           square = may_condense ? width * width : 0, behind_square = closed && has_back ? square : 0;
    using Front = LinearFront<Encoder, T, block>;

    const core::EncoderPass<T>& pass;
    core::Arena<T> arena;
    Sweep samples;
    Front front_layers;
    Back back_layers;
    T *dots, *gram, *outer, *behind;

    explicit PenaltyMemory(const core::EncoderPass<T>& pass_)
        : pass(pass_),
          arena(pass.scratch),
          samples(pass, Columns::OfSamples, pass.samples, 0, depth, arena),
          front_layers(pass, arena),
          back_layers(pass, closed && has_back, arena),
          dots(arena.take(pass.samples)),
          gram(arena.take(std::max(width, square))),
          outer(arena.take(square)),
          behind(arena.take(behind_square)) {}
    static Index room(Index n) {
        Index values = Sweep::room(n, 0, depth) + Front::room() + Back::room(closed && has_back);
        for (const Index some : {n, std::max(width, square), square, behind_square})
            values += core::whole_lines<T>(some);
        return values;
    }
    // Whether so many vectors are worth it to multiply the front's rows with each other first. Each then costs width²
    // multiplications for width · inputs, and as many once more for its gradient.
    static bool row_products_pay(Index vectors) { return vectors > (Ends::knows_front ? width : 2 * width); }
    // Whether so many are, too, to multiply the back's columns with each other, code² · width multiplications twice.
    static bool closed_form_pays(Index vectors) {
        return row_products_pay(vectors) && 2 * code * code <= vectors * (2 * code + width);
    }
};

/// weight · ‖J‖²_F, mean over the batch, exactly or from probes (terms/contractive.hpp).
struct JacobianPenalty {
    double weight;
    Index probes;

    /// What is added to the objective; where `gradient` is not null its gradient, to it and to those of activations;
    /// where `each` is not null ‖J‖² of each sample, to that.
    template <class Encoder, class T>
    T compute(const PenaltyMemory<Encoder, T>& memory, T* gradient, core::Accumulator<T>* each) const {
        using Memory = PenaltyMemory<Encoder, T>;
        const Index all = passes<Encoder>() * memory.pass.samples;
        if constexpr (Memory::closed)
            if (probes > 0 ? Memory::exact_with_probes : !Memory::has_back || Memory::closed_form_pays(all))
                return closed_form(memory, gradient, each);
        T value;
        if constexpr (Memory::may_condense)
            value = Memory::row_products_pay(all) ? condensed(memory, gradient, each) : swept(memory, gradient, each);
        else
            value = swept(memory, gradient, each);
        for (Index j = 0; each && j < memory.pass.samples; ++j)
            each[j] /= core::Accumulator<T>(static_cast<double>(vectors()));
        return value;
    }

  private:
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
    T swept(const PenaltyMemory<Encoder, T>& memory, T* gradient, core::Accumulator<T>* each) const {
        using Memory = PenaltyMemory<Encoder, T>;
        const core::EncoderPass<T>& p = memory.pass;
        const double scale = share(p.samples);
        core::Accumulator<T> sum(0);
        for (Index pass = 0; pass < passes<Encoder>(); ++pass) {
            core::each_slice(p.team, p.samples, [&](const Slice& some) {
                const auto s = memory.samples.part(some);
                choose_direction<Memory::code>(pass, s.u[Memory::depth], some, p.random);
                s.down(0, Memory::depth);
                scaled_dots(Memory::inputs, some.size, s.u[0], s.u[0], T(2 * scale), s.v[0], memory.dots + some.begin);
                if (gradient) s.curve(0, Memory::depth);
            });
            sum += total(p.samples, memory.dots, each);
            if (gradient) memory.samples.curve_layers(0, Memory::depth, gradient, p.team);
        }
        return T(sum * core::Accumulator<T>(scale));
    }

    // The same where the front is narrower than the input: with F its J and G = F Fᵀ, ‖Fᵀu‖² = uᵀG u, so a pass goes no
    // further down than the front's output. For the front itself, Σ d(uᵀG u) = tr(S dG) with S = Σ u uᵀ.
    template <class Encoder, class T>
    T condensed(const PenaltyMemory<Encoder, T>& memory, T* gradient, core::Accumulator<T>* each) const {
        using Memory = PenaltyMemory<Encoder, T>;
        constexpr Index width = Memory::width;
        const core::EncoderPass<T>& p = memory.pass;
        const double scale = share(p.samples);
        memory.front_layers.row_products(memory.gram);
        std::fill_n(memory.outer, width * width, T(0));

        core::Accumulator<T> sum(0);
        for (Index pass = 0; pass < passes<Encoder>(); ++pass) {
            core::each_slice(p.team, p.samples, [&](const Slice& some) {
                const auto s = memory.samples.part(some);
                choose_direction<Memory::code>(pass, s.u[Memory::depth], some, p.random);
                s.down(Memory::front, Memory::depth);
                multiply(width, some.size, memory.gram, s.u[Memory::front], s.free);
                scaled_dots(width, some.size, s.u[Memory::front], s.free, T(2 * scale), s.v[Memory::front],
                            memory.dots + some.begin);
                if (gradient) s.curve(Memory::front, Memory::depth);
            });
            sum += total(p.samples, memory.dots, each);
            if (gradient)
                memory.samples.curve_layers(
                    Memory::front, Memory::depth, gradient, p.team, kernels::symmetric_blocks(width), [&](Index block) {
                        kernels::add_symmetric_block(block, width, p.samples, memory.samples.u[Memory::front],
                                                     memory.outer);
                    });
        }
        if (gradient) {
            kernels::mirror_upper(width, memory.outer);
            for (Index i = 0; i < width * width; ++i) memory.outer[i] *= T(2 * scale);
            memory.front_layers.add_row_products(memory.outer, gradient);
        }
        return T(sum * core::Accumulator<T>(scale));
    }

    // Where all layers between the two ends are pointwise J = B D F, D being diagonal, of diagonal d, so that ‖J‖² =
    // dᵀ(BᵀB ∘ F Fᵀ) d; without a back Σ_j d_j² ‖Fᵀe_j‖². One pass has them all: over the pointwise layers with u = 1
    // for all units at once, over the ends once for all samples.
    template <class Encoder, class T>
    T closed_form(const PenaltyMemory<Encoder, T>& memory, T* gradient, core::Accumulator<T>* each) const {
        using Memory = PenaltyMemory<Encoder, T>;
        using Pack = kernels::Pack<T>;
        constexpr Index width = Memory::width;
        const core::EncoderPass<T>& p = memory.pass;
        const double scale = weight / static_cast<double>(p.samples);
        if constexpr (Memory::has_back) {
            memory.front_layers.row_products(memory.gram);
            memory.back_layers.column_products(memory.behind);
            for (Index i = 0; i < width * width; ++i) memory.outer[i] = memory.gram[i] * memory.behind[i];
        } else {
            memory.front_layers.squared_rows(memory.gram);
        }

        core::each_slice(p.team, p.samples, [&](const Slice& some) {
            const auto s = memory.samples.part(some);
            std::fill_n(s.u[Memory::back], width * some.size, T(1));
            s.down(Memory::front, Memory::back);
            const T* const d = s.u[Memory::front];
            if constexpr (Memory::has_back)
                multiply(width, some.size, memory.outer, d, s.free);
            else
                for (Index j = 0; j < some.size; ++j)
                    kernels::map_packs(
                        width, s.free + j * width, [](const Pack& a, const Pack& norm) { return a * norm; },
                        d + j * width, static_cast<const T*>(memory.gram));
            scaled_dots(width, some.size, d, s.free, T(2 * scale), s.v[Memory::front], memory.dots + some.begin);
            if (gradient) s.curve(Memory::front, Memory::back);
        });
        if (gradient) {
            memory.samples.curve_layers(Memory::front, Memory::back, gradient, p.team);
            const T* const d = memory.samples.u[Memory::front];
            if constexpr (Memory::has_back) {  // Σ d dᵀ, and what it makes of each end's products for the other
                kernels::symmetric_product(p.team, width, p.samples, d, memory.outer);
                for (Index i = 0; i < width * width; ++i) {
                    const T weighted = T(2 * scale) * memory.outer[i];
                    memory.outer[i] = weighted * memory.behind[i];
                    memory.behind[i] = weighted * memory.gram[i];
                }
                memory.front_layers.add_row_products(memory.outer, gradient);
                memory.back_layers.add_column_products(memory.behind, gradient);
            } else {
                T* const factors = memory.gram;  // the norms have done their part
                each_part(p.team, width, [&](const Slice& some) {
                    std::fill_n(factors + some.begin, some.size, T(0));
                    for (Index j = 0; j < p.samples; ++j)
                        kernels::each_pack(
                            some.size,
                            [&](Pack& factor, const Pack& derivative) { factor += T(2 * scale) * square(derivative); },
                            factors + some.begin, d + j * width + some.begin);
                });
                memory.front_layers.add_scaled_rows(factors, gradient);
            }
        }
        return T(total(p.samples, memory.dots, each) * core::Accumulator<T>(scale));
    }

    // y = S x for S of size × size and n columns.
    template <class T>
    static void multiply(Index size, Index n, const T* s, const T* x, T* y) {
        kernels::add_product(size, n, size, s, size, {x, 1, size}, y, size, kernels::Initial<T>{false});
    }
    // dots[j] = a·b of each of n columns of `size` values; v = factor · b.
    template <class T>
    static void scaled_dots(Index size, Index n, const T* a, const T* b, const T& factor, T* v, T* dots) {
        using Pack = kernels::Pack<T>;
        for (Index j = 0; j < n; ++j, a += size, b += size, v += size) {
            dots[j] = kernels::sum_packs<T>(
                size, [](const Pack& left, const Pack& right) { return left * right; }, a, b);
            kernels::map_packs(
                size, v, [&](const Pack& value) { return Pack(factor) * value; }, b);
        }
    }
    // The sum of those of all samples; they are added to `each` of them, too, unless that is null. They are squares:
    // where large ones cancelled, rounding may have left less than 0.
    template <class T>
    static core::Accumulator<T> total(Index samples, const T* dots, core::Accumulator<T>* each) {
        core::Accumulator<T> sum(0);
        for (Index j = 0; j < samples; ++j) {
            core::Accumulator<T> square(dots[j]);
            if constexpr (std::is_floating_point_v<T>)
                if (is_finite(square) && square < 0) square = 0;  // NaN stays, with -ffast-math too
            sum += square;
            if (each) each[j] += square;
        }
        return sum;
    }

    // e of some samples: the code's value number `pass`, or signs that depend on nothing but the step, the sample and
    // the pass.
    template <Index Code, class T>
    void choose_direction(Index pass, T* e, const Slice& some, const Stream& random) const {
        constexpr Index block = 256;  // where a stream can be entered
        const Index from = (Code + block - 1) / block * block * pass;
        std::fill_n(e, Code * some.size, T(0));
        for (Index j = 0; j < some.size; ++j)
            if (probes == 0)
                e[j * Code + pass] = T(1);
            else
                random.choose(some.begin + j, 0.5, T(1), T(-1),
                              std::span<T>{e + j * Code, static_cast<std::size_t>(Code)}, from);
    }
};

}  // namespace terms
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
