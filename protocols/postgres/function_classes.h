// What a call of a function means, by the function's name alone.
//
// Functions of the database's own are looked up in its catalogue (resolution.h), not here.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/vocabulary/command.h"

namespace sallyport::postgres {

// True for a function of pg_catalog (PostgreSQL 15) that changes nothing, executes no text it is
// given and reads nothing outside the tables a statement names.
bool is_harmless_function(std::string_view name);

// True for a table or view of pg_catalog (PostgreSQL 15).
bool is_catalogue_relation(std::string_view name);

// True for a view of pg_catalog whose rows are those of a file of the server.
bool shows_server_files(std::string_view view);

// The classes a call adds; none for a harmless function, opaque for one nobody knows. schema is
// empty where the name is not qualified.
ClassSet classes_of_function(std::string_view schema, std::string_view name, std::size_t arguments);

// Whether the tables here know the function at all.
bool is_built_in_function(std::string_view schema, std::string_view name);

// True for dblink's functions, whose arguments may hold a connection string with a password.
bool takes_a_connection_string(std::string_view name);

}  // namespace sallyport::postgres
