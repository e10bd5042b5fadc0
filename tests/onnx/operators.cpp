// Computes the cases that operators.py has left in the folder it is started in, each by the layers that mean the same,
// and ends with 1 if one deviates by more than 1e-5 of the largest value, or, where a case gives four digits, by 1e-4.
#include <Eigen/Core>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <hourglass/hourglass.hpp>
#include <hourglass/io/safetensors.hpp>
#include <map>
#include <string>

namespace hg = hourglass;

namespace {

using hg::Extent;
using hg::Matrix;
using hg::Padding;
using hg::Shape;

std::map<std::string, double> deviations;

double deviation(const Matrix<float>& got, const Matrix<float>& wanted) {
    return (got - wanted).cwiseAbs().maxCoeff() / std::max(1.0F, wanted.cwiseAbs().maxCoeff());
}

/// A case of n samples. `trained` normalises by the batch, and looks at the running values that follow.
template <Shape In, class... Layers>
void compute(const std::string& name, hg::Index n, bool trained, const Layers&... layers) {
    hg::Rng rng{1};
    auto network = hg::network(hg::chain<In>(layers...), rng);
    const auto size = [](const auto& values) { return static_cast<hg::Index>(values.size()); };
    Matrix<float> x(In.size(), n), y(hg::Chain<In, Layers...>::output.size(), n);
    hg::Vector<float> weights(size(network.parameters())), state(size(network.state())), behind = state;
    const std::string path = name + ".safetensors";
    if (trained)
        hg::load(path, hg::named("x", x), hg::named("y", y), hg::named("weights", weights), hg::named("state", state),
                 hg::named("state_behind", behind));
    else if (state.size() > 0)
        hg::load(path, hg::named("x", x), hg::named("y", y), hg::named("weights", weights), hg::named("state", state));
    else if (weights.size() > 0)
        hg::load(path, hg::named("x", x), hg::named("y", y), hg::named("weights", weights));
    else
        hg::load(path, hg::named("x", x), hg::named("y", y));
    network.parameters() = weights;
    network.state() = state;
    if (trained) {
        auto tape = network.tape();
        deviations[name] = deviation(network.forward(x, tape, rng), y);
        network.fold(tape);
        deviations[name + ", state"] = deviation(network.state(), behind);
    } else {
        deviations[name] = deviation(network.evaluate(x), y);
    }
}
template <Shape In, class... Layers>
void evaluate(const std::string& name, const Layers&... layers) {
    compute<In>(name, 1, false, layers...);
}

void convolutions() {
    using hg::Conv2D, hg::Conv2DTranspose;
    evaluate<Shape{1, 5, 5}>("basic_conv_with_padding", Conv2D<1, 3, 1, Padding::Same, 1, false>{});
    evaluate<Shape{1, 5, 5}>("basic_conv_without_padding", Conv2D<1, 3, 1, Padding::Valid, 1, false>{});
    evaluate<Shape{1, 7, 5}>("conv_with_strides_padding", hg::ZeroPadding2D<1>{},
                             Conv2D<1, 3, 2, Padding::Valid, 1, false>{});
    evaluate<Shape{1, 7, 5}>("conv_with_strides_no_padding", Conv2D<1, 3, 2, Padding::Valid, 1, false>{});
    evaluate<Shape{1, 7, 5}>("conv_with_strides_and_asymmetric_padding", hg::ZeroPadding2D<Extent{1, 0}>{},
                             Conv2D<1, 3, 2, Padding::Valid, 1, false>{});
    evaluate<Shape{1, 5, 5}>("conv_with_autopad_same", Conv2D<1, 3, 2, Padding::Same, 1, false>{});

    using Wide = Conv2DTranspose<2, 3, Extent{3, 2}, Padding::Valid, 1, false>;
    evaluate<Shape{1, 3, 3}>("convtranspose", Conv2DTranspose<2, 3, 1, Padding::Valid, 1, false>{});
    evaluate<Shape{1, 3}>("convtranspose_1d", hg::Conv1DTranspose<2, 3, 1, Padding::Valid, 1, false>{});
    evaluate<Shape{1, 3, 3}>("convtranspose_pad", Wide{}, hg::ZeroPadding2D<0, 1>{});
    evaluate<Shape{1, 3, 3}>("convtranspose_output_shape", Wide{}, hg::ZeroPadding2D<0, 1>{});
    evaluate<Shape{1, 3, 3}>("convtranspose_kernel_shape", Wide{}, hg::ZeroPadding2D<0, 1>{});
    evaluate<Shape{1, 3, 3}>("convtranspose_pads", Wide{}, hg::Cropping2D<Extent{1, 2}>{});
    evaluate<Shape{1, 3, 3}>("convtranspose_dilations", Conv2DTranspose<1, 2, 1, Padding::Valid, 2, false>{});
    evaluate<Shape{1, 3, 3}>("convtranspose_autopad_same", Conv2DTranspose<2, 3, 2, Padding::Same, 1, false>{});
    evaluate<Shape{2, 3, 3}>("convtranspose_group_2", Conv2DTranspose<2, 3, 1, Padding::Valid, 1, false, 2>{});
    compute<Shape{2, 3, 3}>("convtranspose_group_2_image_3", 3, false,
                            Conv2DTranspose<2, 3, 1, Padding::Valid, 1, false, 2>{});
}

void poolings() {
    using hg::AveragePooling2D, hg::MaxPooling2D;
    evaluate<Shape{3, 32}>("maxpool_1d_default", hg::MaxPooling1D<2, 1>{});
    evaluate<Shape{3, 32, 32}>("maxpool_2d_default", MaxPooling2D<2, 1>{});
    evaluate<Shape{3, 32, 32}>("maxpool_2d_same_upper", MaxPooling2D<2, 1, Padding::Same>{});
    evaluate<Shape{3, 32, 32}>("maxpool_2d_strides", MaxPooling2D<5, 3>{});
    evaluate<Shape{1, 5, 5}>("maxpool_2d_precomputed_pads", MaxPooling2D<5, 1, Padding::Same>{});
    evaluate<Shape{1, 5, 5}>("maxpool_2d_precomputed_strides", MaxPooling2D<2>{});
    evaluate<Shape{1, 5, 5}>("maxpool_2d_precomputed_same_upper", MaxPooling2D<3, 2, Padding::Same>{});
    evaluate<Shape{1, 4, 4}>("maxpool_2d_ceil", MaxPooling2D<3, 2, Padding::Same>{});
    evaluate<Shape{1, 2, 2}>("maxpool_2d_ceil_output_size_reduce_by_one", MaxPooling2D<1, 2>{});

    evaluate<Shape{3, 32}>("averagepool_1d_default", hg::AveragePooling1D<2, 1>{});
    evaluate<Shape{3, 32, 32}>("averagepool_2d_default", AveragePooling2D<2, 1>{});
    evaluate<Shape{3, 32, 32}>("averagepool_2d_same_upper", AveragePooling2D<2, 1, Padding::Same>{});
    evaluate<Shape{3, 32, 32}>("averagepool_2d_strides", AveragePooling2D<5, 3>{});
    evaluate<Shape{1, 5, 5}>("averagepool_2d_precomputed_pads", AveragePooling2D<5, 1, Padding::Same>{});
    evaluate<Shape{1, 5, 5}>("averagepool_2d_precomputed_pads_count_include_pad", hg::ZeroPadding2D<2>{},
                             AveragePooling2D<5, 1>{});
    evaluate<Shape{3, 28, 28}>("averagepool_2d_pads_count_include_pad", hg::ZeroPadding2D<2>{},
                               AveragePooling2D<3, 1>{});
    evaluate<Shape{1, 5, 5}>("averagepool_2d_precomputed_strides", AveragePooling2D<2>{});
    evaluate<Shape{1, 5, 5}>("averagepool_2d_precomputed_same_upper", AveragePooling2D<3, 2, Padding::Same>{});
    evaluate<Shape{1, 4, 4}>("averagepool_2d_ceil", AveragePooling2D<3, 2, Padding::Same>{});
    evaluate<Shape{3, 2, 2}>("averagepool_2d_ceil_last_window_starts_on_pad", hg::ZeroPadding2D<1>{},
                             AveragePooling2D<3>{});
    evaluate<Shape{3, 5, 5}>("globalaveragepool", hg::GlobalAveragePooling2D{});
    evaluate<Shape{1, 3, 3}>("globalaveragepool_precomputed", hg::GlobalAveragePooling2D{});
}

void resizings() {
    constexpr Shape small{1, 2, 2};
    evaluate<small>("upsample_nearest", hg::UpSampling2D<Extent{2, 3}>{});
    evaluate<small>("resize_upsample_scales_nearest", hg::UpSampling2D<Extent{2, 3}>{});
    evaluate<small>("resize_upsample_scales_nearest_axes_2_3", hg::UpSampling2D<Extent{2, 3}>{});
    evaluate<small>("resize_upsample_scales_nearest_axes_3_2", hg::UpSampling2D<Extent{2, 3}>{});
    evaluate<small>("resize_upsample_sizes_nearest_not_smaller", hg::UpSampling2D<4>{});
    evaluate<small>("resize_upsample_scales_linear", hg::UpSampling2D<2, hg::Interpolation::Bilinear>{});
}

void normalisations() {
    constexpr Shape picture{3, 4, 5};
    compute<picture>("batchnorm_example", 2, false, hg::BatchNormalization{0.9, 1e-5});
    compute<picture>("batchnorm_epsilon", 2, false, hg::BatchNormalization{0.9, 1e-2});
    compute<picture>("batchnorm_example_training_mode", 2, true, hg::BatchNormalization{0.9, 1e-5});
    compute<picture>("batchnorm_epsilon_training_mode", 2, true, hg::BatchNormalization{0.9, 1e-2});

    const hg::LayerNormalization plain{1e-5}, wide{0.1};
    for (const std::string axis : {"axis0", "axis_negative_4"})
        compute<Shape{120}>("layer_normalization_4d_" + axis, 1, false, plain);
    for (const std::string axis : {"axis1", "axis_negative_3"})
        compute<Shape{60}>("layer_normalization_4d_" + axis, 2, false, plain);
    for (const std::string axis : {"axis2", "axis_negative_2"})
        compute<Shape{20, 3}>("layer_normalization_4d_" + axis, 2, false, plain);
    for (const std::string axis : {"4d_axis3", "4d_axis_negative_1", "default_axis"})
        compute<Shape{5, 3, 4}>("layer_normalization_" + axis, 2, false, plain);
    for (const std::string axis : {"axis0", "axis_negative_2"})
        compute<Shape{12}>("layer_normalization_2d_" + axis, 1, false, plain);
    for (const std::string axis : {"axis1", "axis_negative_1"})
        compute<Shape{4}>("layer_normalization_2d_" + axis, 3, false, plain);
    for (const std::string axis : {"axis0", "axis_negative_3"})
        compute<Shape{30}>("layer_normalization_3d_" + axis + "_epsilon", 1, false, wide);
    for (const std::string axis : {"axis1", "axis_negative_2"})
        compute<Shape{15}>("layer_normalization_3d_" + axis + "_epsilon", 2, false, wide);
    for (const std::string axis : {"axis2", "axis_negative_1"})
        compute<Shape{5, 3}>("layer_normalization_3d_" + axis + "_epsilon", 2, false, wide);
}

}  // namespace

int main() {
    convolutions();
    poolings();
    resizings();
    normalisations();
    bool wrong = false;
    for (const auto& [name, found] : deviations) {
        std::printf("%-56s %.1e\n", name.c_str(), found);
        const bool four_digits = name == "averagepool_2d_ceil_last_window_starts_on_pad";
        if (!(found <= (four_digits ? 1e-4 : 1e-5))) wrong = true;
    }
    for (const auto& file : std::filesystem::directory_iterator{"."})
        if (file.path().extension() == ".safetensors" && deviations.count(file.path().stem().string()) == 0) {
            std::printf("%s was not computed\n", file.path().stem().string().c_str());
            wrong = true;
        }
    std::printf("%zu numbers compared\n", deviations.size());
    return wrong ? 1 : 0;
}
