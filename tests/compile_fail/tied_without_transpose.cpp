// expect: hourglass: Tied needs a transpose for every layer with weights
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

struct Scale {
    static constexpr hg::Shape output(hg::Shape in) { return in; }
    static constexpr hg::Index parameters(hg::Shape in) { return in.size(); }
    template <hg::Shape In, class T>
    void forward(std::span<const T, parameters(In)>, hg::ConstView<T>, hg::View<T>) const {}
    template <hg::Shape In, class T>
    void backward(std::span<const T, parameters(In)>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>,
                  hg::View<T>) const {}
    template <hg::Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>,
                  std::span<T, parameters(In)>) const {}
};

#ifdef FIXED
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<32>>;
#else
using Encoder = hg::Chain<hg::Shape{784}, Scale, hg::Dense<32>>;
#endif
using Decoder = hg::Tied<Encoder>;
static_assert(Decoder::output == Encoder::input);
