// Measured figures beside the bounds that published ones set: at least, at most, or between.
#pragma once

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <limits>
#include <string>
#include <string_view>

#include "published.hpp"

namespace published {

inline constexpr double any = std::numeric_limits<double>::infinity();

/// A table of rows of five seeds each, printed as they come. A row is reached when its median lies within its bounds;
/// -any and any stand for none.
class Bounds : public Verdict {
  public:
    explicit Bounds(std::string_view title) {
        std::cout << title << '\n' << std::left << std::setw(name_width) << "" << std::right;
        for (const char* column : {"at least", "at most", "median", "lowest", "highest"})
            std::cout << std::setw(width) << column;
        std::cout << std::endl;
    }

    void row(const std::string& name, double at_least, double at_most, Figures five) {
        std::sort(five.begin(), five.end());
        const auto bound = [](double value) { return std::abs(value) == any ? std::string("-") : hg::text(value); };
        std::cout << std::left << std::setw(name_width) << name << std::right << std::setw(width) << bound(at_least)
                  << std::setw(width) << bound(at_most) << std::fixed << std::setprecision(4);
        for (const double figure : {five[2], five.front(), five.back()}) std::cout << std::setw(width) << figure;
        judge(name, five[2] >= at_least && five[2] <= at_most);  // false for NaN
    }

  private:
    static constexpr int name_width = 36, width = 10;
};

}  // namespace published
