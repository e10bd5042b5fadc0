// Activations as nodes of an ONNX graph.
#pragma once

#include <string>
#include <vector>

#include "hourglass/io/onnx_nodes.hpp"
#include "hourglass/layers/activations.hpp"
#include "hourglass/layers/output_activation.hpp"
#include "hourglass/layers/prelu.hpp"
#include "hourglass/layers/softmax.hpp"
#include "hourglass/layers/zero_imputation.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<ReLU>, const std::string& x) {
    return nodes.node("Relu", {x});
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<LeakyReLU> of, const std::string& x) {
    return nodes.node("LeakyRelu", {x}, {{"alpha", of.layer.negative_slope}});
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<ELU> of, const std::string& x) {
    return nodes.node("Elu", {x}, {{"alpha", of.layer.alpha}});
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<SELU>, const std::string& x) {
    return nodes.node("Selu", {x}, {{"alpha", SELU::alpha}, {"gamma", SELU::lambda}});
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Sigmoid>, const std::string& x) {
    return nodes.node("Sigmoid", {x});
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Tanh>, const std::string& x) {
    return nodes.node("Tanh", {x});
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Softplus>, const std::string& x) {
    return nodes.node("Softplus", {x});
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<SiLU>, const std::string& x) {
    return nodes.node("Mul", {x, nodes.node("Sigmoid", {x})});
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Mish>, const std::string& x) {  // the operator came with set 18
    return nodes.node("Mul", {x, nodes.node("Tanh", {nodes.node("Softplus", {x})})});
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<HardSwish>, const std::string& x) {
    return nodes.node("HardSwish", {x});
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<PReLU>, const std::string& x) {
    return nodes.node("PRelu", {x, nodes.array("alpha")});
}
// The operator Gelu came with set 20: x/2·(1 + erf(x/√2)), or x/2·(1 + tanh(√(2/π)(x + 0.044715 x³))).
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<GELU> of, const std::string& x) {
    const std::string one = nodes.constant(1), half = nodes.node("Mul", {x, nodes.constant(0.5)});
    std::string gate;
    if (of.layer.approximate) {
        const std::string square = nodes.node("Mul", {x, x}),
                          cubic = nodes.node("Mul", {square, nodes.constant(0.044715)}),
                          along = nodes.node("Mul", {x, nodes.constant(0.79788456080286535588)});
        gate = nodes.node("Tanh", {nodes.node("Mul", {along, nodes.node("Add", {cubic, one})})});
    } else {
        gate = nodes.node("Erf", {nodes.node("Mul", {x, nodes.constant(0.70710678118654752440)})});
    }
    return nodes.node("Mul", {half, nodes.node("Add", {gate, one})});
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<Softmax>, const std::string& x) {
    return nodes.node("Softmax", {x}, {{"axis", -1}});
}
template <class T, class Loss>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<OutputActivation<Loss>>, const std::string& x) {
    std::vector<std::string> groups;
    Index begin = 0;
    for (const core::LinkedChannels& group : Loss::groups) {
        const Index end = begin + group.channels;
        const std::string z =
            nodes.node("Slice", {x, nodes.integers({begin}), nodes.integers({end}), nodes.integers({-1})});
        groups.push_back(group.link == Link::Softmax    ? nodes.node("Softmax", {z}, {{"axis", -1}})
                         : group.link == Link::Logistic ? nodes.node("Sigmoid", {z})
                                                        : z);
        begin = end;
    }
    return nodes.node("Concat", groups, {{"axis", -1}});
}
template <class T>
std::string add_nodes(OnnxNodes<T>& nodes, Exactly<ZeroImputation>, const std::string& x) {
    return nodes.node("Where", {nodes.node("IsNaN", {x}), nodes.constant(0), x});
}

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
