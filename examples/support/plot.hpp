// The learning curve as a PNG picture, drawn by gnuplot where it is installed.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <hourglass/train/history.hpp>
#include <iostream>
#include <string>

#ifndef HOURGLASS_GNUPLOT
#define HOURGLASS_GNUPLOT "gnuplot"  // looked for in PATH
#endif

namespace support {

/// Draws every column of `history` over the epochs, says so, or says that it was skipped and why.
inline bool plot_learning_curve(const std::string& path, const hourglass::History& history,
                                const std::string& title = "learning curve") {
    const auto skipped = [&path](const char* reason) {
        std::cout << path << " skipped: " << reason << '\n';
        return false;
    };
#ifdef _WIN32
    return skipped("drawing with gnuplot is not supported on Windows");
#else
    if (history.rows() == 0) return skipped("there is no epoch to draw");
    if (std::system("command -v '" HOURGLASS_GNUPLOT "' > /dev/null 2>&1") != 0)
        return skipped("gnuplot was not found");
    std::FILE* gnuplot = popen("'" HOURGLASS_GNUPLOT "' > /dev/null 2>&1", "w");
    if (gnuplot == nullptr) return skipped("gnuplot could not be started");

    const auto quoted = [](const std::string& text) {
        std::string safe = "'";
        for (const char c : text) safe.append(c == '\'' ? 2 : 1, c);
        return safe + "'";
    };
    std::string script = "set terminal pngcairo size 800, 500 noenhanced\nset output " + quoted(path) + "\nset title " +
                         quoted(title) + "\nset xlabel 'epoch'\nset grid\nplot ";
    for (const std::string& name : history.names())
        script += (&name == &history.names()[0] ? "" : ", ") + std::string("'-' using 1:2 with linespoints title ") +
                  quoted(name);
    script += '\n';
    for (const std::string& name : history.names()) {
        std::size_t epoch = 0;
        for (const double figure : history[name])
            script += hourglass::text(++epoch) + " " + hourglass::text(figure) + "\n";
        script += "e\n";
    }
    std::fwrite(script.data(), 1, script.size(), gnuplot);
    if (pclose(gnuplot) != 0) return skipped("gnuplot failed");
    std::cout << path << " written\n";
    return true;
#endif
}

}  // namespace support
