// A progress bar for the user's own loop: rate, remaining time, current metrics. One line that is redrawn on a
// terminal; a few plain lines per epoch where the output goes to a file or a pipe.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <string>

#include "hourglass/core/error.hpp"
#include "hourglass/core/shape.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/train/metric.hpp"

// <chrono> costs every user's file more time to compile than anything else here: it is read only where it is needed.
#if __has_include(<sys/ioctl.h>)
#include <sys/ioctl.h>
#include <unistd.h>

#include <ctime>
#else
#include <chrono>
#if defined(_WIN32)
#include <io.h>
#endif
#endif

namespace hourglass {
inline namespace HOURGLASS_ABI {

// What is not for users.
namespace train {

/// Characters in a line of the terminal that a stream writes to (80 if it does not say); 0 if the stream is not the
/// standard output or standard error of this program, or leads elsewhere.
inline Index terminal_width(const std::ostream& out) {
    const int descriptor = &out == &std::cout ? 1 : &out == &std::cerr || &out == &std::clog ? 2 : -1;
    if (descriptor < 0) return 0;
#if __has_include(<sys/ioctl.h>)
    if (::isatty(descriptor) == 0) return 0;
    winsize size{};
    return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
#elif defined(_WIN32)
    return ::_isatty(descriptor) != 0 ? 80 : 0;
#else
    return 0;
#endif
}

/// Seconds that have gone by since some fixed moment.
inline double seconds() {
#if __has_include(<sys/ioctl.h>)
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
#else
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
#endif
}

}  // namespace train

/// How a `ProgressBar` writes: as the output asks for, or one way whatever the output is.
enum class ProgressStyle { Detect, Bar, Lines };

/// Shows how far a training is.
///
///     hg::ProgressBar bar{epochs, images.cols()};
///     for (int epoch = 0; epoch < epochs; ++epoch) {
///         for (const auto& batch : hg::minibatches(images, 256, rng)) {
///             …
///             bar.advance(batch.cols(), {{"loss", loss}});
///         }
///         bar.end_epoch({{"loss", mean_loss}, {"val_loss", val_loss}});
///     }
///
///     epoch  2/20 [=======>            ]   37%   101k samples/s   0:04 left  loss 0.2871
///
/// The rate is that of the current epoch; the remaining time is for all epochs, judged by all time so far. Metrics have
/// four decimals, as in Keras; below 0.001 and from a million on, an exponent. The bar becomes no longer again, so that
/// it stands still; on a narrow terminal the rate makes way for it. A line is drawn at most every tenth of a second
/// (plain lines: at each quarter of the epoch, a second apart at least), so that `advance` costs little more than a
/// look at the clock. A line left open by a break or an exception is closed by the destructor.
class ProgressBar {
  public:
    struct Options {
        const char* unit = "samples";                 ///< What the rate counts.
        std::ostream& out = std::clog;                ///< Where to write; has to outlive the bar.
        ProgressStyle style = ProgressStyle::Detect;  ///< A bar or plain lines.
        double (*clock)() = &train::seconds;          ///< Seconds from any beginning, never running back.
    };

    /// `epochs` epochs of `per_epoch` samples (or steps: whatever `advance` counts). `Error` unless both are at
    /// least 1.
    ProgressBar(Index epochs, Index per_epoch) : ProgressBar(epochs, per_epoch, Options{}) {}
    ProgressBar(Index epochs, Index per_epoch, const Options& options)
        : options_(options), epochs_(epochs), per_epoch_(per_epoch) {
        if (epochs < 1) fail("ProgressBar: the number of epochs must be at least 1, got ", epochs);
        if (per_epoch < 1)
            fail("ProgressBar: the number of ", options.unit, " per epoch must be at least 1, got ", per_epoch);
        const Index terminal = train::terminal_width(options.out);
        bar_ = options.style == ProgressStyle::Bar || (options.style == ProgressStyle::Detect && terminal > 0);
        width_ = static_cast<std::size_t>(terminal > 0 ? terminal : 80) - 1;
        begin_ = epoch_begin_ = now_ = options.clock();
        drawn_ = bar_ ? begin_ - redraw_after : begin_;
    }

    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    ~ProgressBar() {
        if (open_ == 0) return;
#if defined(__cpp_exceptions)
        try {
            options_.out << std::endl;
        } catch (...) {  // a stream that throws must not end the program from here
        }
#else
        options_.out << std::endl;
#endif
    }

    /// Counts `amount` more samples of the current epoch and shows the current metrics, if it is time to.
    void advance(Index amount, Metrics metrics = {}) {
        done_ += amount;
        now_ = options_.clock();
        if (bar_) {
            if (now_ - drawn_ >= redraw_after) draw(line(metrics, false), false);
        } else if (const Index quarter = 4 * done_ / per_epoch_;
                   quarter > quarter_ && quarter < 4 && now_ - drawn_ >= line_after) {
            quarter_ = quarter;
            draw(line(metrics, false), true);
        }
    }

    /// Ends the epoch: its line stays, with these metrics and the time it took, what came after the last `advance`
    /// (validation) included; the rate is that up to the last `advance`.
    void end_epoch(Metrics metrics = {}) {
        const double last_advance = now_;
        now_ = options_.clock();
        draw(line(metrics, true, last_advance), true);
        ++epoch_;
        done_ = quarter_ = 0;
        epoch_begin_ = now_;
    }

  private:
    static constexpr double redraw_after = 0.1, line_after = 1;
    static constexpr std::size_t short_bar = 10;

    std::string line(Metrics metrics, bool ended, double last_advance = 0) {
        const double done = std::min(1.0, static_cast<double>(done_) / static_cast<double>(per_epoch_));
        const std::string epoch = text(std::min(epoch_ + 1, epochs_)), epochs = text(epochs_);
        const std::string head = "epoch " + std::string(epochs.size() - epoch.size(), ' ') + epoch + "/" + epochs;
        std::string percent = text(static_cast<Index>(ended ? 100 : 100 * done)) + "%";
        percent.insert(0, 6 - percent.size(), ' ');

        std::string speed, rest;
        const double spent = (ended ? last_advance : now_) - epoch_begin_;
        if (spent > 0 && done_ > 0)
            speed = "  " + rate(static_cast<double>(done_) / spent) + " " + options_.unit + "/s";
        const double all = static_cast<double>(epoch_) + done;
        if (ended)
            rest = "  " + duration(now_ - epoch_begin_);
        else if (all > 0 && now_ > begin_)
            rest = "  " + duration((now_ - begin_) * std::max(0.0, static_cast<double>(epochs_) - all) / all) + " left";
        for (const Metric& metric : metrics) (((rest += "  ") += metric.name) += ' ') += figure(metric.value);
        if (!bar_) return head + percent + speed + rest;

        if (ended) percent.clear();  // the bar is full
        const auto room = [&] {
            const std::size_t others = head.size() + percent.size() + speed.size() + rest.size() + 3;
            return width_ - std::min(width_, others);
        };
        if (room() < short_bar) speed.clear();
        bar_length_ = std::min(bar_length_, std::max(room(), short_bar));
        return head + bar(ended ? 1 : done, std::min(bar_length_, room())) + percent + speed + rest;
    }

    // "[====>     ]", with `length` signs inside.
    static std::string bar(double done, std::size_t length) {
        if (length == 0) return "";
        const auto filled = static_cast<std::size_t>(done * static_cast<double>(length));
        const std::string tip = filled < length ? ">" : "";
        return " [" + std::string(filled, '=') + tip + std::string(length - filled - tip.size(), ' ') + "]";
    }

    void draw(std::string shown, bool stays) {
        if (bar_) {
            // A line that wraps could not be redrawn. What the line before was longer is wiped with blanks.
            if (!stays && shown.size() > width_) shown.resize(width_);
            const std::size_t length = shown.size();
            shown = '\r' + shown + std::string(open_ > length ? open_ - length : 0, ' ');
            open_ = stays ? 0 : length;
        }
        if (stays) shown += '\n';
        options_.out.write(shown.data(), static_cast<std::streamsize>(shown.size()));
        options_.out.flush();
        drawn_ = now_;
    }

    // With a point in every locale.
    static std::string printed(const char* format, int size, double value) {
        char shown[32] = {};
        std::snprintf(shown, sizeof shown, format, size, value);
        std::replace(shown, shown + sizeof shown, ',', '.');
        return shown;
    }
    static std::string figure(double value) {
        const double size = std::abs(value);
        if (!is_finite(value)) return text(value);
        return size == 0 || (size >= 1e-3 && size < 1e6) ? printed("%.*f", 4, value) : printed("%.*e", 3, value);
    }
    // Three digits at least in five characters.
    static std::string rate(double per_second) {
        if (per_second < 99.95) return printed("%*.1f", 5, per_second);
        if (per_second < 99999.5) return printed("%*.0f", 5, per_second);
        return per_second < 9999.5e3 ? printed("%*.0fk", 4, per_second / 1e3) : printed("%*.0fM", 4, per_second / 1e6);
    }
    static std::string duration(double time) {
        const long long whole = std::llround(time);
        std::string shown = whole < 3600 ? "" : text(whole / 3600) + ":";
        const auto add = [&shown](long long n, bool two_digits) {
            if (two_digits && n < 10) shown += '0';
            shown += text(n);
        };
        add(whole / 60 % 60, whole >= 3600);
        shown += ':';
        add(whole % 60, true);
        if (shown.size() < 5) shown.insert(0, 5 - shown.size(), ' ');
        return shown;
    }

    Options options_;
    Index epochs_, per_epoch_, epoch_ = 0, done_ = 0, quarter_ = 0;
    bool bar_ = false;
    std::size_t width_ = 79;  // of a line
    std::size_t bar_length_ = 20;
    std::size_t open_ = 0;  // length of the line that the next one is drawn over
    double begin_ = 0, epoch_begin_ = 0, now_ = 0, drawn_ = 0;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
