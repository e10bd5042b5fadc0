// hourglass: autoencoders over Eigen. The one exception type, and how its sentences are put together.
#pragma once

#include <concepts>
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
inline std::string text_of_real(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%g", value);
    std::string shown{buffer};
    for (char& c : shown) c = c == ',' ? '.' : c;
    return shown == "-nan" ? "nan" : shown;  // its sign says nothing
}
}  // namespace core

/// Text of an integer or floating-point number as it stands in messages (`%g`; whatever the global locale, a point).
template <class N>
    requires std::integral<N> || std::floating_point<N> std::string text(N value) {
        if constexpr (std::integral<N>) {
            return std::to_string(value);
        } else {
            return core::text_of_real(static_cast<double>(value));
        }
    }
/// Text as it is, so that what shows any value need not ask which it has.
inline std::string text(std::string_view value) { return std::string{value}; }

namespace core {

/// One argument of `fail`: text, or a number. Refers to the text, so it does not outlive the call it is made for.
class MessageArgument {
  public:
    MessageArgument(const char* words) : words_(words) {}
    MessageArgument(std::string_view words) : words_(words) {}
    MessageArgument(const std::string& words) : words_(words) {}
    template <std::integral N>
    MessageArgument(N number)
        : integer_(static_cast<long long>(number)), kind_(std::unsigned_integral<N> ? Kind::Natural : Kind::Integer) {}
    template <std::floating_point N>
    MessageArgument(N number) : real_(static_cast<double>(number)), kind_(Kind::Real) {}

    std::string shown() const {
        return kind_ == Kind::Words     ? std::string{words_}
               : kind_ == Kind::Integer ? text(integer_)
               : kind_ == Kind::Natural ? text(static_cast<unsigned long long>(integer_))
                                        : text(real_);
    }

  private:
    enum class Kind { Words, Integer, Natural, Real };
    std::string_view words_;
    long long integer_ = 0;
    double real_ = 0;
    Kind kind_ = Kind::Words;
};

inline std::string joined(const MessageArgument* arguments, std::size_t count) {
    std::string message;
    for (std::size_t i = 0; i < count; ++i) message += arguments[i].shown();
    return message;
}
/// All `arguments` (strings and numbers) joined. Compiles in a fraction of the time that adding strings takes.
template <class... Arguments>
std::string message_of(const Arguments&... arguments) {
    const MessageArgument all[]{arguments...};
    return joined(all, sizeof...(Arguments));
}

[[noreturn]] inline void fail_with(const MessageArgument* arguments, std::size_t count) {
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

/// Throws `Error` whose message is all `arguments` (strings and numbers) joined; compiled without exceptions, calls the
/// function `HOURGLASS_ERROR_HANDLER` with it, or prints it, and ends the program. Every message in the library is one
/// call of this; it only lists the arguments, so that no call makes the compiler put strings together.
template <class... Arguments>
[[noreturn]] void fail(const Arguments&... arguments) {
    const core::MessageArgument all[]{arguments...};
    core::fail_with(all, sizeof...(Arguments));
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
