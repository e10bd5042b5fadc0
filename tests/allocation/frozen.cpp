// A frozen model, and a stream, asks for no memory and takes no lock: counted by an allocator and a lock put in the
// place of the C library's. That nothing is thrown is in the functions' types.
#include <dlfcn.h>
#include <pthread.h>

#include <array>
#include <cstdio>
#include <hourglass/freeze.hpp>
#include <hourglass/hourglass.hpp>
#include <hourglass/streaming.hpp>
#include <mutex>
#include <vector>

#include "../support/counting_allocator.hpp"

namespace hg = hourglass;

static std::atomic<long> locks{0};

extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) {
    using Lock = int (*)(pthread_mutex_t*);
    static const Lock lock = reinterpret_cast<Lock>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
    return ++locks, lock(mutex);
}

template <class Encoder, class Decoder>
static int check(const char* what) {
    hg::Rng rng{1};
    const auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{});
    long before = requests;
    const auto frozen = hg::freeze(model);
    const long made = requests - before;

    std::mutex mutex;
    const long locks_before = locks;
    mutex.lock();
    mutex.unlock();
    if (locks == locks_before) return std::puts("the counter does not see locks"), 1;

    std::array<float, frozen.input_size> x{};
    std::array<float, frozen.code_size> code{};
    const long locked = locks;
    before = requests;
    for (int i = 0; i < 100; ++i) {
        frozen.encode(x, code);
        frozen.decode(code, x);
        frozen.reconstruct(x, x);
    }
    const long asked = requests - before, taken = locks - locked;
    std::printf("%-13s %ld allocations when made, %ld and %ld locks in 300 calls\n", what, made, asked, taken);
    return asked != 0 || taken != 0;
}

template <class Net>
static int check_stream(const char* what) {
    hg::Rng rng{1};
    auto stream = hg::streaming(hg::network<Net>(rng));
    std::array<float, stream.input_size> x{};
    std::array<float, stream.output_size> y{};
    const long before = requests, locked = locks;
    for (int i = 0; i < 300; ++i) {
        stream.push(x, y);
        if (i % 100 == 99) stream.reset();
    }
    const long asked = requests - before, taken = locks - locked;
    std::printf("%-13s %ld allocations and %ld locks in 300 pushes\n", what, asked, taken);
    return asked != 0 || taken != 0;
}

int main() {
    using Small = hg::Chain<hg::Shape{40}, hg::Dense<16>, hg::BatchNormalization, hg::ReLU, hg::Dense<4>>;
    using Large = hg::Chain<hg::Shape{600}, hg::Dense<500>, hg::ReLU>;
    using Series = hg::Chain<hg::Shape{2, 64}, hg::Conv1D<8, 5, 2, hg::Padding::Same>, hg::ReLU>;
    using Pictures = hg::Chain<hg::Shape{1, 28, 28}, hg::Conv2D<16, 3, 1, hg::Padding::Same>, hg::ReLU>;
    using Causal = hg::Conv1D<16, 3, 1, hg::Padding::Causal, 4>;
    using Stream = hg::Chain<hg::Shape{2, 64}, Causal, hg::BatchNormalization, hg::ReLU,
                             hg::Residual<Causal, hg::ReLU, Causal>, hg::Dense<1>>;
    return check_stream<Stream>("stream") + check<Small, hg::Mirror<Small>>("dense") +
           check<Large, hg::Mirror<Large>>("large") + check<Series, hg::Mirror<Series>>("series") +
           check<Pictures, hg::Tied<Pictures>>("pictures");
}
