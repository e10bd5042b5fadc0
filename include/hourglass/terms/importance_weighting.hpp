// The importance-weighted bound of several codes a sample, and its gradient.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <utility>

#include "hourglass/core/slice.hpp"
#include "hourglass/core/view.hpp"
#include "hourglass/core/workers.hpp"
#include "hourglass/terms/gaussian_code.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace terms {

/// What a step makes of k codes drawn for each sample (IWAE).
struct ImportanceWeighting {
    double beta;  ///< β, the weight of ln p(z) − ln q(z|x)

    /// Values of memory that `gradient` needs for targets of `rows` values and so many codes.
    static Index room(Index rows, Index codes) { return (rows + 2) * codes; }
    /// The bound (Burda, Grosse and Salakhutdinov 2016) of the k codes z drawn for each sample:
    /// −ln (1/k) Σ wⱼ, ln wⱼ = ln p(x|zⱼ) + β (ln p(zⱼ) − ln q(zⱼ|x)), mean over the n samples. Its gradient is that of
    /// every −ln wⱼ, weighted by wⱼ/Σw.
    ///
    /// `bind(first)`: −ln p(x|z) of the codes from number `first` on. `prediction`: features × n·k. `target`: features
    /// × n. `x`: the encoder's output, of n columns. `code`: of n·k. Assigns dprediction, which may be the prediction's
    /// memory, and adds to dx and dcode. `scratch`: as above. Returns the weighted reconstruction, and what else the
    /// bound holds. Shard by shard, on the team's threads, where the loss can tell what some samples give.
    template <Shape In, class T, class Bind>
    std::pair<T, T> gradient(const Bind& bind, ConstView<T> prediction, ConstView<T> target, ConstView<T> x,
                             ConstView<T> code, View<T> dprediction, View<T> dx, View<T> dcode, T* scratch,
                             core::Team* team) const {
        const Index n = target.cols(), k = code.cols() / n;
        const auto of = [&](const Slice& some) {
            using core::columns_of;
            const Slice codes{some.begin * k, some.size * k};
            return weighted_part<In, T>(bind(codes.begin), n, columns_of(prediction, codes), columns_of(target, some),
                                        columns_of(x, some), columns_of(code, codes), columns_of(dprediction, codes),
                                        columns_of(dx, some), columns_of(dcode, codes),
                                        scratch + room(target.rows(), codes.begin));
        };
        constexpr bool in_parts = requires {
            bind(Index{0}).template gradient_of_part<T>(prediction, target, dprediction, Index{1});
        };
        const Bound<T> sum = in_parts ? core::sum_of_shards<Bound<T>>(team, n, of) : of({0, n});
        const T samples_ = T(static_cast<double>(n));
        return {sum.reconstruction / samples_, (sum.bound - sum.reconstruction) / samples_};
    }

  private:
    // Sums over samples: of the bound, and of the reconstruction in it.
    template <class T>
    struct Bound {
        T bound = T(0), reconstruction = T(0);

        void operator+=(const Bound& more) { bound += more.bound, reconstruction += more.reconstruction; }
    };
    // The weighted gradient of some of `n` samples.
    template <Shape In, class T, class Loss>
    Bound<T> weighted_part(const Loss& loss, Index n, ConstView<T> prediction, ConstView<T> target, ConstView<T> x,
                           ConstView<T> code, View<T> dprediction, View<T> dx, View<T> dcode, T* scratch) const {
        const Index rows = target.rows(), codes = code.cols(), k = codes / target.cols();
        T *const repeated = scratch, *const cost = repeated + rows * codes, *const weight = cost + codes;
        const ConstView<T> targets{repeated, rows, codes};
        for (Index j = 0; j < codes; ++j) std::copy_n(target.data() + j / k * rows, rows, repeated + j * rows);
        loss.template samples<T>(prediction, targets, Eigen::Map<Vector<T>>{cost, codes});
        log_ratio<In>(x, code, weight);
        Bound<T> sum;
        for (Index j = 0; j < codes; j += k) sum += normalise(k, cost + j, weight + j);

        if constexpr (requires { loss.template gradient_of_part<T>(prediction, targets, dprediction, n); })
            loss.template gradient_of_part<T>(prediction, targets, dprediction, n * k);
        else
            loss.template gradient<T>(prediction, targets, dprediction);
        for (Index j = 0; j < codes; ++j) {  // the loss is a mean over n·k samples, this a weighted one over n
            for (Index i = 0; i < rows; ++i) dprediction(i, j) *= T(static_cast<double>(k)) * weight[j];
            weight[j] = weight[j] / T(static_cast<double>(n));
        }
        add_log_ratio_gradient<In>(x, code, weight, dx, dcode);
        return sum;
    }

    // ratio[j] = β (ln q(z|x) − ln p(z)) of code number j.
    template <Shape In, class T>
    void log_ratio(ConstView<T> x, ConstView<T> z, T* ratio) const {
        each_value<In>(x, z, [&](Index j, const T& mean, const T& l, const T& code, bool first, Index, Index, Index) {
            using std::exp;
            const T off = code - mean, share = T(0.5 * beta) * (code * code - l - off * off * exp(T(-l)));
            ratio[j] = first ? share : T(ratio[j] + share);
        });
    }
    // Adds Σⱼ weight[j] ∂ratio[j]/∂(x, z) to dx and dz.
    template <Shape In, class T>
    void add_log_ratio_gradient(ConstView<T> x, ConstView<T> z, const T* weight, View<T> dx, View<T> dz) const {
        each_value<In>(
            x, z,
            [&](Index j, const T& mean, const T& l, const T& code, bool, Index at_mean, Index at_log, Index at_code) {
                using std::exp;
                const T scale = T(beta) * weight[j], precision = exp(T(-l)), off = code - mean;
                const T raw = x.data()[at_log];
                dz.data()[at_code] += scale * (code - off * precision);
                dx.data()[at_mean] += scale * off * precision;
                if (raw > T(-largest_log_variance) && raw < T(largest_log_variance))
                    dx.data()[at_log] += scale * T(0.5) * (off * off * precision - T(1));
            });
    }
    // Of one sample's k codes: `weight` holds ln q − ln p and receives wⱼ/Σw. The bound is −ln (1/k) Σ wⱼ, and the
    // reconstruction the weighted cost.
    template <class T>
    static Bound<T> normalise(Index k, const T* cost, T* weight) {
        using std::exp, std::log;
        T least = cost[0] + weight[0], sum(0), reconstruction(0);
        for (Index j = 0; j < k; ++j) {
            weight[j] = cost[j] + weight[j];
            if (weight[j] < least) least = weight[j];
        }
        for (Index j = 0; j < k; ++j) {
            weight[j] = exp(T(least - weight[j]));
            sum += weight[j];
        }
        for (Index j = 0; j < k; ++j) {
            weight[j] = weight[j] / sum;
            reconstruction += weight[j] * cost[j];
        }
        return {least - log(T(sum / T(static_cast<double>(k)))), reconstruction};
    }

    // Calls use(code, μ, ℓ, z, whether it is the code's first value, and where the three lie).
    template <Shape In, class T, class Use>
    static void each_value(ConstView<T> x, ConstView<T> z, Use use) {
        each_half<In>(z.cols(), z.cols() / x.cols(), [&](Index mean, Index log_variance, Index code, Index count) {
            for (Index i = 0; i < count; ++i) {
                const T raw = x.data()[log_variance + i];
                const T high = raw > T(largest_log_variance) ? T(largest_log_variance) : raw;
                const T l = high < T(-largest_log_variance) ? T(-largest_log_variance) : high;
                use((code + i) / z.rows(), x.data()[mean + i], l, z.data()[code + i], (code + i) % z.rows() == 0,
                    mean + i, log_variance + i, code + i);
            }
        });
    }
};

}  // namespace terms
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
