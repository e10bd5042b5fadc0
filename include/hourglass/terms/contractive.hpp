// The contractive penalty: how far the code moves when the input does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "hourglass/core/chain.hpp"
#include "hourglass/core/term.hpp"
#include "hourglass/terms/jacobian.hpp"
#include "hourglass/terms/jacobian_penalty.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// weight · ‖∂code/∂x‖²_F, the squared Frobenius norm of the whole encoder's Jacobian J, mean over the batch: the
/// penalty of contractive autoencoders (Rifai, Vincent, Muller, Glorot and Bengio 2011), there for one sigmoid layer,
/// here for a chain of any depth of layers that have a second derivative (layer.hpp: `tangent` and `curvature`). x is
/// what the encoder sees: behind a corruption, the corrupted input. Where another term makes the code (`TopK`,
/// `GaussianLatent`), J is that of the encoder's own output. At the kink of a ReLU its derivatives are those of the
/// lower side.
///
/// With `probes` = 0 value and gradient are exact. Linear layers followed by pointwise ones, such as the single sigmoid
/// layer, have a closed form that costs little, and so has one hidden layer narrower than the input, pointwise between
/// two linear ones; behind other linear layers than one `Dense`, convolutions say, it has up to 256 units. Other chains
/// cost one pass over the encoder for each value of the code.
///
/// With `probes` = k > 0 both are an unbiased estimate, (1/k) Σᵢ ‖Jᵀeᵢ‖² over k vectors e of random signs, drawn anew
/// for each sample and step (Hutchinson 1990), that costs k passes: for wide codes of other chains. Value and gradient
/// are exact all the same, in closed form, behind a single linear layer, and with a hidden layer of up to 1024 units
/// for a code of up to 8 times its width and of 1024 values; up to 256 units in both if that layer is not `Dense`. In
/// evaluation the signs stay the same.
///
///     hg::Contractive{0.1f}
///     hg::Contractive{.weight = 0.1, .probes = 4}
///
/// `check()`, which models call: `Error` unless the weight is finite and at least 0, and probes is at least 0.
struct Contractive {
    static constexpr std::string_view name = "Contractive";
    static constexpr Slot slot = Slot::Code;
    static constexpr bool over_encoder = true;

    double weight;     ///< at least 0
    Index probes = 0;  ///< k, vectors that the norm is estimated from; 0: it is exact

    constexpr void check() const {
        if (!(is_finite(weight) && weight >= 0 && weight <= 1e30))
            fail("Contractive: the weight must be finite and at least 0, got ", weight);
        if (probes < 0) fail("Contractive: the number of probes must be at least 0 (0: exact), got ", probes);
    }
    template <class Self, class Use>
    static void each_hyperparameter(Self& self, Use use) {
        use("weight", self.weight);
        use("probes", self.probes);
    }

    /// True: that it compiles says that the term can act on this encoder.
    template <class Encoder>
    static constexpr bool accepts() {
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return (true && ... &&
                    terms::HasSecondDerivative<typename Encoder::template Layer<I>, Encoder::plan.shapes[I]>::value);
        }
        (std::make_index_sequence<Encoder::depth>{});
    }

    /// Values of scratch memory that the methods below need for n samples.
    template <class Encoder, class T>
    static Index scratch(Index n) {
        static_assert(accepts<Encoder>());
        return terms::PenaltyMemory<Encoder, T>::room(n);
    }

    /// The penalty of a pass that has just run forward; its random numbers give the step's signs.
    template <class Encoder, class T>
    T value(const core::EncoderPass<T>& pass) const {
        return penalty<Encoder, T>(pass, nullptr, nullptr);
    }

    /// The same, adding the gradient with respect to the encoder's weights and to what its layers read, of which the
    /// model's way back makes that of all that lies before.
    template <class Encoder, class T>
    T gradient(const core::EncoderPass<T>& pass) const {
        return penalty<Encoder, T>(pass, pass.gradient, nullptr);
    }

    /// ‖J‖²_F of each sample of that pass, without the weight, assigned to `norms`; with probes the estimate.
    template <class Encoder, class T>
    void squared_norms(const core::EncoderPass<T>& pass, core::Accumulator<T>* norms) const {
        std::fill_n(norms, pass.samples, core::Accumulator<T>(0));
        penalty<Encoder, T>(pass, nullptr, norms);
    }

  private:
    template <class Encoder, class T>
    T penalty(const core::EncoderPass<T>& pass, T* gradient, core::Accumulator<T>* norms) const {
        const terms::PenaltyMemory<Encoder, T> memory(pass);
        return terms::JacobianPenalty{weight, probes}.compute(memory, gradient, norms);
    }
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
