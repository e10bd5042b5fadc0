// Threads for training and evaluation, started once: a header of its own, because <thread> is no light one.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/workers.hpp"

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#endif

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Threads that share the work of a pass; the calling one is the first of them:
///
///     hg::Workers workers{2};
///     auto tape = model.tape(workers);      // gradient, loss, encode … with this tape run on both
///     adam.step(model, tape);               // and so does the step
///
/// Results are the same, bit for bit, with any number of threads and with none. Threads are started here and sleep
/// between calls: after some tens of microseconds of looking out for the next one. A program may use one `Workers` from
/// several threads, which wait for each other; a call from within its own or another's work runs on the thread it comes
/// from (but work must not wait for a thread of its own making that calls the same `Workers`: that one waits for the
/// work). It must outlive the tapes that were made with it. A step takes up to 250 KiB of a thread's stack.
class Workers final : public core::Team {
  public:
    /// As many threads as `threads` says, the calling one included; by default as many as the processor has. No call is
    /// divided further than among 64, so no more are started. `Error` for fewer than 1, for more than 1024, and where
    /// the system gives no more threads (that one ends the program where exceptions are switched off).
    explicit Workers(int threads = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 1024u))) {
        if (threads < 1 || threads > most) fail("Workers: expected 1 to ", most, " threads, got ", threads);
        threads = std::min(threads, static_cast<int>(most_tasks));
        threads_.reserve(static_cast<std::size_t>(threads - 1));
#if defined(__cpp_exceptions)
        try {
            start(threads - 1);
        } catch (const std::system_error&) {
            const auto started = threads_.size() + 1;
            stop();
            fail("Workers: the system gave ", started, " threads of ", threads);
        } catch (...) {
            stop();
            throw;
        }
#else
        start(threads - 1);
#endif
    }
    ~Workers() { stop(); }
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    /// The number of threads, the calling one included.
    int size() const override { return static_cast<int>(threads_.size()) + 1; }

    /// Calls task(what, i) once for each i = 0 … tasks − 1, on any thread and in any order, and returns when all are
    /// done. Of what they throw, that of the lowest i is thrown; others may then not have been called.
    void run(Index tasks, void (*task)(void* what, Index i), void* what) override {
        if (threads_.empty() || tasks < 2 || at_work()) {
            for (Index i = 0; i < tasks; ++i) task(what, i);
            return;
        }
        const std::lock_guard lock(one_caller_);
        for (Index first = 0; first < tasks; first += most_tasks)
            share(std::min(most_tasks, tasks - first), first, task, what);
    }

  private:
    static constexpr int most = 1024;
    static constexpr Index most_tasks = 64;  // at once: a bit each

    // The Workers whose task this thread is running: what it calls then, of whichever Workers, runs where it is.
    static const Workers*& at_work() {
        static thread_local const Workers* workers = nullptr;
        return workers;
    }

    void share(Index tasks, Index first, void (*task)(void*, Index), void* what) {
        task_ = task, what_ = what, first_ = first;
        thrown_at_ = tasks;
        left_.store(static_cast<std::uint32_t>(tasks), std::memory_order_relaxed);
        // From here on tasks can be taken. Whoever takes one may read the members above: they stay until it is done. A
        // thread that comes late finds none, or those of the next call.
        todo_.store(~std::uint64_t{0} >> (most_tasks - tasks));
        work(0);
        wait(left_, [](std::uint32_t left) { return left == 0; });
        if (thrown_at_ < tasks) std::rethrow_exception(std::exchange(thrown_, nullptr));
    }

    // Takes tasks until there are none: first the one of this thread's own number, whose memory may be in its cache
    // from the call before, then those that are nobody's own, and at last other threads'.
    void work(int thread) {
        const Workers* const before = std::exchange(at_work(), this);
        if (thread == 0) {
            // The caller's own is taken before the others hear of it.
            const bool own = take(0);
            called_.fetch_add(1);
            called_.notify_all();
            if (own) perform(0);
        } else if (take(thread)) {
            perform(thread);
        }
        for (std::uint64_t todo = todo_.load(); todo != 0; todo = todo_.load())
            if (const int last = static_cast<int>(std::bit_width(todo)) - 1; take(last)) perform(last);
        at_work() = before;
    }
    bool take(int i) {
        const std::uint64_t bit = std::uint64_t{1} << i;
        return (todo_.fetch_and(~bit) & bit) != 0;
    }
    void perform(int i) {
#if defined(__cpp_exceptions)
        try {
            task_(what_, first_ + i);
        } catch (...) {
            const std::lock_guard lock(throwing_);
            if (i < thrown_at_) thrown_at_ = i, thrown_ = std::current_exception();
        }
#else
        task_(what_, first_ + i);
#endif
        if (left_.fetch_sub(1) == 1) left_.notify_all();
    }

    void start(int count) {
        for (int i = 1; i <= count; ++i) threads_.emplace_back([this, i] { look_out(i); });
    }
    // What a thread of ours does.
    void look_out(int thread) {
        std::uint32_t seen = 0;
        while (true) {
            wait(called_, [seen](std::uint32_t called) { return called != seen; });
            seen = called_.load();
            if (stopping_.load()) return;
            work(thread);
        }
    }

    // Until `is_there` says so of the number: looks for some tens of microseconds, since within a step the next call is
    // near, and then sleeps.
    template <class IsThere>
    static void wait(const std::atomic<std::uint32_t>& number, const IsThere& is_there) {
        for (int i = 1; i <= looks; ++i) {
            if (is_there(number.load(std::memory_order_acquire))) return;
            if (i % 32 == 0)
                std::this_thread::yield();  // there may be more threads than processors
            else
                pause();
        }
        for (std::uint32_t found = number.load(); !is_there(found); found = number.load()) number.wait(found);
    }
    static constexpr int looks = 2000;
    static void pause() {
#if defined(__SSE2__) || defined(_M_X64)
        _mm_pause();
#endif
    }

    void stop() {
        stopping_.store(true);
        called_.fetch_add(1);
        called_.notify_all();
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
    }

    std::mutex one_caller_, throwing_;
    std::atomic<std::uint64_t> todo_{0};  // the tasks that nobody has taken yet
    std::atomic<std::uint32_t> called_{0}, left_{0};
    std::atomic<bool> stopping_{false};
    void (*task_)(void*, Index) = nullptr;
    void* what_ = nullptr;
    Index first_ = 0, thrown_at_ = 0;
    std::exception_ptr thrown_;
    std::vector<std::thread> threads_;  // last: its threads use all of the above
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
