// expect: hourglass: sample(n, rng) takes a generator, too: it draws the codes
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Model = hg::Autoencoder<hg::Chain<hg::Shape{8}, hg::Dense<4>>, hg::Chain<hg::Shape{2}, hg::Dense<8>>,
                              hg::GaussianLikelihood, hg::GaussianLatent>;

void use(const Model& model, hg::Rng& rng) {
#ifdef FIXED
    model.sample(10, rng);
#else
    static_cast<void>(rng);
    model.sample(10);
#endif
}
