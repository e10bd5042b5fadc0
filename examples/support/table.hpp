// A CSV file of the user's own: its columns of numbers, and its labels if it has any.
#pragma once

#include <Eigen/Core>
#include <cstdlib>
#include <hourglass/data/csv.hpp>
#include <iostream>
#include <string>
#include <vector>

namespace support {

/// One row of `values` per column of the file, one column per line. `anomaly` holds 0 or 1 for each line; it is empty
/// where there are no labels.
struct Table {
    std::vector<std::string> names;
    Eigen::MatrixXd values;
    Eigen::VectorXi anomaly;
};

/// Reads a CSV file. Columns of text, such as dates, are left out; a column called "anomaly" holds the labels. Says
/// what is wrong with a file that cannot be read, and ends the program with status 1.
inline Table read_table(const std::string& path) {
    try {
        const hourglass::Csv csv = hourglass::read_csv(path, {.numeric_only = true});

        Table table;
        std::vector<Eigen::Index> rows;
        for (Eigen::Index row = 0; row < csv.values.rows(); ++row) {
            const std::string name =
                csv.header.empty() ? "column " + hourglass::text(row) : csv.header[static_cast<std::size_t>(row)];
            if (name == "anomaly") {
                table.anomaly = csv.values.row(row).transpose().cast<int>();
            } else {
                rows.push_back(row);
                table.names.push_back(name);
            }
        }
        if (rows.empty()) hourglass::fail(path, " has no column of numbers beside its labels");
        table.values = csv.values(rows, Eigen::all);
        return table;
    } catch (const hourglass::Error& error) {
        std::cerr << error.what() << '\n';
        std::exit(1);
    }
}

}  // namespace support
