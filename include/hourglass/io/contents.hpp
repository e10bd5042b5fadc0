// What is to be written to a model file.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/io/tensor_file.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// What an array is for: values that steer a model have to be finite, and the parameters among them are written without
/// denormal numbers, which would only make it slow (they become 0); records are written as they are.
enum class Use { Parameters, Values, Record };

/// Named arrays, which lie elsewhere until they are written, and what is said about them.
class Contents {
  public:
    /// `values` has as many elements as `shape`, and has to stay in place. `Error` for a name that stands already, is
    /// no UTF-8 or "__metadata__", and for a value that is not finite, unless it is a record: it is named.
    template <class T>
    void add(const std::string& name, TensorShape shape, const T* values, Use use) {
        Index size = 1;
        for (const Index extent : shape) size *= extent;
        if constexpr (std::is_floating_point_v<T>)
            if (use != Use::Record)
                if (const Index i = first_non_finite(values, size); i >= 0)
                    fail("save: tensor ", name, ": value ", i, " of ", size, " is ", values[i],
                         ", and would not load: nothing was written");
        Entry entry{element_type<T>(),
                    static_cast<Index>(sizeof(T)),
                    std::move(shape),
                    std::as_bytes(std::span{values, static_cast<std::size_t>(size)}),
                    {},
                    use == Use::Parameters && std::is_floating_point_v<T>};
        insert(name, std::move(entry));
    }
    /// A single number, which is copied. `Error` as above.
    template <class T>
    void add_number(const std::string& name, T value, Use use) {
        if constexpr (std::is_floating_point_v<T>)
            if (use != Use::Record && !is_finite(value)) fail("save: ", name, " is ", value, ": nothing was written");
        Entry entry{element_type<T>(), static_cast<Index>(sizeof(T)), {}, {}, {}, false};
        std::memcpy(entry.number.data(), &value, sizeof(T));
        insert(name, std::move(entry));
    }
    /// What the file says under `key`. `Error` for a key that stands already, and for text that is no UTF-8.
    void describe(const std::string& key, const std::string& words) {
        require_text(key);
        require_text(words);
        if (!metadata_.emplace(key, words).second)
            fail("save: there are two of ", key,
                 ": each object needs a name of its own, hg::named(…): nothing was written");
    }

    /// The file's bytes as sink(bytes) receives them, one piece after the other: the length of the header, the header,
    /// and the arrays, those with the larger elements first, so that all are aligned. `Error`, before the first of
    /// them, for a header of more bytes than would load.
    template <class Sink>
    void write(Sink sink) const {
        std::vector<const std::pair<const std::string, Entry>*> order;
        for (const auto& entry : entries_) order.push_back(&entry);
        std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
            const auto first = a->second.element_size, second = b->second.element_size;
            return first != second ? first > second : a->first < b->first;
        });
        std::string header = "{\"__metadata__\":{";
        for (const auto& [key, words] : metadata_)
            ((header += header.back() == '{' ? "" : ",") += json_text(key) + ":") += json_text(words);
        header += '}';
        std::size_t at = 0;
        for (const auto* entry : order) {
            const auto& [name, tensor] = *entry;
            ((header += ",") += json_text(name)) += ":{\"dtype\":\"";
            (header += tensor.type) += "\",\"shape\":[";
            for (std::size_t i = 0; i < tensor.shape.size(); ++i) (header += i > 0 ? "," : "") += text(tensor.shape[i]);
            ((header += "],\"data_offsets\":[") += text(at)) += ",";
            at += tensor.bytes().size();
            header += text(at) + "]}";
        }
        header += '}';
        header.resize((header.size() + 7) / 8 * 8, ' ');
        if (header.size() > longest_header)
            fail("save: names, shapes and descriptions take ", header.size(), " bytes, at most ", longest_header,
                 " would load: nothing was written");
        const std::uint64_t length = header.size();
        sink(std::as_bytes(std::span{&length, 1}));
        sink(std::as_bytes(std::span{header}));
        for (const auto* entry : order)
            if (entry->second.flush)
                write_flushed(entry->second, sink);
            else
                sink(entry->second.bytes());
    }

  private:
    struct Entry {
        std::string_view type;
        Index element_size;
        TensorShape shape;
        std::span<const std::byte> elsewhere;  // the values, …
        std::array<std::byte, 8> number;       // … or the one number of an entry without extents
        bool flush;

        std::span<const std::byte> bytes() const {
            return elsewhere.data()
                       ? elsewhere
                       : std::span{number}.first(shape.empty() ? static_cast<std::size_t>(element_size) : 0);
        }
    };

    // What would not be read again is not written either.
    static void require_text(const std::string& words) {
        const std::string quoted = json_text(words);
        JsonReader(quoted, "save: the name or description " + quoted + ": ").string();
    }
    void insert(const std::string& name, Entry entry) {
        require_text(name);
        if (name == "__metadata__") fail("save: no tensor may be called ", name, ": nothing was written");
        if (!entries_.emplace(name, std::move(entry)).second)
            fail("save: there are two tensors called ", name,
                 ": each object needs a name of its own, hg::named(…): nothing was written");
    }

    template <class Sink>
    static void write_flushed(const Entry& entry, Sink& sink) {
        if (entry.element_size == 4)
            write_flushed<std::uint32_t>(entry.bytes(), 0x7f80'0000u, sink);
        else
            write_flushed<std::uint64_t>(entry.bytes(), 0x7ff0'0000'0000'0000u, sink);
    }
    // Denormal numbers are those without a bit in the exponent; zeros keep their sign.
    template <class Bits, class Sink>
    static void write_flushed(std::span<const std::byte> from, Bits exponent, Sink& sink) {
        std::array<Bits, 1024> block;
        for (std::size_t at = 0; at < from.size();) {
            const std::size_t size = std::min(from.size() - at, sizeof block), count = size / sizeof(Bits);
            std::memcpy(block.data(), from.data() + at, size);
            for (std::size_t i = 0; i < count; ++i)
                if ((block[i] & exponent) == 0) block[i] &= Bits{1} << (8 * sizeof(Bits) - 1);
            sink(std::as_bytes(std::span{block}.first(count)));
            at += size;
        }
    }

    std::map<std::string, Entry> entries_;
    std::map<std::string, std::string> metadata_;
};

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
