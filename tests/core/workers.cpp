// Threads that share work: every task once, exceptions, several callers, calls from within.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <hourglass/workers.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/error_of.hpp"

using Catch::Matchers::ContainsSubstring;

namespace hg = hourglass;
using hg::Index;

TEST_CASE("Workers run every task once") {
    for (const int threads : {1, 2, 3, 8}) {
        hg::Workers workers{threads};
        CHECK(workers.size() == threads);
        for (int round = 0; round < 200; ++round)
            for (const Index tasks : {0, 1, 2, 7, 100}) {
                std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
                hg::core::each_task(&workers, tasks, [&](Index i) { ++runs[static_cast<std::size_t>(i)]; });
                REQUIRE(std::all_of(runs.begin(), runs.end(), [](const auto& count) { return count == 1; }));
            }
    }
}

TEST_CASE("Workers run more tasks than they count at once") {
    hg::Workers workers{2};
    std::atomic<Index> sum = 0;
    constexpr Index tasks = 50000;
    hg::core::each_task(&workers, tasks, [&](Index i) { sum += i; });
    CHECK(sum == tasks * (tasks - 1) / 2);
}

TEST_CASE("Workers bring the first exception to the caller, and go on") {
    hg::Workers workers{3};
    for (int round = 0; round < 50; ++round) {
        std::atomic<int> runs = 0;
        std::string thrown;
        try {
            hg::core::each_task(&workers, 20, [&](Index i) {
                ++runs;
                if (i >= 5 && i % 2 == 1) throw std::runtime_error(std::to_string(i));
            });
        } catch (const std::runtime_error& error) {
            thrown = error.what();
        }
        REQUIRE(thrown == "5");
        REQUIRE(runs == 20);
    }
}

TEST_CASE("Several threads use one Workers, and tasks call it again") {
    hg::Workers workers{2};
    std::atomic<int> runs = 0;
    const auto use = [&] {
        for (int i = 0; i < 100; ++i)
            hg::core::each_task(&workers, 3, [&](Index) { hg::core::each_task(&workers, 2, [&](Index) { ++runs; }); });
    };
    std::thread other(use), third(use);
    use();
    other.join();
    third.join();
    CHECK(runs == 3 * 100 * 6);
}

TEST_CASE("Workers that have slept are woken") {
    hg::Workers workers{2};
    std::atomic<int> runs = 0;
    for (int i = 0; i < 5; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        hg::core::each_task(&workers, 2, [&](Index) { ++runs; });
    }
    CHECK(runs == 10);
}

TEST_CASE("Workers refuse a number of threads that makes no sense") {
    CHECK_THAT(error_of([&] { hg::Workers{0}; }), ContainsSubstring("Workers: expected 1 to 1024 threads, got 0"));
    CHECK_THROWS_AS(hg::Workers(-3), hg::Error);
    CHECK_THROWS_AS(hg::Workers(100000), hg::Error);
    CHECK(hg::Workers{}.size() >= 1);
}

TEST_CASE("More threads than a call can be divided among are not started") {
    hg::Workers workers{70};
    CHECK(workers.size() == 64);
    std::vector<int> runs(1000);
    hg::core::each_task(&workers, 1000, [&](Index i) { ++runs[static_cast<std::size_t>(i)]; });
    CHECK(runs == std::vector<int>(1000, 1));
}

TEST_CASE("Parts of a batch end with whole units and leave nothing out") {
    for (Index size = 1; size < 300; ++size)
        for (Index count = 1; count <= hg::core::shards_of(size); ++count) {
            Index end = 0;
            for (Index i = 0; i < count; ++i) {
                const hg::Slice part = hg::core::part_of(size, count, i, hg::core::samples_unit);
                CHECK(part.begin == end);
                CHECK((size < 2 || part.size > 1));
                CHECK((i + 1 == count || part.size % hg::core::samples_unit == 0));
                end = part.end();
            }
            CHECK(end == size);
        }
}
