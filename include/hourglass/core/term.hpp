// What stands in the three slots of an autoencoder: corruption, code terms, loss.
//
//     x ──▶ [corruption] ──▶ encoder ──▶ [code terms] ──▶ decoder ──▶ x̂ ──▶ [loss](x̂, target)
//
// A term is a small value that says in its type where it acts, `static constexpr Slot slot`, and holds knobs, never
// data.
//
//   Slot::Corruption   corrupt(x, y, stream)          y = a damaged copy of x; x and y may be the same memory
//   Slot::Code         value(code)                    the penalty
//                      gradient(code, dcode)          the same, adding its gradient to dcode
//   Slot::Loss         value(prediction, target)      mean over the batch
//                      gradient(prediction, target, d)  the same, with d = its gradient; d may be the prediction's
//                      memory samples(prediction, target, each)  each[j] = the value for sample j alone
//
// Every method is a template over the scalar type and takes views of size × n. `check()` throws an `Error` for knobs
// out of range; models call it before they use a term, because knobs are public and loops change them.
//
// A code term may instead make the code: it is then a layer (layer.hpp) between encoder and decoder, perhaps with
// parameters of its own, and where it has a penalty it says so, `has_penalty = true`, in two
// methods on its input x and output y:
//
//                      penalty<In>(w, x, y)
//                      penalty_gradient<In>(w, x, y, dw, dx)   the same, adding its gradients
//
// Only one term of a model can make the code. A code term that says `over_encoder = true` sees the whole encoder
// instead (terms/contractive.hpp); one that says `on_encoder_output = true` sees the encoder's output x beside the code
// that another term makes of it, and adds its gradient to x's:
//
//                      value(x, code)
//                      gradient(x, code, dx)
//
// A loss that needs predictions in (0, 1) says `needs_unit_range = true`, which layer it `fuses_with`, and brings
// `from_logits<Output>()`: the same three methods on what goes into that layer, whose gradient is exact where the layer
// saturates. A loss whose target is not the input says `rebuilds_input = false`; one in nats, summed over the features,
// says `is_likelihood = true`; one that learns `parameters` values brings `bind(w, dw)`: the three methods with those
// values at w and their gradient added at dw (which is null in evaluation).
#pragma once

#include <concepts>

#include "hourglass/core/layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

enum class Slot { Corruption, Code, Loss };

template <class Term, Slot Where>
inline constexpr bool acts_in = false;
template <class Term, Slot Where>
    requires requires { Term::slot; }
inline constexpr bool acts_in<Term, Where> = Term::slot == Where;

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

// Sums over many float values are gathered in double: one rounding per block instead of a drift over the batch.
template <class T>
using Accumulator = std::conditional_t<std::same_as<T, float>, double, T>;

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
