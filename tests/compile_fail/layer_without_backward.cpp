// expect: hourglass: this layer has no backward<In>(w, x, y, dy, dx, context) const
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

struct Mine {
    static constexpr hg::Shape output(hg::Shape in) { return in; }
    template <hg::Shape In, class T>
    void forward(std::span<const T, 0>, hg::ConstView<T>, hg::View<T>, const hg::Context<T>&) const {}
#ifdef FIXED
    template <hg::Shape In, class T>
    void backward(std::span<const T, 0>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>, hg::View<T>,
                  const hg::Context<T>&) const {}
#endif
};

using Encoder = hg::Chain<hg::Shape{784}, Mine, hg::Dense<32>>;
static_assert(Encoder::depth == 2);
