// A dictionary of unit vectors: the columns of the decoder's first kernel kept at norm 1.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <type_traits>
#include <utility>

#include "hourglass/core/layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// The kernel a decoder begins with: one column of `rows` values for each of `columns` channels of the code, at the
// beginning of its parameters.
template <class Model>
struct Dictionary {
    using Decoder = std::remove_cvref_t<decltype(std::declval<const Model&>().decoder())>;
    static constexpr bool begins_with_dense = [] {
        if constexpr (Decoder::depth > 0)
            return name_of<typename Decoder::template Layer<0>>() == "Dense";
        else
            return false;
    }();
    static_assert(
        begins_with_dense,
        "hourglass: the columns to be kept at unit norm are those of a Dense layer, so the decoder must begin "
        "with one (not tied)");
    static constexpr Index rows = Decoder::plan.shapes[begins_with_dense ? 1 : 0].channels,
                           columns = Decoder::input.channels;
};

/// Scales every column of the decoder's first `Dense` kernel, the direction that one unit of the code stands for, to
/// norm 1, so that a penalty on the code cannot be evaded by small codes and large weights (Olshausen and Field 1997;
/// Bricken et al. 2023). A loop calls it after each step:
///
///     hg::remove_parallel_gradient(model, tape.gradient());
///     adam.step(model.parameters(), tape.gradient());
///     hg::unit_norm_decoder(model);
///
/// A column of zeros stays. A decoder that does not begin with `Dense` does not compile.
template <class Model>
void unit_norm_decoder(Model& model) {
    using Kernel = Dictionary<Model>;
    using T = typename Model::Scalar;
    using std::sqrt;
    T* const kernel = model.decoder_parameters().data();
    for (Index j = 0; j < Kernel::columns; ++j) {
        T* const column = kernel + j * Kernel::rows;
        T squares(0);
        for (Index i = 0; i < Kernel::rows; ++i) squares += column[i] * column[i];
        if (!(squares > T(0))) continue;
        const T scale = T(1) / T(sqrt(squares));
        for (Index i = 0; i < Kernel::rows; ++i) column[i] *= scale;
    }
}

/// Takes from the gradient of each such column what points along the column itself: a step that `unit_norm_decoder`
/// would undo, and that an optimiser with moments would remember. `gradient` is that of all parameters, as
/// `tape.gradient()` gives it; `Error` when it has another size.
template <class Model>
void remove_parallel_gradient(const Model& model, Eigen::Map<Vector<typename Model::Scalar>> gradient) {
    using Kernel = Dictionary<Model>;
    using T = typename Model::Scalar;
    if (gradient.size() != model.parameters().size())
        fail("remove_parallel_gradient: the gradient has ", gradient.size(), " values, the model ",
             model.parameters().size(), " parameters");
    const T* const kernel = model.decoder_parameters().data();
    T* const start = gradient.data() + Model::decoder_slice().begin;
    for (Index j = 0; j < Kernel::columns; ++j) {
        const T* const column = kernel + j * Kernel::rows;
        T* const d = start + j * Kernel::rows;
        T squares(0), along(0);
        for (Index i = 0; i < Kernel::rows; ++i) {
            squares += column[i] * column[i];
            along += column[i] * d[i];
        }
        if (!(squares > T(0))) continue;
        const T share = along / squares;
        for (Index i = 0; i < Kernel::rows; ++i) d[i] -= share * column[i];
    }
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
