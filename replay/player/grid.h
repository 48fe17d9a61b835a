// A table as psql draws it.

#pragma once

#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/vocabulary/transcript.h"

namespace sallyport {

// Rows are kept until they are written, as their widths are needed first. Labels and values are
// made inert; one longer than 80 columns is written whole, without the others being aligned to it.
class Grid {
public:
    explicit Grid(std::span<const ShownColumn> columns);
    // Of a result whose columns are not known.
    explicit Grid(std::size_t columns);

    std::size_t columns() const { return columns_.size(); }
    void add(std::span<const ShownValue> values);

    // Each line begins with `margin`.
    void write(std::ostream& out, std::string_view margin) const;

private:
    struct Cell {
        std::string text;
        std::size_t width = 0;
    };
    struct Column {
        Cell label;
        bool number = false;
        std::size_t width = 0;
    };

    void add_column(std::string label, bool number);

    std::vector<Column> columns_;
    std::vector<Cell> cells_;  // row by row
    std::uint64_t rows_ = 0;
};

}  // namespace sallyport
