// PL/pgSQL's own grammar, as libpg_query carries it: the text of a body in, its tree out.
//
// pg_query_parse_plpgsql(), the library's public function for it, is not used: it ends the process
// or dereferences null on a body it did not expect, leaves out some expressions of what it gives as
// JSON, and its stand-ins for the types of variables refuse most cursors, records and parameters.
// This calls what lies below it and puts the types right (plpgsql_compile.cpp).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct List;                // PostgreSQL's, nodes/pg_list.h
struct PLpgSQL_stmt_block;  // and those of plpgsql.h
struct PLpgSQL_datum;

namespace sallyport::postgres {

// A body, and what of its CREATE FUNCTION decides how it is read. A DO has only a text.
struct PlpgsqlRoutine {
    struct Parameter {
        std::string_view name;  // empty where it has none
        std::string_view type;  // last part of its name
    };
    enum class Trigger : std::uint8_t { none, rows, event };

    std::string_view text;
    std::string_view name = "inline_code_block";  // a label for its parameters
    std::vector<Parameter> parameters;            // in order, those of RETURNS TABLE at the end
    bool returns_set = false;
    bool has_output = false;  // OUT, INOUT and TABLE parameters
    Trigger trigger = Trigger::none;
};

// Not to be moved to another thread: the parser's memory is the thread's own (see RawParse).
class PlpgsqlCompile {
public:
    // Longer texts are refused: the time it takes grows with the square of the names in them.
    static constexpr std::size_t text_limit = std::size_t{128} << 10;

    explicit PlpgsqlCompile(const PlpgsqlRoutine& routine);
    ~PlpgsqlCompile();
    PlpgsqlCompile(const PlpgsqlCompile&) = delete;
    PlpgsqlCompile& operator=(const PlpgsqlCompile&) = delete;

    // Why the text does not parse, without words of it; empty where it does.
    const std::string& problem() const { return problem_; }

    // Valid as long as this object, and so is every string in it. Null after a problem.
    const ::PLpgSQL_stmt_block* tree() const { return tree_; }

    // What the text declares: variables, records, loop variables.
    const std::vector<const ::PLpgSQL_datum*>& declared() const { return declared_; }

    // Parses a piece of the text as the server does when it is run; mode is its RawParseMode. Null
    // after an error, which is then the problem.
    const ::List* parse(const char* piece, int mode);

private:
    void* memory_;
    const ::PLpgSQL_stmt_block* tree_ = nullptr;
    std::vector<const ::PLpgSQL_datum*> declared_;
    std::string problem_;
};

}  // namespace sallyport::postgres
