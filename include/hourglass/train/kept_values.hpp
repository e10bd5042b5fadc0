// Values of a model that are kept beside it in double, in which a float keeps its value exactly, and what is asked of
// them before the model takes them.
#pragma once

#include <Eigen/Core>
#include <span>
#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/core/layer.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

// What is not for users.
namespace train {

/// What has parameters and running values, as models do.
template <class Model>
concept Stateful = requires(Model& model) {
    model.parameters();
    model.state();
};
/// What tells the arrays of its running values apart.
template <class Model>
concept NamesState = requires(const Model& model, void (*use)(std::string_view, std::span<const Index>,
                                                              Eigen::Map<const Eigen::VectorXf>, const Weight&)) {
    model.each_state(use);
};

// `function` is the one that was called, `whose` says what the values are: "the best epoch's".

inline void require_finite(std::string_view function, std::string_view whose, std::string_view what,
                           const Eigen::VectorXd& values) {
    if (const Index i = first_non_finite(values.data(), values.size()); i >= 0)
        fail(function, ": value ", i, " of ", whose, " ", what, " is ", values[i]);
}
/// `Error` unless all values are finite in T.
template <class T>
void require_within(std::string_view function, std::string_view whose, std::string_view what,
                    const Eigen::VectorXd& values) {
    if constexpr (sizeof(T) < sizeof(double))
        for (Index i = 0; i < values.size(); ++i)
            if (!is_finite(static_cast<T>(values[i])))
                fail(function, ": value ", i, " of ", whose, " ", what, " is ", values[i],
                     ", beyond the model's numbers");
}
/// `Error` for a running value below 0 where the model's layer has none such, as a variance (a file can hold one).
template <class Model>
void require_in_range(std::string_view function, std::string_view whose, const Model& model,
                      const Eigen::VectorXd& state) {
    if constexpr (NamesState<Model>) {
        const double* values = state.data();
        model.each_state([&](std::string_view name, std::span<const Index>, const auto&, const Weight& array) {
            if (const Index i = core::first_out_of_range(array, values); i >= 0)
                fail(function, ": value ", i, " of ", whose, " ", name, " is ", values[i], ", expected at least 0");
            values += array.size();
        });
    }
}

}  // namespace train
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
