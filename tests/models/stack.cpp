// A training step, and a frozen network, fit into as much of the stack as the documentation says.
#include <pthread.h>

#include <hourglass/freeze.hpp>
#include <hourglass/hourglass.hpp>
#include <vector>

#include "support/address_sanitizer.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;

namespace {

// Runs `work` on a thread with a stack of so many KiB. What overflows it ends the program.
template <class Work>
void on_stack(std::size_t kibibytes, Work work) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    REQUIRE(pthread_attr_setstacksize(&attributes, kibibytes << 10) == 0);
    pthread_t thread;
    const int status = pthread_create(
        &thread, &attributes,
        [](void* what) -> void* {
            (*static_cast<Work*>(what))();
            return nullptr;
        },
        &work);
    pthread_attr_destroy(&attributes);
    REQUIRE(status == 0);
    pthread_join(thread, nullptr);
}

template <class T, class Encoder>
void check(std::size_t kibibytes) {
    hg::Rng rng{1};
    auto model = hg::autoencoder<Encoder, hg::Mirror<Encoder>, T>(rng, hg::MeanSquaredError{});
    auto tape = model.tape();
    const hg::Matrix<T> x = hg::Matrix<T>::Constant(Encoder::input.size(), 70, T(0.5));
    T loss(0);
    on_stack(kibibytes, [&] {
        hg::Adam adam;
        loss = model.gradient(x, tape, rng);
        adam.step(model, tape);
    });
    CHECK(loss > T(0));
}

template <class T, class Chain>
void check_frozen(std::size_t kibibytes) {
    hg::Rng rng{1};
    const auto frozen = hg::freeze(hg::network<Chain, T>(rng));
    const std::vector<T> x(frozen.input_size, T(0.5));
    std::vector<T> y(frozen.output_size, T(0));
    on_stack(kibibytes + frozen.stack_size / 1024 + 1, [&] { frozen.evaluate(x, y); });
    CHECK(y[0] != T(0));
}

using Layers = hg::Chain<hg::Shape{1301}, hg::Dense<203>, hg::ReLU, hg::Dense<41>>;
using Series = hg::Chain<hg::Shape{1, 288}, hg::Conv1D<32, 7, 2, hg::Padding::Same>, hg::ReLU,
                         hg::Conv1D<16, 7, 2, hg::Padding::Same>, hg::ReLU, hg::Conv1D<16, 3, 1, hg::Padding::Same>>;
using Pictures = hg::Chain<hg::Shape{1, 28, 28}, hg::Conv2D<16, 3, 1, hg::Padding::Same>, hg::ReLU,
                           hg::Conv2D<32, 3, 1, hg::Padding::Same>, hg::ReLU, hg::Conv2D<64, 3, 2, hg::Padding::Same>,
                           hg::ReLU, hg::Flatten, hg::Dense<16>>;

}  // namespace

TEMPLATE_TEST_CASE("a step fits into the stack that the documentation asks for", "", float, double) {
    if (oracle::address_sanitizer) return;  // frames are larger there
    check<TestType, Layers>(120);
    check<TestType, Series>(250);
    check<TestType, Pictures>(250);
}

TEMPLATE_TEST_CASE("a frozen network fits into the stack that the documentation asks for", "", float, double) {
    if (oracle::address_sanitizer) return;
    check_frozen<TestType, hg::Chain<hg::Shape{601, 100}, hg::Dense<303>>>(120);
    check_frozen<TestType, Series>(180);
    check_frozen<TestType, Pictures>(180);
}
