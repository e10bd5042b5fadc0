// When memory runs out, what is kept stays as it was or is freshly empty: the n-th request fails, for every n, by an
// allocator put in the place of the C library's.

#include <cstdio>
#include <hourglass/hourglass.hpp>
#include <new>
#include <type_traits>

#include "../support/failing_allocator.hpp"

namespace hg = hourglass;

static int failures = 0;

static void expect(bool holds, const char* what, long n) {
    if (holds) return;
    std::printf("%s: wrong after request %ld failed\n", what, n);
    ++failures;
}

// Runs `use` on a copy of what `make` makes, with the n-th request failing, for every n until none fails. After each
// failure `intact` must hold of it, and `use` must then succeed and give `done`.
template <class Make, class Use, class Intact, class Done>
static void check(const char* what, Make make, Use use, Intact intact, Done done) {
    for (long n = 1;; ++n) {
        auto subject = make();
        fail_at(n);
        bool failed = false;
        try {
            use(subject);
        } catch (const std::bad_alloc&) {
            failed = true;
        }
        fail_never();
        if (failed) {
            expect(intact(subject), what, n);
            use(subject);
        }
        expect(done(subject), what, n);
        if (!failed) {
            std::printf("%-45s %ld requests\n", what, n - 1);
            if (n == 1) expect(false, what, 0);  // nothing was asked for: nothing was tested
            return;
        }
    }
}

// A stand-in for a model.
struct Model {
    Eigen::VectorXf theta, running;
    Eigen::Map<const Eigen::VectorXf> parameters() const { return {theta.data(), theta.size()}; }
    Eigen::Map<const Eigen::VectorXf> state() const { return {running.data(), running.size()}; }
};

template <class T, class Optimizer>
static void check_optimizer(const char* what, const Optimizer& fresh) {
    using Vector = Eigen::VectorX<T>;
    struct Subject {
        Optimizer optimizer;
        Vector theta;
    };
    const Vector gradient = Vector::Constant(3000, T(0.5)), start = Vector::Ones(3000);
    Optimizer stepped = fresh;
    Vector after = start;
    stepped.step(after, gradient);
    const Eigen::MatrixX<T> moments = stepped.template moments<T>();
    check(
        what,
        [&] {
            return Subject{fresh, start};
        },
        [&](Subject& s) { s.optimizer.step(s.theta, gradient); },
        [&](const Subject& s) {
            return s.optimizer.steps() == 0 && s.optimizer.template moments<T>().size() == 0 && s.theta == start;
        },
        [&](const Subject& s) { return s.theta == after && s.optimizer.template moments<T>() == moments; });
    const Eigen::MatrixX<T> other = T(2) * moments;
    check(
        "… restored", [&] { return stepped; }, [&](Optimizer& o) { o.restore(other, 7); },
        [&](const Optimizer& o) { return o.steps() == 1 && o.template moments<T>() == moments; },
        [&](const Optimizer& o) { return o.steps() == 7 && o.template moments<T>() == other; });
    if constexpr (std::is_same_v<T, float>) {  // and to another scalar type
        const Eigen::MatrixXd in_double = other.template cast<double>();
        check(
            "… restored in double", [&] { return stepped; }, [&](Optimizer& o) { o.restore(in_double, 7); },
            [&](const Optimizer& o) { return o.steps() == 1 && o.template moments<float>() == moments; },
            [&](const Optimizer& o) {
                return o.template moments<double>() == in_double && o.template moments<float>().size() == 0;
            });
    }
}

// A tape that grows for a larger batch, dx with it; then evaluation on the same tape.
static void check_tape() {
    using Encoder = hg::Chain<hg::Shape{60}, hg::Dense<40>, hg::BatchNormalization, hg::ReLU, hg::Dense<10>>;
    using Decoder = hg::Chain<Encoder::output, hg::Residual<hg::Dense<10>, hg::Tanh>, hg::Dense<60>>;
    hg::Rng birth{1};
    const auto model = hg::autoencoder<Encoder, Decoder>(birth, hg::MeanSquaredError{}, hg::L1{0.1});
    const Eigen::MatrixXf many = Eigen::MatrixXf::Constant(60, 500, 0.5f), few = many.leftCols(4);
    struct Subject {
        hg::Tape<float> tape;
        Eigen::MatrixXf dx = Eigen::MatrixXf::Constant(2, 2, 3), code = {};
    };
    const auto use = [&](Subject& s) {
        hg::Rng rng{3};
        model.gradient(many, many, s.tape, rng, s.dx);
        s.code = model.encode(many, s.tape);
        model.loss(many, s.tape);
    };
    Subject expected{model.tape()};
    use(expected);
    check(
        "tape and dx",
        [&] {
            Subject s{model.tape()};
            hg::Rng rng{2};
            model.gradient(few, s.tape, rng);
            model.encode(few, s.tape);
            return s;
        },
        use, [&](const Subject& s) { return s.dx.size() == 0 || s.dx.size() == 4 || s.dx == expected.dx; },
        [&](Subject& s) {
            return s.dx == expected.dx && s.code == expected.code && s.tape.gradient() == expected.tape.gradient();
        });
    using Layers = hg::Chain<hg::Shape{60}, hg::Dense<40>, hg::Tanh, hg::Dense<3>>;
    const auto network = hg::network<Layers>(birth);
    const auto pass = [&](Subject& s) {
        hg::Rng rng{3};
        const Eigen::MatrixXf y = network.forward(many, s.tape, rng);
        network.backward(y, s.tape, s.dx);
    };
    Subject back{network.tape()};
    pass(back);
    check(
        "a network's tape and dx", [&] { return Subject{network.tape()}; }, pass,
        [&](const Subject& s) { return s.dx.size() == 0 || s.dx.size() == 4; },
        [&](Subject& s) { return s.dx == back.dx && s.tape.gradient() == back.tape.gradient(); });
}

int main() {
    check_tape();
    const Model first{Eigen::VectorXf::Constant(500, 1), Eigen::VectorXf::Constant(30, 2)};
    const Model second{Eigen::VectorXf::Constant(700, 3), Eigen::VectorXf::Constant(50, 4)};
    check(
        "EarlyStopping, first epoch", [] { return hg::EarlyStopping{{.patience = 1}}; },
        [&](hg::EarlyStopping& s) { s.update(1, first); },
        [](const hg::EarlyStopping& s) {
            try {
                return s.best(), false;
            } catch (const hg::Error&) {
                return true;
            }
        },
        [&](const hg::EarlyStopping& s) {
            return s.best() == 1 && s.best_epoch() == 0 && s.best_parameters() == first.theta.cast<double>() &&
                   s.best_state() == first.running.cast<double>();
        });
    check(
        "EarlyStopping, better epoch",
        [&] {
            hg::EarlyStopping stopping{{.patience = 1}};
            stopping.update(1, first);
            return stopping;
        },
        [&](hg::EarlyStopping& s) { s.update(0.5, second); },
        [&](const hg::EarlyStopping& s) {
            return s.best() == 1 && s.best_epoch() == 0 && s.best_parameters() == first.theta.cast<double>() &&
                   s.best_state() == first.running.cast<double>();
        },
        [&](const hg::EarlyStopping& s) {
            return s.best() == 0.5 && s.best_epoch() == 1 && s.best_parameters() == second.theta.cast<double>() &&
                   s.best_state() == second.running.cast<double>();
        });

    const char* const long_name = "a name that is too long to lie within a string itself";
    check(
        "History, first row", [] { return hg::History{}; },
        [&](hg::History& h) {
            h.add({{"loss", 1}, {long_name, 2}, {"val_loss", 3}});
        },
        [](const hg::History& h) { return h.rows() == 0 && h.names().empty(); },
        [&](const hg::History& h) {
            return h.rows() == 1 && h.names().size() == 3 && h[long_name].size() == 1 && h["val_loss"][0] == 3;
        });
    check(
        "History, later row",
        [&] {
            hg::History history;
            history.add({{"loss", 1}, {long_name, 2}, {"val_loss", 3}});
            return history;
        },
        [&](hg::History& h) {
            h.add({{"val_loss", 6}, {"loss", 4}, {long_name, 5}});
        },
        [&](const hg::History& h) {
            return h.rows() == 1 && h["loss"].size() == 1 && h[long_name].size() == 1 && h["val_loss"].size() == 1;
        },
        [&](const hg::History& h) {
            return h.rows() == 2 && h["loss"][1] == 4 && h[long_name][1] == 5 && h["val_loss"][1] == 6;
        });

    check_optimizer<float>("Adam, first step", hg::Adam{});
    check_optimizer<double>("RMSprop, first step, double", hg::RMSprop{{.momentum = 0.5, .centered = true}});

    const Eigen::MatrixXf x = Eigen::MatrixXf::Random(5, 40), wide = Eigen::MatrixXf::Random(50, 40);
    const hg::Rng start{7};
    struct Shuffled {
        hg::PairedMinibatches<float, float> batches;
        hg::Rng rng;
        float sum = 0;
    };
    hg::Rng drawn = start;
    auto fine = hg::minibatches(x, wide, 10);
    fine.shuffle(drawn);
    float expected = 0;
    for (const auto& [a, b] : fine) expected += a(0, 0) * b(1, 0);
    check(
        "Minibatches, shuffled and gathered",
        [&] {
            return Shuffled{hg::minibatches(x, wide, 10), start};
        },
        [](Shuffled& s) {
            s.rng = hg::Rng{7};
            s.batches.shuffle(s.rng);
            s.sum = 0;
            for (const auto& [a, b] : s.batches) s.sum += a(0, 0) * b(1, 0);
        },
        [](const Shuffled& s) { return s.batches.size() == 4; },
        [&](const Shuffled& s) { return s.sum == expected && s.rng == drawn; });
    hg::StandardScaler<float> fitted;
    fitted.fit(x);
    check(
        "StandardScaler", [&] { return fitted; }, [&](hg::StandardScaler<float>& s) { s.fit(wide); },
        [&](const hg::StandardScaler<float>& s) { return s.mean() == fitted.mean() && s.scale() == fitted.scale(); },
        [](const hg::StandardScaler<float>& s) { return s.mean().size() == 50 && s.scale().size() == 50; });
    hg::MinMaxScaler<float> spanned;
    spanned.fit(x);
    check(
        "MinMaxScaler", [&] { return spanned; }, [&](hg::MinMaxScaler<float>& s) { s.fit(wide); },
        [&](const hg::MinMaxScaler<float>& s) { return s.min() == spanned.min() && s.range() == spanned.range(); },
        [](const hg::MinMaxScaler<float>& s) { return s.min().size() == 50 && s.range().size() == 50; });
    return failures;
}
