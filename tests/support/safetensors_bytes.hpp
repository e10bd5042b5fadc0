// Model files put together by hand, well formed or not.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using Bytes = std::vector<std::byte>;

/// Eight bytes that say `length`, the header, and `data` bytes of zeros.
inline Bytes file_with(std::string_view header, std::size_t data, std::uint64_t length) {
    Bytes bytes(8 + header.size() + data);
    std::memcpy(bytes.data(), &length, 8);
    // No memcpy, of which g++ 12 believes that it may be longer than memory.
    std::transform(header.begin(), header.end(), bytes.begin() + 8, [](char c) { return static_cast<std::byte>(c); });
    return bytes;
}
inline Bytes file_with(std::string_view header, std::size_t data = 0) { return file_with(header, data, header.size()); }

/// What `write(use)` hands over piece by piece, as io::Contents does.
template <class Contents>
Bytes bytes_of(const Contents& contents) {
    Bytes bytes;
    contents.write([&](std::span<const std::byte> block) { bytes.insert(bytes.end(), block.begin(), block.end()); });
    return bytes;
}

/// The header of a file.
inline std::string header_of(const Bytes& file) {
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), 8);
    return {reinterpret_cast<const char*>(file.data()) + 8, static_cast<std::size_t>(length)};
}
/// The same file with `from` replaced by `to` where it stands first in the header.
inline Bytes with_header(const Bytes& file, std::string_view from, std::string_view to) {
    std::string header = header_of(file);
    const std::size_t old = header.size(), at = header.find(from);
    if (at == header.npos) throw std::invalid_argument("the header has no " + std::string{from});
    header.replace(at, from.size(), to);
    Bytes changed = file_with(header);
    changed.insert(changed.end(), file.begin() + static_cast<std::ptrdiff_t>(8 + old), file.end());
    return changed;
}
