// What built-in functions do with values: keep them, bring them along, return several columns.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sallyport::postgres {

// True for functions that put a value where no mask follows it: settings, notifications, large
// objects, files, other servers, locks, sequences, the log of changes.
bool keeps_its_arguments(std::string_view schema, std::string_view name);

// True for functions whose result holds values of rows or texts of statements that did not come in
// by their arguments.
bool reads_beyond_arguments(std::string_view schema, std::string_view name);

// True for functions of pg_catalog and of extensions whose results are made of their arguments
// only, or that reads_beyond_arguments() knows.
bool is_known_function(std::string_view schema, std::string_view name);

// The columns of a built-in function in FROM; empty where they are not known. A function that
// returns one column has one name, its own.
std::span<const std::string_view> result_columns(std::string_view name);

// The name of a function for large objects by its OID (catalog/pg_proc.dat): libpq and pgjdbc call
// these by the fast path. Empty for others.
std::string_view large_object_function(std::uint32_t oid);

// True for C functions of known extensions that compute from their arguments alone.
bool computes_only(std::string_view extension, std::string_view function);

}  // namespace sallyport::postgres
