// The commands of the streaming replication protocol, which are not SQL.

#pragma once

#include <memory>
#include <string_view>

#include "protocols/postgres/statement.h"

namespace sallyport::postgres {

// Whether a walsender would read this text with its own grammar: its first word is one of that
// grammar's commands (src/backend/replication/repl_gram.y; PostgreSQL documentation, "Streaming
// Replication Protocol"). No SQL statement begins with such a word. SHOW is left out: it is SQL too
// and means the same there.
bool is_replication_command(std::string_view text);

// Such a text: class replication, and server_file as well for a BASE_BACKUP that names another
// TARGET than 'client', which writes to the server's disk or runs what a module of it offers.
std::shared_ptr<const Sql> read_replication_command(std::string_view text);

}  // namespace sallyport::postgres
