#include "replay/player/grid.h"

#include <algorithm>

#include "replay/player/inert_text.h"

namespace sallyport {

namespace {

// Else one long value among many short ones would be paid for in spaces.
constexpr std::size_t widest_aligned = 80;

std::string spaces(std::size_t count)
{
    return std::string(count, ' ');
}

void append_trimmed(std::ostream& out, std::string line)
{
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
}

}  // namespace

Grid::Grid(std::span<const ShownColumn> columns)
{
    for (const ShownColumn& column : columns)
        add_column(inert(column.label), column.number);
}

Grid::Grid(std::size_t columns)
{
    for (std::size_t i = 1; i <= columns; ++i)
        add_column("column " + std::to_string(i), false);
}

void Grid::add_column(std::string label, bool number)
{
    const std::size_t width = width_of(label);
    columns_.push_back({{std::move(label), width}, number, std::min(width, widest_aligned)});
}

void Grid::add(std::span<const ShownValue> values)
{
    ++rows_;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::string text = "NULL";
        if (i >= values.size())
            text.clear();
        else if (values[i])
            text = inert(*values[i]);
        const std::size_t width = width_of(text);
        columns_[i].width = std::max(columns_[i].width, std::min(width, widest_aligned));
        cells_.push_back({std::move(text), width});
    }
}

void Grid::write(std::ostream& out, std::string_view margin) const
{
    if (!columns_.empty()) {
        std::string line(margin);
        std::string rule(margin);
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const Column& column = columns_[i];
            const std::size_t room = column.width - std::min(column.width, column.label.width);
            line += (i == 0 ? " " : "| ") + spaces(room / 2) + column.label.text +
                    spaces(room - room / 2) + " ";
            rule += (i == 0 ? "" : "+") + std::string(column.width + 2, '-');
        }
        append_trimmed(out, std::move(line));
        out << rule << '\n';
    }
    for (std::size_t at = 0; at < cells_.size(); at += columns_.size()) {
        std::string line(margin);
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const Column& column = columns_[i];
            const Cell& cell = cells_[at + i];
            const std::string room = spaces(column.width - std::min(column.width, cell.width));
            line += i == 0 ? " " : "| ";
            line += column.number ? room + cell.text : cell.text + room;
            line += ' ';
        }
        append_trimmed(out, std::move(line));
    }
    out << margin << '(' << rows_ << (rows_ == 1 ? " row)" : " rows)") << '\n';
}

}  // namespace sallyport
