// What CREATE FUNCTION says about its body.

#pragma once

#include <string_view>

#include "protocols/postgres/plpgsql_compile.h"

struct CreateFunctionStmt;

namespace sallyport::postgres {

// Views of the statement's tree.
struct FunctionBody {
    std::string_view language;
    std::string_view text;  // empty where the body is RETURN ... or BEGIN ATOMIC
    bool native = false;    // a symbol of a library
};

FunctionBody body_of(const ::CreateFunctionStmt& one);

// As PL/pgSQL needs it to read the text.
PlpgsqlRoutine routine_of(const ::CreateFunctionStmt& one, std::string_view text);

}  // namespace sallyport::postgres
