// Measures what a compiler spends on program.cpp, alone and with -DDEEP, and how large the program is that comes of it;
// fails above the budget.
//
//     hourglass_compile_time program.cpp eigen.cpp main.cpp compiler flags...
//
// Prints lines `name value unit`. CPU time, not wall time: other programs that run meanwhile disturb it little. The
// best of seven runs counts. A shared machine is a tenth slower at some minutes than at others, so seconds are those of
// the machine the budgets were set on, where Eigen alone takes 2.0: what eigen.cpp takes now is the measure, and the
// programs take turns. The size is that of program.cpp and main.cpp, linked and stripped: with the flags given, and for
// comparison with those that the other benchmarks are compiled with.
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

namespace {

// Budgets: CPU seconds and GB of the small program, its size in kB, and CPU seconds that a chain of 64 layers may add.
constexpr double small_seconds = 4.0, small_gigabytes = 0.5, small_kilobytes = 300, deep_extra_seconds = 3.0;
constexpr double eigen_seconds = 2.0;

struct Cost {
    double seconds, gigabytes;
};

/// Runs a command to its end. CPU time and memory include the processes it starts: a compiler driver starts several.
Cost run(std::vector<char*> command) {
    command.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        execvp(command[0], command.data());
        std::perror(command[0]);
        _exit(127);
    }
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

/// The best of seven runs of each command. They take turns, so that a slow minute is one for all of them.
std::vector<Cost> best_of_seven(const std::vector<std::vector<char*>>& commands) {
    std::vector<Cost> best(commands.size(), {1e30, 1e30});
    for (int round = 0; round < 7; ++round)
        for (std::size_t i = 0; i < commands.size(); ++i) {
            const Cost cost = run(commands[i]);
            best[i] = {std::min(best[i].seconds, cost.seconds), std::min(best[i].gigabytes, cost.gigabytes)};
        }
    return best;
}

/// Size in kB of the stripped program that a command makes, which ends in `-o`.
double program_kilobytes(std::vector<char*> command) {
    std::string path = (std::filesystem::temp_directory_path() / "hourglass_compile_time.XXXXXX").string();
    char* const program = path.data();
    const int file = mkstemp(program);
    if (file < 0) {
        std::perror(program);
        std::exit(2);
    }
    close(file);
    command.push_back(program);
    run(command);
    struct stat status {};
    const bool there = stat(program, &status) == 0;
    std::remove(program);
    if (!there) {
        std::perror(program);
        std::exit(2);
    }
    return static_cast<double>(status.st_size) / 1000;
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
    const std::vector<Cost> costs = best_of_seven({compiler({compile_only, output, nowhere, eigen_source}),
                                                   compiler({compile_only, output, nowhere, source}),
                                                   compiler({compile_only, output, nowhere, source, deep_flag})});
    const Cost eigen = costs[0], small = costs[1], deep = costs[2];

    const double pace = eigen_seconds / eigen.seconds;
    std::printf("compile_eigen_seconds_here %.2f s\ncompile_small_seconds_here %.2f s\n", eigen.seconds, small.seconds);
    bool within = report("compile_small_seconds", pace * small.seconds, "s", small_seconds);
    within &= report("compile_small_memory", small.gigabytes, "GB", small_gigabytes);
    within &= report("small_program_stripped", kilobytes, "kB", small_kilobytes);
    std::printf("small_program_stripped_O3_native %.2f kB\n", fast_kilobytes);
    within &= report("compile_64_layers_more_seconds", pace * (deep.seconds - small.seconds), "s", deep_extra_seconds);
    std::printf("compile_64_layers_memory %.2f GB\n", deep.gigabytes);
    return within ? 0 : 1;
}
