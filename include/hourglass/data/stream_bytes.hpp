// The bytes of a stream, for the readers and writers of files.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ios>
#include <istream>
#include <ostream>
#include <string>

#include "hourglass/core/error.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace data {

/// Reads a stream's bytes from its buffer, so that neither its locale nor the exceptions it was told to throw at the
/// end of a file have a say. What fails below (a directory, a broken disc) is an `Error` under the name of `function`.
class StreamBytes {
    template <class Read>
    auto guarded(Read read) {
#if defined(__cpp_exceptions)
        try {
            return read();
        } catch (const std::ios_base::failure&) {
            fail(function_, ": the stream failed while it was read");
        }
#else
        return read();
#endif
    }

  public:
    static constexpr int end = std::char_traits<char>::eof();

    /// `Error` when the stream cannot be read, as after opening a file that is not there.
    StreamBytes(std::istream& in, const char* function) : buffer_(in.rdbuf()), function_(function) {
        if (!in.good() || buffer_ == nullptr) fail(function, ": the stream cannot be read; was the file opened?");
    }

    /// The next byte (0…255) or `end`, left where it is.
    int peek() {
        return guarded([this] { return buffer_->sgetc(); });
    }
    /// The next byte (0…255) or `end`.
    int next() {
        return guarded([this] { return buffer_->sbumpc(); });
    }
    /// Skips the next byte if it is this one.
    bool skip(char byte) {
        const bool found = peek() == static_cast<unsigned char>(byte);
        if (found) next();
        return found;
    }
    /// Reads up to `count` bytes and returns how many came.
    std::size_t read(unsigned char* bytes, std::size_t count) {
        const auto wanted = static_cast<std::streamsize>(count);
        return static_cast<std::size_t>(std::max<std::streamsize>(
            0, guarded([&] { return buffer_->sgetn(reinterpret_cast<char*>(bytes), wanted); })));
    }

  private:
    std::streambuf* buffer_;
    const char* function_;
};

/// Calls write(), which writes to the stream, and flushes it. When the stream fails, whatever it was told to throw,
/// that is an `Error` under the name of `function`.
template <class Write>
void write_stream(std::ostream& out, const char* function, Write write) {
#if defined(__cpp_exceptions)
    try {
        write();
        out.flush();
    } catch (const std::ios_base::failure&) {
    }
#else
    write();
    out.flush();
#endif
    if (!out) fail(function, ": writing to the stream failed");
}

}  // namespace data
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
