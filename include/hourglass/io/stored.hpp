// How objects lie in a model file, and how they are put back. `add(contents, name, object)` puts one into a file;
// `staged(source, name, object, convert)` looks at all that a file holds for it and returns a function that assigns it
// and cannot fail. What an object is known by is what it shows of itself. Errors: of `add` what would not load, and a
// name that stands already; of `staged` what is missing, of another type or shape, not finite, or nothing that the
// object can be.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hourglass/io/contents.hpp"
#include "hourglass/io/hyperparameters.hpp"
#include "hourglass/io/source.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

// "encoder.0.kernel", or behind a name "teacher.encoder.0.kernel".
inline std::string behind(const std::string& name, std::string_view rest) {
    return name.empty() ? std::string{rest} : name + "." + std::string{rest};
}
inline TensorShape reversed(std::span<const Index> extents) { return {extents.rbegin(), extents.rend()}; }

// In small letters, "adam" for Adam; and the name that an object has in the file.
inline std::string lower(std::string_view words) {
    std::string all{words};
    for (char& c : all) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return all;
}
inline std::string named_or(const std::string& name, std::string_view usual) {
    return name.empty() ? std::string{usual} : name;
}

/// A vector of any length; taken, with an `Error` for a tensor that is missing, no vector, or of another type than T;
/// into double every floating-point type goes, without loss.
template <class T>
void add_vector(Contents& contents, const std::string& name, const Vector<T>& values, Use use = Use::Values) {
    contents.add(name, {values.size()}, values.data(), use);
}
template <class T>
Vector<T> take_vector(Source& source, const std::string& name) {
    const Tensor& tensor = source.take(name);
    source.require_type<T>(tensor, std::is_same_v<T, double>);
    if (tensor.shape.size() != 1)
        fail(source.where(), "tensor ", name, " has the shape ", shown(tensor.shape), ", expected one extent");
    Vector<T> values(tensor.size());
    if constexpr (std::is_same_v<T, double>)
        for (Index i = 0; i < values.size(); ++i) values[i] = converted<T>(tensor, i);
    else if (values.size() > 0)
        std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
}

// What is small enough to be built again is, and then takes the old one's place.
template <class O>
auto replacing(O& object, O made) {
    static_assert(std::is_nothrow_move_assignable_v<O>);
    return [&object, made = std::move(made)]() mutable noexcept { object = std::move(made); };
}

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
