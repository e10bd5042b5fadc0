// Electrocardiograms that are made, not measured: the dynamical model of McSharry, Clifford, Tarassenko and Smith 2003
// ("A dynamical model for generating synthetic electrocardiogram signals", known as ECGSYN), in which beats come too
// early now and then: premature ventricular ones, wide and without a P wave.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <hourglass/core/random.hpp>
#include <vector>

namespace support {

/// What to generate.
struct EcgOptions {
    double seconds = 300;
    double sampling_rate = 128;  ///< samples per second
    double heart_rate = 66;      ///< mean beats per minute
    double heart_rate_std = 2;   ///< their standard deviation
    double ectopic = 0;          ///< probability of a beat to be premature; two never follow each other
    double noise = 0.01;         ///< standard deviation of the measurement noise, mV
};

/// One beat: samples begin … end − 1, from halfway after the beat before to halfway to the next.
struct Beat {
    Eigen::Index begin, end;
    bool ectopic;
};

struct Ecg {
    Eigen::RowVectorXf signal;  ///< in mV
    std::vector<Beat> beats;    ///< whole ones
};

/// One wave of a beat: at this angle of the cycle, this strong and this wide.
struct EcgWave {
    double angle, strength, width;
};

/// A point goes round the unit circle once a beat, angle θ from −π to π, and draws the signal z as it goes:
///
///     dz/dt = −Σᵢ aᵢ Δθᵢ exp(−Δθᵢ²/2bᵢ²) − (z − z₀(t)),   Δθᵢ = θ − θᵢ,
///
/// one term for each of the waves P, Q, R, S and T, with the paper's table of θᵢ, aᵢ and bᵢ. The beats' durations vary
/// with the paper's two frequencies, 0.1 Hz (blood pressure) and 0.25 Hz (breathing), at random phases; z₀ is the
/// wandering of the baseline with the breath. The point starts on the circle, which attracts it, so its distance from
/// the centre is left out. A premature beat hurries to its first wave and lingers after its last by as much: the pause
/// after it makes up for its coming early.
inline Ecg generate_ecg(const EcgOptions& options, hourglass::Rng& rng) {
    constexpr double pi = 3.14159265358979323846;
    constexpr std::array<EcgWave, 5> sinus{
        {{-pi / 3, 1.2, 0.25}, {-pi / 12, -5, 0.1}, {0, 30, 0.1}, {pi / 12, -7.5, 0.1}, {pi / 2, 0.75, 0.4}}};
    constexpr std::array<EcgWave, 5> premature{
        {{-pi / 3, 0, 0.25}, {-0.35, -2, 0.15}, {0, 14, 0.2}, {0.5, -3, 0.2}, {pi / 2, -0.8, 0.34}}};
    constexpr double millivolts = 25;  // of one unit of z: R becomes 1.2 mV
    constexpr double breath = 0.25;    // Hz

    // The spectrum of the beats' durations: two Gaussian peaks, the first half as strong, as a sum of sines.
    constexpr int sines = 60;
    std::array<double, sines> frequency{}, amplitude{}, phase{};
    double power = 0;
    for (std::size_t k = 0; k < sines; ++k) {
        frequency[k] = 0.4 * (static_cast<double>(k) + 0.5) / sines;
        const auto peak = [&](double centre) { return std::exp(-std::pow((frequency[k] - centre) / 0.01, 2) / 2); };
        amplitude[k] = std::sqrt(0.5 * peak(0.1) + peak(0.25));
        phase[k] = 2 * pi * rng.uniform();
        power += amplitude[k] * amplitude[k] / 2;
    }
    const double mean = 60 / options.heart_rate;
    const double spread = mean * options.heart_rate_std / options.heart_rate / std::sqrt(power);
    const auto duration = [&](double time) {
        double sum = mean;
        for (std::size_t k = 0; k < sines; ++k)
            sum += spread * amplitude[k] * std::sin(2 * pi * frequency[k] * time + phase[k]);
        return std::max(sum, mean / 2);
    };

    const double step = 1 / options.sampling_rate;
    const auto samples = static_cast<Eigen::Index>(options.seconds * options.sampling_rate);
    Ecg ecg;
    ecg.signal.resize(samples);
    double angle = -pi, z = 0, beat_duration = duration(0);
    Beat beat{0, 0, false};
    for (Eigen::Index i = 0; i < samples; ++i) {
        const double time = static_cast<double>(i) * step;
        // Radians per second. What a quarter of the circle gains at four times the speed, an eighth loses at 2/5 of it.
        const double speed = 2 * pi / beat_duration *
                             (!beat.ectopic       ? 1
                              : angle < -pi / 2   ? 4
                              : angle > 0.75 * pi ? 0.4
                                                  : 1);
        const auto slope = [&](double later, double value) {
            double sum = -(value - 0.15 / millivolts * std::sin(2 * pi * breath * (time + later)));
            for (const EcgWave& wave : beat.ectopic ? premature : sinus) {
                const double away = angle + speed * later - wave.angle;
                sum -= wave.strength * away * std::exp(-away * away / (2 * wave.width * wave.width));
            }
            return sum;
        };
        // Runge and Kutta's fourth-order step.
        const double k1 = slope(0, z), k2 = slope(step / 2, z + step / 2 * k1);
        const double k3 = slope(step / 2, z + step / 2 * k2), k4 = slope(step, z + step * k3);
        z += step / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
        angle += step * speed;
        ecg.signal[i] = static_cast<float>(millivolts * z + options.noise * rng.normal());
        if (angle >= pi) {
            angle -= 2 * pi;
            beat.end = i + 1;
            ecg.beats.push_back(beat);
            beat = {i + 1, 0, !beat.ectopic && rng.uniform() < options.ectopic};
            beat_duration = duration(time);
        }
    }
    return ecg;
}

}  // namespace support
