// Gives a target what every reader of files must withstand: well-formed files, one malformed for each rule, every
// prefix of a well-formed one, and every one with a single bit turned over.
//
//     replay [--some] [FILE or FOLDER]…    --some: of the flipped bits one in each byte; the files given as well
//     replay --write FOLDER                puts the files that it has there, for a fuzzer to begin with
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "target.hpp"

namespace {

long given = 0, taken = 0;

// From memory of exactly its size, so that a sanitizer sees a byte read behind it.
bool give(std::string_view file) {
    const std::unique_ptr<char[]> copy(new char[file.size()]);
    std::copy(file.begin(), file.end(), copy.get());
    const bool accepted = accepts({copy.get(), file.size()});
    ++given;
    taken += accepted ? 1 : 0;
    return accepted;
}

void replay(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    HOURGLASS_REQUIRE(in.good());
    give(std::string{std::istreambuf_iterator<char>(in), {}});
}

}  // namespace

int main(int count, char** arguments) {
    namespace fs = std::filesystem;
    bool some = false;
    int number = 0;
    if (count == 3 && std::strcmp(arguments[1], "--write") == 0) {
        const fs::path folder = arguments[2];
        fs::create_directories(folder);
        for (const auto& files : {valid_files(), malformed_files()})
            for (const std::string& file : files)
                std::ofstream(folder / std::to_string(number++), std::ios::binary) << file;
        return 0;
    }
    for (int i = 1; i < count; ++i)
        if (std::strcmp(arguments[i], "--some") == 0)
            some = true;
        else if (fs::is_directory(arguments[i]))
            for (const auto& entry : fs::recursive_directory_iterator(arguments[i])) {
                if (entry.is_regular_file()) replay(entry.path());
            }
        else
            replay(arguments[i]);

    for (const std::string& file : malformed_files()) {
        if (give(file)) {
            std::fprintf(stderr, "malformed file %d is taken\n", number);
            return 1;
        }
        ++number;
    }
    for (const std::string& file : valid_files()) {
        HOURGLASS_REQUIRE(give(file));
        for (std::size_t size = 0; size < file.size(); ++size)
            HOURGLASS_REQUIRE(!give(std::string_view{file}.substr(0, size)) || prefixes_may_be_valid);
        std::string flipped = file;
        for (std::size_t bit = 0; bit < 8 * file.size(); bit += some ? 9 : 1) {
            const auto flip = [&] { flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8); };
            flip();
            give(flipped);
            flip();
        }
    }
    std::printf("%ld files given, %ld taken\n", given, taken);
}
