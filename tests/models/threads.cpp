// Passes on several threads give the bits of one: gradients, statistics, losses, steps and evaluation, of every kind of
// layer, loss and term, at batches that divide and that do not.
#include <algorithm>
#include <hourglass/hourglass.hpp>
#include <hourglass/workers.hpp>
#include <span>
#include <string>
#include <string_view>

#include "support/address_sanitizer.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

using Catch::Matchers::ContainsSubstring;

namespace hg = hourglass;
using hg::Index;
using hg::Shape;

namespace {

template <class T>
bool same(const T& a, const T& b) {
    return a.rows() == b.rows() && a.cols() == b.cols() && (a.array() == b.array()).all();
}

hg::Matrix<float> pictures(Index rows, Index columns, std::uint64_t seed) {
    hg::Rng rng{seed};
    return hg::Matrix<float>::NullaryExpr(rows, columns, [&] { return static_cast<float>(rng.uniform()); });
}

// What a few steps of training leave behind, and what the model then says of a larger batch.
struct Outcome {
    hg::Vector<float> values;

    template <class Values>
    void add(const Values& more) {
        const Index before = values.size();
        values.conservativeResize(before + more.size());
        for (Index i = 0; i < more.size(); ++i) values[before + i] = more.data()[i];
    }
    void add(float value) { add(hg::Vector<float>(hg::Vector<float>::Constant(1, value))); }
};

template <class Model>
Outcome train(Model model, hg::Workers* workers, const hg::Matrix<float>& x, const hg::Matrix<float>* condition) {
    Outcome outcome;
    hg::Rng rng{5};
    hg::Adam adam{{.learning_rate = 1e-2, .weight_decay = 1e-3}};
    auto tape = workers ? model.tape(*workers) : model.tape();
    const auto batch = [&](auto use) {
        if (condition)
            use(hg::given(x, *condition));
        else
            use(hg::Batch<float>(x));
    };
    hg::Matrix<float> dx;
    for (int step = 0; step < (oracle::address_sanitizer ? 1 : 3); ++step)
        batch([&](const auto& b) {
            outcome.add(model.gradient(b, x, tape, rng, dx));
            outcome.add(dx);
            outcome.add(model.gradient(b, tape, rng));
            outcome.add(tape.gradient());
            outcome.add(tape.statistics());
            adam.step(model, tape);
        });
    outcome.add(model.parameters());
    outcome.add(model.state());
    if (x.cols() < 100) return outcome;
    constexpr Index count = oracle::address_sanitizer ? 257 : 513;  // a block's last sample is alone
    const hg::Matrix<float> many = x.replicate(1, 5).leftCols(count);
    const hg::Matrix<float> conditions = condition ? hg::Matrix<float>(condition->replicate(1, 5).leftCols(count)) : x;
    const auto evaluate = [&](const auto& all) {
        outcome.add(model.loss(all, tape));
        outcome.add(hg::Matrix<float>(model.reconstruct(all, tape)));
        outcome.add(model.reconstruction_error(all, tape));
    };
    if (condition)
        evaluate(hg::given(many, conditions));
    else
        evaluate(hg::Batch<float>(many));
    return outcome;
}

template <class Model>
void check(const std::string& name, const Model& model, const hg::Matrix<float>* condition_of_all = nullptr) {
    for (const Index n : {1, 17, 45, 130}) {
        if (oracle::address_sanitizer && n < 130) continue;
        const hg::Matrix<float> x = pictures(Model::input_size, n, 3);
        const hg::Matrix<float> condition = condition_of_all ? hg::Matrix<float>(condition_of_all->leftCols(n)) : x;
        const auto run = [&](hg::Workers* workers) {
            return train(model.model, workers, x, condition_of_all ? &condition : nullptr).values;
        };
        const hg::Vector<float> alone = run(nullptr);
        CHECK(alone.allFinite());
        for (const int threads : {1, 2, 3, 8}) {
            if ((oracle::address_sanitizer || n != 130) && threads != 3) continue;
            hg::Workers workers{threads};
            CAPTURE(name, n, threads);
            CHECK(same(alone, run(&workers)));
        }
    }
}

// A layer of a program's own, that multiplies as Eigen does.
struct EigensProduct {
    static constexpr hg::Traits traits{.by_sample = true};
    static constexpr Shape output(Shape) { return {37}; }
    static constexpr Index parameters(Shape in) { return 37 * in.size(); }

    template <Shape In, class T>
    void initialize(std::span<T, parameters(In)> w, hg::Rng& rng) const {
        for (T& value : w) value = static_cast<T>(rng.uniform());
    }
    template <Shape In, class T>
    void forward(std::span<const T, parameters(In)> w, hg::ConstView<T> x, hg::View<T> y) const {
        const hg::Matrix<T> product = Eigen::Map<const hg::Matrix<T>>(w.data(), 37, In.size()) *
                                      Eigen::Map<const hg::Matrix<T>>(x.data(), x.rows(), x.cols());
        std::copy_n(product.data(), product.size(), y.data());
    }
    template <Shape In, class T>
    void backward(std::span<const T, parameters(In)>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>, hg::View<T>,
                  const hg::Context<T>&) const {}
    template <Shape In, class T>
    void gradient(std::span<const T, parameters(In)>, hg::ConstView<T>, hg::ConstView<T>, hg::ConstView<T>,
                  std::span<T, parameters(In)>, const hg::Context<T>&) const {}
};

template <class Encoder, class Decoder, class Loss, class... Terms>
struct Case {
    static constexpr Index input_size = Encoder::input.size();
    hg::Autoencoder<Encoder, Decoder, Loss, Terms...> model;

    explicit Case(const Loss& loss, const Terms&... terms) : model(Encoder{}, Decoder{}, rng(), loss, terms...) {}
    static hg::Rng& rng() {
        static hg::Rng rng{1};
        return rng;
    }
};

// A program's own threads, which would wait for themselves if one of their tasks asked for them.
struct OneAtATime final : hg::core::Team {
    bool busy = false;
    int calls = 0;

    int size() const override { return 2; }
    void run(Index tasks, void (*task)(void* what, Index i), void* what) override {
        REQUIRE_FALSE(busy);
        busy = true;
        for (Index i = tasks; i-- > 0;) task(what, i);
        busy = false;
        ++calls;
    }
};

}  // namespace

TEST_CASE("Dense models train on threads to the same bits") {
    using Encoder = hg::Chain<Shape{90}, hg::Dense<64>, hg::Sigmoid, hg::Dense<40>, hg::ReLU, hg::Dense<5>>;
    using Decoder = hg::Chain<Encoder::output, hg::Dense<40>, hg::ReLU, hg::Dense<90>, hg::Sigmoid>;
    check("deep", Case<Encoder, Decoder, hg::BinaryCrossEntropy>{{}});
    check("tied", Case<Encoder, hg::Tied<Encoder>, hg::MeanSquaredError>{{}});
    check("noise", Case<Encoder, Decoder, hg::MeanSquaredError, hg::GaussianNoise, hg::MaskingNoise>{
                       {}, hg::GaussianNoise{.1}, hg::MaskingNoise{.2}});
    check("terms",
          Case<Encoder, Decoder, hg::Huber, hg::L1, hg::Contractive>{hg::Huber{}, hg::L1{.1}, hg::Contractive{.1}});
}

TEST_CASE("Models with a contractive term train on threads to the same bits") {
    const auto check_contractive = []<class Encoder>(const std::string& name, std::type_identity<Encoder>) {
        for (const Index probes : {0, 2})
            check(name, Case<Encoder, hg::Mirror<Encoder>, hg::MeanSquaredError, hg::Contractive>{
                            {}, {.weight = .1, .probes = probes}});
    };
    using hg::Dense, hg::Sigmoid, hg::Tanh;
    check_contractive("one layer", std::type_identity<hg::Chain<Shape{90}, Dense<70>, Sigmoid>>{});
    check_contractive("between linear ends", std::type_identity<hg::Chain<Shape{90}, Dense<70>, Tanh, Dense<9>>>{});
    check_contractive("pass by pass", std::type_identity<hg::Chain<Shape{90}, Dense<70>, Tanh, Dense<9>, Sigmoid>>{});
    check_contractive("wider than its input", std::type_identity<hg::Chain<Shape{20}, Dense<70>, Tanh, Dense<5>>>{});
    using Series = hg::Chain<Shape{2, 40}, hg::Conv1D<4, 7, 3>, hg::SiLU, hg::MaxPooling1D<2>, hg::Flatten, Dense<6>>;
    using Wave = hg::Chain<Series::output, Dense<80>, hg::Reshape<2, 40>>;
    for (const Index probes : {0, 2})
        check("series",
              Case<Series, Wave, hg::MeanSquaredError, hg::Contractive>{{}, {.weight = .1, .probes = probes}});
}

TEST_CASE("Normalised, dropped, residual and conditional models train on threads to the same bits") {
    using Block = hg::Residual<hg::Dense<32>, hg::LayerNormalization, hg::ReLU, hg::Dense<32>>;
    using Encoder = hg::Chain<Shape{20}, hg::Condition<3>, hg::Dense<32>, hg::BatchNormalization, hg::ReLU, hg::Dropout,
                              Block, hg::Dense<8>>;
    using Decoder =
        hg::Chain<Shape{4}, hg::Condition<3>, hg::Dense<32>, Block, hg::BatchNormalization, hg::Dense<20>, hg::Sigmoid>;
    const hg::Matrix<float> condition = pictures(3, 130, 9);
    check("variational", Case<Encoder, Decoder, hg::BernoulliLikelihood, hg::GaussianLatent>{{}, {.beta = .5}},
          &condition);
    check("importance-weighted",
          Case<Encoder, Decoder, hg::BernoulliLikelihood, hg::GaussianLatent>{{}, {.samples = 3}}, &condition);
}

TEST_CASE("Sparse models train on threads to the same bits") {
    using Encoder = hg::Chain<Shape{30}, hg::Dense<48>>;
    using Decoder = hg::Chain<Shape{48}, hg::Dense<30>>;
    check("TopK", Case<Encoder, Decoder, hg::MeanSquaredError, hg::TopK<5>>{{}, {}});
    check("JumpReLU", Case<Encoder, Decoder, hg::MeanSquaredError, hg::JumpReLU>{{}, {}});
}

TEST_CASE("What looks across the batch gives the bits of one thread") {
    // As wide as it takes to be divided at all.
    static_assert(1100 * 130 >= hg::terms::least_for_threads && 300 * 130 >= hg::KlSparsity::least_for_threads);
    using Scores = hg::Chain<Shape{30}, hg::Dense<1100>>;
    check("BatchTopK", Case<Scores, hg::Mirror<Scores>, hg::MeanSquaredError, hg::BatchTopK<5>>{{}, {}});
    using Units = hg::Chain<Shape{30}, hg::Dense<300>, hg::BatchNormalization, hg::Sigmoid>;
    using Decoder = hg::Chain<Shape{300}, hg::Dense<40>, hg::BatchNormalization, hg::Dense<30>>;
    const Case<Units, Decoder, hg::MeanAbsoluteError, hg::KlSparsity, hg::MaximumMeanDiscrepancy> normalised{
        {}, hg::KlSparsity{.1, .05}, {}};
    check("normalised, KL and MMD", normalised);
    OneAtATime team;
    auto tape = normalised.model.tape(team);
    hg::Rng rng{1};
    normalised.model.gradient(pictures(30, 130, 3), tape, rng);
    CHECK(team.calls > 10);
}

TEST_CASE("Convolutional models train on threads to the same bits") {
    using Series = hg::Chain<Shape{2, 40}, hg::Conv1D<16, 7, 2, hg::Padding::Same>, hg::ReLU,
                             hg::Conv1D<32, 3, 1, hg::Padding::Same>, hg::SpatialDropout, hg::MaxPooling1D<2>,
                             hg::Flatten, hg::Dense<6>>;
    using Wave = hg::Chain<Shape{6}, hg::Dense<160>, hg::ReLU, hg::Reshape<16, 10>,
                           hg::Conv1DTranspose<8, 5, 2, hg::Padding::Same>, hg::ReLU, hg::UpSampling1D<2>,
                           hg::Conv1D<2, 3, 1, hg::Padding::Same>>;
    check("series", Case<Series, Wave, hg::MeanSquaredError>{{}});
    using Picture =
        hg::Chain<Shape{1, 12, 10}, hg::Conv2D<16, 3, 1, hg::Padding::Same>, hg::BatchNormalization, hg::ReLU,
                  hg::Conv2D<16, 3, 1, hg::Padding::Same>, hg::ReLU, hg::MaxPooling2D<2>, hg::Flatten, hg::Dense<7>>;
    using Back =
        hg::Chain<Shape{7}, hg::Dense<480>, hg::Reshape<16, 6, 5>, hg::Conv2DTranspose<16, 3, 2, hg::Padding::Same>,
                  hg::ReLU, hg::Conv2D<1, 3, 1, hg::Padding::Same>, hg::Sigmoid>;
    check("pictures", Case<Picture, Back, hg::BinaryCrossEntropy>{{}});
    using Code = hg::Chain<Shape{1, 12, 10}, hg::Conv2D<8, 3, 2, hg::Padding::Same>, hg::SiLU>;
    check("tied pictures", Case<Code, hg::Tied<Code>, hg::MeanSquaredError>{{}});
    using Runs = hg::Chain<Shape{2, 41}, hg::Conv1D<8, 5, 2, hg::Padding::Valid, 1, false>, hg::Tanh, hg::Conv1D<5, 3>>;
    check("tied series", Case<Runs, hg::Tied<Runs>, hg::MeanSquaredError, hg::Contractive>{{}, hg::Contractive{.01}});
}

TEST_CASE("Tied convolutions' gradient of a batch is the mean of its parts'") {
    using Code = hg::Chain<Shape{1, 12, 10}, hg::Conv2D<8, 3, 2, hg::Padding::Same>, hg::SiLU, hg::Conv2D<4, 3>>;
    const Case<Code, hg::Tied<Code>, hg::MeanSquaredError> start{{}};
    const hg::Matrix<float> x = pictures(120, 64, 3);  // four shards
    hg::Rng rng{1};
    auto tape = start.model.tape();
    Eigen::VectorXd mean = Eigen::VectorXd::Zero(start.model.parameters().size());
    for (Index first = 0; first < 64; first += 16) {
        start.model.gradient(x.middleCols(first, 16), tape, rng);
        mean += tape.gradient().cast<double>() / 4;
    }
    start.model.gradient(x, tape, rng);
    CHECK((tape.gradient().cast<double>() - mean).cwiseAbs().maxCoeff() <= 1e-6 * mean.cwiseAbs().maxCoeff());
}

TEST_CASE("A few large samples are divided, to the same bits") {
    using Encoder = hg::Chain<Shape{1, 600}, hg::Conv1D<16, 7, 2, hg::Padding::Same>, hg::ReLU,
                              hg::Conv1D<16, 3, 1, hg::Padding::Same>, hg::ReLU>;
    using Decoder = hg::Chain<Encoder::output, hg::Conv1DTranspose<16, 5, 2, hg::Padding::Same>, hg::ReLU,
                              hg::Conv1D<1, 3, 1, hg::Padding::Same>>;
    using Picture = hg::Chain<Shape{1, 32, 32}, hg::Conv2D<16, 3, 1, hg::Padding::Same>, hg::ReLU, hg::MaxPooling2D<2>>;
    using Back = hg::Chain<Picture::output, hg::Conv2DTranspose<16, 3, 2, hg::Padding::Same>, hg::ReLU,
                           hg::Conv2D<1, 3, 1, hg::Padding::Same>, hg::Sigmoid>;
    const auto of = [](const auto& model, Index size) {
        for (const Index n : {2, 3, 4, 5, 16, 19}) {
            const hg::Matrix<float> x = pictures(size, n, 3);
            const auto run = [&](hg::core::Team* team) {
                auto tape = team ? model.model.tape(*team) : model.model.tape();
                hg::Rng rng{1};
                hg::Matrix<float> dx;
                Outcome outcome;
                outcome.add(model.model.gradient(x, x, tape, rng, dx));
                outcome.add(dx);
                outcome.add(tape.gradient());
                outcome.add(hg::Matrix<float>(model.model.reconstruct(x, tape)));
                return outcome.values;
            };
            const hg::Vector<float> alone = run(nullptr);
            OneAtATime team;
            CHECK(same(alone, run(&team)));
            CHECK((team.calls >= 4) == (n >= 4));  // forward, back to the activations and to the weights; forward again
            for (const int threads : {2, 3, 8}) {
                hg::Workers workers{threads};
                CAPTURE(n, threads);
                CHECK(same(alone, run(&workers)));
            }
        }
    };
    of(Case<Encoder, Decoder, hg::MeanSquaredError>{{}}, 600);
    of(Case<Picture, Back, hg::BinaryCrossEntropy>{{}}, 1024);
}

TEST_CASE("Networks train on threads to the same bits") {
    using Critic = hg::Chain<Shape{50}, hg::Dense<64>, hg::ReLU, hg::Dropout, hg::Dense<10>, hg::Softmax>;
    hg::Rng first{2};
    const auto network = hg::network<Critic>(first);
    const hg::Matrix<float> x = pictures(50, 77, 4), dy = pictures(10, 77, 6);
    hg::Matrix<float> target = hg::Matrix<float>::Zero(10, 77);
    target.row(3).setOnes();
    const auto run = [&](hg::Workers* workers) {
        auto trained = network;
        auto tape = workers ? trained.tape(*workers) : trained.tape();
        hg::Rng rng{8};
        hg::Sgd sgd{{.learning_rate = .1}};
        Outcome outcome;
        hg::Matrix<float> dx;
        outcome.add(hg::Matrix<float>(trained.forward(x, tape, rng)));
        trained.backward(dy, tape, dx);
        outcome.add(dx);
        outcome.add(tape.gradient());
        sgd.step(trained, tape);
        outcome.add(trained.gradient(x, target, hg::CategoricalCrossEntropy{}, tape, rng));
        outcome.add(tape.gradient());
        trained.forward(x, tape, rng);
        trained.backward_input(dy, tape, dx);
        outcome.add(dx);
        outcome.add(hg::Matrix<float>(trained.evaluate(x, tape)));
        return outcome.values;
    };
    const hg::Vector<float> alone = run(nullptr);
    for (const int threads : {1, 2, 3, 8}) {
        hg::Workers workers{threads};
        CHECK(same(alone, run(&workers)));
    }
}

TEST_CASE("A target out of range is named by its place in the whole batch, on threads as on one") {
    using Encoder = hg::Chain<Shape{4}, hg::Dense<3>>;
    using Decoder = hg::Chain<Shape{3}, hg::Dense<4>, hg::Sigmoid>;
    Case<Encoder, Decoder, hg::BinaryCrossEntropy> model{{}};
    hg::Matrix<float> x = pictures(4, 100, 1);
    x(2, 90) = 1.5f, x(1, 95) = -1;
    hg::Workers workers{3};
    auto tape = model.model.tape(workers);
    hg::Rng rng{1};
    CHECK_THAT(error_of([&] { model.model.gradient(x, tape, rng); }), ContainsSubstring("feature 2 of sample 90"));
    x(2, 90) = x(1, 95) = .5f;
    CHECK_NOTHROW(model.model.gradient(x, tape, rng));
}

TEST_CASE("A step that would leave the finite numbers is refused on threads as on one") {
    using Encoder = hg::Chain<Shape{400}, hg::Dense<200>>;
    Case<Encoder, hg::Chain<Shape{200}, hg::Dense<400>>, hg::MeanSquaredError> model{{}};
    hg::Workers workers{3};
    auto tape = model.model.tape(workers);
    hg::Rng rng{1};
    model.model.gradient(pictures(400, 40, 1), tape, rng);
    const hg::Vector<float> before = model.model.parameters();
    tape.gradient()[150'000] = std::numeric_limits<float>::infinity();
    hg::Adam adam;
    CHECK_THAT(error_of([&] { adam.step(model.model, tape); }), ContainsSubstring("value 150000 of"));
    CHECK(same(before, hg::Vector<float>(model.model.parameters())));
    CHECK(adam.steps() == 0);
}

TEST_CASE("Adam keeps the largest averages on threads to the same bits") {
    using Encoder = hg::Chain<Shape{400}, hg::Dense<200>>;
    const Case<Encoder, hg::Chain<Shape{200}, hg::Dense<400>>, hg::MeanSquaredError> start{{}};
    const auto run = [&](hg::Workers* workers) {
        auto model = start.model;
        auto tape = workers ? model.tape(*workers) : model.tape();
        hg::Rng rng{1};
        hg::Adam adam{{.beta_2 = 0.5, .amsgrad = true}};
        for (std::uint64_t step = 0; step < 3; ++step) {
            model.gradient(pictures(400, 20, step), tape, rng);
            adam.step(model, tape);
        }
        Outcome outcome;
        outcome.add(model.parameters());
        outcome.add(adam.moments<float>());
        return outcome.values;
    };
    hg::Workers workers{3};
    CHECK(same(run(nullptr), run(&workers)));
}

TEST_CASE("Threads take a step where they have the gradient, or where it is large") {
    const auto calls_of_a_step = [](auto model, Index n) {
        OneAtATime team;
        auto tape = model.tape(team);
        hg::Rng rng{1};
        hg::Adam adam;
        model.gradient(pictures(400, n, 1), tape, rng);
        const int before = team.calls;
        adam.step(model, tape);
        return team.calls - before;
    };
    using Small = hg::Chain<Shape{400}, hg::Dense<25>>;  // 20 425 parameters
    using Large = hg::Chain<Shape{400}, hg::Dense<100>>;
    const Case<Small, hg::Chain<Shape{25}, hg::Dense<400>>, hg::MeanSquaredError> small{{}};
    const Case<Large, hg::Chain<Shape{100}, hg::Dense<400>>, hg::MeanSquaredError> large{{}};
    CHECK(calls_of_a_step(small.model, 40) > 0);
    CHECK(calls_of_a_step(small.model, 20) == 0);
    CHECK(calls_of_a_step(large.model, 20) > 0);
}

TEST_CASE("A tape that workers were given for another model of as many parameters serves, on one thread") {
    using Encoder = hg::Chain<Shape{4}, hg::Dense<3>, hg::ReLU>;
    using Other = hg::Chain<Shape{4}, hg::Dense<3>, hg::Sigmoid>;
    using Decoder = hg::Chain<Shape{3}, hg::Dense<4>>;
    const Case<Encoder, Decoder, hg::MeanSquaredError> model{{}};
    const Case<Other, Decoder, hg::MeanSquaredError> other{{}};
    hg::Workers workers{2};
    auto own = model.model.tape(), others = other.model.tape(workers);
    const hg::Matrix<float> x = pictures(4, 64, 1);
    hg::Rng first{1}, second{1};
    CHECK(model.model.gradient(x, own, first) == model.model.gradient(x, others, second));
    CHECK(same(own.gradient(), others.gradient()));
    CHECK(model.model.loss(x, own) == model.model.loss(x, others));
}

TEST_CASE("A layer of a program's own gives the same bits on threads, to a last sample that is alone too") {
    hg::Rng rng{1};
    const auto network = hg::network<hg::Chain<Shape{300}, EigensProduct>>(rng);
    hg::Workers workers{3};
    auto tape = network.tape(workers);
    for (const Index n : {257, 513, 769}) {
        CAPTURE(n);
        const hg::Matrix<float> x = pictures(300, n, 2);
        CHECK(same(network.evaluate(x), hg::Matrix<float>(network.evaluate(x, tape))));
    }
}
