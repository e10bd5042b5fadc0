// Model files: whatever is fitted, in one file that Python reads too.
#pragma once

// Where min and max are macros they are set aside until the end of this file.
#pragma push_macro("min")
#pragma push_macro("max")
#undef min
#undef max

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <istream>
#include <ostream>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/data/stream_bytes.hpp"
#include "hourglass/io/durable.hpp"
#include "hourglass/io/stored_models.hpp"
#include "hourglass/io/stored_training.hpp"
#include "hourglass/io/stored_values.hpp"
#include "hourglass/io/tensor_file.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// An object under a name of its own in a file: made by `named`.
template <class Object>
struct Named {
    std::string name;      ///< as the file has it; empty: the usual one
    Object& object;        ///< what is saved or loaded
    bool convert = false;  ///< whether other floating-point types are taken: `converting`
};

namespace io {

template <class T>
inline constexpr bool is_named = false;
template <class Object>
inline constexpr bool is_named<Named<Object>> = true;
template <class O>
concept NeedsName = Number<O> || Array<O>;

/// What finds its own tensors in files that others wrote, such as `from_keras(…)`.
template <class O>
concept ReadsForeign = requires(const O& object, Source& source) {
    object.staged(source);
};
/// What `load` can convert to another type of numbers; all else has one type in a file.
template <class O>
inline constexpr bool is_convertible = Model<O> || std::is_floating_point_v<O>;
template <Array O>
inline constexpr bool is_convertible<O> = std::is_floating_point_v<typename O::Scalar>;

// What `named` and `converting` do not take. Whoever sees what they made of it says nothing more.
template <class Object>
constexpr void require_nameable() {
    using O = std::remove_const_t<Object>;
    static_assert(!ReadsForeign<O>,
                  "hourglass: weights from Python have the names of their modules: from_pytorch, from_keras and "
                  "from_flax take no hg::named");
    static_assert(!is_named<O>,
                  "hourglass: the name is said first: hg::converting(hg::named(\"teacher\", model)), and only once");
}
template <class Object>
constexpr void require_convertible() {
    using O = std::remove_const_t<Object>;
    static_assert(!ReadsForeign<O>,
                  "hourglass: weights from Python are converted anyhow: from_pytorch, from_keras and from_flax take no "
                  "hg::converting");
    static_assert(ReadsForeign<O> || is_convertible<O>,
                  "hourglass: converting takes models and networks, and under a name floating-point numbers, matrices "
                  "and vectors; all else has one type in a file");
}
template <class Object>
constexpr void require_no_name_needed() {
    constexpr bool needs_name = NeedsName<std::remove_const_t<Object>>;
    static_assert(!needs_name,
                  "hourglass: a number or a matrix needs a name: hg::converting(hg::named(\"threshold\", t))");
    if constexpr (!needs_name) require_convertible<Object>();
}

}  // namespace io

/// `object` under a name: what is in a file twice, and what has no usual name. Its tensors are called "name.…", a
/// number's or a matrix's is the name itself. `Error` for an empty name. Refers to the object.
template <class Object>
Named<Object> named(std::string name, Object& object) {
    io::require_nameable<Object>();
    if (name.empty()) fail("named: the name is empty");
    return {std::move(name), object};
}
template <class Object>
Named<const Object> named(std::string name, const Object& object) {
    io::require_nameable<Object>();
    if (name.empty()) fail("named: the name is empty");
    return {std::move(name), object};
}
/// For `load`: `object`, a model, a network, or a named number, vector or matrix, takes floating-point numbers of any
/// type (F16, BF16, F32, F64), rounded to the nearest of its own: what is small may become denormal or 0, and a number
/// that would become infinite is an error of `load`. Nothing else compiles: optimisers take either type as it is.
template <class Object>
Named<Object> converting(Object& object) {
    io::require_no_name_needed<Object>();
    return {"", object, true};
}
template <class Object>
Named<const Object> converting(const Object& object) {
    io::require_no_name_needed<Object>();
    return {"", object, true};
}
template <class Object>
Named<Object> converting(Named<Object> named_object) {
    io::require_convertible<Object>();
    named_object.convert = true;
    return named_object;
}
/// For `load`: what the file holds beside the objects that are asked for is passed over.
struct IgnoreOthers {};

namespace io {

/// Whether objects of this type can lie in a file; plain numbers and arrays only under a name.
template <class O>
concept Storable = requires(Contents& contents, const O& object) {
    io::add(contents, std::string{}, object);
};

template <class Object>
constexpr bool can_be_stored() {
    using O = std::remove_const_t<Object>;
    static_assert(Storable<O>,
                  "hourglass: files hold models, networks, optimisers, scalers, Rng, minibatches, EarlyStopping, "
                  "History, and under a name numbers (float, double, integers), column-major matrices and vectors of "
                  "them");
    return Storable<O>;
}
template <class Argument>
void add_argument(Contents& contents, const Argument& argument) {
    if constexpr (is_named<Argument>) {
        if constexpr (can_be_stored<std::remove_reference_t<decltype(argument.object)>>())
            add(contents, argument.name, std::as_const(argument.object));
    } else if constexpr (can_be_stored<Argument>()) {
        static_assert(!NeedsName<Argument>,
                      "hourglass: a number or a matrix needs a name: hg::named(\"threshold\", t)");
        if constexpr (!NeedsName<Argument>) add(contents, std::string{}, argument);
    }
}
template <class... Objects>
Contents contents_of(const Objects&... objects) {
    static_assert(sizeof...(Objects) > 0, "hourglass: save takes a file and at least one object");
    Contents contents;
    contents.describe("format", std::string{io::Source::format});
    contents.describe("version", HOURGLASS_VERSION);
    (add_argument(contents, objects), ...);
    return contents;
}

struct Nothing {
    void operator()() const noexcept {}
};
template <class Argument>
auto staged_argument(Source& source, Argument&& argument) {
    using A = std::remove_cvref_t<Argument>;
    if constexpr (std::is_same_v<A, IgnoreOthers>) {
        return Nothing{};
    } else if constexpr (ReadsForeign<A>) {
        return argument.staged(source);
    } else if constexpr (is_named<A>) {
        using Object = std::remove_reference_t<decltype(argument.object)>;
        using O = std::remove_const_t<Object>;
        constexpr bool refused = ReadsForeign<O> || is_named<O>;
        static_assert(refused || !std::is_const_v<Object>, "hourglass: what is loaded must not be const");
        constexpr bool loads = [] {
            if constexpr (refused || std::is_const_v<Object>)
                return false;
            else
                return can_be_stored<Object>();
        }();
        if constexpr (loads)
            return staged(source, argument.name, argument.object, argument.convert);
        else
            return Nothing{};
    } else {
        constexpr bool lvalue =
            std::is_lvalue_reference_v<Argument> && !std::is_const_v<std::remove_reference_t<Argument>>;
        static_assert(lvalue, "hourglass: what is loaded must be a variable that is not const");
        static_assert(!NeedsName<A>, "hourglass: a number or a matrix needs a name: hg::named(\"threshold\", t)");
        if constexpr (lvalue && !NeedsName<A> && can_be_stored<A>())
            return staged(source, std::string{}, argument, false);
        else
            return Nothing{};
    }
}
template <class... Objects>
void load_from(std::span<const std::byte> bytes, const std::string& name, Objects&&... objects) {
    constexpr bool ignores = (std::is_same_v<std::remove_cvref_t<Objects>, IgnoreOthers> || ...);
    static_assert(sizeof...(Objects) > (ignores ? 1 : 0), "hourglass: load takes a file and at least one object");
    const TensorFile file(bytes, "load: " + name);
    Source source(file);
    std::tuple steps{staged_argument(source, std::forward<Objects>(objects))...};  // in the order of the objects
    if constexpr (!ignores) source.require_all_taken();
    std::apply([](auto&... step) { (step(), ...); }, steps);
}

}  // namespace io

/// Writes objects to one file in the safetensors format: models and networks (parameters and running values by the
/// names of `each_weight` and `each_state`, in Keras's layout), scalers, optimisers with moments and step count,
/// `Rng`, minibatches with order and place, `EarlyStopping`, `History`, and under a name (`named`) numbers, vectors and
/// matrices. The file's metadata describe architecture and hyperparameters in words.
///
///     hg::save("pump.safetensors", model, scaler, hg::named("threshold", threshold));
///
/// Not kept, and so the program's to say again: what is excluded from weight decay, what optimisers and tapes do about
/// values that are not finite, members of a `Corruption`'s function. Hyperparameters out of range are not saved.
///
/// The file is written beside the old one, brought to the disk and renamed: whatever happens, there is the old one or
/// the new one (on POSIX systems). Denormal parameters are written as 0. `Error`, with nothing written, for a value or
/// a hyperparameter that would not load, a scaler that is not fitted, a model or network that has been moved from, two
/// objects of one name, a name that is no UTF-8, more than 100 MB of names, a path that is no ordinary file or a link
/// to none, another writer, and when the disk refuses.
template <class... Objects>
void save(const std::string& path, const Objects&... objects) {
    const io::Contents contents = io::contents_of(objects...);
    io::DurableFile file("save", path);
    contents.write([&](std::span<const std::byte> bytes) { file.write(bytes); });
    file.commit();
}
/// The same to a stream, which is then not all or nothing. Errors: the same but for the path's, and when the stream
/// fails.
template <class... Objects>
void save(std::ostream& out, const Objects&... objects) {
    const io::Contents contents = io::contents_of(objects...);
    data::write_stream(out, "save", [&] {
        contents.write([&](std::span<const std::byte> bytes) {
            out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        });
    });
}
/// The same to memory, whose bytes are replaced; on an `Error` they stay.
template <class... Objects>
void save(std::vector<std::byte>& memory, const Objects&... objects) {
    std::vector<std::byte> all;
    io::contents_of(objects...).write([&](std::span<const std::byte> bytes) {
        all.insert(all.end(), bytes.begin(), bytes.end());
    });
    memory.swap(all);
}

/// Puts objects back as `save` found them, in any order; all or nothing: on any `Error` every object is as it was.
///
///     hg::load("pump.safetensors", model, scaler, hg::named("threshold", threshold));
///
/// Architecture, loss and terms of a model have to be the file's; hyperparameters (rates, weights, learning rate) come
/// from the file. Scalar types have to be the same, unless `converting(model)` asks for conversion. Views of an
/// optimiser's moments are no longer valid afterwards; those of a model's parameters are. Errors: a file that is not
/// there, cannot be read, or breaks a rule of the format; another architecture; a tensor that is missing, is asked for
/// twice, or by nobody (`IgnoreOthers{}` passes those over), or has another type or shape; a value that is not finite,
/// or nothing that the object can have, such as a variance below 0; hyperparameters that are missing, unknown or out of
/// range; batches of other sizes; a model or network that has been moved from.
template <class... Objects>
void load(const std::string& path, Objects&&... objects) {
    io::require_readable_path("load", path);
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (const int error = errno; !file)
        fail("load: ", path, " cannot be opened", error == 0 ? "" : ": ", error == 0 ? "" : std::strerror(error));
    const std::vector<std::byte> bytes = io::read_bytes(file, "load: " + path);
    io::load_from(bytes, path, std::forward<Objects>(objects)...);
}
/// The same from a stream, which is read to its end. Errors: the same.
template <class... Objects>
void load(std::istream& in, Objects&&... objects) {
    const std::vector<std::byte> bytes = io::read_bytes(in, "load");
    io::load_from(bytes, "the stream", std::forward<Objects>(objects)...);
}
/// The same from memory, such as an array in the program. Errors: the same.
template <class... Objects>
void load(std::span<const std::byte> memory, Objects&&... objects) {
    io::load_from(memory, "memory", std::forward<Objects>(objects)...);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass

#pragma pop_macro("max")
#pragma pop_macro("min")
