// The commands of the streaming replication protocol, which are not SQL.

#pragma once

#include <string_view>

namespace sallyport::postgres {

// Whether a walsender would read this text with its own grammar: its first word is one of that
// grammar's commands (src/backend/replication/repl_gram.y; PostgreSQL documentation, "Streaming
// Replication Protocol"). No SQL statement begins with such a word. SHOW is left out: it is SQL too
// and means the same there.
bool is_replication_command(std::string_view text);

}  // namespace sallyport::postgres
