// Cutting a data set into batches, in order or shuffled. Batches in order are views into the data; shuffled ones are
// gathered in one buffer. The data set itself is never copied, unless it is a temporary, which is taken over.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/random.hpp"
#include "hourglass/core/view.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// What becomes of the samples left over when the batch size does not divide their number: a smaller batch, or nothing.
enum class LastBatch { Keep, Drop };

/// A batch of samples (d × size) and what the model shall make of them (e × size); `const auto& [x, target]` takes it
/// apart.
template <class T, class Target>
struct BatchPair {
    ConstView<T> x;            ///< d × size
    ConstView<Target> target;  ///< e × size
};

// What is not for users.
namespace data {

/// Which samples stand in which batch: the order of the samples and where it is cut.
class BatchOrder {
  public:
    /// Cuts `samples` samples in batches of `batch_size`. `Error` when there are no samples, when the batch size is
    /// below 1, or when dropping the last batch would leave none.
    BatchOrder(Index samples, Index batch_size, LastBatch last) : samples_(samples), batch_size_(batch_size) {
        if (batch_size < 1) fail("minibatches: the batch size must be at least 1, got ", batch_size);
        if (last == LastBatch::Drop && batch_size > samples)
            fail("minibatches: without the last partial batch none is left: the batch size is ", batch_size,
                 ", the data has ", samples, samples == 1 ? " sample" : " samples");
        batches_ = samples / batch_size + (last == LastBatch::Keep && samples % batch_size != 0 ? 1 : 0);
    }

    /// Draws a new random order: the one that a fresh BatchOrder would draw from the same generator. No batch of it has
    /// been handed out.
    void shuffle(Rng& rng) {
        order_.resize(static_cast<std::size_t>(samples_));  // first: without memory nothing changes
        next_ = 0;
        std::iota(order_.begin(), order_.end(), Index{0});
        hourglass::shuffle(std::span{order_}, rng);
    }

    /// `Error` unless there is a batch of this number.
    void require_batch(Index batch) const {
        if (batch < 0 || batch >= batches_)
            fail("minibatches: there is no batch ", batch, ": there are ", batches_, ", counted from 0");
    }

    /// Puts back what `order` and `next` said of the batches of as many samples. `Error` for anything else.
    void restore(std::vector<Index> order, Index next) {
        if (next < 0 || next > batches_)
            fail("minibatches: batch ", next, " cannot be the next one: there are ", batches_);
        if (!order.empty() && static_cast<Index>(order.size()) != samples_)
            fail("minibatches: the order is one of ", order.size(), " samples, the data has ", samples_);
        std::vector<unsigned char> seen(order.size());
        for (const Index sample : order) {
            if (sample < 0 || sample >= samples_ || seen[static_cast<std::size_t>(sample)] != 0)
                fail("minibatches: the order is none: sample ", sample, " is not there, or there twice");
            seen[static_cast<std::size_t>(sample)] = 1;
        }
        order_.swap(order);
        next_ = next;
    }

    /// The samples in their order; empty for the order in which they stand.
    const std::vector<Index>& order() const { return order_; }
    /// The first batch that has not been handed out.
    Index next() const { return next_; }
    void hand_out(Index batch) { next_ = batch + 1; }
    /// No batch has been handed out.
    void rewind() { next_ = 0; }

    bool shuffled() const { return !order_.empty(); }
    Index samples() const { return samples_; }
    Index batches() const { return batches_; }
    Index batch_size() const { return batch_size_; }
    Index first(Index batch) const { return batch * batch_size_; }
    Index size(Index batch) const { return std::min(batch_size_, samples_ - first(batch)); }
    /// Which sample stands at this place of the order.
    Index sample(Index place) const { return shuffled() ? order_[static_cast<std::size_t>(place)] : place; }

  private:
    Index samples_, batch_size_, batches_ = 0, next_ = 0;
    std::vector<Index> order_;
};

// Declared to be asked whether a call would compile: both take what derives from such a type, too.
template <class X>
void is_matrix(const Eigen::MatrixBase<X>&);
template <class X>
void owns_its_memory(const Eigen::PlainObjectBase<X>&);

/// Anything of Eigen's that reads as a matrix: a matrix, a block or map of one, an expression.
template <class Data>
concept MatrixLike = requires(const Data& matrix) {
    is_matrix(matrix);
};

/// A matrix that dies at the end of the call, and its memory with it.
template <class Data>
concept TemporaryMatrix = !std::is_lvalue_reference_v<Data> && requires(const Data& matrix) {
    owns_its_memory(matrix);
};

/// A d × n data set whose columns are handed out in batches: a view of someone else's matrix, or the owner of its own.
template <class T>
class BatchSource {
  public:
    /// Takes the matrix where it stands if it is column-major and outlives this object (an lvalue, a map, a block),
    /// takes it over if it is a temporary, and evaluates it otherwise. `Error` when it has no rows or no columns;
    /// `name` is what the message calls it.
    template <class Data>
    BatchSource(Data&& matrix, const char* name) : rows_(matrix.rows()), columns_(matrix.cols()) {
        if (rows_ == 0 || columns_ == 0)
            fail("minibatches: ", name, " is ", rows_, " x ", columns_, ": it has no ",
                 rows_ == 0 ? "rows (features)" : "columns (samples)");
        using Given = std::remove_cvref_t<Data>;
        constexpr bool in_columns = !TemporaryMatrix<Data> && core::in_columns<Given>;
        if constexpr (!TemporaryMatrix<Data> && core::in_memory<Given>) {
            const Index down = Given::IsRowMajor ? matrix.outerStride() : matrix.innerStride();
            if (in_columns || down == 1 || rows_ == 1) {
                data_ = matrix.data();
                stride_ = Given::IsRowMajor ? matrix.innerStride() : matrix.outerStride();
                return;
            }
        }
        if constexpr (!in_columns) owned_ = std::forward<Data>(matrix);  // else it has returned
        data_ = owned_.data();
        stride_ = rows_;
    }

    // A copy would look into the memory of the original; a moved matrix keeps its memory.
    BatchSource(BatchSource&&) noexcept = default;
    BatchSource& operator=(BatchSource&&) noexcept = default;

    Index rows() const { return rows_; }
    Index columns() const { return columns_; }

    /// One batch: a view into the data where its columns follow each other without gaps, else gathered in the buffer.
    ConstView<T> batch(const BatchOrder& order, Index batch) {
        const Index begin = order.first(batch), size = order.size(batch);
        if (!order.shuffled() && stride_ == rows_) return {data_ + begin * stride_, rows_, size};
        if (buffer_.size() == 0) buffer_ = Matrix<T>(rows_, std::min(order.batch_size(), columns_));
        for (Index i = 0; i < size; ++i)  // a plain copy of memory: twice as fast here as an Eigen assignment
            std::copy_n(data_ + order.sample(begin + i) * stride_, rows_, buffer_.data() + i * rows_);
        return {buffer_.data(), rows_, size};
    }

  private:
    Matrix<T> owned_, buffer_;
    const T* data_ = nullptr;
    Index rows_, columns_, stride_ = 0;
};

/// Walks over the batches of a range: an input iterator. A batch is gathered when it is looked at, and what was looked
/// at before is then no longer valid.
template <class Batches>
class BatchIterator {
  public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using reference = decltype(std::declval<Batches&>().batch(0));
    using value_type = reference;
    using pointer = void;

    BatchIterator() = default;
    BatchIterator(Batches& batches, Index position) : batches_(&batches), position_(position) {}

    reference operator*() const { return batches_->batch(position_); }
    BatchIterator& operator++() {
        ++position_;
        return *this;
    }
    BatchIterator operator++(int) {
        BatchIterator before = *this;
        ++position_;
        return before;
    }
    friend bool operator==(const BatchIterator& a, const BatchIterator& b) { return a.position_ == b.position_; }

  private:
    Batches* batches_ = nullptr;
    Index position_ = 0;
};

/// From one batch to another.
template <class Batches>
struct BatchRange {
    BatchIterator<Batches> from, to;
    BatchIterator<Batches> begin() const { return from; }
    BatchIterator<Batches> end() const { return to; }
};

template <MatrixLike Data>
using ScalarOf = typename std::remove_cvref_t<Data>::Scalar;

}  // namespace data

/// The batches of one data set, each an `Eigen::Map<const Eigen::MatrixX<T>>` of d × size. What `minibatches` returns;
/// kept and shuffled again, it serves every epoch with the same buffer.
template <class T>
class Minibatches {
  public:
    template <class Data>
    Minibatches(Data&& data, Index batch_size, LastBatch last)
        : data_(std::forward<Data>(data), "the data"), order_(data_.columns(), batch_size, last) {}

    /// Draws a new order: the one that `minibatches` itself would draw now. All of its batches are then still to come.
    void shuffle(Rng& rng) { order_.shuffle(rng); }
    /// The same batches once more: all of them are still to come.
    void rewind() { order_.rewind(); }

    /// How many batches there are.
    Index size() const { return order_.batches(); }
    /// Batch number `i`; valid until the next one is looked at. `Error` unless i is in [0, size()).
    ConstView<T> batch(Index i) {
        order_.require_batch(i);
        const ConstView<T> found = data_.batch(order_, i);
        order_.hand_out(i);
        return found;
    }

    data::BatchIterator<Minibatches> begin() { return {*this, 0}; }
    data::BatchIterator<Minibatches> end() { return {*this, size()}; }

    /// The batches from the first on that was not handed out yet, all of them after a `shuffle` or a `rewind`: how a
    /// run goes on in the middle of an epoch.
    data::BatchRange<Minibatches> rest() { return {{*this, order_.next()}, end()}; }
    /// Where the samples stand and what was handed out: what a file keeps.
    const data::BatchOrder& order() const { return order_; }
    data::BatchOrder& order() { return order_; }

  private:
    data::BatchSource<T> data_;
    data::BatchOrder order_;
};

/// The same for samples and targets in one order; each batch is a `BatchPair`.
template <class T, class Target>
class PairedMinibatches {
  public:
    template <class Data, class Targets>
    PairedMinibatches(Data&& x, Targets&& target, Index batch_size, LastBatch last)
        : x_(std::forward<Data>(x), "x"),
          target_(std::forward<Targets>(target), "the target"),
          order_(x_.columns(), batch_size, last) {
        if (x_.columns() != target_.columns())
            fail("minibatches: x has ", x_.columns(), " columns (samples), the target has ", target_.columns());
    }

    /// Draws a new order: the one that `minibatches` itself would draw now. All of its batches are then still to come.
    void shuffle(Rng& rng) { order_.shuffle(rng); }
    /// The same batches once more: all of them are still to come.
    void rewind() { order_.rewind(); }

    /// How many batches there are.
    Index size() const { return order_.batches(); }
    /// Batch number `i`; valid until the next one is looked at. `Error` unless i is in [0, size()).
    BatchPair<T, Target> batch(Index i) {
        order_.require_batch(i);
        const BatchPair<T, Target> found{x_.batch(order_, i), target_.batch(order_, i)};
        order_.hand_out(i);
        return found;
    }

    data::BatchIterator<PairedMinibatches> begin() { return {*this, 0}; }
    data::BatchIterator<PairedMinibatches> end() { return {*this, size()}; }

    /// The batches from the first on that was not handed out yet, all of them after a `shuffle` or a `rewind`: how a
    /// run goes on in the middle of an epoch.
    data::BatchRange<PairedMinibatches> rest() { return {{*this, order_.next()}, end()}; }
    /// Where the samples stand and what was handed out: what a file keeps.
    const data::BatchOrder& order() const { return order_; }
    data::BatchOrder& order() { return order_; }

  private:
    data::BatchSource<T> x_;
    data::BatchSource<Target> target_;
    data::BatchOrder order_;
};

/// The batches of `data` (d × n, one column per sample) in the order of the samples.
///
/// `batch_size`: samples per batch, at least 1. `last`: whether a smaller last batch is kept or dropped.
/// Returns a range of `Eigen::Map<const Eigen::MatrixX<T>>`, each d × batch_size, valid until the next is looked at.
/// The data is not copied and has to outlive the range; a temporary matrix is moved into the range instead. A block of
/// a temporary matrix cannot be recognised: name the matrix first.
/// Errors: no rows, no columns, a batch size below 1, no batch left after dropping the last.
template <data::MatrixLike Data>
Minibatches<data::ScalarOf<Data>> minibatches(Data&& data, Index batch_size, LastBatch last = LastBatch::Keep) {
    return {std::forward<Data>(data), batch_size, last};
}

/// The batches of `data` in a random order of the samples, drawn from `rng` at this call.
template <data::MatrixLike Data>
Minibatches<data::ScalarOf<Data>> minibatches(Data&& data, Index batch_size, Rng& rng,
                                              LastBatch last = LastBatch::Keep) {
    Minibatches<data::ScalarOf<Data>> batches{std::forward<Data>(data), batch_size, last};
    batches.shuffle(rng);
    return batches;
}

/// Batches of samples `x` (d × n) with their targets (e × n), in the order of the samples. One more error: another
/// number of targets than of samples.
template <data::MatrixLike Data, data::MatrixLike Targets>
PairedMinibatches<data::ScalarOf<Data>, data::ScalarOf<Targets>> minibatches(Data&& x, Targets&& target,
                                                                             Index batch_size,
                                                                             LastBatch last = LastBatch::Keep) {
    return {std::forward<Data>(x), std::forward<Targets>(target), batch_size, last};
}

/// Batches of samples and their targets in one random order, drawn from `rng` at this call.
template <data::MatrixLike Data, data::MatrixLike Targets>
PairedMinibatches<data::ScalarOf<Data>, data::ScalarOf<Targets>> minibatches(Data&& x, Targets&& target,
                                                                             Index batch_size, Rng& rng,
                                                                             LastBatch last = LastBatch::Keep) {
    PairedMinibatches<data::ScalarOf<Data>, data::ScalarOf<Targets>> batches{
        std::forward<Data>(x), std::forward<Targets>(target), batch_size, last};
    batches.shuffle(rng);
    return batches;
}

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
