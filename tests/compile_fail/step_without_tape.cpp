// expect: hourglass: step(model, tape) takes the tape, too
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

using Model = hg::Autoencoder<hg::Chain<hg::Shape{784}, hg::Dense<32>>, hg::Chain<hg::Shape{32}, hg::Dense<784>>,
                              hg::MeanSquaredError>;

void use(Model& model, hg::Adam& adam, hg::Tape<float>& tape) {
#ifdef FIXED
    adam.step(model, tape);
#else
    static_cast<void>(tape);
    adam.step(model);
#endif
}
