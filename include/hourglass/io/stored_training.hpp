// What a run consists of beside its model, in a file: optimisers, random state, order of the batches, early stopping,
// a learning rate that falls on a plateau, a moving average of weights, history.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/core/random.hpp"
#include "hourglass/data/minibatches.hpp"
#include "hourglass/io/stored.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// An optimiser.
template <class O>
concept OptimizerLike = requires(const O& o) {
    typename O::Options;
    o.template moments<float>();
    o.excluded_from_weight_decay();
};
/// Early stopping.
template <class O>
concept ProgressKeeper = requires(const O& o) {
    O{o.options(), o.progress()};
    o.progress().best_parameters;
};
/// What lowers a learning rate on a plateau.
template <class O>
concept PlateauWatcher = requires(const O& o) {
    O{o.options(), o.progress()};
    o.progress().cooling;
};
/// A moving average of a model's weights.
template <class O>
concept WeightAverage = requires(const O& o) {
    O{o.options(), o.progress()};
    o.progress().updates;
    o.swapped();
};
/// A history.
template <class O>
concept Table = requires(const O& o, std::vector<std::string> names, std::vector<std::vector<double>> columns) {
    O{names, columns};
    o.names();
};
/// Batches of a data set.
template <class O>
concept BatchesLike = requires(const O& o) {
    { o.order() } -> std::same_as<const data::BatchOrder&>;
};

template <OptimizerLike O>
void add(Contents& contents, const std::string& name, const O& optimizer) {
    const std::string key = named_or(name, lower(optimizer.name()));
    contents.describe(key, optimizer.name());
    contents.describe(key + ".hyperparameters", options_line(optimizer.options()));
    contents.add_number(key + ".steps", std::int64_t{optimizer.steps()}, Use::Values);
    const auto put = [&](const auto& moments) {
        contents.add(key + ".moments", {moments.cols(), moments.rows()}, moments.data(), Use::Values);
    };
    if (optimizer.template moments<double>().rows() > 0)
        put(optimizer.template moments<double>());
    else
        put(optimizer.template moments<float>());
}
template <OptimizerLike O>
auto staged(Source& source, const std::string& name, O& optimizer, bool) {
    const std::string key = named_or(name, lower(optimizer.name()));
    source.require_description(key, optimizer.name());
    const auto steps = static_cast<Index>(source.take_number<std::int64_t>(key + ".steps"));
    const Tensor& moments = source.take(key + ".moments");
    if (!is_floating(moments) || moments.type.size < 4 || moments.shape.size() != 2)
        fail(source.where(), "tensor ", moments.name, " is ", moments.type.name, " ", shown(moments.shape),
             ", expected F32 or F64, kinds x parameters");
    const auto options = read_options(source, key, optimizer.options());
    O made(optimizer.options());
    within(source.where() + key + ": ", [&] {
        made = O(options);
        const auto restore = [&]<class T>(Matrix<T> values) {
            if (values.size() > 0) std::memcpy(values.data(), moments.bytes.data(), moments.bytes.size());
            made.restore(values, steps);
        };
        if (moments.type.name == "F32")
            restore(Matrix<float>(moments.shape[1], moments.shape[0]));
        else
            restore(Matrix<double>(moments.shape[1], moments.shape[0]));
        made.exclude_from_weight_decay(optimizer.excluded_from_weight_decay());
    });
    return replacing(optimizer, std::move(made));
}

inline void add(Contents& contents, const std::string& name, const Rng& rng) {
    const Rng::State state = rng.state();
    const std::string key = named_or(name, "rng");
    contents.add_number(key + ".seed", state.seed, Use::Record);
    contents.add_number(key + ".step", state.step, Use::Record);
    contents.add_number(key + ".position", state.position, Use::Record);
}
inline auto staged(Source& source, const std::string& name, Rng& rng, bool) {
    const std::string key = named_or(name, "rng");
    const auto number = [&](const char* of) { return source.take_number<std::uint64_t>(behind(key, of)); };
    const auto seed = number("seed"), step = number("step"), position = number("position");
    return replacing(rng, Rng(Rng::State{seed, step, position}));
}

template <BatchesLike O>
void add(Contents& contents, const std::string& name, const O& batches) {
    const std::string key = named_or(name, "minibatches");
    const data::BatchOrder& order = batches.order();
    contents.add_number(key + ".samples", std::int64_t{order.samples()}, Use::Record);
    contents.add_number(key + ".batch_size", std::int64_t{order.batch_size()}, Use::Record);
    contents.add_number(key + ".batches", std::int64_t{order.batches()}, Use::Record);
    contents.add_number(key + ".next", std::int64_t{order.next()}, Use::Record);
    contents.add(key + ".order", {static_cast<Index>(order.order().size())}, order.order().data(), Use::Record);
}
template <BatchesLike O>
auto staged(Source& source, const std::string& name, O& batches, bool) {
    const std::string key = named_or(name, "minibatches");
    const data::BatchOrder& order = batches.order();
    const auto require = [&](const char* of, Index expected) {
        const auto found = source.take_number<std::int64_t>(behind(key, of));
        if (found != expected) fail(source.where(), behind(key, of), " is ", found, ", here it is ", expected);
    };
    require("samples", order.samples());
    require("batch_size", order.batch_size());
    require("batches", order.batches());
    const auto next = static_cast<Index>(source.take_number<std::int64_t>(key + ".next"));
    const Vector<Index> samples = take_vector<Index>(source, key + ".order");
    data::BatchOrder made = order;
    // What it says begins with "minibatches: " itself.
    within(name.empty() ? source.where() : source.where() + key + ": ", [&] {
        made.restore({samples.begin(), samples.end()}, next);
    });
    return replacing(batches.order(), std::move(made));
}

template <ProgressKeeper O>
void add(Contents& contents, const std::string& name, const O& stopping) {
    const std::string key = named_or(name, "early_stopping");
    const auto& progress = stopping.progress();
    contents.describe(key, "EarlyStopping");
    contents.describe(key + ".hyperparameters", options_line(stopping.options()));
    contents.add_number(key + ".epochs", std::int64_t{progress.epochs}, Use::Values);
    contents.add_number(key + ".best_epoch", std::int64_t{progress.best_epoch}, Use::Values);
    contents.add_number(key + ".best", progress.best, Use::Values);
    add_vector<double>(contents, key + ".best_parameters", progress.best_parameters);
    add_vector<double>(contents, key + ".best_state", progress.best_state);
}
template <ProgressKeeper O>
auto staged(Source& source, const std::string& name, O& stopping, bool) {
    const std::string key = named_or(name, "early_stopping");
    source.require_description(key, "EarlyStopping");
    typename O::Progress progress;
    progress.epochs = static_cast<Index>(source.take_number<std::int64_t>(key + ".epochs"));
    progress.best_epoch = static_cast<Index>(source.take_number<std::int64_t>(key + ".best_epoch"));
    progress.best = source.take_number<double>(key + ".best", true);
    progress.best_parameters = take_vector<double>(source, key + ".best_parameters");
    progress.best_state = take_vector<double>(source, key + ".best_state");
    const auto options = read_options(source, key, stopping.options());
    O made{stopping.options()};
    within(source.where() + key + ": ", [&] { made = O{options, std::move(progress)}; });
    return replacing(stopping, std::move(made));
}

template <PlateauWatcher O>
void add(Contents& contents, const std::string& name, const O& plateau) {
    const std::string key = named_or(name, "reduce_lr_on_plateau");
    const auto& progress = plateau.progress();
    contents.describe(key, "ReduceLROnPlateau");
    contents.describe(key + ".hyperparameters", options_line(plateau.options()));
    contents.add_number(key + ".any", std::int64_t{progress.any}, Use::Values);
    contents.add_number(key + ".best", progress.best, Use::Values);
    contents.add_number(key + ".waited", std::int64_t{progress.waited}, Use::Values);
    contents.add_number(key + ".cooling", std::int64_t{progress.cooling}, Use::Values);
}
template <PlateauWatcher O>
auto staged(Source& source, const std::string& name, O& plateau, bool) {
    const std::string key = named_or(name, "reduce_lr_on_plateau");
    source.require_description(key, "ReduceLROnPlateau");
    const auto whole = [&](const char* of) { return source.take_number<std::int64_t>(behind(key, of)); };
    typename O::Progress progress;
    progress.any = whole("any") != 0;
    progress.best = source.take_number<double>(key + ".best", true);
    progress.waited = static_cast<Index>(whole("waited"));
    progress.cooling = static_cast<Index>(whole("cooling"));
    const auto options = read_options(source, key, plateau.options());
    O made{plateau.options()};
    within(source.where() + key + ": ", [&] { made = O{options, progress}; });
    return replacing(plateau, std::move(made));
}

template <WeightAverage O>
void add(Contents& contents, const std::string& name, const O& average) {
    const std::string key = named_or(name, "exponential_moving_average");
    const auto& progress = average.progress();
    contents.describe(key, "ExponentialMovingAverage");
    contents.describe(key + ".hyperparameters", options_line(average.options()));
    contents.add_number(key + ".updates", std::int64_t{progress.updates}, Use::Values);
    add_vector<double>(contents, key + ".parameters", progress.parameters);
    add_vector<double>(contents, key + ".state", progress.state);
}
template <WeightAverage O>
auto staged(Source& source, const std::string& name, O& average, bool) {
    const std::string key = named_or(name, "exponential_moving_average");
    if (average.swapped())
        fail(source.where(), key, ": a model holds the average: swap it back first, or its own weights are lost");
    source.require_description(key, "ExponentialMovingAverage");
    typename O::Progress progress;
    progress.updates = static_cast<Index>(source.take_number<std::int64_t>(key + ".updates"));
    progress.parameters = take_vector<double>(source, key + ".parameters");
    progress.state = take_vector<double>(source, key + ".state");
    const auto options = read_options(source, key, average.options());
    O made{average.options()};
    within(source.where() + key + ": ", [&] { made = O{options, std::move(progress)}; });
    return replacing(average, std::move(made));
}

template <Table O>
void add(Contents& contents, const std::string& name, const O& history) {
    const std::string key = named_or(name, "history");
    std::string names = "[";
    for (const std::string& column : history.names()) (names += names.size() > 1 ? "," : "") += json_text(column);
    contents.describe(key, names + "]");
    for (const std::string& column : history.names()) {
        const std::vector<double>& values = history[column];
        contents.add(behind(key, column), {static_cast<Index>(values.size())}, values.data(), Use::Record);
    }
}
template <Table O>
auto staged(Source& source, const std::string& name, O& history, bool) {
    const std::string key = named_or(name, "history");
    std::vector<std::string> names;
    JsonReader line(source.description(key), source.where() + key + ": ");
    line.each_element([&] {
        std::string column = line.string();
        if (std::find(names.begin(), names.end(), column) != names.end())
            fail(source.where(), key, ": the column ", column, " stands twice");
        names.push_back(std::move(column));
    });
    line.expect_end();
    std::vector<std::vector<double>> columns;
    for (const std::string& column : names) {
        const Vector<double> values = take_vector<double>(source, behind(key, column));
        columns.emplace_back(values.begin(), values.end());
    }
    O made;
    within(source.where() + key + ": ", [&] { made = O{std::move(names), std::move(columns)}; });
    return replacing(history, std::move(made));
}

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
