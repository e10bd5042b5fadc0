// What a reader has at hand where the snippets of README.md and of the pages begin. README shows it, word for word but
// for this comment, the pragma and "inline". Each snippet is compiled behind this file, inside a main, and run.
#pragma once

#include <hourglass/hourglass.hpp>
#include <iostream>
#include <limits>
#include <span>
#include <string_view>

namespace hg = hourglass;

using E = hg::Chain<hg::Shape{784}, hg::Dense<32>, hg::ReLU>;
using E2 = hg::Chain<hg::Shape{784}, hg::Dense<64>>;
using D = hg::Chain<E::output, hg::Dense<784>, hg::Sigmoid>;

inline hg::Rng rng{42};
// Yours: in [0, 1], one column per sample; the same with noise; and others, with labels, 1 for an anomaly.
inline const Eigen::MatrixXf images = Eigen::MatrixXf::Constant(784, 300, 0.5f);
inline const Eigen::MatrixXf damaged = Eigen::MatrixXf::Constant(784, 300, 0.4f);
inline const Eigen::MatrixXf validation = Eigen::MatrixXf::Constant(784, 30, 0.5f);
inline const Eigen::VectorXi labels = Eigen::VectorXi::LinSpaced(30, 0, 29).unaryExpr([](int i) { return i % 2; });
// The kinds of the images, 0 … 9.
inline const Eigen::VectorXi classes = Eigen::VectorXi::LinSpaced(300, 0, 299).unaryExpr([](int i) { return i % 10; });
