// Mutations for files whose first eight bytes say how long the header behind them is: a fuzzer that changes bytes
// anywhere nearly always leaves a length that is wrong, and gets no further.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t room);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t room, unsigned seed) {
    std::uint64_t length = 0;
    if (size >= 8) std::memcpy(&length, data, 8);
    if (size < 8 || length > size - 8 || seed % 16 == 0) return LLVMFuzzerMutate(data, size, room);
    const std::size_t header = static_cast<std::size_t>(length), values = size - 8 - header;
    if (seed % 4 == 1) return 8 + header + LLVMFuzzerMutate(data + 8 + header, values, room - 8 - header);
    std::vector<std::uint8_t> kept(data + 8 + header, data + size);
    length = LLVMFuzzerMutate(data + 8, header, room - 8 - values);
    std::memcpy(data, &length, 8);
    std::copy(kept.begin(), kept.end(), data + 8 + length);
    return 8 + static_cast<std::size_t>(length) + values;
}
