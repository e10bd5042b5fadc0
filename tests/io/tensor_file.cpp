// The safetensors format: every rule has a file that breaks it.
#include <hourglass/io/tensor_file.hpp>
#include <string>

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/safetensors_bytes.hpp"

namespace hg = hourglass;

using Catch::Matchers::StartsWith;

namespace {

std::string error_in(const Bytes& bytes) {
    return error_of([&] { hg::io::TensorFile(bytes, "f"); });
}
std::string error_in(std::string_view header, std::size_t data = 0) { return error_in(file_with(header, data)); }

const std::string whole = "nothing was thrown";

}  // namespace

TEST_CASE("well-formed model files are read") {
    CHECK(error_in("{}") == whole);
    CHECK(error_in("{}   ") == whole);
    CHECK(error_in(R"({"__metadata__":{}})") == whole);
    const Bytes bytes = file_with(
        R"({ "__metadata__" : {"a" : "b\n\"\u00e9\u20AC\ud83d\ude00\/"}, "s":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
        R"("none":{"data_offsets":[8,8],"shape":[3,0],"dtype":"I8"}, "é\t":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]}} )",
        16);
    const hg::io::TensorFile file(bytes, "f");
    CHECK(file.metadata().at("a") == "b\n\"é€😀/");
    REQUIRE(file.tensors().size() == 3);
    CHECK(file.find("s")->size() == 1);
    CHECK(file.find("none")->size() == 0);
    CHECK(file.find("none")->shape == hg::io::TensorShape{3, 0});
    CHECK(file.find("é\t")->bytes.size() == 8);
    CHECK(file.find("x") == nullptr);
}

TEST_CASE("a model file that is too short, or whose header is not in it, is refused") {
    for (std::size_t size = 0; size < 8; ++size)
        CHECK(error_in(Bytes(size)) ==
              hg::core::message_of("f: the file has ", size, " bytes, not even the 8 that say how long its header is"));
    CHECK(error_in(file_with("{}", 0, 3)) ==
          "f: a header of 3 bytes in a file of 10: it is cut off, or no safetensors file");
    CHECK(error_in(file_with("{}", 0, 100'000'001)) ==
          "f: no safetensors file (its first 8 bytes say a header of 100000001 bytes, at most 100000000 are allowed)");
    CHECK_THAT(error_in(Bytes(20, std::byte{','})), StartsWith("f: no safetensors file (its"));  // a table, say
    Bytes archive(40);
    archive[0] = std::byte{'P'}, archive[1] = std::byte{'K'}, archive[7] = std::byte{8};
    CHECK_THAT(error_in(archive),
               Catch::Matchers::ContainsSubstring(
                   "are allowed), but a zip archive, as torch.save writes; safetensors.torch.save_file writes one"));
    CHECK_THAT(error_in(file_with("{}", 0, ~std::uint64_t{0})),
               StartsWith("f: no safetensors file (its first 8 bytes say a header of 18446744073709551615 bytes"));
    CHECK_THAT(error_in(""), StartsWith("f: expected {"));
    CHECK_THAT(error_in(" {}"), StartsWith("f: expected {"));
}

TEST_CASE("a header that is no JSON, or more than these files need, is refused") {
    const auto refused = [](std::string_view header, std::string_view message) {
        CHECK_THAT(error_in(header), StartsWith("f: " + std::string{message}));
    };
    for (const char* text : {"{", "{\"a\"", "{\"a\":", "{\"a\":{", "{\"a\":{\"dtype\":", "{\"a\":{\"shape\":[1",
                             "{\"a\":{\"shape\":[1,", "{\"", "{\"\\", "{\"\\u00"})
        CHECK(error_in(text) != whole);
    refused("{} x", "expected nothing more, at byte 3");
    refused(std::string_view{"{}\0", 3}, "expected nothing more, at byte 2");
    refused("[]", "expected {");
    refused("{,}", "expected \"");
    refused("{\"a\" {}}", "expected :");
    refused("{\"__metadata__\":{\"a\":1}}", "expected \"");
    refused("{\"__metadata__\":{\"a\":{}}}", "expected \"");
    refused("{\"__metadata__\":[]}", "expected {");
    refused("{\"__metadata__\":{},\"__metadata__\":{}}", "__metadata__ stands twice");
    refused("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", "the key a of __metadata__ stands twice");
    refused("{\"a\":[]}", "expected {");
    refused("{\"a\":{\"b\":1}}", "tensor a has a key b that the format does not know");
    refused("{\"a\":{\"shape\":{}}}", "expected [");
    refused("{\"a\":{\"shape\":[[1]]}}", "expected an unsigned integer");
    refused("{\"a\":{\"shape\":[-1]}}", "expected an unsigned integer");
    refused("{\"a\":{\"shape\":[1.0]}}", "expected ]");
    refused("{\"a\":{\"shape\":[1e2]}}", "expected ]");
    refused("{\"a\":{\"shape\":[01]}}", "an integer with a leading zero");
    refused("{\"a\":{\"shape\":[9223372036854775808]}}", "an integer that does not fit 63 bits");
    refused("{\"a\":{\"shape\":[1,]}}", "expected an unsigned integer");
    refused("{\"a\\x\":{}}", "an escape that JSON does not have");
    refused("{\"\\u12g4\":{}}", "expected four hexadecimal digits");
    refused("{\"\\ud800\":{}}", "half of a surrogate pair");
    refused("{\"\\udc00\":{}}", "half of a surrogate pair");
    refused("{\"\\ud800\\u0041\":{}}", "half of a surrogate pair");
    refused("{\"a\nb\":{}}", "a control character within a string");
    for (const char* bytes : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                              "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3(", "\xe2\x82("})
        refused("{\"" + std::string{bytes} + "\":{}}", "a string that is not UTF-8");
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
    refused(deep, "tensor a has a key a that the format does not know");
    refused("{\"a\":{\"shape\":" + std::string(100'000, '['), "expected an unsigned integer");
}

TEST_CASE("a tensor that is not described, or does not fit its bytes, is refused") {
    const auto refused = [](std::string_view entry, std::size_t data, std::string_view message) {
        CHECK_THAT(error_in("{\"a\":{" + std::string{entry} + "}}", data), StartsWith("f: " + std::string{message}));
    };
    refused(R"("shape":[],"data_offsets":[0,4])", 4, "tensor a lacks its dtype, shape or data_offsets");
    refused(R"("dtype":"F32","data_offsets":[0,4])", 4, "tensor a lacks");
    refused(R"("dtype":"F32","shape":[])", 4, "tensor a lacks");
    refused(R"("dtype":"F33","shape":[],"data_offsets":[0,4])", 4, "tensor a is of type F33, which is not known here");
    refused(R"("dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4])", 4, "tensor a has its dtype twice");
    refused(R"("dtype":"F32","shape":[],"data_offsets":[0])", 4, "tensor a has 1 data_offsets, expected 2");
    refused(R"("dtype":"F32","shape":[],"data_offsets":[0,4,4])", 4, "tensor a has 3 data_offsets, expected 2");
    refused(R"("dtype":"F32","shape":[],"data_offsets":[4,0])", 4, "tensor a lies at [4, 0) of 4 bytes of data");
    refused(R"("dtype":"F32","shape":[],"data_offsets":[0,8])", 4, "tensor a lies at [0, 8) of 4 bytes of data");
    refused(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", 4,
            "tensor a of F32 and shape [2] lies in 4 bytes, expected 8");
    refused(R"("dtype":"F32","shape":[],"data_offsets":[0,0])", 0,
            "tensor a of F32 and shape [] lies in 0 bytes, expected 4");
    refused(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])", 0,
            "tensor a of F32 and shape [4294967296, 4294967296] lies in 0 bytes");
    refused(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0])", 0,
            "tensor a of F32 and shape [4611686018427387904] lies in 0 bytes");
    refused(R"("dtype":"F32","shape":[],"data_offsets":[4,8])", 8,
            "tensor a begins at byte 4 of the data, the one before it ends at 0");
    refused(R"("dtype":"F32","shape":[],"data_offsets":[0,4])", 8, "the tensors end at byte 4 of 8 bytes of data");
    CHECK_THAT(error_in("{}", 4), StartsWith("f: the tensors end at byte 0 of 4 bytes of data"));
    const std::string one = R"({"dtype":"F32","shape":[],"data_offsets":[0,4]})",
                      two = R"({"dtype":"F32","shape":[],"data_offsets":[4,8]})",
                      gap = R"({"dtype":"F32","shape":[],"data_offsets":[8,12]})";
    CHECK(error_in("{\"b\":" + two + ",\"a\":" + one + "}", 8) == whole);
    CHECK_THAT(error_in("{\"a\":" + one + ",\"b\":" + one + "}", 4),
               StartsWith("f: tensor b begins at byte 0 of the data, the one before it ends at 4"));
    CHECK_THAT(error_in("{\"a\":" + one + ",\"b\":" + gap + "}", 12), StartsWith("f: tensor b begins at byte 8"));
    CHECK_THAT(error_in("{\"a\":" + one + ",\"a\":" + two + "}", 8), StartsWith("f: tensor a stands twice"));
    CHECK_THAT(error_in("{\"a\":" + one + ",\"\\u0061\":" + two + "}", 8), StartsWith("f: tensor a stands twice"));
}
