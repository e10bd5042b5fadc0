// The metrics of a training run, epoch by epoch, to look at afterwards or to write as CSV.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/number.hpp"
#include "hourglass/core/shape.hpp"
#include "hourglass/data/stream_bytes.hpp"
#include "hourglass/train/metric.hpp"

namespace hourglass {
inline namespace HOURGLASS_ABI {

/// A table with one row per epoch and a named column per metric. The first row names the columns.
///
///     hg::History history;
///     history.add({{"loss", loss}, {"val_loss", val_loss}});    // every epoch
///     std::ofstream file("history.csv");
///     history.write_csv(file);
class History {
  public:
    History() = default;
    /// A history that was kept before, from its names and their columns. `Error` for another number of columns than of
    /// names, a name that stands twice, and columns that are not equally long or empty.
    History(std::vector<std::string> names, std::vector<std::vector<double>> columns)
        : names_(std::move(names)), columns_(std::move(columns)) {
        if (names_.size() != columns_.size())
            fail("History: there are ", columns_.size(), " columns for ", names_.size(), " names");
        for (std::size_t i = 0; i < names_.size(); ++i) {
            if (position(names_[i]) != i) fail("History: \"", names_[i], "\" stands twice");
            if (columns_[i].empty() || columns_[i].size() != columns_[0].size())
                fail("History: column \"", names_[i], "\" has ", columns_[i].size(), " rows, the first one ",
                     columns_[0].size());
        }
    }

    /// Adds a row. `Error` when there are no metrics, when a name stands twice, or when the names are not those of the
    /// first row (in any order). When that or the memory fails, the table stays as it was.
    void add(Metrics row) {
        if (row.size() == 0) fail("History::add: there are no metrics");
        for (const Metric* a = row.begin(); a != row.end(); ++a)
            for (const Metric* b = row.begin(); b != a; ++b)
                if (a->name == b->name) fail("History::add: \"", a->name, "\" stands twice in a row");
        if (!names_.empty()) {
            bool same = row.size() == names_.size();
            for (const Metric& metric : row)
                same = same && std::find(names_.begin(), names_.end(), metric.name) != names_.end();
            if (!same)
                fail("History::add: the columns are ", joined(names_), ", row ", rows() + 1, " has ", joined(row));
            // All memory first, so that no row is ever longer than another.
            for (std::vector<double>& column : columns_)
                if (column.size() == column.capacity()) column.reserve(2 * column.size());
            for (const Metric& metric : row) columns_[position(metric.name)].push_back(metric.value);
        } else {
            std::vector<std::string> names;
            std::vector<std::vector<double>> columns;
            for (const Metric& metric : row) {
                names.emplace_back(metric.name);
                columns.emplace_back(1, metric.value);
            }
            names_.swap(names);
            columns_.swap(columns);
        }
    }

    /// Number of rows.
    Index rows() const { return columns_.empty() ? 0 : static_cast<Index>(columns_[0].size()); }
    /// Names of the columns, in the order of the first row.
    const std::vector<std::string>& names() const { return names_; }
    /// The metrics of this name, one per row. `Error` if there is no such column.
    const std::vector<double>& operator[](std::string_view name) const { return columns_[position(name)]; }

    /// Writes the names and then the rows, separated by commas: numbers with a point, whatever the stream's locale, and
    /// with as many digits as it takes to read the same number back. `Error` when writing fails.
    void write_csv(std::ostream& out) const {
        std::string table;
        for (std::size_t column = 0; column < names_.size(); ++column)
            (table += quoted(names_[column])) += column + 1 == names_.size() ? "" : ",";
        table += '\n';
        for (std::size_t row = 0; row < static_cast<std::size_t>(rows()); ++row)
            for (std::size_t column = 0; column < columns_.size(); ++column) {
                table += core::exact_text(columns_[column][row]);
                table += column + 1 == columns_.size() ? '\n' : ',';
            }
        data::write_stream(out, "History::write_csv",
                           [&] { out.write(table.data(), static_cast<std::streamsize>(table.size())); });
    }

  private:
    std::size_t position(std::string_view name) const {
        const auto found = std::find(names_.begin(), names_.end(), name);
        if (found == names_.end())
            fail("History: there is no column \"", name, "\"; there are ", names_.empty() ? "none" : joined(names_));
        return static_cast<std::size_t>(found - names_.begin());
    }

    static std::string_view name_of(const Metric& metric) { return metric.name; }
    static std::string_view name_of(const std::string& name) { return name; }
    template <class Names>
    static std::string joined(const Names& names) {
        std::string all;
        for (const auto& name : names) (all += all.empty() ? "" : ", ") += name_of(name);
        return all;
    }

    static std::string quoted(const std::string& name) {
        if (name.find_first_of(",\"\r\n") == std::string::npos) return name;
        std::string safe = "\"";
        for (const char c : name) safe.append(c == '"' ? 2 : 1, c);
        return safe + '"';
    }

    std::vector<std::string> names_;
    std::vector<std::vector<double>> columns_;
};

}  // namespace HOURGLASS_ABI
}  // namespace hourglass
