// expect: hourglass: this layer has no forward<In>(w, x, y, context) const
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

struct Mine {
    static constexpr hg::Shape output(hg::Shape in) { return in; }
#ifdef FIXED
    template <hg::Shape In, class T>
    void forward(std::span<const T, 0>, hg::ConstView<T>, hg::View<T>, const hg::Context<T>&) const {}
#endif
    template <hg::Shape In, class T>
    void backward(std::span<const T, 0>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>, hg::View<T>,
                  const hg::Context<T>&) const {}
};

using Encoder = hg::Chain<hg::Shape{784}, Mine, hg::Dense<32>>;
static_assert(Encoder::depth == 2);
