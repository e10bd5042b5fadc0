// hourglass: autoencoders over Eigen. The one exception type, and how its sentences are put together.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "hourglass/core/version.hpp"

#if !defined(__cpp_exceptions) && defined(HOURGLASS_ERROR_HANDLER)
void HOURGLASS_ERROR_HANDLER(const char* message);  // the user's, which does not return
#endif

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Thrown for every wrong argument. The message names the function, layer or tensor, what was expected and what came.
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

namespace core {

/// One argument of `fail`: text, or a number. Refers to the text, so it does not outlive the call it is made for.
class MessageArgument {
  public:
    MessageArgument(const char* words) : MessageArgument(std::string_view{words}) {}
    MessageArgument(std::string_view words) : words_(words.data()), size_(words.size()), kind_(Kind::Words) {}
    MessageArgument(const std::string& words) : MessageArgument(std::string_view{words}) {}
    template <std::integral N>
    MessageArgument(N number)
        : integer_(static_cast<long long>(number)), kind_(std::unsigned_integral<N> ? Kind::Natural : Kind::Integer) {}
    template <std::floating_point N>
    MessageArgument(N number) : real_(static_cast<double>(number)), kind_(Kind::Real) {}

    /// At least as many characters as `write` writes.
    std::size_t room() const { return size_; }
    /// Writes the text; returns its end. A decimal comma of the global locale becomes a point.
    char* write(char* to) const {
        if (kind_ == Kind::Words) return std::copy_n(words_, size_, to);
        const int size = kind_ == Kind::Integer ? std::snprintf(to, size_, "%lld", integer_)
                         : kind_ == Kind::Natural
                             ? std::snprintf(to, size_, "%llu", static_cast<unsigned long long>(integer_))
                             : std::snprintf(to, size_, "%g", real_);
        char* const end = to + size;
        if (kind_ == Kind::Real) std::replace(to, end, ',', '.');
        // The sign of a NaN says nothing. Looked for in the text: -ffast-math takes every number for one.
        const bool is_minus_nan = kind_ == Kind::Real && to[0] == '-' && to[1] == 'n';
        return is_minus_nan ? std::copy(to + 1, end, to) : end;
    }

  private:
    enum class Kind { Words, Integer, Natural, Real };
    union {
        const char* words_;
        long long integer_;
        double real_;
    };
    std::size_t size_ = 32;  // no number is longer
    Kind kind_;
};

// Written into one piece of memory: to compile a std::string that grows takes a twentieth of a small program's time.
HOURGLASS_COLD inline std::string joined(const MessageArgument* arguments, std::size_t count) {
    std::size_t room = 0;
    for (std::size_t i = 0; i < count; ++i) room += arguments[i].room();
    std::string message(room, ' ');
    char* end = message.data();
    for (std::size_t i = 0; i < count; ++i) end = arguments[i].write(end);
    return {message.data(), static_cast<std::size_t>(end - message.data())};
}
/// All `arguments` (strings and numbers) joined. Compiles in a fraction of the time that adding strings takes.
template <class... Arguments>
HOURGLASS_COLD std::string message_of(Arguments... arguments) {
    const MessageArgument all[]{arguments...};
    return joined(all, sizeof...(Arguments));
}

HOURGLASS_COLD [[noreturn]] inline void fail_with(const MessageArgument* arguments, std::size_t count) {
    const std::string message = joined(arguments, count);
#if defined(__cpp_exceptions)
    throw Error(message);
#else
#if defined(HOURGLASS_ERROR_HANDLER)
    ::HOURGLASS_ERROR_HANDLER(message.c_str());
#else
    std::fprintf(stderr, "hourglass: %s\n", message.c_str());
#endif
    std::abort();
#endif
}

}  // namespace core

/// Text of an integer or floating-point number as it stands in messages (`%g`; a decimal comma of the global locale
/// becomes a point).
template <class N>
    requires std::integral<N> || std::floating_point<N> std::string text(N value) { return core::message_of(value); }
/// Text as it is, so that what shows any value need not ask which it has.
inline std::string text(std::string_view value) { return std::string{value}; }

/// Throws `Error` whose message is all `arguments` (strings and numbers) joined; compiled without exceptions, calls the
/// function `HOURGLASS_ERROR_HANDLER` with it, or prints it, and ends the program. Every message in the library is one
/// call of this; it only lists the arguments, so that no call makes the compiler put strings together.
template <class... Arguments>
HOURGLASS_COLD [[noreturn]] void fail(Arguments... arguments) {
    const core::MessageArgument all[]{arguments...};
    core::fail_with(all, sizeof...(Arguments));
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
