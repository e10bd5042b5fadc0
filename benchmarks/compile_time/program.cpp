// What a user's file looks like: the umbrella header, one small autoencoder, trained and used. With DEEP, the encoder
// is a chain of 64 layers, no two of one width.
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

#ifdef DEEP
using Encoder =
    hg::Chain<hg::Shape{784}, hg::Dense<780>, hg::Dense<770>, hg::Dense<760>, hg::Dense<750>, hg::Dense<740>,
              hg::Dense<730>, hg::Dense<720>, hg::Dense<710>, hg::Dense<700>, hg::Dense<690>, hg::Dense<680>,
              hg::Dense<670>, hg::Dense<660>, hg::Dense<650>, hg::Dense<640>, hg::Dense<630>, hg::Dense<620>,
              hg::Dense<610>, hg::Dense<600>, hg::Dense<590>, hg::Dense<580>, hg::Dense<570>, hg::Dense<560>,
              hg::Dense<550>, hg::Dense<540>, hg::Dense<530>, hg::Dense<520>, hg::Dense<510>, hg::Dense<500>,
              hg::Dense<490>, hg::Dense<480>, hg::Dense<470>, hg::Dense<460>, hg::Dense<450>, hg::Dense<440>,
              hg::Dense<430>, hg::Dense<420>, hg::Dense<410>, hg::Dense<400>, hg::Dense<390>, hg::Dense<380>,
              hg::Dense<370>, hg::Dense<360>, hg::Dense<350>, hg::Dense<340>, hg::Dense<330>, hg::Dense<320>,
              hg::Dense<310>, hg::Dense<300>, hg::Dense<290>, hg::Dense<280>, hg::Dense<270>, hg::Dense<260>,
              hg::Dense<250>, hg::Dense<240>, hg::Dense<230>, hg::Dense<220>, hg::Dense<210>, hg::Dense<200>,
              hg::Dense<190>, hg::Dense<180>, hg::Dense<170>, hg::Dense<160>, hg::Dense<32>>;
#else
using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<128>, hg::ReLU, hg::Dense<32>>;
#endif
using Decoder = hg::Chain<Encoder::output, hg::Dense<128>, hg::ReLU, hg::Dense<784>, hg::Sigmoid>;

float train(const Eigen::MatrixXf& images, Eigen::MatrixXf& rebuilt) {
    hg::Rng rng{42};
    auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{});
    hg::Adam adam{{.learning_rate = 1e-3f}};
    auto tape = model.tape();
    float loss = 0;
    for (const auto& batch : hg::minibatches(images, 256, rng)) {
        loss = model.gradient(batch, tape, rng);
        adam.step(model, tape);
    }
    rebuilt = model.reconstruct(images);
    return loss;
}
