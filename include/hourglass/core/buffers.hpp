// Where one pass of a network finds everything, and the same of a part of its samples.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstddef>

#include "hourglass/core/plan.hpp"
#include "hourglass/core/random.hpp"
#include "hourglass/core/workers.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace core {

/// Where a pass finds each activation, its gradient and each layer's cache.
template <class T, std::size_t Depth>
struct Buffers {
    template <class V>
    using Each = std::array<V, Depth + 1>;

    Each<T*> activation{}, gradient{}, cache{};
    Each<T*> shards{};                   // room for what parts of a batch give of a layer's dw
    Each<T*> added{};                    // what is added to the gradient of an activation on the way back
    Each<bool> written{};                // by plan.owner[i]: the gradient of activation i holds something already
    Index samples = 0, replicas = 1;     // columns, and how many a sample has …
    std::size_t replicated = Depth + 1;  // … from this activation on
    Index first = 0;                     // the number of the first sample in the batch
    const T* condition = nullptr;        // the values given with each sample
    const Stream* random = nullptr;      // of a training pass
    T* statistics = nullptr;
    Team* team = nullptr;  // who runs it, and how
    const TeamPasses* passes = nullptr;

    Index columns(std::size_t i) const { return i < replicated ? samples : samples * replicas; }

    /// The same of the samples of `part`, for one thread. Not inlined, as little else here: it would only cost the
    /// compiler time.
    EIGEN_DONT_INLINE Buffers part(const Plan<Depth>& plan, const Slice& part) const {
        Buffers b = *this;
        b.team = nullptr, b.samples = part.size, b.first = first + part.begin;
        for (std::size_t i = 0; i <= Depth; ++i) {
            const Index column = i < replicated ? part.begin : part.begin * replicas;
            const Index output = i + 1 < replicated ? part.begin : part.begin * replicas;
            if (activation[i]) b.activation[i] += plan.sizes[i] * column;
            if (gradient[i]) b.gradient[i] += plan.sizes[i] * column;
            if (added[i]) b.added[i] += plan.sizes[i] * column;
            if (cache[i]) b.cache[i] += plan.caches[i] * output;
        }
        if (condition) b.condition += plan.condition * part.begin;
        return b;
    }
};

}  // namespace core
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
