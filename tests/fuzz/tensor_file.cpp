// The reader of model files by itself. A file that it takes is covered by its tensors from end to end, and every value
// can be read.
#include <hourglass/io/source.hpp>

#include "../support/safetensors_bytes.hpp"
#include "target.hpp"

namespace hg = hourglass;

const bool prefixes_may_be_valid = false;

static std::string as_text(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// What objects do with a tensor: it is there once, of its own type and shape and of no other.
static void take(const hg::io::TensorFile& file, const hg::io::Tensor& tensor) {
    hg::io::Source source(file);
    const auto refused = [](auto call) {
        try {
            call();
        } catch (const hg::Error& error) {
            HOURGLASS_REQUIRE(std::string_view{error.what()}.starts_with("f: "));
            return true;
        }
        return false;
    };
    hg::io::TensorShape other = tensor.shape;
    other.push_back(2);
    HOURGLASS_REQUIRE(refused([&] { hg::io::Source(file).take<float>(tensor.name, other, true, true); }));
    const bool floating = hg::io::is_floating(tensor);
    const bool taken = !refused([&] { source.take<float>(tensor.name, tensor.shape, true, true); });
    HOURGLASS_REQUIRE(taken == floating);
    HOURGLASS_REQUIRE(refused([&] { source.take(tensor.name); }));
    HOURGLASS_REQUIRE(refused([&] { source.require_all_taken(); }) == (file.tensors().size() > 1));
    if (floating)
        refused([&] { hg::io::Source(file).take<float>(tensor.name, tensor.shape, true); });
    else if (tensor.type.name == "BOOL" && tensor.shape.empty())
        refused([&] { hg::io::Source(file).take_number<bool>(tensor.name); });
}

bool accepts(std::string_view words) {
    const auto bytes = std::as_bytes(std::span{words});
    try {
        const hg::io::TensorFile file(bytes, "f");
        std::size_t covered = 0;
        for (const auto& [name, tensor] : file.tensors()) {
            HOURGLASS_REQUIRE(file.find(name) == &tensor && tensor.name == name);
            covered += tensor.bytes.size();
            hg::Index size = 1;
            for (const hg::Index extent : tensor.shape) {
                HOURGLASS_REQUIRE(extent >= 0);
                size = tensor.bytes.empty() ? 0 : size * extent;
            }
            HOURGLASS_REQUIRE(size == tensor.size());
            if (file.tensors().size() <= 64 && tensor.shape.size() <= 64) take(file, tensor);
        }
        HOURGLASS_REQUIRE(covered <= bytes.size() && bytes.size() - covered >= 8);
        return true;
    } catch (const hg::Error& error) {
        HOURGLASS_REQUIRE(std::string_view{error.what()}.starts_with("f: "));
        return false;
    }
}

std::vector<std::string> valid_files() {
    return {
        as_text(file_with("{}")),
        as_text(file_with(
            R"({ "__metadata__" : {"a" : "b\n\"\u00e9\ud83d\ude00\/"}, "s":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
            R"("none":{"data_offsets":[8,8],"shape":[3,0],"dtype":"I8"}, "é\t€😀":{"dtype":"F32","shape":[1,1,2],"data_offsets":[8,16]}} )",
            16)),
        as_text(file_with(
            R"({"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]},)"
            R"("c":{"dtype":"BOOL","shape":[],"data_offsets":[6,7]},"d":{"dtype":"U8","shape":[1],"data_offsets":[7,8]}})",
            8)),
    };
}

std::vector<std::string> malformed_files() {
    std::vector<std::string> files;
    for (std::size_t size = 0; size < 8; ++size) files.emplace_back(size, '\0');
    for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{100'000'001}, ~std::uint64_t{0}})
        files.push_back(as_text(file_with("{}", 0, length)));
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
    const std::string f32 = R"("dtype":"F32")", scalar = f32 + R"(,"shape":[])", first = R"("data_offsets":[0,4])";
    for (const std::string& header : {std::string{},
                                      std::string{" {}"},
                                      std::string{"{} x"},
                                      std::string{"{}\0", 3},
                                      std::string{"[]"},
                                      std::string{"{,}"},
                                      std::string{"{\"a\" {}}"},
                                      std::string{"{\"__metadata__\":{\"a\":1}}"},
                                      std::string{"{\"__metadata__\":{},\"__metadata__\":{}}"},
                                      std::string{"{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}"},
                                      std::string{"{\"a\":{\"b\":1}}"},
                                      std::string{"{\"a\":{\"shape\":[-1]}}"},
                                      std::string{"{\"a\":{\"shape\":[1.0]}}"},
                                      std::string{"{\"a\":{\"shape\":[01]}}"},
                                      std::string{"{\"a\":{\"shape\":[9223372036854775808]}}"},
                                      std::string{"{\"\\x\":{}}"},
                                      std::string{"{\"\\u12g4\":{}}"},
                                      std::string{"{\"\\ud800\":{}}"},
                                      std::string{"{\"a\nb\":{}}"},
                                      std::string{"{\"\xff\":{}}"},
                                      std::string{"{\"\xed\xa0\x80\":{}}"},
                                      std::string{"{\"\xe0\x80\x80\":{}}"},
                                      deep,
                                      "{\"a\":{\"shape\":" + std::string(100'000, '['),
                                      "{\"__metadata__\":" + deep})
        files.push_back(as_text(file_with(header)));
    for (const std::string& entry :
         {scalar, f32 + "," + first, R"("shape":[],)" + first, R"("dtype":"F33","shape":[],)" + first,
          f32 + "," + scalar + "," + first, scalar + R"(,"data_offsets":[0])", scalar + R"(,"data_offsets":[0,4,4])",
          scalar + R"(,"data_offsets":[4,0])", scalar + R"(,"data_offsets":[0,8])", scalar + R"(,"data_offsets":[0,0])",
          f32 + R"(,"shape":[2],)" + first, f32 + R"(,"shape":[4294967296,4294967296],)" + first,
          f32 + R"(,"shape":[4611686018427387904],)" + first})
        files.push_back(as_text(file_with("{\"a\":{" + entry + "}}", 4)));
    const std::string a = "{\"a\":{" + scalar + "," + first + "}";
    const auto two = [&](const std::string& name, const std::string& offsets, std::size_t data) {
        files.push_back(
            as_text(file_with(a + ",\"" + name + "\":{" + scalar + ",\"data_offsets\":" + offsets + "}}", data)));
    };
    two("b", "[0,4]", 4);
    two("b", "[2,6]", 6);
    two("b", "[8,12]", 12);
    two("b", "[4,8]", 9);
    two("a", "[4,8]", 8);
    two("\\u0061", "[4,8]", 8);
    return files;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    accepts({reinterpret_cast<const char*>(data), size});
    return 0;
}
