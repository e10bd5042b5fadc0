// What a target is: a reader of files that nobody vouches for, put to the test by libFuzzer, and by replay.cpp with
// every compiler. A target checks what holds of its reader whatever the bytes are, and stops the program where it does
// not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

/// Has the reader read `file`, and says whether it was taken.
bool accepts(std::string_view file);

/// Small files that are taken, and for every rule of the format one that breaks it.
std::vector<std::string> valid_files();
std::vector<std::string> malformed_files();

/// Whether a file that is cut short may be well formed.
extern const bool prefixes_may_be_valid;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

#define HOURGLASS_REQUIRE(condition)                                                        \
    do {                                                                                    \
        if (condition) break;                                                               \
        std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
        std::abort();                                                                       \
    } while (false)
