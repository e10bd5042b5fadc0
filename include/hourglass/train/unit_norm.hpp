// A dictionary of unit vectors: the columns of the decoder's first kernel kept at norm 1.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <type_traits>

#include "hourglass/core/layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace train {

// Calls use(column, rows, number) for each column of the kernel that a model's decoder begins with, the one of one
// channel of the code. That kernel is the first array of the decoder's parameters: `each_weight` would find it too, but
// makes a name for every array on every step.
template <class Model, class Values, class Use>
void each_dictionary_column(const Model& model, Values* decoder_parameters, Use use) {
    using Decoder = std::remove_cvref_t<decltype(model.decoder())>;
    constexpr Index columns = Decoder::input.channels, rows = [] {
        if constexpr (Decoder::depth > 0) {
            const auto weights = core::weights_of<typename Decoder::template Layer<0>>(Decoder::input);
            if (weights.size() > 0 && weights[0].name == "kernel" && weights[0].extents.rank() <= 2 &&
                weights[0].extents[1] == columns)
                return weights[0].extents[0];
        }
        return Index{0};
    }();
    static_assert(
        rows > 0,
        "hourglass: the columns to be kept at unit norm are those of a Dense layer, so the decoder must begin "
        "with one (not tied)");
    for (Index j = 0; j < columns; ++j) use(decoder_parameters + j * rows, rows, j);
}

}  // namespace train

/// Scales every column of the decoder's first `Dense` kernel, the direction that one unit of the code stands for, to
/// norm 1, so that a penalty on the code cannot be evaded by small codes and large weights (Olshausen and Field 1997;
/// Bricken et al. 2023). A loop calls it after each step:
///
///     hg::remove_parallel_gradient(model, tape.gradient());
///     adam.step(model, tape);
///     hg::unit_norm_decoder(model);
///
/// A column of zeros stays. A decoder that does not begin with `Dense` does not compile.
template <class Model>
void unit_norm_decoder(Model& model) {
    using T = typename Model::Scalar;
    train::each_dictionary_column(model, model.decoder_parameters().data(), [](T* column, Index rows, Index) {
        using std::sqrt;
        T squares(0);
        for (Index i = 0; i < rows; ++i) squares += column[i] * column[i];
        if (!(squares > T(0))) return;
        const T scale = T(1) / T(sqrt(squares));
        for (Index i = 0; i < rows; ++i) column[i] *= scale;
    });
}

/// Takes from the gradient of each such column what points along the column itself: a step that `unit_norm_decoder`
/// would undo, and that an optimiser with moments would remember. `gradient` is that of all parameters, as
/// `tape.gradient()` gives it; `Error` when it has another size.
template <class Model>
void remove_parallel_gradient(const Model& model, Eigen::Map<Vector<typename Model::Scalar>> gradient) {
    using T = typename Model::Scalar;
    if (gradient.size() != model.parameters().size())
        fail("remove_parallel_gradient: the gradient has ", gradient.size(), " values, the model ",
             model.parameters().size(), " parameters");
    T* const ddecoder = gradient.data() + model.decoder_slice().begin;
    train::each_dictionary_column(model, model.decoder_parameters().data(), [&](const T* column, Index rows, Index j) {
        T* const d = ddecoder + j * rows;
        T squares(0), along(0);
        for (Index i = 0; i < rows; ++i) {
            squares += column[i] * column[i];
            along += column[i] * d[i];
        }
        if (!(squares > T(0))) return;
        const T share = along / squares;
        for (Index i = 0; i < rows; ++i) d[i] -= share * column[i];
    });
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
