// What a model's training minimises: its loss and terms, and what each adds to the value and to the gradients.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hourglass/core/cause_of_non_finite.hpp"
#include "hourglass/core/code_term.hpp"
#include "hourglass/core/passes.hpp"
#include "hourglass/models/pipeline.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace models {

/// Loss and terms of a model with that pipeline. The term that makes the code stands among the network's layers;
/// methods are given these as `passes`.
template <class T, class Pipeline, class Encoder, class Loss, class... Terms>
class Objective {
    using Layers = typename Pipeline::Layers;
    using CodeTerm = typename Pipeline::CodeTerm;
    struct AmongLayers {};
    template <class Term>
    using Kept = std::conditional_t<core::makes_code<Term>, AmongLayers, Term>;

    static constexpr std::size_t code_begin = Pipeline::code_begin, code_end = Pipeline::code_end,
                                 compared = Pipeline::compared;
    // The activations whose gradients terms over the encoder add to: what its layers read whose J depends on it.
    static constexpr auto adds_to = [] {
        std::array<bool, code_begin + 1> adds{};
        if constexpr (Pipeline::on_weights)
            Encoder::each(
                [&]<std::size_t I>() { adds[I] = !core::traits_of<typename Encoder::template Layer<I>>().linear; });
        return adds;
    }();

  public:
    using Passes = core::Passes<T, Layers, Pipeline::code_begin, Pipeline::code_end>;
    using Buffers = typename Passes::Buffers;
    static constexpr std::string_view loss_name = core::name_of<Loss>();
    static constexpr Index learned = core::learned_by<Loss>();
    static constexpr core::MayBeMissing left_out = core::may_be_missing<Loss>();

    /// What the objective sees of a pass of training.
    struct Step {
        Buffers& b;
        ConstView<T> target;
        T *scratch, *weighted;  // as much as `scratch_room` and `weighted_room` say
        T* d;                   // θ's gradient
    };

    explicit Objective(const Loss& loss_, const Terms&... terms) : loss(loss_), terms_(kept(terms)...) {}

    template <class Term>
    Term& term() {
        return std::get<Term>(terms_);
    }
    /// `Error` for a hyperparameter out of range.
    void check(const Passes& passes) const {
        loss.check();
        each(passes, [](const auto& term, std::uint16_t) { term.check(); });
    }
    template <class Use>
    void each(const Passes& passes, Use use) const {
        [&]<std::size_t... I>(std::index_sequence<I...>) { (use(get<I>(passes), substream(I)), ...); }
        (std::index_sequence_for<Terms...>{});
    }

    /// Calls use(name, part) for the loss, "loss", and for the terms that are no layers, by their type.
    template <class Self, class Use>
    static void each_part_of(Self& self, Use& use) {
        use(std::string_view{"loss"}, self.loss);
        [[maybe_unused]] core::TermNames names;
        [[maybe_unused]] const auto show = [&]<class Term>(Term& term) {
            if constexpr (!std::is_same_v<std::remove_const_t<Term>, AmongLayers>)
                use(std::string_view{names.next(core::name_of<std::remove_const_t<Term>>())}, term);
        };
        std::apply([&](auto&... terms) { (show(terms), ...); }, self.terms_);
    }

    /// The line of the table that names loss and terms …
    static std::string names() {
        std::string all{"loss: "};  // not the sum of two: g++ 12 at -O3 says that it ends beyond its own end
        all += core::name_of<Loss>();
        ((all += ", " + std::string{core::name_of<Terms>()}), ...);
        return all + '\n';
    }
    /// … and what the loss learns.
    static void print(std::ostream& out) {
        out << names();
        for (const Weight& w : core::weights_learned_by<Loss>())
            core::print_row(out, w.name, text(w.size()), text(w.size()));
    }

    /// How many codes training draws of each sample.
    static Index replicas(const Passes& passes) {
        Index k = 1;
        if constexpr (core::replicates<CodeTerm>) k = passes.layers_.template layer<code_begin>().replicas();
        if (k > 1 && !Pipeline::replicates)
            fail("Autoencoder::gradient: ", core::name_of<CodeTerm>(), " with ", k,
                 " samples needs a loss that learns nothing, not ", core::name_of<Loss>());
        return k;
    }
    /// Values of memory that the terms over the encoder need for n samples …
    static Index scratch_room(Index n) {
        Index room = 0;
        [[maybe_unused]] const auto widen = [&]<class Term>(std::type_identity<Term>) {
            if constexpr (core::over_encoder<Term>) room = std::max(room, Term::template scratch<Encoder, T>(n));
        };
        (widen(std::type_identity<Terms>{}), ...);
        return core::whole_lines<T>(room);
    }
    /// … what they add to the gradients of activations …
    static Index added_room(Index n) {
        Index room = 0;
        for (std::size_t i = 0; Pipeline::on_weights && i < code_begin; ++i)
            if (adds_to[i]) room += core::whole_lines<T>(Passes::plan.sizes[i] * n);
        return room;
    }
    static void take_added(core::Arena<T>& arena, Index n, typename Passes::template Each<T*>& added) {
        for (std::size_t i = 0; i < code_begin; ++i)
            if (adds_to[i]) added[i] = arena.take(Passes::plan.sizes[i] * n);
    }
    /// … and a term that draws several codes of each.
    static Index weighted_room(Index rows, Index n, Index k) {
        if constexpr (Pipeline::replicates)
            if (k > 1) return core::whole_lines<T>(CodeTerm::weighted_room(rows, n * k));
        return 0;
    }

    /// `to` = the damaged `clean`, both size × n; only for models that corrupt.
    void corrupt(const Passes& passes, ConstView<T> clean, View<T> to, const Stream& random, core::Team* team) const {
        each(passes, [&]<class Term>(const Term& term, std::uint16_t own) {
            if constexpr (core::acts_in<Term, Slot::Corruption>) {
                core::corrupt<T>(term, clean, to, random.substream(own), team);
                new (&clean) ConstView<T>{to.data(), to.rows(), to.cols()};  // the next one goes on from here
            }
        });
    }

    /// The value's two parts, the loss and the code terms, of a pass that has run forward. Gradients are written to its
    /// buffers and, those of parameters, added to θ's.
    std::pair<T, T> gradient(const Passes& passes, Step& s) const {
        Buffers& b = s.b;
        b.written[Passes::plan.owner[compared]] = true;  // by the loss, which comes first
        T reconstruction, penalty(0);
        if (b.replicas > 1)
            std::tie(reconstruction, penalty) = weighted(passes, s);
        else
            reconstruction = Passes::loss_gradient(b, compared, s.target, [&](Index first) -> decltype(auto) {
                return bound({"Autoencoder::gradient", first}, passes, s.d);
            });
        for (std::size_t i = 0; Pipeline::on_weights && i < code_begin; ++i)
            if (adds_to[i])
                core::each_slice(b.team, b.samples, [&](const Slice& some) {
                    clear(core::columns_of(View<T>{b.added[i], Passes::plan.sizes[i], b.samples}, some));
                });
        each(passes, [&](const auto& term, std::uint16_t own) { penalty += penalty_gradient(term, own, passes, s); });
        return {reconstruction, penalty};
    }

    /// The objective in evaluation: no corruption, no dropout, and no sampling, unless a variational model is given
    /// `noise` to draw codes with. What terms look at across the batch is gathered over its blocks.
    T value(const Passes& passes, const Batch<T>& x, const Input<T>& target, Tape<T>& tape,
            [[maybe_unused]] const Stream* noise = nullptr) const {
        using Sum = core::Accumulator<T>;
        constexpr bool copies_codes = Pipeline::on_code || Pipeline::on_output;
        constexpr Index size = Passes::plan.shapes[code_begin].size(), code = Passes::plan.shapes[code_end].size();
        const Index n = x.cols();
        [[maybe_unused]] T* outputs = nullptr;  // of the layer before the code, then the codes
        if constexpr (copies_codes)
            outputs = tape.result((size + code) * n, x.x.data(), target.data(), x.condition.data());
        Sum sum(0);
        compare("Autoencoder::loss", passes, x, target, 0, tape, noise != nullptr,
                [&](const auto& bound_loss, const Buffers& b, ConstView<T> wanted, Index first, T* scratch) {
                    if constexpr (Pipeline::is_variational)
                        if (noise) {
                            CodeTerm::template draw_posterior<Encoder::output, T>(
                                Passes::activation_at(b, code_begin), View<T>{b.activation[code_end], code, b.samples},
                                *noise, first);
                            passes.run_forward(b, code_end, compared);
                        }
                    const T value = bound_loss.template value<T>(Passes::activation_at(b, compared), wanted);
                    T penalty(0);
                    each(passes, [&]<class Term>(const Term& term, std::uint16_t own) {
                        const auto layers = passes.layers_.layers();
                        if constexpr (core::over_encoder<Term>)
                            penalty += term.template value<Encoder, T>(
                                passes.encoder_pass(layers, b, scratch, Stream{0, 0, own}));
                    });
                    sum += Sum(value + penalty) * Sum(static_cast<double>(b.samples));
                    if constexpr (copies_codes) {
                        std::copy_n(b.activation[code_begin], size * b.samples, outputs + first * size);
                        std::copy_n(b.activation[code_end], code * b.samples, outputs + size * n + first * code);
                    }
                    return value + penalty;
                });
        T value = T(sum / Sum(static_cast<double>(n)));
        if constexpr (copies_codes)
            each(passes, [&](const auto& term, std::uint16_t) {
                value += core::penalty<Encoder::output, T>(
                    term,
                    core::CodeWeights<T>{passes.theta_.data() + Passes::plan.offsets[code_begin], passes.theta_.data()},
                    ConstView<T>{outputs, size, n}, ConstView<T>{outputs + size * n, code, n}, tape.team());
            });
        if constexpr (std::floating_point<T>)
            if (tape.non_finite == NonFinite::Throw && !is_finite(value))
                fail("Autoencoder::loss: the code terms are not finite; the loss is ",
                     T(sum / Sum(static_cast<double>(n))));
        return value;
    }
    /// The loss of each sample of a batch that goes in at activation `begin`.
    Vector<T> samples(std::string_view function, const Passes& passes, const Batch<T>& x, const Input<T>& target,
                      std::size_t begin, Tape<T>& tape) const {
        Vector<T> all(x.cols());
        compare(function, passes, x, target, begin, tape, false,
                [&](const auto& bound_loss, const Buffers& b, ConstView<T> wanted, Index first, T*) {
                    Eigen::Map<Vector<T>> some{all.data() + first, b.samples};
                    bound_loss.template samples<T>(Passes::activation_at(b, compared), wanted, some);
                    Index bad = -1;
                    if constexpr (std::floating_point<T>) bad = first_non_finite(some.data(), some.size());
                    return bad < 0 ? T(0) : some[bad];
                });
        return all;
    }

    Loss loss;

  private:
    // Evaluates block after block up to what the loss reads and shows it to use(loss, buffers, target, first, scratch),
    // whose value has to be finite. `draws`: use puts codes of its own into the buffers, and runs the decoder again.
    template <class Use>
    void compare(std::string_view function, const Passes& passes, const Batch<T>& x, const Input<T>& target,
                 std::size_t begin, Tape<T>& tape, bool draws, Use use) const {
        passes.run(
            x, begin, compared, nullptr, tape, [&](Index n) { return core::room_for(target, n) + scratch_room(n); },
            [&](const Buffers& b, Index first, core::Arena<T>& arena) {
                const ConstView<T> wanted{core::packed(target, first, b.samples, arena), target.rows(), b.samples};
                T* const scratch = arena.take(scratch_room(b.samples));
                const T value = use(bound({function, first}, passes, nullptr), b, wanted, first, scratch);
                if constexpr (std::floating_point<T>)
                    if (tape.non_finite == NonFinite::Throw && !is_finite(value)) {
                        constexpr Index code = Passes::plan.shapes[code_end].size();
                        const bool code_is_finite =
                            draws && first_non_finite(b.activation[code_end], code * b.samples) < 0;
                        fail(
                            function, ": the loss is not finite (", value, "): ",
                            core::cause_of_non_finite(passes, x, target, left_out, b, code_is_finite ? code_end : begin,
                                                      compared, first, Pipeline::name));
                    }
            });
    }

    // The loss as it is computed; `gradient`, when not null, is θ's, for a loss that learns. `caller` is for messages.
    decltype(auto) bound(const core::Caller& caller, const Passes& passes, T* gradient) const {
        return Pipeline::LossAtEnd::template bind<Pipeline::fused, compared, T>(loss, caller, passes.theta_.data(),
                                                                                gradient, Layers::parameters);
    }

    template <class Term>
    static decltype(auto) kept(const Term& term) {
        if constexpr (core::makes_code<Term>)
            return AmongLayers{};
        else
            return (term);
    }
    template <std::size_t I>
    decltype(auto) get(const Passes& passes) const {
        if constexpr (std::is_same_v<std::tuple_element_t<I, std::tuple<Kept<Terms>...>>, AmongLayers>)
            return (passes.layers_.template layer<code_begin>());
        else
            return (std::get<I>(terms_));
    }
    // Terms' random numbers come behind those of all layers.
    static constexpr std::uint16_t substream(std::size_t number) { return static_cast<std::uint16_t>(0x8000 + number); }

    template <class Term>
    T penalty_gradient(const Term& term, std::uint16_t own, const Passes& passes, Step& s) const {
        Buffers& b = s.b;
        if constexpr (core::over_encoder<Term>) {
            const auto layers = passes.layers_.layers();
            auto pass = passes.encoder_pass(layers, b, s.scratch, b.random->substream(own).from_sample(b.first));
            pass.gradient = s.d;
            pass.added = b.added.data();
            return term.template gradient<Encoder, T>(pass);
        } else {
            // What several codes a sample are weighted by holds the penalty of the term that makes them.
            if (core::has_penalty<Term> && b.replicas > 1) return T(0);
            constexpr Index offset = Passes::plan.offsets[code_begin];
            return core::add_penalty_gradient<Encoder::output, T>(
                term, core::CodeWeights<T>{passes.theta_.data() + offset, passes.theta_.data(), s.d + offset, s.d},
                Passes::activation_at(b, code_begin), Passes::activation_at(b, code_end), b.team,
                [&] { return Passes::gradient_to_add_to(b, code_begin); },
                [&] { return Passes::gradient_to_add_to(b, code_end); });
        }
    }
    std::pair<T, T> weighted(const Passes& passes, Step& s) const {
        if constexpr (Pipeline::replicates) {
            Buffers& b = s.b;
            const View<T> doutput = Passes::gradient_to_add_to(b, code_begin),
                          dcode = Passes::gradient_to_add_to(b, code_end);
            return passes.layers_.template layer<code_begin>().template weighted_gradient<Encoder::output, T>(
                [&](Index first) -> decltype(auto) {
                    return bound({"Autoencoder::gradient", first / b.replicas, b.replicas}, passes, nullptr);
                },
                Passes::activation_at(b, compared), s.target, Passes::activation_at(b, code_begin),
                Passes::activation_at(b, code_end), Passes::gradient_at(b, compared), doutput, dcode, s.weighted,
                b.team);
        }
        return {};
    }

    std::tuple<Kept<Terms>...> terms_;
};

}  // namespace models
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
