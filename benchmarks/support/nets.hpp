// The networks of the benchmarks, W1 to W8 as step/step.cpp describes them.
#pragma once

#include <hourglass/hourglass.hpp>

namespace nets {

namespace hg = hourglass;

using Sigmoid = hg::Sigmoid;
using SmallEncoder = hg::Chain<hg::Shape{784}, hg::Dense<32>, hg::ReLU>;
using SmallDecoder = hg::Chain<SmallEncoder::output, hg::Dense<784>, Sigmoid>;
using EcgEncoder = hg::Chain<hg::Shape{140}, hg::Dense<32>, hg::ReLU, hg::Dense<16>, hg::ReLU, hg::Dense<8>, hg::ReLU>;
using EcgDecoder =
    hg::Chain<EcgEncoder::output, hg::Dense<16>, hg::ReLU, hg::Dense<32>, hg::ReLU, hg::Dense<140>, Sigmoid>;
using DeepEncoder = hg::Chain<hg::Shape{784}, hg::Dense<1000>, Sigmoid, hg::Dense<500>, Sigmoid, hg::Dense<250>,
                              Sigmoid, hg::Dense<30>, Sigmoid>;
using DeepDecoder = hg::Chain<DeepEncoder::output, hg::Dense<250>, Sigmoid, hg::Dense<500>, Sigmoid, hg::Dense<1000>,
                              Sigmoid, hg::Dense<784>, Sigmoid>;

template <hg::Index Filters, hg::Index Stride>
using Down = hg::Conv1D<Filters, 7, Stride, hg::Padding::Same>;
template <hg::Index Filters, hg::Index Stride>
using Up = hg::Conv1DTranspose<Filters, 7, Stride, hg::Padding::Same>;
template <hg::Index Length>
using SeriesEncoder = hg::Chain<hg::Shape{1, Length}, Down<32, 2>, hg::ReLU, Down<16, 2>, hg::ReLU>;
template <hg::Index Length>
using SeriesDecoder = hg::Chain<SeriesEncoder<Length>::output, Up<16, 2>, hg::ReLU, Up<32, 2>, hg::ReLU, Up<1, 1>>;
using WaveEncoder = SeriesEncoder<288>;
using WaveDecoder = SeriesDecoder<288>;

using LatentEncoder = hg::Chain<hg::Shape{784}, hg::Dense<400>, hg::ReLU, hg::Dense<40>>;
using LatentDecoder = hg::Chain<hg::Shape{20}, hg::Dense<400>, hg::ReLU, hg::Dense<784>, Sigmoid>;

template <hg::Index Filters, hg::Index Stride = 1, hg::Padding Pad = hg::Padding::Same>
using Conv = hg::Conv2D<Filters, 3, Stride, Pad>;
template <hg::Index Filters, hg::Index Stride>
using Back = hg::Conv2DTranspose<Filters, 3, Stride, hg::Padding::Same>;
using Pool = hg::MaxPooling2D<2, 2, hg::Padding::Same>;
using BlogEncoder =
    hg::Chain<hg::Shape{1, 28, 28}, Conv<16>, hg::ReLU, Pool, Conv<8>, hg::ReLU, Pool, Conv<8>, hg::ReLU, Pool>;
using BlogDecoder =
    hg::Chain<BlogEncoder::output, Conv<8>, hg::ReLU, hg::UpSampling2D<>, Conv<8>, hg::ReLU, hg::UpSampling2D<>,
              Conv<16, 1, hg::Padding::Valid>, hg::ReLU, hg::UpSampling2D<>, Conv<1>, Sigmoid>;
using StridedEncoder =
    hg::Chain<hg::Shape{1, 28, 28}, Conv<32, 2>, hg::ReLU, Conv<64, 2>, hg::ReLU, hg::Flatten, hg::Dense<16>>;
using StridedDecoder = hg::Chain<hg::Shape{16}, hg::Dense<3136>, hg::ReLU, hg::Reshape<64, 7, 7>, Back<64, 2>, hg::ReLU,
                                 Back<32, 2>, hg::ReLU, Back<1, 1>, Sigmoid>;

}  // namespace nets
