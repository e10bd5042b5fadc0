// Where a value that is not finite came from, for a message.
#pragma once

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "hourglass/core/batch.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/term.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

/// x, its condition or the target, where none may be missing, else the first layer behind which there is such a value,
/// looked for by running layers begin … end − 1 of `passes` again; `name(i)` is that of layer i, and the buffers' first
/// sample is number `first` of the batch.
template <class Passes, class T, class Name>
HOURGLASS_COLD std::string cause_of_non_finite(const Passes& passes, const Batch<T>& x, const Input<T>& target,
                                               MayBeMissing left_out, const typename Passes::Buffers& b,
                                               std::size_t begin, std::size_t end, Index first, const Name& name) {
    const MayBeMissing none = [](Index) { return false; }, all = [](Index) { return true; };
    const MayBeMissing missing[] = {begin == 0 && Passes::takes_missing ? all : none, none, left_out ? left_out : none};
    const std::string_view what[] = {begin == 0 ? "x" : "the code", "the condition", "the target"};
    const Input<T>* const given[] = {&x.x, &x.condition, &target};
    for (std::size_t i = 0; i < std::size(what); ++i)
        for (Index j = 0; j < given[i]->cols(); ++j) {
            const T* const sample = given[i]->data() + j * given[i]->outerStride();
            for (Index at = 0; at < given[i]->rows(); ++at)
                if (!is_finite(sample[at]) && !(is_nan(sample[at]) && missing[i](at)))
                    return message_of(what[i], " is not finite: feature ", at, " of sample ", j, " is ", sample[at],
                                      i == 0 && begin == 0 && left_out && is_nan(sample[at])
                                          ? "; a chain that begins with ZeroImputation takes it for missing"
                                          : "");
        }
    for (std::size_t i = begin; i < end; ++i) {
        passes.run_forward(b, i, i + 1);
        const Index size = Passes::plan.sizes[i + 1], columns = b.columns(i + 1);
        if (const Index at = first_non_finite(b.activation[i + 1], size * columns); at >= 0)
            return message_of("x and the target are finite; the first value that is not comes out of layer ", name(i),
                              " (", passes.layers_.names()[i], "), for sample ",
                              first + at / size / (columns / b.samples));
    }
    return "x, the target and all layers' outputs are finite";
}

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
