// The statements of tests/corpus/sql with what they are expected to be.
//
// A case is a text and, on a line of its own behind it, "=> class ... [: object ...]". Lines that
// begin with '#' between cases are comments.

#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::postgres {

struct SqlCase {
    std::string place;  // "writes.txt:12"
    std::string text;
    std::string classes;
    bool names_objects = false;
    std::set<std::string> objects;
};

// All files, in order of name; the folder is compiled in.
std::vector<SqlCase> sql_corpus();

}  // namespace sallyport::postgres
