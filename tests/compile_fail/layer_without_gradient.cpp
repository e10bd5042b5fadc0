// expect: hourglass: this layer has parameters, but no gradient<In>(w, x, y, dy, dw, context) const
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

struct Mine {
    static constexpr hg::Shape output(hg::Shape in) { return in; }
    static constexpr hg::Index parameters(hg::Shape in) { return in.channels; }
    template <hg::Shape In, class T>
    void forward(std::span<const T, parameters(In)>, hg::ConstView<T>, hg::View<T>, const hg::Context<T>&) const {}
    template <hg::Shape In, class T>
    void backward(std::span<const T, parameters(In)>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>, hg::View<T>,
                  const hg::Context<T>&) const {}
#ifdef FIXED
    template <hg::Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>,
                  std::span<T, parameters(In)>, const hg::Context<T>&) const {}
#endif
};

using Encoder = hg::Chain<hg::Shape{784}, Mine, hg::Dense<32>>;
static_assert(Encoder::depth == 2);
