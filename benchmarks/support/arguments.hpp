// What the programs of a comparison are told: `[--threads N] [NAME...]`. Their work needs the standard library alone.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace support {

struct Arguments {
    int threads = 1;
    std::vector<std::string> names;  ///< of the work to be done; none means all

    Arguments(int argc, char** argv) : names(argv + 1, argv + argc) {
        if (names.size() > 1 && names[0] == "--threads") {
            threads = std::atoi(names[1].c_str());
            names.erase(names.begin(), names.begin() + 2);
        }
    }
    bool wanted(const std::string& name) const {
        return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
    }
};

}  // namespace support
