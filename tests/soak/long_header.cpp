// A header of more bytes than a reader takes is not written: it would need names of 100 MB.
#include <cstdio>
#include <hourglass/io/safetensors.hpp>

#include "../support/error_of.hpp"

namespace hg = hourglass;

int main() {
    std::vector<std::byte> file;
    double number = 0.5;
    const std::string fits(99'999'000, 'a'), too_long(100'000'000, 'a');
    hg::save(file, hg::named(fits, number));
    number = 0;
    hg::load(file, hg::named(fits, number));
    const std::string message = error_of([&] { hg::save(file, hg::named(too_long, number)); });
    std::printf("%s\n", message.c_str());
    return number == 0.5 && message.starts_with("save: names, shapes and descriptions take 1000") &&
                   message.ends_with("at most 100000000 would load: nothing was written")
               ? 0
               : 1;
}
