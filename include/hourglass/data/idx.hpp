// Reader of IDX, the format of MNIST and its kin (LeCun, Cortes and Burges 1998): a magic number, the dimensions, then
// the values, all big-endian. Nothing the header says is believed before the bytes have come.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/data/stream_bytes.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// A file's dimensions, slowest first (for images: number, height, width), and its values in the order of the file, the
/// last dimension fastest.
template <class T>
struct Idx {
    std::vector<Index> dims;  ///< slowest first
    std::vector<T> values;    ///< as many as the product of the dimensions
};

// What is not for users.
namespace data {

/// What an IDX header says: the code of the type of the values, and the dimensions.
struct IdxHeader {
    unsigned type = 0;
    std::vector<Index> dims;
    std::uint64_t values = 0;  ///< Product of the dimensions.
};

/// Reads the header: two zero bytes, the type, the number of dimensions, each dimension in 32 bits. `Error` for what is
/// no such header, a dimension of zero, and a product of dimensions too large for memory to address.
inline IdxHeader read_idx_header(StreamBytes& in) {
    const auto word = [&in](const char* what) {
        unsigned char b[4];
        if (in.read(b, 4) != 4) fail("read_idx: the file ends within ", what);
        return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
    };
    const std::uint32_t magic = word("its magic number");
    if (magic >> 16 != 0)
        fail("read_idx: not an IDX file: the first two bytes must be 0, got ", magic >> 24, " and ", magic >> 16 & 0xff,
             magic >> 16 == 0x1f8b ? " (a gzip file: decompress it first)" : "");
    IdxHeader header{magic >> 8 & 0xff, {}, 1};
    const std::uint32_t rank = magic & 0xff;
    if (rank == 0) fail("read_idx: the file has no dimensions");
    constexpr std::uint64_t most = std::numeric_limits<std::ptrdiff_t>::max() / 8;
    for (std::uint32_t i = 0; i < rank; ++i) {
        const std::uint32_t dim = word("its dimensions");
        if (dim == 0) fail("read_idx: dimension ", i + 1, " of ", rank, " is 0: the file holds no values");
        if (header.values > most / dim) fail("read_idx: the product of the ", rank, " dimensions overflows");
        header.values *= dim;
        header.dims.push_back(static_cast<Index>(dim));
    }
    return header;
}

/// Reads the values that follow a header, of type `Stored` in the file. They come in blocks, so a header that promises
/// more than the file holds costs no memory. `Error` when values are missing, left over, or do not fit into T.
template <class T, class Stored>
std::vector<T> read_idx_values(StreamBytes& in, const IdxHeader& header) {
    using Bits =
        std::conditional_t<sizeof(Stored) == 1, std::uint8_t,
                           std::conditional_t<sizeof(Stored) == 2, std::uint16_t,
                                              std::conditional_t<sizeof(Stored) == 4, std::uint32_t, std::uint64_t>>>;
    constexpr std::size_t size = sizeof(Stored);
    if constexpr (std::floating_point<Stored> && !std::floating_point<T>)
        fail("read_idx: the file holds floating-point values (type ", header.type, "), integers were asked for");
    std::vector<T> values;
    std::vector<unsigned char> block(std::size_t{1} << 16);
    while (values.size() < header.values) {
        const auto wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), (header.values - values.size()) * size));
        const std::size_t got = in.read(block.data(), wanted);
        for (std::size_t at = 0; at + size <= got; at += size) {
            Bits bits = 0;
            for (std::size_t b = 0; b < size; ++b) bits = static_cast<Bits>(std::uint64_t{bits} << 8 | block[at + b]);
            const auto value = std::bit_cast<Stored>(bits);
            if constexpr (std::integral<Stored> && std::integral<T>)
                if (!std::in_range<T>(value))
                    fail("read_idx: value ", values.size(), " is ", value,
                         ", which does not fit the integers asked for");
            if constexpr (std::same_as<Stored, double> && std::same_as<T, float>)
                if (is_finite(value) && !is_finite(static_cast<float>(value)))
                    fail("read_idx: value ", values.size(), " is ", value, ", which does not fit a float");
            values.push_back(static_cast<T>(value));
        }
        if (got < wanted)
            fail("read_idx: the header announces ", header.values, " values, the file ends after ", values.size());
    }
    if (in.peek() != StreamBytes::end)
        fail("read_idx: the file goes on after the ", header.values, " values that its header announces");
    return values;
}

}  // namespace data

/// Reads an IDX file of any type (unsigned byte 0x08, signed byte 0x09, short 0x0B, int 0x0C, float 0x0D, double 0x0E)
/// and converts the values to T, unscaled.
///
/// `in`: a stream at the start of the file, opened in binary; it is read to its end.
/// Errors: not an IDX file, an unknown type, no dimensions or one of zero, dimensions whose product overflows, fewer or
/// more values than announced, integers that T cannot hold, floating-point values where T is an integer type.
template <class T>
    requires std::is_arithmetic_v<T> Idx<T> read_idx(std::istream& in) {
        data::StreamBytes bytes{in, "read_idx"};
        data::IdxHeader header = data::read_idx_header(bytes);
        std::vector<T> values;
        switch (header.type) {
            case 0x08:
                values = data::read_idx_values<T, std::uint8_t>(bytes, header);
                break;
            case 0x09:
                values = data::read_idx_values<T, std::int8_t>(bytes, header);
                break;
            case 0x0B:
                values = data::read_idx_values<T, std::int16_t>(bytes, header);
                break;
            case 0x0C:
                values = data::read_idx_values<T, std::int32_t>(bytes, header);
                break;
            case 0x0D:
                values = data::read_idx_values<T, float>(bytes, header);
                break;
            case 0x0E:
                values = data::read_idx_values<T, double>(bytes, header);
                break;
            default:
                fail("read_idx: unknown type ", header.type, " in the magic number; known are 8, 9, 11, 12, 13 and 14");
        }
        return {std::move(header.dims), std::move(values)};
    }

/// What becomes of a picture's bytes 0…255: divided by 255, or left as they are.
enum class Pixels { Unit, Raw };

/// Reads pictures of unsigned bytes: d × n, one column per picture, d = height·width row by row, in [0, 1] unless
/// `Pixels::Raw`. Errors: those of `read_idx`, values of another type than unsigned bytes, fewer than two dimensions.
template <std::floating_point T = float>
Matrix<T> read_idx_images(std::istream& in, Pixels pixels = Pixels::Unit) {
    data::StreamBytes stream{in, "read_idx_images"};
    const data::IdxHeader header = data::read_idx_header(stream);
    if (header.type != 0x08)
        fail("read_idx_images: pictures are of unsigned bytes (type 8), this file is of type ", header.type);
    if (header.dims.size() < 2)
        fail("read_idx_images: pictures have at least 2 dimensions (number, size), this file has 1: are these labels?");
    const std::vector<std::uint8_t> values = data::read_idx_values<std::uint8_t, std::uint8_t>(stream, header);
    const Index n = header.dims[0], d = static_cast<Index>(values.size()) / n;
    Matrix<T> pictures(d, n);
    const T divisor = pixels == Pixels::Unit ? T(255) : T(1);
    std::transform(values.begin(), values.end(), pictures.data(),
                   [divisor](std::uint8_t value) { return static_cast<T>(value) / divisor; });
    return pictures;
}

/// Reads labels: n integers. Errors: those of `read_idx`, another number of dimensions than one.
template <std::integral T = int>
Vector<T> read_idx_labels(std::istream& in) {
    const Idx<T> file = read_idx<T>(in);
    if (file.dims.size() != 1)
        fail("read_idx_labels: labels have 1 dimension, this file has ", file.dims.size(), ": are these pictures?");
    return Eigen::Map<const Vector<T>>(file.values.data(), static_cast<Index>(file.values.size()));
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
