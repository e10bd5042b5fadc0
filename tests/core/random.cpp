#include "hourglass/core/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "support/catch.hpp"

namespace hg = hourglass;

namespace {

template <class T>
std::vector<T> normals(const hg::Stream& stream, hg::Index sample, std::size_t count) {
    std::vector<T> out(count);
    stream.normal(sample, std::span<T>(out));
    return out;
}

}  // namespace

TEST_CASE("Philox 4x32-10 gives the published vectors") {
    // Random123's known-answer tests (kat_vectors, philox4x32 10).
    struct Known {
        std::array<std::uint32_t, 4> counter;
        std::uint64_t key;
        std::array<std::uint32_t, 4> words;
    };
    const Known known[] = {
        {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, ~0ull, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         0x299f31d0a4093822,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (const Known& k : known) {
        const auto one = hg::philox<1>(k.counter, k.key);
        const auto many = hg::philox<16>(k.counter, k.key);
        for (std::size_t w = 0; w < 4; ++w) {
            CHECK(one[w][0] == k.words[w]);
            CHECK(many[w][0] == k.words[w]);
        }
    }
    const auto many = hg::philox<16>({5, 6, 7, 8}, 9);
    for (std::uint32_t lane = 0; lane < 16; ++lane)
        for (std::size_t w = 0; w < 4; ++w) CHECK(many[w][lane] == hg::philox<1>({5 + lane, 6, 7, 8}, 9)[w][0]);
}

TEST_CASE("a stream is addressed by seed, step, substream and sample, not by the order of asking") {
    const hg::Stream stream{1, 2, 3};
    const auto whole = normals<float>(stream, 4, 300);
    CHECK(normals<float>(stream, 4, 300) == whole);
    CHECK(normals<float>(hg::Stream{1, 2, 3}, 4, 300) == whole);
    CHECK(normals<float>(stream, 5, 300) != whole);
    CHECK(normals<float>(stream.substream(4), 4, 300) != whole);
    CHECK(normals<float>(hg::Stream{1, 3, 3}, 4, 300) != whole);
    CHECK(normals<float>(hg::Stream{1, 2 + (std::uint64_t{1} << 32), 3}, 4, 300) != whole);
    CHECK(normals<float>(hg::Stream{2, 2, 3}, 4, 300) != whole);

    // A shorter request is the beginning of a longer one, and pieces are parts of the whole.
    const auto shorter = normals<float>(stream, 4, 77);
    CHECK(std::equal(shorter.begin(), shorter.end(), whole.begin()));
    std::vector<float> piece(44);
    stream.normal(4, std::span<float>(piece), 256);
    CHECK(std::equal(piece.begin(), piece.end(), whole.begin() + 256));
}

TEMPLATE_TEST_CASE("uniform and normal numbers have the moments they should", "", float, double) {
    // Means and variances of n independent draws, within five standard errors (one false alarm in 1.7 million).
    constexpr std::size_t n = 200000;
    const double root = std::sqrt(static_cast<double>(n));
    std::vector<TestType> u(n), z(n);
    const hg::Stream stream{20, 1};
    stream.uniform(0, std::span<TestType>(u));
    stream.normal(1, std::span<TestType>(z));
    const auto moment = [](const std::vector<TestType>& v, int power, double center) {
        double sum = 0;
        for (const TestType x : v) sum += std::pow(static_cast<double>(x) - center, power);
        return sum / static_cast<double>(v.size());
    };
    CHECK(*std::min_element(u.begin(), u.end()) >= 0);
    CHECK(*std::max_element(u.begin(), u.end()) < 1);
    CHECK(std::abs(moment(u, 1, 0) - 0.5) < 5 * std::sqrt(1.0 / 12) / root);
    CHECK(std::abs(moment(u, 2, 0.5) - 1.0 / 12) < 5 * std::sqrt(1.0 / 180) / root);
    CHECK(std::abs(moment(z, 1, 0)) < 5 / root);
    CHECK(std::abs(moment(z, 2, 0) - 1) < 5 * std::sqrt(2.0) / root);
    CHECK(std::abs(moment(z, 3, 0)) < 5 * std::sqrt(15.0) / root);
    CHECK(std::abs(moment(z, 4, 0) - 3) < 5 * std::sqrt(96.0) / root);
    // Neighbours are uncorrelated, also the two halves of one Box–Muller pair.
    for (const std::size_t lag : {std::size_t{1}, std::size_t{16}, std::size_t{32}}) {
        double sum = 0;
        for (std::size_t i = 0; i + lag < n; ++i) sum += static_cast<double>(z[i]) * static_cast<double>(z[i + lag]);
        CHECK(std::abs(sum / static_cast<double>(n - lag)) < 5 / root);
    }
}

TEST_CASE("a stream's words are Philox's, and what its values are made of") {
    const hg::Stream stream{11, 7, 3};
    std::vector<std::uint32_t> words(200), shorter(70), piece(40);
    stream.bits(5, words);
    // Position in the sample, sample, substream, step: word w of lane l stands at 16 w + l of each block of 64.
    for (std::uint32_t i = 0; i < 200; ++i)
        CHECK(words[i] == hg::philox<1>({i / 64 * 16 + i % 16, 5, 3u << 16, 7}, 11)[i % 64 / 16][0]);
    stream.bits(5, shorter);
    CHECK(std::equal(shorter.begin(), shorter.end(), words.begin()));
    stream.bits(5, piece, 128);
    CHECK(std::equal(piece.begin(), piece.end(), words.begin() + 128));
    std::vector<float> uniform(200);
    stream.uniform(5, std::span<float>(uniform));
    for (std::size_t i = 0; i < 200; ++i) CHECK(uniform[i] == static_cast<float>(words[i] >> 8) * 0x1p-24f);
}

TEST_CASE("choose keeps its probability") {
    constexpr std::size_t n = 200000;
    for (const double p : {0.0, 0.1, 0.5, 0.999}) {
        std::vector<float> v(n);
        hg::Stream{3, 1}.choose(0, p, 1.0f, 0.0f, std::span<float>(v));
        const double share = std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(n);
        CHECK(std::abs(share - p) <= 5 * std::sqrt(p * (1 - p) / static_cast<double>(n)));
    }
}

TEST_CASE("Rng repeats itself from the same seed and copies say the same") {
    hg::Rng a{42}, b{42}, other{43};
    CHECK(a == b);
    for (int i = 0; i < 10; ++i) CHECK(a() == b());
    CHECK(hg::Rng{42}() != other());
    hg::Rng copy = a;
    CHECK(copy == a);
    CHECK(copy.normal() == a.normal());
    CHECK(copy() == a());
    a.stream();
    CHECK(!(copy == a));
}

TEST_CASE("Rng is a generator of the standard library") {
    static_assert(std::uniform_random_bit_generator<hg::Rng>);
    hg::Rng rng{6};
    CHECK(rng.min() == 0);
    CHECK(rng.max() == 0xffff'ffffu);
    std::uniform_int_distribution<int> die{1, 6};
    std::set<int> seen;
    for (int i = 0; i < 200; ++i) seen.insert(die(rng));
    CHECK(seen == std::set<int>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("bounded integers are even, shuffles are permutations") {
    hg::Rng rng{5};
    CHECK_THROWS_AS(rng.below(0), hg::Error);
    CHECK(rng.below(1) == 0);
    std::array<int, 7> counts{};
    constexpr int n = 70000;
    for (int i = 0; i < n; ++i) ++counts[rng.below(7)];
    double chi = 0;
    for (const int c : counts) chi += (c - n / 7.0) * (c - n / 7.0) / (n / 7.0);
    CHECK(chi < 27.9);  // 6 degrees of freedom: exceeded once in 10 000
    for (int i = 0; i < 1000; ++i) CHECK(rng.below(std::uint64_t{1} << 40) < std::uint64_t{1} << 40);
    // Of 2³² words, or 2⁶⁴, a quarter has to be drawn again: else every third integer, or the smallest third of them,
    // would come twice as often as others.
    std::array<int, 3> remainders{}, thirds{};
    for (int i = 0; i < n; ++i) {
        const std::uint64_t small = rng.below(std::uint64_t{3} << 30), large = rng.below(std::uint64_t{3} << 62);
        if (small >= std::uint64_t{3} << 30) FAIL(small);
        ++remainders[small % 3];
        ++thirds[static_cast<std::size_t>(large >> 62)];
    }
    for (const auto& shares : {remainders, thirds}) {
        chi = 0;
        for (const int c : shares) chi += (c - n / 3.0) * (c - n / 3.0) / (n / 3.0);
        CHECK(chi < 18.5);  // 2 degrees of freedom: once in 10 000
    }

    std::array<int, 6> orders{};
    for (int i = 0; i < 60000; ++i) {
        std::array<int, 3> items{0, 1, 2};
        hg::shuffle(std::span<int>(items), rng);
        ++orders[static_cast<std::size_t>(items[0] * 2 + (items[1] > items[2]))];
    }
    chi = 0;
    for (const int c : orders) chi += (c - 10000.0) * (c - 10000.0) / 10000.0;
    CHECK(chi < 25.8);  // 5 degrees of freedom: once in 10 000
}
