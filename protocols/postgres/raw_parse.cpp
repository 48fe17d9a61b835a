#include "protocols/postgres/raw_parse.h"

#include <cstdlib>
#include <pg_query.h>

extern "C" {

// From the library's pg_query_internal.h (15-4.0.0), which is not installed.
struct PgQueryInternalParsetreeAndError {
    ::List* tree;
    char* stderr_buffer;
    PgQueryError* error;
};
PgQueryInternalParsetreeAndError pg_query_raw_parse(const char* input);
void pg_query_free_error(PgQueryError* error);
void* pg_query_enter_memory_context();
void pg_query_exit_memory_context(void* context);
}

namespace sallyport::postgres {

RawParse::RawParse(const char* text) : memory_(pg_query_enter_memory_context())
{
    const PgQueryInternalParsetreeAndError result = pg_query_raw_parse(text);
    std::free(result.stderr_buffer);  // NOLINT(cppcoreguidelines-no-malloc): the library's strdup
    tree_ = result.tree;
    if (result.error != nullptr) {
        tree_ = nullptr;
        problem_ = result.error->message;
        pg_query_free_error(result.error);
    }
}

RawParse::~RawParse()
{
    pg_query_exit_memory_context(memory_);
}

}  // namespace sallyport::postgres
