// A file of named arrays in the safetensors format (Hugging Face 2022): eight bytes that say how long the header is,
// the header in JSON, and the arrays, one after the other. Nothing in such a file is trusted.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/io/json.hpp"
#include "hourglass/io/tensor_shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// A type of array elements: its name in the header and its bytes.
struct ElementType {
    std::string_view name;
    Index size;
};
inline constexpr std::array element_types{
    ElementType{"F64", 8}, ElementType{"F32", 4}, ElementType{"F16", 2}, ElementType{"BF16", 2}, ElementType{"I64", 8},
    ElementType{"U64", 8}, ElementType{"I32", 4}, ElementType{"U32", 4}, ElementType{"I16", 2},  ElementType{"U16", 2},
    ElementType{"I8", 1},  ElementType{"U8", 1},  ElementType{"BOOL", 1}};

/// What arrays of T are called.
template <class T>
constexpr std::string_view element_type() {
    static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8, "hourglass: model files hold float, double and integers");
    if constexpr (std::is_same_v<T, bool>)
        return "BOOL";
    else if constexpr (std::is_floating_point_v<T>)
        return sizeof(T) == 4 ? "F32" : "F64";
    else if constexpr (std::is_signed_v<T>)
        return sizeof(T) == 8 ? "I64" : sizeof(T) == 4 ? "I32" : sizeof(T) == 2 ? "I16" : "I8";
    else
        return sizeof(T) == 8 ? "U64" : sizeof(T) == 4 ? "U32" : sizeof(T) == 2 ? "U16" : "U8";
}

/// Bytes that a header may have.
inline constexpr std::uint64_t longest_header = 100'000'000;

/// One array of a file: views of the file's bytes, which are not aligned.
struct Tensor {
    std::string name;
    ElementType type;
    TensorShape shape;
    std::span<const std::byte> bytes;

    /// Number of elements.
    Index size() const { return static_cast<Index>(bytes.size()) / type.size; }
    /// Element i, bit for bit.
    template <class T>
    T at(Index i) const {
        T value;
        std::memcpy(&value, bytes.data() + i * static_cast<Index>(sizeof(T)), sizeof(T));
        return value;
    }
};

/// A file that has been looked through and found in order. Refers to the bytes it was made of.
class TensorFile {
  public:
    /// `bytes` is the whole file, `name` what messages call it. `Error` unless every rule of the format holds: a header
    /// of at most 100 MB that lies in the file; JSON objects of strings and unsigned integers and nothing else; no
    /// name twice; a known type; as many bytes as the shape has elements; arrays that follow each other without gap or
    /// overlap from the first byte behind the header to the last one of the file.
    TensorFile(std::span<const std::byte> bytes, std::string name) : name_(std::move(name)) {
        const std::string where = name_ + ": ";
        const auto size = static_cast<std::uint64_t>(bytes.size());
        std::uint64_t length = 0;
        if (size < 8) fail(where, "the file has ", size, " bytes, not even the 8 that say how long its header is");
        std::memcpy(&length, bytes.data(), 8);
        if (length > longest_header)
            fail(where, "no safetensors file (its first 8 bytes say a header of ", length, " bytes, at most ",
                 longest_header, " are allowed)",
                 bytes[0] == std::byte{'P'} && bytes[1] == std::byte{'K'}
                     ? ", but a zip archive, as torch.save writes; safetensors.torch.save_file writes one"
                     : "");
        if (length > size - 8)
            fail(where, "a header of ", length, " bytes in a file of ", size,
                 ": it is cut off, or no safetensors file");
        const auto* const begin = reinterpret_cast<const char*>(bytes.data()) + 8;
        const auto data = bytes.subspan(8 + static_cast<std::size_t>(length));
        JsonReader header({begin, static_cast<std::size_t>(length)}, where);
        if (length == 0 || *begin != '{') header.fail_here("expected {");
        bool described = false;
        header.each_member([&](const std::string& key) {
            if (key != "__metadata__") return read_entry(header, key, data);
            if (std::exchange(described, true)) header.fail_here("__metadata__ stands twice");
            read_metadata(header);
        });
        header.expect_end();
        check_order(data);
    }

    /// What messages call the file.
    const std::string& name() const { return name_; }
    /// All arrays, by name.
    const std::map<std::string, Tensor, std::less<>>& tensors() const { return tensors_; }
    /// The array of this name; null if there is none.
    const Tensor* find(std::string_view tensor) const {
        const auto found = tensors_.find(tensor);
        return found == tensors_.end() ? nullptr : &found->second;
    }
    /// What the header says of the whole file, by key.
    const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }

  private:
    void read_metadata(JsonReader& header) {
        header.each_member([&](const std::string& key) {
            if (!metadata_.emplace(key, header.string()).second)
                header.fail_here("the key " + key + " of __metadata__ stands twice");
        });
    }

    void read_entry(JsonReader& header, const std::string& name, std::span<const std::byte> data) {
        Tensor tensor{name, {"", 0}, {}, {}};
        std::array<std::int64_t, 2> offsets{};
        int seen = 0;  // a bit for each of the three keys
        header.each_member([&](const std::string& key) {
            const int bit = key == "dtype" ? 1 : key == "shape" ? 2 : key == "data_offsets" ? 4 : 0;
            if (bit == 0) header.fail_here("tensor " + name + " has a key " + key + " that the format does not know");
            if ((seen & bit) != 0) header.fail_here("tensor " + name + " has its " + key + " twice");
            seen |= bit;
            if (bit == 1)
                tensor.type = type_of(header, name);
            else if (bit == 2)
                header.each_element([&] { tensor.shape.push_back(header.integer()); });
            else
                read_offsets(header, name, offsets);
        });
        if (seen != 7) header.fail_here("tensor " + name + " lacks its dtype, shape or data_offsets");
        const auto end = static_cast<std::int64_t>(data.size());
        if (offsets[0] > offsets[1] || offsets[1] > end)
            fail(name_, ": tensor ", name, " lies at [", offsets[0], ", ", offsets[1], ") of ", end, " bytes of data");
        const Index expected = bytes_of(tensor);
        if (expected != offsets[1] - offsets[0])
            fail(name_, ": tensor ", name, " of ", tensor.type.name, " and shape ", shown(tensor.shape), " lies in ",
                 offsets[1] - offsets[0], " bytes", expected < 0 ? "" : ", expected " + text(expected));
        tensor.bytes = data.subspan(static_cast<std::size_t>(offsets[0]), static_cast<std::size_t>(expected));
        if (!tensors_.emplace(name, std::move(tensor)).second) header.fail_here("tensor " + name + " stands twice");
    }
    static ElementType type_of(JsonReader& header, const std::string& name) {
        const std::string type = header.string();
        for (const ElementType& known : element_types)
            if (known.name == type) return known;
        header.fail_here("tensor " + name + " is of type " + type + ", which is not known here");
    }
    static void read_offsets(JsonReader& header, const std::string& name, std::array<std::int64_t, 2>& offsets) {
        std::size_t count = 0;
        header.each_element([&] {
            const std::int64_t value = header.integer();
            if (count < 2) offsets[count] = value;
            ++count;
        });
        if (count != 2) header.fail_here("tensor " + name + " has " + text(count) + " data_offsets, expected 2");
    }
    // −1 where the product is no number of bytes.
    static Index bytes_of(const Tensor& tensor) {
        if (std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end()) return 0;
        Index bytes = tensor.type.size;
        for (const Index extent : tensor.shape) {
            if (bytes > std::numeric_limits<Index>::max() / extent) return -1;
            bytes *= extent;
        }
        return bytes;
    }
    void check_order(std::span<const std::byte> data) const {
        std::vector<const Tensor*> order;
        order.reserve(tensors_.size());
        for (const auto& [name, tensor] : tensors_) order.push_back(&tensor);
        std::sort(order.begin(), order.end(), [](const Tensor* a, const Tensor* b) {
            return std::pair(a->bytes.data(), a->bytes.size()) < std::pair(b->bytes.data(), b->bytes.size());
        });
        const std::byte* next = data.data();
        for (const Tensor* tensor : order) {
            if (tensor->bytes.data() != next)
                fail(name_, ": tensor ", tensor->name, " begins at byte ", tensor->bytes.data() - data.data(),
                     " of the data, the one before it ends at ", next - data.data());
            next += tensor->bytes.size();
        }
        if (next != data.data() + data.size())
            fail(name_, ": the tensors end at byte ", next - data.data(), " of ", data.size(), " bytes of data");
    }

    std::string name_;
    std::map<std::string, Tensor, std::less<>> tensors_;
    std::map<std::string, std::string, std::less<>> metadata_;
};

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
