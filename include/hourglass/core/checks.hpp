// What models and networks ask of their arguments.
#pragma once

#include <string_view>

#include "hourglass/core/batch.hpp"
#include "hourglass/core/tape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

// `function` is the one that the caller called, "Autoencoder::encode".
template <class T>
void require_samples(std::string_view function, std::string_view what, const Input<T>& x, Shape shape) {
    if (x.rows() != shape.size())
        fail(function, ": ", what, " has ", x.rows(), " rows, expected ", shape.size(), " (", text(shape),
             ", one column per sample)", if_transposed(x.cols(), shape.size()));
    if (x.cols() == 0) fail(function, ": ", what, " has no columns, expected one per sample");
}
template <class T>
void require_same_columns(std::string_view function, std::string_view what, Index columns, const Input<T>& target) {
    if (columns != target.cols())
        fail(function, ": ", what, " has ", target.cols(), " columns, expected ", columns, " as x has");
}
/// A batch of samples of one shape, given with `condition` values each, or with none where that is 0.
template <class T>
void require_batch(std::string_view function, std::string_view what, const Batch<T>& x, Shape shape, Index condition,
                   const Tape<T>* tape = nullptr) {
    require_samples(function, what, x.x, shape);
    if (condition > 0 && !x.is_given)
        fail(function, ": a Condition is read here: give ", condition, " values for each sample with the batch, ",
             "hg::given(", what == "x" ? "x" : "code", ", condition)");
    if (condition == 0 && x.is_given)
        fail(function, ": ", what, " was given with a condition, but no Condition is read here");
    if (x.is_given && x.condition.rows() != condition)
        fail(function, ": the condition has ", x.condition.rows(), " rows, expected ", condition,
             if_transposed(x.condition.cols(), condition));
    if (x.is_given) require_same_columns(function, "the condition", x.cols(), x.condition);
    if (tape && (tape->holds(x.x.data()) || (x.is_given && tape->holds(x.condition.data()))))
        fail(function, ": ", what,
             " lies in the memory of the tape, which this call writes over: copy it into a matrix ",
             "first, or take another tape");
}
template <class T>
void require_target(std::string_view function, const Input<T>& target, Shape shape, Index columns,
                    const Tape<T>& tape) {
    require_samples(function, "the target", target, shape);
    require_same_columns(function, "the target", columns, target);
    if (tape.holds(target.data()))
        fail(function, ": the target lies in the memory of the tape, which this call writes over");
}
template <class T>
void require_tape(std::string_view function, std::string_view who, const Tape<T>& tape, Index parameters, Index state) {
    if (tape.gradient().size() != parameters || tape.statistics().size() != state)
        fail(function, ": the tape holds ", tape.gradient().size(), " parameters and ", tape.statistics().size(),
             " statistics, the ", who, " has ", parameters, " and ", state);
}

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
