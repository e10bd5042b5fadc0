// What each kind of code term is asked for, and with what.
#pragma once

#include "hourglass/core/layer_call.hpp"
#include "hourglass/core/term.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

// Whether a term that acts on the encoder as a whole can act on this one; it brings its own sentence where it cannot.
template <class Term, class Encoder>
constexpr bool accepts_encoder() {
    if constexpr (over_encoder<Term>)
        return Term::template accepts<Encoder>();
    else
        return true;
}

/// The weights of the term that makes the code, and the vector they lie in; where their gradients go.
template <class T>
struct CodeWeights {
    const T *w, *theta;
    T *dw = nullptr, *dtheta = nullptr;
};

/// What a term that does not see the whole encoder adds to the objective: `output` is the encoder's, of shape Output.
template <Shape Output, class T, class Term>
T penalty(const Term& term, const CodeWeights<T>& weights, ConstView<T> output, ConstView<T> code,
          [[maybe_unused]] Team* team) {
    if constexpr (on_encoder_output<Term>)
        return term.template value<T>(output, code);
    else if constexpr (has_penalty<Term>)
        return term.template penalty<Output, T>(weights_at<Term, Output>(weights.w, weights.theta), output, code);
    else if constexpr (takes_team<Term>)
        return term.template value<T>(code, team);
    else if constexpr (acts_in<Term, Slot::Code> && !makes_code<Term> && !over_encoder<Term>)
        return term.template value<T>(code);
    else
        return T(0);
}
/// The same, adding its gradient to the one it is for: doutput() and dcode() give those, ready to be added to.
template <Shape Output, class T, class Term, class OutputGradient, class CodeGradient>
T add_penalty_gradient(const Term& term, const CodeWeights<T>& weights, ConstView<T> output, ConstView<T> code,
                       [[maybe_unused]] Team* team, OutputGradient doutput, CodeGradient dcode) {
    if constexpr (on_encoder_output<Term>)
        return term.template gradient<T>(output, code, doutput());
    else if constexpr (has_penalty<Term>)
        return term.template penalty_gradient<Output, T>(weights_at<Term, Output>(weights.w, weights.theta), output,
                                                         code, weights_at<Term, Output>(weights.dw, weights.dtheta),
                                                         doutput());
    else if constexpr (takes_team<Term>)
        return term.template gradient<T>(code, dcode(), team);
    else if constexpr (acts_in<Term, Slot::Code> && !makes_code<Term>)
        return term.template gradient<T>(code, dcode());
    else
        return T(0);
}

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
