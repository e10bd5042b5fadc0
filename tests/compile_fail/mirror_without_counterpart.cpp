// expect: hourglass: Mirror needs a counterpart for every layer of the encoder
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

struct Halve {
    static constexpr hg::Shape output(hg::Shape in) { return {in.channels / 2, in.length}; }
    template <hg::Shape In, class T>
    void forward(std::span<const T, 0>, hg::ConstView<T>, hg::View<T>) const {}
    template <hg::Shape In, class T>
    void backward(std::span<const T, 0>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>, hg::View<T>) const {}
};

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>>;
#else
using Encoder = hg::Chain<hg::Shape{784}, Halve, hg::Dense<32>>;
#endif
using Decoder = hg::Mirror<Encoder>;
static_assert(Decoder::output == Encoder::input);
