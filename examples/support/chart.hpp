// Lines over a common axis, in one panel or several above each other, as a PNG picture drawn by gnuplot.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <hourglass/core/error.hpp>
#include <iostream>
#include <string>
#include <vector>

#ifndef HOURGLASS_GNUPLOT
#define HOURGLASS_GNUPLOT "gnuplot"  // looked for in PATH
#endif

namespace support {

/// Points with a title, drawn as gnuplot's `style`: "lines", "points", "boxes", "filledcurves y1=0" …
struct Curve {
    std::string title;
    std::vector<double> x = {}, y = {};
    std::string style = "lines";

    template <class X, class Y>
    void add(X at, Y value) {
        x.push_back(static_cast<double>(at));
        y.push_back(static_cast<double>(value));
    }
};

/// Curves over one vertical axis.
struct Panel {
    std::string label;
    std::vector<Curve> curves;
    int height = 280;         ///< pixels; panels of one chart share the sum of theirs evenly
    bool equal_axes = false;  ///< one unit is as long to the right as upwards
};

/// Draws the panels from top to bottom, says so, or says that it was skipped and why.
inline bool draw_chart(const std::string& path, const std::string& title, const std::string& x_label,
                       const std::vector<Panel>& panels) {
    const auto skipped = [&path](const char* reason) {
        std::cout << path << " skipped: " << reason << '\n';
        return false;
    };
#ifdef _WIN32
    static_cast<void>(title), static_cast<void>(x_label), static_cast<void>(panels);
    return skipped("drawing with gnuplot is not supported on Windows");
#else
    if (std::system("command -v '" HOURGLASS_GNUPLOT "' > /dev/null 2>&1") != 0)
        return skipped("gnuplot was not found");
    std::FILE* gnuplot = popen("'" HOURGLASS_GNUPLOT "' > /dev/null 2>&1", "w");
    if (gnuplot == nullptr) return skipped("gnuplot could not be started");

    const auto quoted = [](const std::string& text) {
        std::string safe = "'";
        for (const char c : text) safe.append(c == '\'' ? 2 : 1, c);
        return safe + "'";
    };
    int height = 120;
    for (const Panel& panel : panels) height += panel.height;
    std::string script = "set terminal pngcairo size 1000, " + hourglass::text(height) + " noenhanced\nset output " +
                         quoted(path) + "\nset multiplot layout " + hourglass::text(panels.size()) + ", 1 title " +
                         quoted(title) + "\nset grid\nset style fill solid 0.4 noborder\n";
    for (std::size_t panel = 0; panel < panels.size(); ++panel) {
        script += "set ylabel " + quoted(panels[panel].label) + "\nset size " +
                  (panels[panel].equal_axes ? "ratio -1" : "noratio") + "\n";
        if (panel + 1 == panels.size()) script += "set xlabel " + quoted(x_label) + "\n";
        std::string points;
        for (const Curve& curve : panels[panel].curves) {
            if (curve.x.empty()) continue;  // gnuplot would give up
            script += (points.empty() ? "plot " : ", ") + std::string("'-' using 1:2 with ") + curve.style + " title " +
                      quoted(curve.title);
            for (std::size_t i = 0; i < curve.x.size(); ++i)
                points += hourglass::text(curve.x[i]) + " " + hourglass::text(curve.y[i]) + "\n";
            points += "e\n";
        }
        script += "\n" + points;
    }
    script += "unset multiplot\n";
    std::fwrite(script.data(), 1, script.size(), gnuplot);
    if (pclose(gnuplot) != 0) return skipped("gnuplot failed");
    std::cout << path << " written\n";
    return true;
#endif
}

}  // namespace support
