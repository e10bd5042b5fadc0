// read_idx to every kind of value, and pictures and labels. As many values as dimensions say, and the same in every
// type that holds them.
#include <hourglass/data/idx.hpp>
#include <sstream>

#include "target.hpp"

namespace hg = hourglass;

const bool prefixes_may_be_valid = false;

template <class Read>
static bool read(std::string_view file, Read check) {
    std::istringstream in{std::string{file}};
    try {
        check(in);
        return true;
    } catch (const hg::Error& error) {
        HOURGLASS_REQUIRE(std::string_view{error.what()}.starts_with("read_idx"));
        return false;
    }
}

template <class T>
static bool read_as(std::string_view file) {
    return read(file, [](std::istream& in) {
        const auto idx = hg::read_idx<T>(in);
        std::size_t count = 1;
        for (const hg::Index dim : idx.dims) count *= static_cast<std::size_t>(dim);
        HOURGLASS_REQUIRE(!idx.dims.empty() && count > 0 && count == idx.values.size());
    });
}

bool accepts(std::string_view file) {
    const bool any = read_as<double>(file);
    for (const bool narrower :
         {read_as<float>(file), read_as<int>(file), read_as<std::uint8_t>(file), read_as<std::int8_t>(file)})
        HOURGLASS_REQUIRE(any || !narrower);
    const bool pictures = read(file, [](std::istream& in) {
        const Eigen::MatrixXf unit = hg::read_idx_images(in);
        HOURGLASS_REQUIRE(unit.size() > 0 && unit.minCoeff() >= 0 && unit.maxCoeff() <= 1);
    });
    const bool labels =
        read(file, [](std::istream& in) { HOURGLASS_REQUIRE(hg::read_idx_labels<std::int64_t>(in).size() > 0); });
    HOURGLASS_REQUIRE(!(pictures && labels) && (any || !(pictures || labels)));
    return any;
}

static std::string with_header(unsigned type, const std::vector<std::uint32_t>& dims, std::size_t bytes) {
    std::string all{'\0', '\0', static_cast<char>(type), static_cast<char>(dims.size())};
    for (const std::uint32_t dim : dims)
        for (int shift = 24; shift >= 0; shift -= 8) all += static_cast<char>(dim >> shift & 0xff);
    for (std::size_t i = 0; i < bytes; ++i) all += static_cast<char>(i * 85);
    return all;
}

std::vector<std::string> valid_files() {
    return {with_header(0x08, {2, 2, 3}, 12), with_header(0x08, {7}, 7),    with_header(0x09, {3}, 3),
            with_header(0x0B, {2, 2}, 8),     with_header(0x0C, {1, 2}, 8), with_header(0x0D, {3}, 12),
            with_header(0x0E, {2}, 16)};
}

std::vector<std::string> malformed_files() {
    const std::uint32_t most = 0xffff'ffffu;
    return {"",
            std::string(3, '\0'),
            "\x1f\x8b" + std::string(30, '\0'),
            with_header(0x08, {}, 1),
            with_header(0x08, {2, 0}, 0),
            with_header(0x0A, {1}, 1),
            with_header(0x08, {3}, 2),
            with_header(0x08, {3}, 4),
            with_header(0x0E, {2}, 15),
            with_header(0x0E, {most, most, most}, 8),
            with_header(0x08, {1u << 31, 1u << 31, 4}, 8),
            with_header(0x08, std::vector<std::uint32_t>(255, 2), 8),
            with_header(0x0E, {1u << 30, 1u << 27}, 8)};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    accepts({reinterpret_cast<const char*>(data), size});
    return 0;
}
