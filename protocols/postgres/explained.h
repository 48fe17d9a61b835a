// How a text was understood, in words: for `sallyport decide`.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/vocabulary/column.h"
#include "protocols/postgres/statement.h"

namespace sallyport::postgres {

struct Explained {
    // Functions and operators of its text, and how each was resolved.
    std::vector<std::pair<std::string, std::string>> functions;
    // The columns of its results, and where their values come from.
    std::vector<Column> columns;
};

Explained explained(const Sql& sql);

}  // namespace sallyport::postgres
