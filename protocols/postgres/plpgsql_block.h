// Which SQL stands in a PL/pgSQL block - the body of a DO, a function or a procedure - and what of
// it does more than SQL.
//
// Every kind of statement stands in a switch; an unknown one is a problem, never passed over.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/postgres/plpgsql_compile.h"

namespace sallyport::postgres {

struct PlpgsqlBlock {
    enum class Kind : std::uint8_t {
        statement,   // an SQL statement, PERFORM as the SELECT it is; its INTO is gone
        query,       // of a cursor, FOR ... IN, RETURN QUERY
        expression,  // a value: assigned, tested, given to RAISE, USING, a cursor ...
        assignment,  // target := expression: a PLAssignStmt
        executed,    // EXECUTE 'text' with a plain literal: its text, not parsed yet
    };

    struct Fragment {
        Kind kind;
        std::string_view text;
        const ::List* tree;  // RawStmt nodes; null for Kind::executed
    };

    std::vector<Fragment> fragments;     // in order, what is declared first
    std::vector<std::string> variables;  // declared in the block, as the server spells them; sorted
    bool dynamic = false;                // EXECUTE of a text that is made when it runs
    bool transaction = false;            // COMMIT, ROLLBACK
    bool cursor = false;                 // FETCH, MOVE, CLOSE: of a cursor that may be anybody's
    // Why the block could not be read; fragments may then be incomplete.
    std::string problem;

    // What fragments refer to.
    std::unique_ptr<const PlpgsqlCompile> memory;
};

PlpgsqlBlock read_plpgsql(const PlpgsqlRoutine& routine);

}  // namespace sallyport::postgres
