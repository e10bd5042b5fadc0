// A dictionary of unit vectors: the columns of the decoder's first kernel kept at norm 1.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <span>
#include <string_view>
#include <type_traits>

#include "hourglass/core/layer.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

namespace train {

// Calls use(column, rows, offset) for each column of the kernel that a model's decoder begins with, the one of one
// channel of the code; `offset` is its place in θ.
template <class Model, class Use>
void each_dictionary_column(Model& model, Use use) {
    using Decoder = std::remove_cvref_t<decltype(model.decoder())>;
    constexpr bool begins_with_dense = [] {
        if constexpr (Decoder::depth > 0) {
            const auto weights = core::weights_of<typename Decoder::template Layer<0>>(Decoder::input);
            return weights.size() > 0 && weights[0].name == "kernel" && weights[0].extents.rank() <= 2 &&
                   weights[0].extents[1] == Decoder::input.channels;
        } else {
            return false;
        }
    }();
    static_assert(
        begins_with_dense,
        "hourglass: the columns to be kept at unit norm are those of a Dense layer, so the decoder must begin "
        "with one (not tied)");
    model.each_weight([&](std::string_view name, std::span<const Index>, auto values) {
        if constexpr (begins_with_dense) {
            if (name != "decoder.0.kernel" && name != "decoder.0.0.kernel") return;
            const Index columns = Decoder::input.channels, rows = values.size() / columns;
            for (Index j = 0; j < columns; ++j)
                use(values.data() + j * rows, rows, values.data() - model.parameters().data() + j * rows);
        }
    });
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
    train::each_dictionary_column(model, [](T* column, Index rows, Index) {
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
    train::each_dictionary_column(model, [&](const T* column, Index rows, Index offset) {
        T* const d = gradient.data() + offset;
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
