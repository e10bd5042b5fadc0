// What stands in the three slots of an autoencoder: corruption, code terms, loss.
//
//     x ──▶ [corruption] ──▶ encoder ──▶ [code terms] ──▶ decoder ──▶ x̂ ──▶ [loss](x̂, target)
//
// A term is a small value that says in its type where it acts, `static constexpr Slot slot`, and holds hyperparameters,
// never data.
//
//   Slot::Corruption   corrupt(x, y, stream)          y = a damaged copy of x; x and y may be the same memory. One that
//                                                     says `by_sample = true` is given parts of a batch, on threads
//   Slot::Code         value(code)                    the penalty
//                      gradient(code, dcode)          the same, adding its gradient to dcode. Those of a term that says
//                                                     `takes_team = true` are given one more argument, the team (or
//                                                     null) whose threads they may use
//   Slot::Loss         value(prediction, target)      mean over the batch
//                      gradient(prediction, target, d)  the same, with d = its gradient, maybe in prediction's memory
//                      samples(prediction, target, each)  each[j] = the value for sample j alone
//                      gradient_of_part(prediction, target, d, samples)  may be left out: `gradient` of some columns
//                                                     of a batch of so many, which then is divided among threads
//
// Every method is a template over the scalar type and takes views of size × n, whose memory is at `data()`: of those
// that are read-only `&x(i, j)` does not compile. `check()` throws an `Error` for hyperparameters out of range; models
// call it before they use a term, because loops change them. Which numbers those are `each_hyperparameter` says, as a
// layer's does (layer.hpp).
//
// A code term may instead make the code: it is then a layer (layer.hpp) between encoder and decoder, perhaps with
// parameters of its own, and where it has a penalty it says so, `has_penalty = true`, in two methods on its input x and
// output y:
//
//                      penalty<In>(w, x, y)
//                      penalty_gradient<In>(w, x, y, dw, dx)   the same, adding its gradients
//
// Only one term of a model can make the code. In training it may make several of each sample, `replicas()`: column j of
// y then belongs to column j / replicas() of x, and instead of the loss's gradient the model asks for the term's
// weighted one, `weighted_gradient` (terms/importance_weighting.hpp).
//
// A code term that says `over_encoder = true` sees the whole encoder instead (terms/contractive.hpp); one that says
// `on_encoder_output = true` sees the encoder's output x beside the code that another term makes of it, and adds its
// gradient to x's:
//
//                      value(x, code)
//                      gradient(x, code, dx)
//
// What a code term asks of its model, it says: `needs_unit_code = true`, codes in (0, 1); `needs_likelihood = true`, a
// loss that is one and an encoder of twice the code; `accepts<Encoder>()`, anything else that can be asserted.
//
// A loss that needs predictions in (0, 1) says `needs_unit_range = true`, and of which `link` it is; it then brings
// `from_logits<Output>(caller)`: the same three methods on what goes into the activation that is the inverse of this
// link, whose gradient is exact where the activation saturates. A loss that depends on the output's shape brings
// `from_output<Output>(caller)` likewise, and in `accepts<Output>()` what can be asserted of it. A loss whose target is
// not the input says `rebuilds_input = false`; one in nats, summed over the features, says `is_likelihood = true`; one
// that leaves out targets that are NaN says of which features, `may_be_missing(feature)`; one that learns brings its
// `weights()`, named arrays as a layer's, and `bind(w, dw)`: the three methods with those values at w and their
// gradient added at dw (which is null in evaluation).
#pragma once

#include <array>
#include <concepts>
#include <string_view>
#include <type_traits>

#include "hourglass/core/layer.hpp"
#include "hourglass/core/workers.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Where in an autoencoder a term acts.
enum class Slot { Corruption, Code, Loss };

namespace core {

/// For whom a loss computes: the function that messages name, which sample of the batch that this function was given
/// the first column is of, and how many columns each sample has.
struct Caller {
    std::string_view function;
    Index first_sample = 0;
    Index copies = 1;

    /// The sample of a column.
    Index sample(Index column) const { return first_sample + column / copies; }
    /// What a message begins with.
    std::string prefix() const { return function.empty() ? "" : std::string(function) + ": "; }
};

template <class Term, Slot Where>
inline constexpr bool acts_in = false;
template <class Term, Slot Where>
    requires requires { Term::slot; }
inline constexpr bool acts_in<Term, Where> = Term::slot == Where;

/// A corruption of each sample by itself.
template <class Term>
inline constexpr bool damages_by_sample = requires {
    requires Term::by_sample;
};
/// y = the damaged x, on a team's threads where each sample is damaged by itself.
template <class T, class Term>
void corrupt(const Term& term, const ConstView<T>& x, const View<T>& y, const Stream& random, Team* team) {
    each_slice(damages_by_sample<Term> ? team : nullptr, y.cols(), [&](const Slice& some) {
        term.template corrupt<T>(columns_of(x, some), columns_of(y, some), random.from_sample(some.begin));
    });
}
/// A code term that is the layer between encoder and decoder.
template <class Term>
concept makes_code = acts_in<Term, Slot::Code> && requires(Shape shape) {
    Term::output(shape);
};
/// … and that adds to the objective.
template <class Term>
inline constexpr bool has_penalty = requires {
    requires Term::has_penalty;
};
/// … and that may make several codes of a sample.
template <class Term>
concept replicates = makes_code<Term> && requires(const Term& term) {
    term.replicas();
};
/// A code term that is given the team.
template <class Term>
concept takes_team = acts_in<Term, Slot::Code> && requires {
    requires Term::takes_team;
};
/// A code term that acts on the encoder as a whole, not only on its output.
template <class Term>
concept over_encoder = acts_in<Term, Slot::Code> && requires {
    requires Term::over_encoder;
};
/// A code term that sees the encoder's output beside the code.
template <class Term>
concept on_encoder_output = acts_in<Term, Slot::Code> && requires {
    requires Term::on_encoder_output;
};

// What terms and losses may say of themselves.
template <class Term>
inline constexpr bool needs_likelihood = requires {
    requires Term::needs_likelihood;
};
template <class Term>
inline constexpr bool needs_unit_code = requires {
    requires Term::needs_unit_code;
};
template <class Loss>
inline constexpr bool is_likelihood = requires {
    requires Loss::is_likelihood;
};
template <class Loss>
inline constexpr bool needs_unit_range = requires {
    requires Loss::needs_unit_range;
};
template <class Loss>
inline constexpr bool rebuilds_input = !requires {
    requires Loss::rebuilds_input == false;
};
template <class Loss>
constexpr Link link_of() {
    if constexpr (requires { Loss::link; })
        return Loss::link;
    else
        return Link::None;
}
/// Which features of the target may be missing, NaN, as a loss of it leaves them out; null: none.
using MayBeMissing = bool (*)(Index feature);
template <class Loss>
constexpr MayBeMissing may_be_missing() {
    if constexpr (requires { Loss::may_be_missing(Index{0}); })
        return &Loss::may_be_missing;
    else
        return nullptr;
}
/// Whether a loss is computed otherwise for outputs of another shape. A template of its own, because clang 14 takes no
/// requirement for fulfilled that names a constant of the function it stands in.
template <class Loss, Shape Output>
inline constexpr bool depends_on_shape = requires(const Loss& loss, const Caller& caller) {
    loss.template from_output<Output>(caller);
};
/// A loss as it is computed of outputs of this shape, or of what goes into the inverse of its link.
template <bool FromLogits, Shape Output, class Loss>
decltype(auto) computed(const Loss& loss, [[maybe_unused]] const Caller& caller) {
    if constexpr (FromLogits)
        return loss.template from_logits<Output>(caller);
    else if constexpr (depends_on_shape<Loss, Output>)
        return loss.template from_output<Output>(caller);
    else
        return static_cast<const Loss&>(loss);
}
/// The named arrays that a loss learns, and how many values they have.
template <class Loss>
constexpr auto weights_learned_by() {
    if constexpr (requires { Loss::weights(); })
        return Loss::weights();
    else
        return std::array<Weight, 0>{};
}
template <class Loss>
constexpr Index learned_by() {
    Index count = 0;
    for (const Weight& w : weights_learned_by<Loss>()) count += w.size();
    return count;
}

/// What a term over the encoder sees of a pass: the encoder's layers are the first of the network's. Null is what
/// nobody asked for.
template <class T>
struct EncoderPass {
    const void* const* layers;  // each layer
    T* const* activation;       // 0: what the encoder saw, … , its output
    const T *theta, *state;     // the network's parameters and running values
    T* gradient;                // where that of the parameters is added
    T* const* added;            // and, by activation, that of what layers read whose J depends on it; the model's own
                                // way back goes on from there
    T* scratch;                 // as much as the term asked for, beginning on a cache line
    Team* team;
    ConstView<T> condition;
    Index samples;
    Stream random;
};

/// Tells terms apart by their type; a second one of a type is numbered, "L1.2".
class TermNames {
  public:
    std::string next(std::string_view type) {
        const std::string key = ' ' + std::string{type} + ' ';
        Index number = 1;
        for (std::size_t at = 0; (at = earlier_.find(key, at)) != earlier_.npos; at += key.size()) ++number;
        earlier_ += key;
        return number == 1 ? std::string{type} : std::string{type} + "." + text(number);
    }

  private:
    std::string earlier_;
};

// Sums over many float values are summed in double: one rounding per block instead of a drift over the batch.
template <class T>
using Accumulator = std::conditional_t<std::same_as<T, float>, double, T>;

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
