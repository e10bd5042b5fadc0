// Measures what a compiler spends on program.cpp, alone and with -DDEEP, and how large the program is that comes of it;
// fails above the budget.
//
//     hourglass_compile_time program.cpp eigen.cpp main.cpp compiler flags...
//
// Prints lines `name value unit`. Seconds are CPU time, the best of three runs, and judge nothing: the same compilation
// takes half as long again while a neighbour uses the other half of a core. The budgets are in instructions, which
// valgrind counts alike on any machine, as multiples of what eigen.cpp takes; without valgrind only memory and size are
// judged. The size is that of program.cpp and main.cpp, linked and stripped: with the flags given, and for comparison
// with those that the other benchmarks are compiled with.
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <system_error>
#include <vector>

namespace {

// Budgets: the small program's instructions, in multiples of eigen.cpp's, its GB and its size in kB, and the
// instructions that a chain of 64 layers may add.
constexpr double small_instructions = 2.0, small_gigabytes = 0.5, small_kilobytes = 300, deep_extra_instructions = 1.5;

struct Cost {
    double seconds, gigabytes;
};

/// Starts a command; its number.
pid_t start(std::vector<char*> command) {
    command.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        execvp(command[0], command.data());
        std::perror(command[0]);
        _exit(127);
    }
    return child;
}

/// Waits for a command to end. CPU time and memory include the processes it starts: a compiler driver starts several.
Cost wait_for(pid_t child) {
    int status = 0;
    rusage used{};
    if (child < 0 || wait4(child, &status, 0, &used) != child || status != 0) {
        std::fprintf(stderr, "the compiler failed\n");
        std::exit(2);
    }
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return {seconds(used.ru_utime) + seconds(used.ru_stime), static_cast<double>(used.ru_maxrss) * 1024e-9};
}

/// The best of three runs of each command. They take turns, so that a slow minute is one for all of them.
std::vector<Cost> best_of_three(const std::vector<std::vector<char*>>& commands) {
    std::vector<Cost> best(commands.size(), {1e30, 1e30});
    for (int round = 0; round < 3; ++round)
        for (std::size_t i = 0; i < commands.size(); ++i) {
            const Cost cost = wait_for(start(commands[i]));
            best[i] = {std::min(best[i].seconds, cost.seconds), std::min(best[i].gigabytes, cost.gigabytes)};
        }
    return best;
}

/// A folder that is removed with what is in it, unless a command fails.
class Folder {
  public:
    Folder() {
        path_ = std::filesystem::temp_directory_path() / ("hourglass_compile_time." + std::to_string(getpid()));
        if (!std::filesystem::create_directory(path_)) {
            std::fprintf(stderr, "%s is there already\n", path_.c_str());
            std::exit(2);
        }
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// The sum of what valgrind's cachegrind counted in all processes of a command: it writes a file for each, whose last
/// line is `summary: instructions`.
double instructions_in(const std::filesystem::path& folder) {
    double sum = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        std::ifstream in(file.path());
        for (std::string line; std::getline(in, line);)
            if (line.starts_with("summary:")) sum += std::stod(line.substr(8));
    }
    return sum;
}

/// How many instructions each command takes; they run at the same time. Zeros without valgrind.
std::vector<double> instructions(const std::vector<std::vector<char*>>& commands) {
    std::vector<double> counted(commands.size());
    if (std::system("valgrind --version >/dev/null 2>&1") != 0) return counted;
    const Folder all;
    std::vector<pid_t> running;
    for (std::size_t i = 0; i < commands.size(); ++i) {
        const std::filesystem::path folder = all.path() / std::to_string(i);
        std::filesystem::create_directory(folder);
        std::string out = "--cachegrind-out-file=" + (folder / "%p").string();
        char valgrind[] = "valgrind", quiet[] = "-q", tool[] = "--tool=cachegrind", sums[] = "--cache-sim=no",
             children[] = "--trace-children=yes";
        std::vector<char*> counting{valgrind, quiet, tool, sums, children, out.data()};
        counting.insert(counting.end(), commands[i].begin(), commands[i].end());
        running.push_back(start(counting));
    }
    for (const pid_t child : running) wait_for(child);
    for (std::size_t i = 0; i < commands.size(); ++i) counted[i] = instructions_in(all.path() / std::to_string(i));
    return counted;
}

/// Size in kB of the stripped program that a command makes, which ends in `-o`.
double program_kilobytes(std::vector<char*> command) {
    const Folder folder;
    std::string program = (folder.path() / "program").string();
    command.push_back(program.data());
    wait_for(start(command));
    return static_cast<double>(std::filesystem::file_size(program)) / 1000;
}

/// Prints one figure beside its budget; whether it is within.
bool report(const char* name, double value, const char* unit, double budget) {
    const bool within = value <= budget;
    std::printf("%s %.2f %s (budget %.2f%s)\n", name, value, unit, budget, within ? "" : ": EXCEEDED");
    return within;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 5) {
        std::fprintf(stderr, "usage: %s program.cpp eigen.cpp main.cpp compiler flags...\n", arguments[0]);
        return 2;
    }
    char compile_only[] = "-c", output[] = "-o", nowhere[] = "/dev/null", deep_flag[] = "-DDEEP", strip[] = "-s",
         assertions_off[] = "-DNDEBUG", o3[] = "-O3", native[] = "-march=native", generic[] = "-mtune=generic";
    const auto compiler = [&](std::initializer_list<char*> more) {
        std::vector<char*> whole(arguments + 4, arguments + count);
        whole.insert(whole.end(), more);
        return whole;
    };
    char *const eigen_source = arguments[2], *const source = arguments[1], *const main_source = arguments[3];
    const double kilobytes = program_kilobytes(compiler({source, main_source, strip, output})),
                 fast_kilobytes = program_kilobytes(
                     compiler({assertions_off, o3, native, generic, source, main_source, strip, output}));
    const std::vector<std::vector<char*>> commands{compiler({compile_only, output, nowhere, eigen_source}),
                                                   compiler({compile_only, output, nowhere, source}),
                                                   compiler({compile_only, output, nowhere, source, deep_flag})};
    const std::vector<Cost> costs = best_of_three(commands);
    const std::vector<double> counts = instructions(commands);
    std::printf("compile_eigen_seconds %.2f s\ncompile_small_seconds %.2f s\n", costs[0].seconds, costs[1].seconds);
    std::printf("compile_64_layers_more_seconds %.2f s\n", costs[2].seconds - costs[1].seconds);
    std::printf("compile_64_layers_memory %.2f GB\n", costs[2].gigabytes);
    bool within = report("compile_small_memory", costs[1].gigabytes, "GB", small_gigabytes);
    within &= report("small_program_stripped", kilobytes, "kB", small_kilobytes);
    std::printf("small_program_stripped_O3_native %.2f kB\n", fast_kilobytes);
    if (counts[0] > 0) {
        std::printf("compile_eigen_instructions %.2f G\n", 1e-9 * counts[0]);
        within &= report("compile_small_instructions", counts[1] / counts[0], "x", small_instructions);
        within &= report("compile_64_layers_more_instructions", (counts[2] - counts[1]) / counts[0], "x",
                         deep_extra_instructions);
    } else {
        std::printf("valgrind is not installed: instructions are not counted\n");
    }
    return within ? 0 : 1;
}
