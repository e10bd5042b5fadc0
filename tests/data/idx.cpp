#include "hourglass/data/idx.hpp"

#include <bit>
#include <cstdint>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"

namespace hg = hourglass;
using Catch::Matchers::ContainsSubstring;

namespace {

// Big-endian bytes of an unsigned number.
template <class U>
std::string big_endian(U value) {
    std::string bytes;
    for (int shift = 8 * static_cast<int>(sizeof value) - 8; shift >= 0; shift -= 8)
        bytes += static_cast<char>(value >> shift & 0xff);
    return bytes;
}

std::string header(std::uint8_t type, const std::vector<std::uint32_t>& dims) {
    std::string bytes{'\0', '\0', static_cast<char>(type), static_cast<char>(dims.size())};
    for (const std::uint32_t dim : dims) bytes += big_endian(dim);
    return bytes;
}

template <class T>
hg::Idx<T> read(const std::string& bytes) {
    std::istringstream in(bytes);
    return hg::read_idx<T>(in);
}

std::string error_in(const std::string& bytes) {
    return error_of([&] { read<float>(bytes); });
}

const std::string pictures =
    header(0x08, {2, 2, 3}) + std::string{0, 51, 102, '\x99', '\xcc', '\xff', 1, 2, 3, 4, 5, 6};
const std::string labels = header(0x08, {4}) + std::string{9, 0, 7, '\xff'};

}  // namespace

TEST_CASE("read_idx reads every type") {
    using Values = std::vector<double>;
    const auto file = read<double>(header(0x08, {2, 1, 2}) + std::string{0, 127, '\x80', '\xff'});
    CHECK(file.dims == std::vector<Eigen::Index>{2, 1, 2});
    CHECK(file.values == Values{0, 127, 128, 255});
    CHECK(read<double>(header(0x09, {2}) + std::string{'\x80', 127}).values == Values{-128, 127});
    CHECK(read<double>(header(0x0B, {2}) + std::string{'\x80', 0, 1, 2}).values == Values{-32768, 258});
    CHECK(read<double>(header(0x0C, {2}) + big_endian(0x8000'0000u) + big_endian(0x0102'0304u)).values ==
          Values{-2147483648.0, 16909060});
    CHECK(read<double>(header(0x0D, {2}) + big_endian(std::bit_cast<std::uint32_t>(-1.5f)) +
                       big_endian(std::bit_cast<std::uint32_t>(0.1f)))
              .values == Values{-1.5, 0.1f});
    CHECK(read<double>(header(0x0E, {2}) + big_endian(std::bit_cast<std::uint64_t>(0.1)) +
                       big_endian(std::bit_cast<std::uint64_t>(-1e300)))
              .values == Values{0.1, -1e300});
    CHECK(read<std::uint8_t>(labels).values == std::vector<std::uint8_t>{9, 0, 7, 255});
}

TEST_CASE("read_idx reads more values than one block holds") {
    std::string bytes = header(0x0B, {3, 50000});
    std::vector<std::int16_t> expected;
    for (int i = 0; i < 150000; ++i) {
        expected.push_back(static_cast<std::int16_t>(i));
        bytes += big_endian(static_cast<std::uint16_t>(expected.back()));
    }
    CHECK(read<std::int16_t>(bytes).values == expected);
}

TEMPLATE_TEST_CASE("pictures come as columns", "", float, double) {
    std::istringstream in(pictures);
    const Eigen::MatrixX<TestType> images = hg::read_idx_images<TestType>(in);
    Eigen::MatrixX<TestType> raw(6, 2);
    raw << 0, 1, 51, 2, 102, 3, 153, 4, 204, 5, 255, 6;
    CHECK(images == raw / TestType(255));
    CHECK(images(5, 0) == 1);
    in.str(pictures);
    CHECK(hg::read_idx_images<TestType>(in, hg::Pixels::Raw) == raw);
}

TEST_CASE("labels come as integers") {
    std::istringstream in(labels);
    CHECK(hg::read_idx_labels(in) == Eigen::Vector4i(9, 0, 7, 255));
}

TEST_CASE("what is no IDX file is refused") {
    CHECK_THAT(error_in(""), ContainsSubstring("ends within its magic number"));
    CHECK_THAT(error_in(labels.substr(0, 3)), ContainsSubstring("ends within its magic number"));
    CHECK_THAT(error_in("P5 28 28"), ContainsSubstring("the first two bytes must be 0, got 80 and 53"));
    CHECK_THAT(error_in("\x1f\x8b\x08\x08 and so on"), ContainsSubstring("a gzip file: decompress it first"));
    CHECK_THAT(error_in(header(0x0A, {1}) + "x"), ContainsSubstring("unknown type 10"));
    CHECK_THAT(error_in(header(0x08, {})), ContainsSubstring("no dimensions"));
    CHECK_THAT(error_in(header(0x08, {3, 0, 2})), ContainsSubstring("dimension 2 of 3 is 0"));
    CHECK_THAT(error_in(header(0x08, {3, 2}).substr(0, 11)), ContainsSubstring("ends within its dimensions"));
}

TEST_CASE("a file cut off anywhere is refused") {
    for (std::size_t length = 0; length < pictures.size(); ++length)
        CHECK_THAT(error_in(pictures.substr(0, length)), ContainsSubstring("the file ends"));
    CHECK_THAT(error_in(pictures.substr(0, pictures.size() - 1)),
               ContainsSubstring("announces 12 values, the file ends after 11"));
    CHECK_THAT(error_in(header(0x0C, {2}) + std::string(7, 'x')),
               ContainsSubstring("announces 2 values, the file ends after 1"));
    CHECK_THAT(error_in(pictures + 'x'), ContainsSubstring("goes on after the 12 values"));
}

TEST_CASE("a header that promises too much costs nothing") {
    const std::uint32_t most = 0xffff'ffffu;
    CHECK_THAT(error_in(header(0x0E, {most, most, most}) + "x"),
               ContainsSubstring("product of the 3 dimensions overflows"));
    CHECK_THAT(error_in(header(0x08, {1u << 31, 1u << 31, 4})), ContainsSubstring("overflows"));  // 0 modulo 2⁶⁴
    CHECK_THAT(error_in(header(0x08, std::vector<std::uint32_t>(255, 2)) + "x"), ContainsSubstring("overflows"));
    // An exabyte of doubles, of which one is there: to allocate it first would throw bad_alloc.
    CHECK_THAT(error_in(header(0x0E, {1u << 30, 1u << 27}) + std::string(8, '\0')),
               ContainsSubstring("announces 144115188075855872 values, the file ends after 1"));
}

TEST_CASE("values that do not fit are refused") {
    CHECK_THAT(error_of([] { read<std::int8_t>(labels); }), ContainsSubstring("value 3 is 255, which does not fit"));
    CHECK_THAT(error_of([] { read<std::uint8_t>(header(0x09, {1}) + '\xff'); }), ContainsSubstring("value 0 is -1"));
    CHECK_THAT(error_of([] { read<int>(header(0x0D, {1}) + std::string(4, '\0')); }),
               ContainsSubstring("floating-point values (type 13), integers were asked for"));
    CHECK_THAT(error_in(header(0x0E, {1}) + big_endian(std::bit_cast<std::uint64_t>(-1e300))),
               ContainsSubstring("value 0 is -1e+300, which does not fit a float"));
}

TEST_CASE("pictures and labels are not mistaken for each other") {
    std::istringstream in(labels);
    CHECK_THAT(error_of([&] { hg::read_idx_images(in); }), ContainsSubstring("this file has 1: are these labels?"));
    in.str(pictures);
    CHECK_THAT(error_of([&] { hg::read_idx_labels(in); }), ContainsSubstring("this file has 3: are these pictures?"));
    in.str(header(0x0B, {1, 1}) + "xx");
    CHECK_THAT(error_of([&] { hg::read_idx_images(in); }), ContainsSubstring("this file is of type 11"));
}

TEST_CASE("a stream that cannot be read is refused, whatever it is told to throw") {
    std::ifstream missing("/there/is/no/such/file");
    CHECK_THAT(error_of([&] { hg::read_idx_labels(missing); }), ContainsSubstring("was the file opened?"));
    std::istringstream in(labels);
    in.exceptions(std::ios::failbit | std::ios::eofbit);
    CHECK(hg::read_idx_labels(in).size() == 4);
#ifdef __linux__
    std::ifstream directory("/");
    CHECK_THAT(error_of([&] { hg::read_idx_labels(directory); }), ContainsSubstring("the stream failed"));
#endif
}
