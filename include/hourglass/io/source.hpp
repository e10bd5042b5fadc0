// What objects take from a model file: each tensor once, in the type and shape that it is expected in.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/io/tensor_file.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// The value of a half-precision number (IEEE 754 binary16), and of one that is the upper half of a float (bfloat16).
inline float from_half(std::uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
    const float magnitude = exponent == 31
                                ? std::bit_cast<float>(0x7f80'0000u | static_cast<std::uint32_t>(fraction) << 13)
                            : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                            : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}
inline float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

/// Element i of an array of any floating-point type, rounded to T.
template <class T>
T converted(const Tensor& tensor, Index i) {
    if (tensor.type.name == "F64") return static_cast<T>(tensor.at<double>(i));
    if (tensor.type.name == "F32") return static_cast<T>(tensor.at<float>(i));
    const auto bits = tensor.at<std::uint16_t>(i);
    return static_cast<T>(tensor.type.name == "F16" ? from_half(bits) : from_bfloat(bits));
}
inline bool is_floating(const Tensor& tensor) {
    return tensor.type.name == "F64" || tensor.type.name == "F32" || tensor.type.name == "F16" ||
           tensor.type.name == "BF16";
}

/// A file, and which of its tensors have been taken.
class Source {
  public:
    /// `Error` for a file of another version of hourglass's format; what others write says nothing of it.
    explicit Source(const TensorFile& file) : file_(file) {
        const auto found = file.metadata().find("format");
        if (found != file.metadata().end() && found->second.starts_with("hourglass ") && found->second != format)
            fail(where(), "it has the format ", found->second, ", this version of the library reads ", format);
    }
    /// What the metadata of a file call its format, with the version of it.
    static constexpr std::string_view format = "hourglass 1";

    const TensorFile& file() const { return file_; }
    /// How messages begin.
    std::string where() const { return file_.name() + ": "; }

    /// The tensor of this name, from now on taken. `Error` if there is none, or if it was taken before: `twice` says
    /// what to do about that.
    const Tensor& take(const std::string& name,
                       std::string_view twice = "each object needs a name of its own, hg::named(…)") {
        const Tensor* const tensor = file_.find(name);
        if (!tensor) fail(where(), "there is no tensor ", name, of_similar_name(name));
        if (!taken_.insert(tensor).second) fail(where(), "tensor ", name, " is asked for twice: ", twice);
        return *tensor;
    }
    /// The same, and `Error` unless it holds values of T in this shape (`convert`: of any floating-point type), all
    /// finite in T where they are no record. Extents of 1 in front do not count.
    template <class T>
    const Tensor& take(const std::string& name, const TensorShape& shape, bool convert = false, bool record = false) {
        const Tensor& tensor = take(name);
        require_type<T>(tensor, convert);
        if (without_leading_ones(tensor.shape) != without_leading_ones(shape))
            fail(where(), "tensor ", name, " has the shape ", shown(tensor.shape), ", expected ", shown(shape));
        if (!record) require_finite<T>(tensor);
        return tensor;
    }
    /// One number. Errors: the same, and a BOOL that is neither 0 nor 1.
    template <class T>
    T take_number(const std::string& name, bool convert = false, bool record = false) {
        const Tensor& tensor = take<T>(name, {}, convert, record);
        if constexpr (std::is_same_v<T, bool>) {
            const auto value = tensor.at<unsigned char>(0);
            if (value > 1) fail(where(), "tensor ", name, " is a BOOL of ", value);
            return value == 1;
        } else if constexpr (std::is_floating_point_v<T>) {
            return converted<T>(tensor, 0);
        } else {
            return tensor.at<T>(0);
        }
    }
    /// `Error` unless a tensor holds values of T, or with `convert` of any floating-point type where T is one.
    template <class T>
    void require_type(const Tensor& tensor, bool convert) const {
        if (tensor.type.name == element_type<T>() || (convert && std::is_floating_point_v<T> && is_floating(tensor)))
            return;
        fail(where(), "tensor ", tensor.name, " is of type ", tensor.type.name, ", expected ", element_type<T>(),
             std::is_floating_point_v<T> && is_floating(tensor) ? "; hg::converting(…) takes it all the same" : "");
    }
    /// `Error` with the first value that is not finite in T, or in the next one that is below 0.
    template <class T>
    void require_finite(const Tensor& tensor) const {
        if constexpr (std::is_floating_point_v<T>)
            for (Index i = 0; i < tensor.size(); ++i)
                if (const T value = converted<T>(tensor, i); !is_finite(value))
                    fail(where(), "tensor ", tensor.name, ": value ", i, " of ", tensor.size(), " is ", value);
    }
    template <class T>
    void require_not_negative(const Tensor& tensor) const {
        for (Index i = 0; i < tensor.size(); ++i)
            if (const T value = converted<T>(tensor, i); value < 0)
                fail(where(), "tensor ", tensor.name, ": value ", i, " of ", tensor.size(), " is ", value,
                     ", expected at least 0");
    }

    /// What the file says under `key`. `Error` if it says nothing.
    const std::string& description(const std::string& key) const {
        const auto found = file_.metadata().find(key);
        if (found == file_.metadata().end())
            fail(where(), "it says nothing of ", key,
                 file_.metadata().empty() ? ": it was not written by hg::save" : described());
        return found->second;
    }
    /// `Error`, with the first line that differs, unless the file says this under `key`.
    void require_description(const std::string& key, std::string_view expected) const {
        std::string_view found = description(key);
        if (found == expected) return;
        const auto line = [](std::string_view& words) {
            const std::size_t end = std::min(words.find('\n'), words.size());
            const std::string_view first = words.substr(0, end);
            words.remove_prefix(std::min(end + 1, words.size()));
            return first.empty() ? std::string_view{"nothing more"} : first;
        };
        while (true) {
            const std::string_view in_file = line(found), here = line(expected);
            if (in_file != here || (found.empty() && expected.empty()))
                fail(where(), key, ": the file has \"", in_file, "\", expected \"", here, "\"");
        }
    }

    /// `Error` for the first tensor that nobody took.
    void require_all_taken() const {
        for (const auto& [name, tensor] : file_.tensors())
            if (!taken_.contains(&tensor))
                fail(where(), "tensor ", name,
                     " belongs to nothing that is to be loaded; hg::IgnoreOthers{} passes it over");
    }

  private:
    static TensorShape without_leading_ones(TensorShape shape) {
        const auto first = std::find_if(shape.begin(), shape.end(), [](Index extent) { return extent != 1; });
        shape.erase(shape.begin(), first);
        return shape;
    }
    // Tensors whose names end alike; where there are none, those that a slip of the hand explains, and else any.
    std::string of_similar_name(const std::string& name) const {
        const std::string_view last = std::string_view{name}.substr(name.find_last_of("./") + 1);
        std::string found = listed([&](const std::string& other) { return other.ends_with(last); });
        if (found.empty())
            found = listed([&](const std::string& other) { return edits(name, other) <= 1 + name.size() / 8; });
        return found.empty() ? listed([](const std::string&) { return true; }) : found;
    }
    template <class Wanted>
    std::string listed(const Wanted& wanted) const {
        std::string found;
        int count = 0;
        for (const auto& [other, tensor] : file_.tensors())
            if (wanted(other) && ++count <= 4) (found += count == 1 ? "; there are " : ", ") += other;
        return found + (count > 4 ? ", …" : "");
    }
    // How many characters are put in, left out or changed between two names (Levenshtein 1966).
    static std::size_t edits(std::string_view a, std::string_view b) {
        std::vector<std::size_t> row(b.size() + 1);
        for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
        for (std::size_t i = 0; i < a.size(); ++i) {
            std::size_t before = row[0]++;
            for (std::size_t j = 0; j < b.size(); ++j) {
                const std::size_t changed = before + (a[i] == b[j] ? 0 : 1);
                before = row[j + 1];
                row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
            }
        }
        return row.back();
    }
    // What the file says something of: objects, beside its format and the library's version.
    std::string described() const {
        std::string found;
        for (const auto& [key, words] : file_.metadata())
            if (key != "format" && key != "version" && !key.ends_with(".hyperparameters"))
                (found += found.empty() ? "; it holds " : ", ") += key;
        return found;
    }

    const TensorFile& file_;
    std::set<const Tensor*> taken_;
};

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
