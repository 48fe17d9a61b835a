// PostgreSQL's grammar, as libpg_query carries it: a text in, its raw parse tree out.
//
// The library's public functions return JSON or protobuf, which cost two to ten times the tree
// itself; this uses the function below them.

#pragma once

#include <string>

struct List;  // PostgreSQL's, nodes/pg_list.h

namespace sallyport::postgres {

// Not to be moved to another thread: the parser's memory is the thread's own. Use long-lived
// threads only; each keeps a key of its own in the library.
class RawParse {
public:
    // text ends in NUL and is valid UTF-8.
    explicit RawParse(const char* text);
    ~RawParse();
    RawParse(const RawParse&) = delete;
    RawParse& operator=(const RawParse&) = delete;

    // RawStmt nodes; null for an empty text and after an error. Valid as long as this object, and
    // so is every string in it.
    const ::List* tree() const { return tree_; }

    // Why the text does not parse, the grammar's words; empty where it does.
    const std::string& problem() const { return problem_; }

private:
    void* memory_;
    const ::List* tree_ = nullptr;
    std::string problem_;
};

}  // namespace sallyport::postgres
