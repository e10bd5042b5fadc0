// Where a framework that keeps the positions of a series or picture fastest in memory has the values of a flattened
// one.
#pragma once

#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/shape.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {
namespace io {

/// What a layer does to the order of a sample's values: keeps it and treats all alike, only gives them another shape,
/// reads and writes them through weights (whose order can be changed instead), appends some to them, or halves them (a
/// mean and a log-variance for each). Of any other layer nothing is known.
enum class Passing { Keeps, Reshapes, Mixes, Appends, Halves, Other };

/// A layer as the order of values sees it.
struct Passage {
    std::string layer;  // for messages: "encoder.3 (Flatten)"
    Shape in, out;
    Passing passing = Passing::Other;
    std::size_t branch = 0;  // adds the activation before that many layers
};

/// order[i] is where the other framework has value i of a vector; empty while nothing says so, and then it is i.
using Order = std::vector<Index>;

/// The order of each activation. Here the channels of a series are fastest, there its positions: from a Flatten on, and
/// up to a Reshape, vectors are in another order, through all layers that keep it; a layer with weights in between has
/// its weights in that order. What goes into the chain and comes out of it as a vector is in the same order.
class Flattening {
  public:
    /// All orders are those here.
    explicit Flattening(std::size_t depth) : orders_(depth + 1) {}
    /// `Error`, which begins with `where`, when no order of the weights makes both compute the same.
    Flattening(std::vector<Passage> chain, std::string where)
        : chain_(std::move(chain)), where_(std::move(where)), orders_(chain_.size() + 1) {
        if (chain_.empty()) return;
        if (is_flat(chain_.front().in)) orders_.front() = same(chain_.front().in.size());
        if (is_flat(chain_.back().out)) orders_.back() = same(chain_.back().out.size());
        do {
            changed_ = false;
            for (std::size_t i = 0; i < chain_.size(); ++i) relate(i);
        } while (changed_);
    }

    /// The orders before and behind layer i.
    const Order& before(std::size_t i) const { return orders_[i]; }
    const Order& behind(std::size_t i) const { return orders_[i + 1]; }

  private:
    static bool is_flat(Shape shape) { return shape.positions() == 1; }
    static Order same(Index size) {
        Order order(static_cast<std::size_t>(size));
        std::iota(order.begin(), order.end(), Index{0});
        return order;
    }
    // Value c of position p is number p·channels + c here and c·positions + p there.
    static Order of_series(Shape shape) {
        Order order;
        for (Index p = 0; p < shape.positions(); ++p)
            for (Index c = 0; c < shape.channels; ++c) order.push_back(c * shape.positions() + p);
        return order;
    }
    // The orders behind a layer that appends and before one that halves.
    static Order appended(Order order, Index size) {
        for (auto i = static_cast<Index>(order.size()); i < size; ++i) order.push_back(i);
        return order;
    }
    static Order doubled(Order order) {
        const auto half = static_cast<Index>(order.size());
        for (Index i = 0; i < half; ++i) order.push_back(half + order[static_cast<std::size_t>(i)]);
        return order;
    }
    static Order first(const Order& order, Index size) { return {order.begin(), order.begin() + size}; }

    void relate(std::size_t i) {
        const Passage& at = chain_[i];
        Order &x = orders_[i], &y = orders_[i + 1];
        if (at.branch > 0 && is_flat(at.out)) agree(i, orders_[i - at.branch], y);
        if (at.passing == Passing::Reshapes) return relate_shapes(i);
        if (at.passing == Passing::Mixes || (!is_flat(at.in) && !is_flat(at.out))) return;
        if (!is_flat(at.in)) {
            require(i, y, same(at.out.size()));  // channels
        } else if (!is_flat(at.out)) {
            require(i, x, same(at.in.size()));
        } else if (at.passing == Passing::Keeps) {
            agree(i, x, y);
        } else if (at.passing == Passing::Appends) {
            if (x.empty() && !y.empty()) learn(x, first(y, at.in.size()));
            if (!x.empty()) require(i, y, appended(x, at.out.size()));
        } else if (at.passing == Passing::Halves) {
            if (y.empty() && !x.empty()) learn(y, first(x, at.out.size()));
            if (!y.empty()) require(i, x, doubled(y));
        } else {
            require(i, x, same(at.in.size()));
            require(i, y, same(at.out.size()));
        }
    }
    void relate_shapes(std::size_t i) {
        const auto& [layer, in, out, passing, branch] = chain_[i];
        if (is_flat(in) && is_flat(out))
            agree(i, orders_[i], orders_[i + 1]);
        else if (is_flat(out))
            require(i, orders_[i + 1], of_series(in));
        else if (is_flat(in))
            require(i, orders_[i], of_series(out));
        else if (of_series(in) != of_series(out))
            fail_at(i);
    }
    void learn(Order& order, Order now) {
        order = std::move(now);
        changed_ = true;
    }
    void require(std::size_t i, Order& order, Order now) {
        if (order.empty()) return learn(order, std::move(now));
        if (order != now) fail_at(i);
    }
    void agree(std::size_t i, Order& a, Order& b) {
        if (!a.empty()) return require(i, b, a);
        if (!b.empty()) learn(a, b);
    }
    [[noreturn]] void fail_at(std::size_t i) const {
        fail(
            where_, "layer ", chain_[i].layer,
            ": a series or picture is flattened there with its positions fastest, here with its channels, and no order "
            "of the weights makes up for it: what goes in and comes out has to keep its shape, and between one "
            "shape and another, and before a mean and a log-variance, a layer with weights has to stand");
    }

    std::vector<Passage> chain_;
    std::string where_;
    std::vector<Order> orders_;
    bool changed_ = false;
};

}  // namespace io
}  // namespace HOURGLASS_ABI
}  // namespace hourglass
