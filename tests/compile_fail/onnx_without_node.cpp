// expect: hourglass: this layer has no ONNX node
#include <hourglass/hourglass.hpp>
#include <hourglass/io/onnx.hpp>
#include <ostream>
#include <string>

namespace hg = hourglass;

// A kind of Tanh, but not that layer.
struct Mine : hg::Tanh {
#ifdef FIXED
    template <class Nodes>
    std::string onnx(Nodes& nodes, const std::string& x) const {
        return nodes.node("Tanh", {x});
    }
#endif
};

void write(std::ostream& out, hg::Rng& rng) {
    hg::export_onnx(out, hg::network<hg::Chain<hg::Shape{8}, hg::Dense<4>, Mine>>(rng));
}
