// libpg_query's parser of PL/pgSQL with PostgreSQL's own header for it; only for plpgsql_*.cpp.
//
// The library keeps in thread-local variables what the server's headers declare as plain ones:
// those declarations go by other names here, which nothing defines or uses, and the true ones
// follow.
//
// These headers define macros with the names of standard functions: include this file last.

#pragma once

#include <csetjmp>

#define CurrentMemoryContext server_CurrentMemoryContext
#define PG_exception_stack server_PG_exception_stack
#define error_context_stack server_error_context_stack
#define plpgsql_Datums server_plpgsql_Datums
#define plpgsql_nDatums server_plpgsql_nDatums
#define plpgsql_check_syntax server_plpgsql_check_syntax
#define plpgsql_compile_tmp_cxt server_plpgsql_compile_tmp_cxt
#define plpgsql_curr_compile server_plpgsql_curr_compile
#define plpgsql_DumpExecTree server_plpgsql_DumpExecTree
#define plpgsql_error_funcname server_plpgsql_error_funcname
#define plpgsql_parse_result server_plpgsql_parse_result

extern "C" {
#include <postgres.h>
// Needs postgres.h before it.
#include <catalog/pg_type_d.h>
#include <parser/parser.h>
#include <plpgsql.h>
}

#undef CurrentMemoryContext
#undef PG_exception_stack
#undef error_context_stack
#undef plpgsql_Datums
#undef plpgsql_nDatums
#undef plpgsql_check_syntax
#undef plpgsql_compile_tmp_cxt
#undef plpgsql_curr_compile
#undef plpgsql_DumpExecTree
#undef plpgsql_error_funcname
#undef plpgsql_parse_result

extern "C" {
extern __thread MemoryContext CurrentMemoryContext;
extern __thread sigjmp_buf* PG_exception_stack;
extern __thread ErrorContextCallback* error_context_stack;
extern __thread PLpgSQL_datum** plpgsql_Datums;
extern __thread int plpgsql_nDatums;
extern __thread bool plpgsql_check_syntax;
extern __thread MemoryContext plpgsql_compile_tmp_cxt;
extern __thread PLpgSQL_function* plpgsql_curr_compile;
extern __thread bool plpgsql_DumpExecTree;
extern __thread char* plpgsql_error_funcname;
extern __thread PLpgSQL_stmt_block* plpgsql_parse_result;

void plpgsql_start_datums();
void* pg_query_enter_memory_context();
void pg_query_exit_memory_context(void* context);
}

#include "protocols/postgres/postgres_nodes.h"
