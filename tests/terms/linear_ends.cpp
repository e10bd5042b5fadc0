// The linear layers at an encoder's ends: their J is that of no sample.
#include "hourglass/terms/linear_ends.hpp"

#include <atomic>
#include <hourglass/workers.hpp>

#include "hourglass/hourglass.hpp"
#include "support/catch.hpp"

namespace hg = hourglass;

namespace {

// y = 2x, which counts the passes back that it is shown another input than forward.
struct Double {
    [[maybe_unused]] static constexpr std::string_view name = "Double";
    static constexpr hg::Traits traits{.linear = true};
    static constexpr hg::Shape output(hg::Shape in) { return in; }
    static inline std::atomic<const void*> seen = nullptr;
    static inline std::atomic<int> passes = 0, others = 0;

    template <hg::Shape In, class T>
    void forward(std::span<const T, 0>, hg::ConstView<T> x, hg::View<T> y, const hg::Context<T>&) const {
        seen = x.data();
        hg::flat(y) = 2 * hg::flat(x);
    }
    template <hg::Shape In, class T>
    void backward(std::span<const T, 0>, hg::ConstView<T> x, hg::ConstView<T>, hg::ConstView<T> dy,
                  hg::View<T> dx) const {
        ++passes;
        if (x.data() != seen) ++others;
        hg::flat(dx) += 2 * hg::flat(dy);
    }
    template <hg::Shape In, class T>
    void tangent(std::span<const T, 0>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T> v, hg::View<T> t) const {
        hg::flat(t) = 2 * hg::flat(v);
    }
    template <hg::Shape In, class T>
    void curvature(std::span<const T, 0>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>,
                   std::span<T, 0>, hg::View<T>) const {}
};

}  // namespace

TEST_CASE("linear ends of more units than samples are swept without leaving the batch's memory") {
    constexpr hg::Index units = 40;  // two threads' parts
    using Encoder = hg::Chain<hg::Shape{units}, Double, hg::Dense<units>, hg::Tanh>;
    hg::Rng rng{1};
    const auto model =
        hg::autoencoder<Encoder, hg::Chain<Encoder::output, hg::Dense<units>>, double>(rng, hg::MeanSquaredError{});
    hg::Workers workers{2};
    auto tape = model.tape(workers);
    const Eigen::MatrixXd x = Eigen::MatrixXd::Constant(units, 1, 0.1);
    Double::passes = Double::others = 0;
    hg::jacobian_norm(model, x, tape);
    CHECK(Double::passes == 2);
    CHECK(Double::others == 0);
}
