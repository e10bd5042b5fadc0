// Scalers, and under a name numbers, vectors and matrices, in a file.
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hourglass/io/stored.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// A scaler by means and scales, or by minima and ranges.
template <class O>
concept MeanScaler = requires(const O& o) {
    O{o.mean(), o.scale(), o.options()};
};
template <class O>
concept RangeScaler = requires(const O& o) {
    O{o.min(), o.range(), o.options()};
};
/// Numbers that the format has a type for, which it has not for `long double`, and arrays of them.
template <class O>
concept Number = std::is_arithmetic_v<O> && sizeof(O) <= 8;
template <class O>
concept Array = std::derived_from<O, Eigen::PlainObjectBase<O>> &&
                (!static_cast<bool>(O::IsRowMajor) || static_cast<bool>(O::IsVectorAtCompileTime)) &&
                Number<typename O::Scalar> && !std::is_same_v<typename O::Scalar, bool>;

/// The options of a scaler that a file holds. Some flags came later than the format: one that the file lacks is false.
template <class Options>
Options read_scaler_options(const Source& source, const std::string& key, Options options) {
    HyperparameterReader reader(source, key + ".hyperparameters");
    Options::each_hyperparameter(options, [&]<class V>(std::string_view name, V& value) {
        if constexpr (std::is_same_v<V, bool>)
            if (!reader.has(name)) {
                value = false;
                return;
            }
        reader.take("", name, value);
    });
    reader.require_all_taken();
    return options;
}

template <MeanScaler O>
void add(Contents& contents, const std::string& name, const O& scaler) {
    const std::string key = named_or(name, "standard_scaler");
    if (scaler.mean().size() == 0) fail("save: ", key, " is not fitted: nothing was written");
    contents.describe(key, "StandardScaler");
    contents.describe(key + ".hyperparameters", options_line(scaler.options()));
    add_vector<double>(contents, key + ".mean", scaler.mean());
    add_vector<double>(contents, key + ".scale", scaler.scale());
}
template <MeanScaler O>
auto staged(Source& source, const std::string& name, O& scaler, bool) {
    const std::string key = named_or(name, "standard_scaler");
    source.require_description(key, "StandardScaler");
    O made = scaler;
    const auto mean = take_vector<double>(source, key + ".mean"), scale = take_vector<double>(source, key + ".scale");
    auto options = scaler.options();
    const bool said = source.file().metadata().contains(key + ".hyperparameters");  // not in the first files
    options = said ? read_scaler_options(source, key, options) : decltype(options){};
    within(source.where() + key + ": ", [&] { made = O{mean, scale, options}; });
    return replacing(scaler, std::move(made));
}

template <RangeScaler O>
void add(Contents& contents, const std::string& name, const O& scaler) {
    const std::string key = named_or(name, "min_max_scaler");
    if (scaler.min().size() == 0) fail("save: ", key, " is not fitted: nothing was written");
    contents.describe(key, "MinMaxScaler");
    contents.describe(key + ".hyperparameters", options_line(scaler.options()));
    add_vector<double>(contents, key + ".min", scaler.min());
    add_vector<double>(contents, key + ".range", scaler.range());
}
template <RangeScaler O>
auto staged(Source& source, const std::string& name, O& scaler, bool) {
    const std::string key = named_or(name, "min_max_scaler");
    source.require_description(key, "MinMaxScaler");
    O made = scaler;
    const auto min = take_vector<double>(source, key + ".min"), range = take_vector<double>(source, key + ".range");
    const auto options = read_scaler_options(source, key, scaler.options());
    within(source.where() + key + ": ", [&] { made = O{min, range, options}; });
    return replacing(scaler, std::move(made));
}

template <Number O>
void add(Contents& contents, const std::string& name, O value) {
    contents.add_number(name, value, Use::Values);
}
template <Number O>
auto staged(Source& source, const std::string& name, O& value, bool convert) {
    return [&value, read = source.take_number<O>(name, convert)]() noexcept { value = read; };
}

// A vector has one extent, a matrix two, the slower one first.
template <Array O>
void add(Contents& contents, const std::string& name, const O& values) {
    TensorShape shape{values.cols(), values.rows()};
    if constexpr (O::IsVectorAtCompileTime) shape = {values.size()};
    contents.add(name, shape, values.data(), Use::Values);
}
template <Array O>
auto staged(Source& source, const std::string& name, O& values, bool convert) {
    using T = typename O::Scalar;
    constexpr bool vector = O::IsVectorAtCompileTime;
    const Tensor& tensor = source.take(name);
    source.require_type<T>(tensor, convert);
    source.require_finite<T>(tensor);
    const Index rows = vector                     ? tensor.size()
                       : tensor.shape.size() == 2 ? tensor.shape[1]
                                                  : -1,
                columns = vector                     ? 1
                          : tensor.shape.size() == 2 ? tensor.shape[0]
                                                     : -1;
    const auto fits = [](Index extent, int fixed, int most) {
        return (fixed == Eigen::Dynamic || extent == fixed) && (most == Eigen::Dynamic || extent <= most);
    };
    if (tensor.shape.size() != (vector ? 1 : 2) ||
        !(vector ? fits(rows, O::SizeAtCompileTime, O::MaxSizeAtCompileTime)
                 : fits(rows, O::RowsAtCompileTime, O::MaxRowsAtCompileTime) &&
                       fits(columns, O::ColsAtCompileTime, O::MaxColsAtCompileTime)))
        fail(source.where(), "tensor ", name, " has the shape ", shown(tensor.shape), ", which is no ",
             vector ? "vector" : "matrix", " as expected here");
    O made;
    if constexpr (vector)
        made.resize(rows);
    else
        made.resize(rows, columns);
    for (Index i = 0; i < made.size(); ++i)
        if constexpr (std::is_floating_point_v<T>)
            made.data()[i] = converted<T>(tensor, i);
        else
            made.data()[i] = tensor.at<T>(i);
    return replacing(values, std::move(made));
}

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
