// The learning curve as a PNG picture, drawn by gnuplot where it is installed.
#pragma once

#include <hourglass/train/history.hpp>
#include <iostream>
#include <string>

#include "support/chart.hpp"

namespace support {

/// Draws every column of `history` over the epochs, says so, or says that it was skipped and why.
inline bool plot_learning_curve(const std::string& path, const hourglass::History& history,
                                const std::string& title = "learning curve") {
    if (history.rows() == 0) {
        std::cout << path << " skipped: there is no epoch to draw\n";
        return false;
    }
    Panel panel;
    for (const std::string& name : history.names()) {
        Curve curve{.title = name, .style = "linespoints"};
        for (const double figure : history[name]) curve.add(curve.x.size() + 1, figure);
        panel.curves.push_back(curve);
    }
    return draw_chart(path, title, "epoch", {panel});
}

}  // namespace support
