// expect: &prediction(0, 0)
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

// The compiler's own error, which is to show this line: a read-only view hands out values, and not where they lie.
struct First {
    static constexpr hg::Slot slot = hg::Slot::Loss;
    void check() const {}
    template <class T>
    T value(const hg::ConstView<T>& prediction, const hg::ConstView<T>& target) const {
#ifdef FIXED
        const T* const first = prediction.data();
#else
        const T* const first = &prediction(0, 0);
#endif
        return *first - target(0, 0);
    }
    template <class T>
    T gradient(const hg::ConstView<T>& prediction, const hg::ConstView<T>& target, const hg::View<T>&) const {
        return value(prediction, target);
    }
    template <class T, class Each>
    void samples(const hg::ConstView<T>&, const hg::ConstView<T>&, Each&) const {}
};

using Model =
    hg::Autoencoder<hg::Chain<hg::Shape{784}, hg::Dense<32>>, hg::Chain<hg::Shape{32}, hg::Dense<784>>, First>;

float use(const Model& model, const Eigen::MatrixXf& x) { return model.loss(x); }
