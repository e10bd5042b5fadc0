// Opens a file, gzipped or plain, as a stream. Gzip needs zlib (HOURGLASS_EXAMPLES_ZLIB).
#pragma once

#include <cstdlib>
#include <fstream>
#include <hourglass/core/error.hpp>
#include <iostream>
#include <memory>
#include <streambuf>
#include <string>
#include <vector>

#ifdef HOURGLASS_EXAMPLES_ZLIB
#include <zlib.h>
#endif

namespace support {

#ifdef HOURGLASS_EXAMPLES_ZLIB

/// The decompressed bytes of a gzip file; a file that is not gzipped is read as it is. `Error` where it is damaged.
class GzipBuffer : public std::streambuf {
  public:
    explicit GzipBuffer(const std::string& path) : file_(gzopen(path.c_str(), "rb")), bytes_(1 << 16) {}
    GzipBuffer(const GzipBuffer&) = delete;
    GzipBuffer& operator=(const GzipBuffer&) = delete;
    ~GzipBuffer() override {
        if (file_ != nullptr) gzclose(file_);
    }

    bool is_open() const { return file_ != nullptr; }

  protected:
    int_type underflow() override {
        const int count = gzread(file_, bytes_.data(), static_cast<unsigned>(bytes_.size()));
        int error = Z_OK;
        const char* message = gzerror(file_, &error);
        if (count < 0 || error == Z_BUF_ERROR)                    // the latter: a file that ends too early
            hourglass::fail("not a sound gzip file: ", message);  // zlib names it
        if (count == 0) return traits_type::eof();
        setg(bytes_.data(), bytes_.data(), bytes_.data() + count);
        return traits_type::to_int_type(bytes_[0]);
    }

  private:
    gzFile file_;
    std::vector<char> bytes_;
};

/// A stream that reads a `GzipBuffer` of its own.
class GzipStream : public std::istream {
  public:
    explicit GzipStream(const std::string& path) : std::istream(nullptr), buffer_(path) {
        rdbuf(&buffer_);
        if (!buffer_.is_open()) setstate(std::ios::failbit);
    }

  private:
    GzipBuffer buffer_;
};

#endif

/// Opens `path`, or `path`.gz where only that is there; null where neither is. Without zlib, a .gz file ends the
/// program with a line that says so and status 77, which test runners take for "skipped".
inline std::unique_ptr<std::istream> open_file(const std::string& path) {
    auto plain = std::make_unique<std::ifstream>(path, std::ios::binary);
    const bool compressed = !plain->is_open() || path.ends_with(".gz");
    if (!compressed) return plain;
    const std::string gz = path.ends_with(".gz") ? path : path + ".gz";
    if (!std::ifstream(gz)) return nullptr;
#ifdef HOURGLASS_EXAMPLES_ZLIB
    return std::make_unique<GzipStream>(gz);
#else
    std::cout << "skipped: " << gz << " cannot be read, this program was built without zlib; gunzip the files\n";
    std::exit(77);
#endif
}

}  // namespace support
