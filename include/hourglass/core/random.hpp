// Random numbers: one counter-based generator and the library's own distributions. Words, integers and uniform values
// are the same with every compiler and for every number of threads; normal ones too, up to the rounding of a logarithm.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// Philox 4×32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"): ten rounds that
/// turn a 128-bit counter and a 64-bit key into four random words. `Lanes` consecutive counters (in word 0) are worked
/// side by side, in plain loops the compiler vectorises; lane l, word w is `out[w][l]`.
template <std::size_t Lanes = 1>
std::array<std::array<std::uint32_t, Lanes>, 4> philox(std::array<std::uint32_t, 4> counter, std::uint64_t key) {
    std::array<std::array<std::uint32_t, Lanes>, 4> out;
    for (std::size_t lane = 0; lane < Lanes; ++lane) {
        std::uint32_t c0 = counter[0] + static_cast<std::uint32_t>(lane), c1 = counter[1], c2 = counter[2],
                      c3 = counter[3];
        auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
        for (int round = 0; round < 10; ++round) {
            const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
            c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
            c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
            c1 = static_cast<std::uint32_t>(p1);
            c3 = static_cast<std::uint32_t>(p0);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        out[0][lane] = c0, out[1][lane] = c1, out[2][lane] = c2, out[3][lane] = c3;
    }
    return out;
}

/// Random numbers of one step of training, addressed and not drawn: sample j's numbers depend on (seed, step,
/// substream, j) alone, so noise does not depend on which thread asks, or in what order. `substream` keeps apart those
/// who need numbers in the same step (each corruption, each dropout layer).
class Stream {
  public:
    Stream(std::uint64_t seed, std::uint64_t step, std::uint16_t substream = 1)
        : seed_(seed), step_(step), substream_(substream) {}

    /// The same step's numbers for another user of them.
    Stream substream(std::uint16_t id) const {
        Stream other = *this;
        other.substream_ = id;
        return other;
    }
    /// The same numbers for a part of the batch: those of sample `first` are the other's sample 0's.
    Stream from_sample(Index first) const {
        Stream other = *this;
        other.first_ += first;
        return other;
    }

    /// Fills `out` with the random words of one sample, from its number `from` on. Here and below `from` is a multiple
    /// of 64, or of 32 for values of 8 bytes: streams are made in blocks of so many, and anything else is rounded down.
    void bits(Index sample, std::span<std::uint32_t> out, Index from = 0) const {
        blocks(sample, from, out.size(), words, [&](const auto& words_, std::size_t begin, std::size_t count) {
            for (std::size_t i = 0; i < count; ++i) out[begin + i] = words_[i / lanes][i % lanes];
        });
    }

    /// Fills `out` with uniform values in [0, 1), of 24 bits in float and 53 otherwise.
    template <class T>
    void uniform(Index sample, std::span<T> out, Index from = 0) const {
        using R = Real<T>;
        blocks(sample, from, out.size(), per_block<R>, [&](const auto& words_, std::size_t begin, std::size_t count) {
            for (std::size_t i = 0; i < count; ++i) out[begin + i] = T(unit<R>(words_, i));
        });
    }

    /// Fills `out` with standard normal values (Box and Muller 1958: √(−2 ln u)·(cos, sin)(2πv)).
    template <class T>
    void normal(Index sample, std::span<T> out, Index from = 0) const {
        using R = Real<T>;
        constexpr std::size_t half = per_block<R> / 2;
        using Half = Eigen::Array<R, static_cast<int>(half), 1>;
        blocks(sample, from, out.size(), per_block<R>, [&](const auto& words_, std::size_t begin, std::size_t count) {
            Half u, v;
            for (std::size_t i = 0; i < half; ++i) {
                u[static_cast<Index>(i)] = R(1) - unit<R>(words_, i);  // in (0, 1]: its logarithm is finite
                v[static_cast<Index>(i)] = R(6.283185307179586477) * unit<R>(words_, half + i);
            }
            const Half radius = (R(-2) * u.log()).sqrt();
            alignas(64) R values[per_block<R>];
            Eigen::Map<Half>{values} = radius * v.cos();
            Eigen::Map<Half>{values + half} = radius * v.sin();
            for (std::size_t i = 0; i < count; ++i) out[begin + i] = T(values[i]);
        });
    }

    /// Fills `out` with `yes`, with the given probability each, or else `no`. The probability is rounded to 2⁻³².
    template <class T>
    void choose(Index sample, double probability, const T& yes, const T& no, std::span<T> out, Index from = 0) const {
        const auto below = static_cast<std::uint64_t>(probability * 0x1p32);
        blocks(sample, from, out.size(), words, [&](const auto& words_, std::size_t begin, std::size_t count) {
            for (std::size_t i = 0; i < count; ++i) out[begin + i] = words_[i / lanes][i % lanes] < below ? yes : no;
        });
    }

  private:
    // Counters are worked sixteen at a time: 64 words a block, word w of lane l standing at 16 w + l. The order is part
    // of the definition of a stream; it does not change with the processor.
    static constexpr std::size_t lanes = 16, words = 4 * lanes;
    template <class T>
    static constexpr std::size_t per_block = words * 4 / sizeof(T);

    // What random numbers are computed in for the scalar type T: anything but float gets a double's digits.
    template <class T>
    using Real = std::conditional_t<std::is_same_v<T, float>, float, double>;

    template <class T, class Words>
    static T unit(const Words& w, std::size_t i) {
        if constexpr (sizeof(T) == 4) {
            return static_cast<T>(static_cast<std::int32_t>(w[i / lanes][i % lanes] >> 8)) * T(0x1p-24);
        } else {
            const std::uint64_t high = w[i / lanes][i % lanes], low = w[2 + i / lanes][i % lanes];
            return static_cast<T>(static_cast<std::int64_t>((high << 32 | low) >> 11)) * T(0x1p-53);
        }
    }

    template <class Use>
    void blocks(Index sample, Index from, std::size_t count, std::size_t per_block_, Use use) const {
        const auto s = static_cast<std::uint64_t>(first_ + sample);
        const auto first = static_cast<std::uint32_t>(static_cast<std::size_t>(from) / per_block_ * lanes);
        // Position in the sample (32 bits), sample (32), substream and the step's high bits (16 + 16), step (32).
        std::array<std::uint32_t, 4> counter{
            first, static_cast<std::uint32_t>(s),
            static_cast<std::uint32_t>(std::uint64_t{substream_} << 16 | (step_ >> 32 & 0xffff)),
            static_cast<std::uint32_t>(step_)};
        for (std::size_t begin = 0; begin < count; begin += per_block_, counter[0] += lanes)
            use(philox<lanes>(counter, seed_), begin, count - begin < per_block_ ? count - begin : per_block_);
    }

    std::uint64_t seed_, step_;
    Index first_ = 0;
    std::uint16_t substream_;
};

/// The generator a program holds: a seed, the number of steps handed out and a position. Small, copyable, comparable; a
/// copy repeats what the original is going to say. Also a standard uniform random bit generator.
class Rng {
  public:
    using result_type = std::uint32_t;

    /// All there is to a generator: what it was made of, how many steps it has handed out, how many words it has said.
    struct State {
        std::uint64_t seed;      ///< what it was made of
        std::uint64_t step;      ///< steps handed out by `stream`
        std::uint64_t position;  ///< words said
    };

    explicit Rng(std::uint64_t seed) : seed_(seed) {}
    /// The generator that said this of itself: it goes on from there.
    explicit Rng(const State& state) : seed_(state.seed), step_(state.step), position_(state.position) {
        if (position_ % 4 != 0) draw_block();
    }
    State state() const { return {seed_, step_, position_}; }

    /// Numbers for the next step of training; each call hands out another step.
    Stream stream() { return {seed_, ++step_}; }

    /// The next random word.
    result_type operator()() {
        const auto word = static_cast<std::size_t>(position_ % 4);
        if (word == 0) draw_block();
        ++position_;
        return block_[word];
    }
    /// The range of these words.
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return 0xffff'ffffu; }

    /// Uniform in [0, 1), 53 bits.
    double uniform() {
        const std::uint64_t high = (*this)(), low = (*this)();
        return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
    }
    /// Uniform in [low, high).
    double uniform(double low, double high) { return low + (high - low) * uniform(); }

    /// Standard normal (Box and Muller 1958).
    double normal() {
        const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
        return radius * std::cos(6.283185307179586477 * uniform());
    }

    /// Uniform integer in [0, bound), every value equally likely (Lemire 2019, "Fast random integer generation in an
    /// interval"). `Error` when bound is 0.
    std::uint64_t below(std::uint64_t bound) {
        if (bound == 0) fail("Rng::below: the bound must be at least 1");
        if (bound <= 0xffff'ffffu) {
            const auto small = static_cast<std::uint32_t>(bound);
            std::uint64_t product = std::uint64_t{(*this)()} * small;
            if (static_cast<std::uint32_t>(product) < small)
                for (const std::uint32_t reject = -small % small; static_cast<std::uint32_t>(product) < reject;)
                    product = std::uint64_t{(*this)()} * small;
            return product >> 32;
        }
        for (const std::uint64_t usable = -bound % bound;
             ;) {  // 2⁶⁴ mod bound values would be favoured: they are drawn again
            const std::uint64_t high = (*this)(), low = (*this)(), drawn = high << 32 | low;
            if (drawn >= usable) return drawn % bound;
        }
    }

    friend bool operator==(const Rng& a, const Rng& b) {
        return a.seed_ == b.seed_ && a.step_ == b.step_ && a.position_ == b.position_;
    }

  private:
    void draw_block() {
        const std::uint64_t block = position_ / 4;
        const auto words =
            philox<1>({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0}, seed_);
        for (std::size_t w = 0; w < 4; ++w) block_[w] = words[w][0];
    }

    std::uint64_t seed_, step_ = 0, position_ = 0;
    std::array<std::uint32_t, 4> block_{};
};

/// Puts `items` in a random order, every order equally likely (Fisher and Yates 1938; Durstenfeld 1964).
template <class T>
void shuffle(std::span<T> items, Rng& rng) {
    for (std::size_t i = items.size(); i > 1; --i)
        std::swap(items[i - 1], items[static_cast<std::size_t>(rng.below(i))]);
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
