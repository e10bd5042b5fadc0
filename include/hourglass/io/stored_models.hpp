// Models and networks in a file.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/io/stored.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// A model or a network.
template <class O>
concept Model = requires(const O& o) {
    o.architecture();
    o.parameters();
    o.state();
};

// Layers, loss and terms are known by their names in a file.
template <Model O>
void require_names(const O& model) {
    model.each_part([]<class Part>(std::string_view, const Part&) {
        static_assert(
            requires { Part::name; },
            "hourglass: a layer, loss or term in a file needs a name: static constexpr std::string_view name");
    });
}

template <Model O>
void add(Contents& contents, const std::string& name, const O& model) {
    require_names(model);
    const auto put = [&](std::string_view array, std::span<const Index> extents, const auto& values, const Weight& of) {
        contents.add(behind(name, array), reversed(extents), values.data(), Use::Parameters);
        if (const Index i = core::first_out_of_range(of, values.data()); i >= 0)
            fail("save: tensor ", behind(name, array), ": value ", i, " of ", values.size(), " is ", values[i],
                 ", expected at least 0: nothing was written");
    };
    contents.describe(named_or(name, O::kind_name()), model.architecture());
    contents.describe(named_or(name, O::kind_name()) + ".hyperparameters", hyperparameters_line(model));
    model.each_weight(put);
    model.each_state(put);
}
template <Model O>
auto staged(Source& source, const std::string& name, O& model, bool convert) {
    require_names(model);
    using T = typename O::Scalar;
    std::vector<std::pair<const Tensor*, T*>> arrays;
    const auto take = [&](std::string_view array, std::span<const Index> extents, auto values, const Weight& of) {
        const Tensor& tensor = source.take<T>(behind(name, array), reversed(extents), convert);
        if (of.not_negative) source.require_not_negative<T>(tensor);
        arrays.emplace_back(&tensor, values.data());
    };
    source.require_description(named_or(name, O::kind_name()), model.architecture());
    model.each_weight(take);
    model.each_state(take);
    return [arrays = std::move(arrays),
            numbers =
                PendingHyperparameters(source, named_or(name, O::kind_name()) + ".hyperparameters", model)]() noexcept {
        numbers.assign();
        for (const auto& [tensor, to] : arrays)
            if (tensor->type.name == element_type<T>())
                std::memcpy(to, tensor->bytes.data(), tensor->bytes.size());
            else
                for (Index i = 0; i < tensor->size(); ++i) to[i] = converted<T>(*tensor, i);
    };
}

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
