// A model's parameters as a constant of a program: a C++ header with an array, and the way from there into a model.
#pragma once

// Where min and max are macros they are set aside until the end of this file.
#pragma push_macro("min")
#pragma push_macro("max")
#undef min
#undef max

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

#include "hourglass/core/error.hpp"
#include "hourglass/core/layer.hpp"
#include "hourglass/core/trainable.hpp"
#include "hourglass/core/version.hpp"
#include "hourglass/data/stream_bytes.hpp"
#include "hourglass/io/durable.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// Calls use(name, weight, values) for every array of a model: its parameters, then its running values.
template <class Model, class Use>
void each_constant(const Model& model, Use use) {
    const auto show = [&](std::string_view name, std::span<const Index>, const auto& values, const Weight& of) {
        use(name, of, std::span{values.data(), static_cast<std::size_t>(values.size())});
    };
    model.each_weight(show);
    model.each_state(show);
}

/// `Error` for a value that is not finite, and for one below 0 where there must be none, as of a variance.
template <class T>
void require_constant(const char* function, std::string_view name, const Weight& of, std::span<const T> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!is_finite(values[i]))
            fail(function, ": ", name, ": value ", i, " of ", values.size(), " is ", values[i],
                 ", which is not finite");
    if (const Index i = core::first_out_of_range(of, values.data()); i >= 0)
        fail(function, ": ", name, ": value ", i, " of ", values.size(), " is ", values[static_cast<std::size_t>(i)],
             ", expected at least 0");
}

/// A finite number as a literal of its type, exact: -0x1.8p+1f.
template <class T>
std::string exact_literal(T value) {
    char digits[32];
    const char* begin = digits;
    const char* end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::hex).ptr;
    std::string literal;
    if (*begin == '-') literal += *begin++;
    return (literal += "0x").append(begin, end) + (std::is_same_v<T, float> ? "f" : "");
}

/// A name that a program may give to a constant of its own, outside every namespace: no keyword, and none that C++
/// keeps for itself, which begin with an underscore or have two in a row.
inline bool is_identifier(std::string_view name) {
    // Keywords, the operators that are words (C++20, [lex.key]), and what may stand for nothing else out there.
    static constexpr std::string_view taken =
        " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class "
        "co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype "
        "default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline "
        "int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public "
        "register reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch "
        "template this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile "
        "wchar_t while xor xor_eq Eigen NULL hourglass main std ";
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto is_inside = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
    return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), is_inside) &&
           name.find("__") == name.npos && taken.find(" " + std::string{name} + " ") == taken.npos;
}

/// The header, as text.
template <class Model>
std::string constants_header(std::string_view name, const Model& model) {
    using T = typename Model::Scalar;
    constexpr const char* function = "export_constants";
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "hourglass: constants are of float or double");
    core::Inside::of(model).require_values(function, Model::kind_name());
    if (!is_identifier(name)) fail(function, ": \"", name, "\" is no name that a constant can have in C++");
    std::string comment;
    std::istringstream architecture(model.architecture());
    for (std::string line; std::getline(architecture, line);) comment += "// " + line + "\n";
    std::string values;
    std::size_t count = 0;
    each_constant(model, [&](std::string_view array, const Weight& of, std::span<const T> of_array) {
        require_constant<T>(function, array, of, of_array);
        for (const T value : of_array) values += (count++ % 6 == 0 ? "\n    " : " ") + exact_literal(value) + ",";
    });
    return core::message_of(
        comment, "// Parameters, then running values; written by hourglass::", function,
        ", to be read by hourglass::set_weights.\n#pragma once\n\n#include <array>\n\ninline constexpr std::array<",
        std::is_same_v<T, float> ? "float" : "double", ", ", count, "> ", name, "{{", values, "\n}};\n");
}

}  // namespace io

/// Writes a C++ header in which all parameters of a model or a network, and behind them its running values (`state()`),
/// are one constant of this name, `inline constexpr std::array<float, 50992> pump_weights{{0x1.8p-4f, …}};`, for
/// programs that carry their weights with them instead of reading a file. Numbers are hexadecimal, hence exact to the
/// bit. `set_weights` brings them into a model of the same type; what else belongs to it, its hyperparameters, is in
/// the program that makes the model.
///
///     hg::export_constants("pump_weights.hpp", "pump_weights", model);
///
/// The file is written beside the old one and renamed, as by `save`. Errors, with nothing written: a model that has
/// been moved from, a value that is not finite, a variance below 0, a name that is no identifier or not free, a path
/// that is no ordinary file or a link to none, another writer, and when the disk refuses.
template <class Model>
void export_constants(const std::string& path, std::string_view name, const Model& model) {
    const std::string header = io::constants_header(name, model);
    io::DurableFile file("export_constants", path);
    file.write(std::as_bytes(std::span{header}));
    file.commit();
}
/// The same to a stream, which is then not all or nothing. Errors: the same but for the path's, and when the stream
/// fails.
template <class Model>
void export_constants(std::ostream& out, std::string_view name, const Model& model) {
    const std::string header = io::constants_header(name, model);
    data::write_stream(out, "export_constants",
                       [&] { out.write(header.data(), static_cast<std::streamsize>(header.size())); });
}

/// Sets all parameters of a model or a network, and its running values, to those of an array that `export_constants`
/// has written, or that is in that order: `parameters()`, then `state()`. An `std::array`, a vector or a span of the
/// model's scalar type.
///
///     constexpr std::array<float, 3> pump_weights{{0x1.8p-1f, -0x1p-2f, 0x1.4p-3f}};  // #include "pump_weights.hpp"
///     auto network = hg::network<hg::Chain<hg::Shape{2}, hg::Dense<1>>>(rng);
///     hg::set_weights(network, pump_weights);
///
/// Errors, with nothing changed: another number of values, one that is not finite, a variance below 0, a model that has
/// been moved from.
template <class Model>
void set_weights(Model& model, std::span<const std::type_identity_t<typename Model::Scalar>> values) {
    using T = typename Model::Scalar;
    constexpr const char* function = "set_weights";
    core::Inside::of(model).require_values(function, Model::kind_name());
    auto parameters = model.parameters(), state = model.state();
    const auto own = static_cast<std::size_t>(parameters.size()), running = static_cast<std::size_t>(state.size());
    if (values.size() != own + running)
        fail(function, ": ", values.size(), " values for a ", Model::kind_name(), " of ", own, " parameters and ",
             running, " running values");
    std::size_t at = 0;
    io::each_constant(model, [&](std::string_view array, const Weight& of, std::span<const T> of_array) {
        io::require_constant<T>(function, array, of, values.subspan(at, of_array.size()));
        at += of_array.size();
    });
    std::copy_n(values.begin(), own, parameters.data());
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(own), running, state.data());
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma pop_macro("max")
#pragma pop_macro("min")
