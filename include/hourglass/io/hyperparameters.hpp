// Hyperparameters by name, as a line of JSON: {"encoder.1.rate":0.2,"loss.delta":1}.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "hourglass/core/number.hpp"
#include "hourglass/core/sequence.hpp"
#include "hourglass/io/json.hpp"
#include "hourglass/io/source.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// A number, true or false (1 and 0), or null.
using Hyperparameter = JsonNumber;

/// As an integer, where it is one; as a number; and as text.
inline std::optional<std::int64_t> whole_of(const Hyperparameter& read) {
    if (const auto* whole = std::get_if<std::int64_t>(&read)) return *whole;
    // 1e15 is an integer too; doubles count up to 2⁵³.
    constexpr double most = 9007199254740992;
    const auto* real = std::get_if<double>(&read);
    if (!real || !(*real >= -most && *real <= most)) return std::nullopt;
    const auto whole = static_cast<std::int64_t>(*real);
    return *real == static_cast<double>(whole) ? std::optional{whole} : std::nullopt;
}
inline std::optional<double> real_of(const Hyperparameter& read) {
    if (const auto* whole = std::get_if<std::int64_t>(&read)) return static_cast<double>(*whole);
    const auto* real = std::get_if<double>(&read);
    return real ? std::optional{*real} : std::nullopt;
}
inline std::string text_of(const Hyperparameter& read) {
    if (const auto* whole = std::get_if<std::int64_t>(&read)) return text(*whole);
    const auto* real = std::get_if<double>(&read);
    return real ? core::exact_text(*real) : "null";
}

/// Puts a line together.
class HyperparameterWriter {
  public:
    /// `Error` for a value that is not finite, and for an integer of 2⁶³ or more: they would not load.
    template <class V>
    void add(std::string_view prefix, std::string_view name, const V& value) {
        if constexpr (!std::is_arithmetic_v<V>)
            require_finite(prefix, name, value.value_or(0));
        else if constexpr (std::is_floating_point_v<V>)
            require_finite(prefix, name, static_cast<double>(value));
        (line_ += line_.size() > 1 ? "," : "") += json_text(std::string{prefix} + std::string{name}) + ":";
        if constexpr (std::is_same_v<V, bool>)
            line_ += value ? "true" : "false";
        else if constexpr (std::is_integral_v<V>)
            line_ += whole_text(prefix, name, value);
        else if constexpr (std::is_arithmetic_v<V>)
            line_ += core::exact_text(static_cast<double>(value));
        else
            line_ += value ? core::exact_text(*value) : "null";
    }
    /// All of them.
    std::string line() const { return line_ + "}"; }

  private:
    static void require_finite(std::string_view prefix, std::string_view name, double value) {
        if (!is_finite(value)) fail("save: ", prefix, name, " is ", value, ": nothing was written");
    }
    template <class V>
    static std::string whole_text(std::string_view prefix, std::string_view name, V value) {
        if (!std::in_range<std::int64_t>(value)) fail("save: ", prefix, name, " is ", value, ": nothing was written");
        return text(static_cast<std::int64_t>(value));
    }

    std::string line_ = "{";
};

/// Takes a line apart, and gives each value once.
class HyperparameterReader {
  public:
    /// The line that a file has under `key`. `Error` if there is none, or if it is no such line.
    HyperparameterReader(const Source& source, const std::string& key)
        : where_(source.where() + key + ": "), words_(source.description(key)) {
        JsonReader line(words_, where_);
        line.each_member([&](const std::string& name) {
            if (!values_.emplace(name, line.number()).second) line.fail_here(name + " stands twice");
        });
        line.expect_end();
    }

    /// Whether there is one of this name that nobody took.
    bool has(std::string_view name) const { return values_.contains(std::string{name}); }
    /// Sets `value` to that of this name. `Error` if there is none, or none that V can be or hold.
    template <class V>
    void take(std::string_view prefix, std::string_view name, V& value) {
        const std::string key = std::string{prefix} + std::string{name};
        const auto found = values_.find(key);
        if (found == values_.end()) fail(where_, "there is no ", key);
        const Hyperparameter read = found->second;
        values_.erase(found);
        if constexpr (std::is_same_v<V, bool>) {
            const std::int64_t whole = whole_of(read).value_or(-1);
            if (whole != 0 && whole != 1) fail(where_, key, " is ", text_of(read), ", expected true or false");
            value = whole == 1;
        } else if constexpr (std::is_integral_v<V>) {
            const std::optional<std::int64_t> whole = whole_of(read);
            if (!whole) fail(where_, key, " is ", text_of(read), ", expected an integer");
            if (!std::in_range<V>(*whole)) fail(where_, key, " is ", text_of(read), ", which its type cannot hold");
            value = static_cast<V>(*whole);
        } else if constexpr (std::is_arithmetic_v<V>) {
            const std::optional<double> real = real_of(read);
            if (!real) fail(where_, key, " is null, expected a number");
            if (*real < static_cast<double>(std::numeric_limits<V>::lowest()) ||
                *real > static_cast<double>(std::numeric_limits<V>::max()))
                fail(where_, key, " is ", text_of(read), ", which its type cannot hold");
            value = static_cast<V>(*real);
        } else {
            value = real_of(read);
        }
    }
    /// `Error` for the first one that nobody took.
    void require_all_taken() const {
        if (!values_.empty()) fail(where_, values_.begin()->first, " is not a hyperparameter of what is to be loaded");
    }
    /// How messages begin.
    const std::string& where() const { return where_; }

  private:
    std::string where_, words_;
    std::map<std::string, Hyperparameter> values_;
};

/// Calls f(); an `Error` of it is thrown again with `where` before its message, where there are exceptions.
template <class F>
void within([[maybe_unused]] const std::string& where, const F& f) {
#if defined(__cpp_exceptions)
    try {
        f();
    } catch (const Error& error) {
        fail(where, error.what());
    }
#else
    f();
#endif
}

/// `options` with the values of the file. `Error` for one that is missing, unknown, or no value for it.
template <class Options>
Options read_options(const Source& source, const std::string& key, Options options) {
    HyperparameterReader reader(source, key + ".hyperparameters");
    Options::each_hyperparameter(options, [&](std::string_view name, auto& value) { reader.take("", name, value); });
    reader.require_all_taken();
    return options;
}
/// The line of such options. `Error` for a value that is not finite.
template <class Options>
std::string options_line(const Options& options) {
    HyperparameterWriter writer;
    Options::each_hyperparameter(options,
                                 [&](std::string_view name, const auto& value) { writer.add("", name, value); });
    return writer.line();
}

/// The hyperparameters of all of a model's parts. `Error` for one out of range: it would not load.
template <class Model>
std::string hyperparameters_line(const Model& model) {
    HyperparameterWriter writer;
    model.each_part([&]<class Part>(std::string_view part, const Part& of) {
        if constexpr (core::has_hyperparameters<Part>) {
            within("save: nothing was written: " + std::string{part} + ": ", [&] { of.check(); });
            Part::each_hyperparameter(of, [&](std::string_view name, const auto& value) {
                writer.add(std::string{part} + ".", name, value);
            });
        }
    });
    return writer.line();
}

/// What is to be assigned to hyperparameters when everything else is known to be right.
class PendingHyperparameters {
  public:
    /// Reads those of all of a model's parts. `Error` as above, and for a value that a part finds out of range.
    template <class Model>
    PendingHyperparameters(const Source& source, const std::string& key, Model& model) {
        HyperparameterReader reader(source, key);
        model.each_part([&]<class Part>(std::string_view part, Part& of) {
            if constexpr (core::has_hyperparameters<Part>) {
                const std::string prefix = std::string{part} + ".";
                Part read = of;
                Part::each_hyperparameter(
                    read, [&](std::string_view name, auto& value) { reader.take(prefix, name, value); });
                within(reader.where() + prefix.substr(0, prefix.size() - 1) + ": ", [&] { read.check(); });
                std::vector<Hyperparameter> values;
                Part::each_hyperparameter(read, [&]<class V>(std::string_view, const V& value) {
                    if constexpr (std::is_integral_v<V>)
                        values.emplace_back(static_cast<std::int64_t>(value));
                    else if constexpr (std::is_arithmetic_v<V>)
                        values.emplace_back(static_cast<double>(value));
                    else
                        values.push_back(value ? Hyperparameter{*value} : Hyperparameter{});
                });
                auto next = values.begin();
                Part::each_hyperparameter(of, [&](std::string_view, auto& value) { add(value, *next++); });
            }
        });
        reader.require_all_taken();
    }
    /// Assigns them.
    void assign() const noexcept {
        for (const auto& [to, value, put] : all_) put(to, value);
    }

  private:
    struct Assignment {
        void* to;
        Hyperparameter value;
        void (*put)(void*, const Hyperparameter&) noexcept;
    };
    template <class V>
    void add(V& to, const Hyperparameter& value) {
        all_.push_back({&to, value, [](void* at, const Hyperparameter& v) noexcept {
                            if constexpr (std::is_integral_v<V>)
                                *static_cast<V*>(at) = static_cast<V>(*std::get_if<std::int64_t>(&v));
                            else if constexpr (std::is_arithmetic_v<V>)
                                *static_cast<V*>(at) = static_cast<V>(*std::get_if<double>(&v));
                            else
                                *static_cast<V*>(at) = real_of(v);
                        }});
    }

    std::vector<Assignment> all_;
};

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
