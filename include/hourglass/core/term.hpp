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
// out of range; models call it before they use a term, because knobs are public and loops change them. A loss that
// needs predictions in (0, 1) says `needs_unit_range = true` and brings `from_logits()`: the same three methods on the
// logits of a final Sigmoid, whose gradient is exact where the sigmoid saturates.
#pragma once

#include <concepts>

#include "hourglass/core/layer.hpp"

namespace hourglass::inline HOURGLASS_ABI {

enum class Slot { Corruption, Code, Loss };

template <class Term, Slot Where>
inline constexpr bool acts_in = false;
template <class Term, Slot Where>
    requires requires { Term::slot; }
inline constexpr bool acts_in<Term, Where> = Term::slot == Where;

// Sums over many float values are gathered in double: one rounding per block instead of a drift over the batch.
template <class T>
using Accumulator = std::conditional_t<std::same_as<T, float>, double, T>;

}  // namespace hourglass::inline HOURGLASS_ABI
