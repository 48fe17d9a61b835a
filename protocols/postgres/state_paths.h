// What the protocol keeps in the state directory, and under which names.

#pragma once

#include <string>

#include "gateway/targets/target.h"

namespace sallyport::postgres {

// "STATE_DIR/postgres": made by whoever writes there first.
std::string state_folder(const std::string& state_dir);

// Which columns of a target hold copies (derived_columns.h): one file for all connections that lead
// to the same database. "db.example.com,5432,shop.derived"; a digest in place of names that a file
// cannot have.
std::string derived_file(const std::string& state_dir, const Target& target);

// The target's catalogue as a connection's login last read it (catalogue_text.h).
std::string catalogue_file(const std::string& state_dir, const std::string& connection);

}  // namespace sallyport::postgres
