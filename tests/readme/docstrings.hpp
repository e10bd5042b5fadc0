// What a reader of a docstring has at hand where its example begins; see docstrings.cmake.
#pragma once

#include <array>
#include <fstream>
#include <hourglass/freeze.hpp>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/constants.hpp>
#include <hourglass/io/python.hpp>
#include <hourglass/streaming.hpp>
#include <hourglass/tensor.hpp>
#if __has_include(<mpi.h>)
#include <hourglass/train/mpi.hpp>
#endif
#include <hourglass/workers.hpp>
#include <iostream>

namespace hg = hourglass;

using Encoder = hg::Chain<hg::Shape{784}, hg::Dense<64>, hg::ReLU>;
using Doubled = hg::Chain<hg::Shape{784}, hg::Dense<128>>;
using Decoder = hg::Chain<Encoder::output, hg::Dense<784>, hg::Sigmoid>;
using Critic = hg::Chain<hg::Shape{784}, hg::Dense<1>>;

inline hg::Rng rng{42};
inline auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::BinaryCrossEntropy{});
inline auto tape = model.tape();
inline hg::Adam adam;
inline const Eigen::VectorXi classes;
inline const Eigen::MatrixXf x, images, validation, labels, batch, dscore, raw_train, raw_test;
inline Eigen::MatrixXf dx, contributions;
inline const float loss = 0, mean_loss = 0, val_loss = 0;
inline const double threshold = 0;
inline const int epochs = 20;
inline const hg::Csv csv;

inline struct { bool read(float& value); } sensor;
inline float value;
void alarm(double score);
