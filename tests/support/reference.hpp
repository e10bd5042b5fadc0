// Frozen numbers from other frameworks, read from tests/reference/*.txt, which the scripts beside them wrote.
//
// The files are plain text. A line that starts with # is a comment. A tensor is a line with its name and its extents
// ("dense/kernel 4 3"; a single number has no extents), then as many lines of numbers as the product of all extents but
// the last, each as long as the last. So the last extent is fastest: a batch is (n, channels) or (n, length, channels),
// a dense kernel (in, out), and in memory these are the library's own column-major matrices, a batch with one column
// per sample and a kernel out × in.
#pragma once

#include <Eigen/Core>
#include <fstream>
#include <locale>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace reference {

struct Tensor {
    std::vector<Eigen::Index> shape;
    std::vector<double> values;

    /// The first extent as columns, the others together as rows: a batch is size × n, a kernel out × in. A tensor of
    /// one extent is one column.
    template <class T>
    Eigen::MatrixX<T> matrix() const {
        const auto columns = shape.size() > 1 ? shape[0] : 1;
        const auto rows = static_cast<Eigen::Index>(values.size()) / columns;
        return Eigen::Map<const Eigen::MatrixXd>(values.data(), rows, columns).template cast<T>();
    }

    /// All values in the order of the file.
    template <class T>
    Eigen::VectorX<T> vector() const {
        return Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()))
            .template cast<T>();
    }

    /// The value of a tensor without extents.
    double number() const { return values.at(0); }
};

/// All tensors of one file.
class Numbers {
  public:
    /// Reads tests/reference/`file`.
    explicit Numbers(const std::string& file) : path_(HOURGLASS_TEST_DIR "/reference/" + file) {
        std::ifstream in(path_);
        in.imbue(std::locale::classic());
        if (!in) throw std::runtime_error("cannot open " + path_);
        for (std::string line; std::getline(in, line);) {
            if (line.empty() || line[0] == '#') continue;
            std::istringstream head(line);
            std::string name;
            head >> name;
            Tensor tensor;
            Eigen::Index count = 1;
            for (Eigen::Index extent; head >> extent; count *= extent) tensor.shape.push_back(extent);
            for (double value; static_cast<Eigen::Index>(tensor.values.size()) < count && in >> value;)
                tensor.values.push_back(value);
            if (static_cast<Eigen::Index>(tensor.values.size()) != count)
                throw std::runtime_error(path_ + ": too few numbers in " + name);
            std::getline(in, line);  // the end of the last line of numbers
            tensors_[name] = tensor;
        }
    }

    /// The tensor called `name`; throws when there is none.
    const Tensor& operator[](const std::string& name) const {
        const auto found = tensors_.find(name);
        if (found == tensors_.end()) throw std::runtime_error(path_ + ": no tensor " + name);
        return found->second;
    }

    /// All of them by name.
    const std::map<std::string, Tensor>& tensors() const { return tensors_; }

    bool contains(const std::string& name) const { return tensors_.count(name) == 1; }

  private:
    std::string path_;
    std::map<std::string, Tensor> tensors_;
};

}  // namespace reference
