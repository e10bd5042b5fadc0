// No push into a StreamingScorer asks for memory, not even the first one: counted by an allocator put in the place of
// the C library's.

#include <cstdio>
#include <hourglass/hourglass.hpp>

#include "../support/counting_allocator.hpp"

namespace hg = hourglass;

template <class Encoder, class T>
static int check(const char* what) {
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>, T>(rng, hg::MeanSquaredError{});
    const hg::Matrix<T> series = hg::Matrix<T>::Constant(2, 200, T(0.5));
    const long before = requests;
    hg::StreamingScorer scorer{model, {2, 64}, {.threshold = 0.1}};
    if (requests == before) return std::puts("the counter does not see Eigen's allocations"), 1;

    const long constructed = requests;
    int scores = 0;
    for (hg::Index step = 0; step < 200; ++step) scores += scorer.push(series.col(step)).has_value();
    const long asked = requests - constructed;
    std::printf("%-20s %ld allocations in 200 pushes, %d scores\n", what, asked, scores);
    return asked != 0 || scores != 137;
}

int main() {
    using Convolutions = hg::Chain<hg::Shape{2, 64}, hg::Conv1D<8, 5, 2, hg::Padding::Same>, hg::ReLU>;
    using Dense = hg::Chain<hg::Shape{2, 64}, hg::Flatten, hg::Dense<16>, hg::Tanh>;
    return check<Convolutions, float>("convolutions") + check<Convolutions, double>("convolutions, double") +
           check<Dense, float>("dense");
}
