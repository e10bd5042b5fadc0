// Protocol Buffers' wire format, as far as writing needs it (protobuf.dev, "Encoding"): a message is a run of fields in
// any order, each a number from the message's definition, how the value is written, and the value.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "hourglass/core/error.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// A message that is being put together. Fields without a value are left out by not adding them; a field that is added
/// twice is one that is repeated.
class ProtobufMessage {
  public:
    /// An integer of any width, or an enumeration: seven bits a byte, the lowest first, each but the last one marked. A
    /// negative one takes ten bytes.
    void integer(unsigned field, std::int64_t value) {
        tag(field, 0);
        varint(static_cast<std::uint64_t>(value));
    }
    /// A float: its four bytes, the lowest first.
    void real(unsigned field, float value) {
        tag(field, 5);
        const auto bits = std::bit_cast<std::uint32_t>(value);
        for (unsigned shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift & 0xff);
    }
    /// Text or raw bytes: their number, and they.
    void text(unsigned field, std::string_view value) {
        tag(field, 2);
        varint(value.size());
        bytes_ += value;
    }
    /// A message within this one, which is written as its bytes are.
    void message(unsigned field, const ProtobufMessage& value) { text(field, value.bytes_); }

    const std::string& bytes() const { return bytes_; }

  private:
    void tag(unsigned field, unsigned wire_type) { varint(field << 3 | wire_type); }
    void varint(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
        bytes_ += static_cast<char>(value);
    }

    std::string bytes_;
};

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
