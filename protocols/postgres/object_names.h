// How objects are called in actions: "public.users", "analytics", and what kind they are.
//
// An unqualified name is taken to be in public, since search_path is the target's affair; relations
// of PostgreSQL's own catalogue are "pg_catalog.pg_class", temporary tables "pg_temp.name".

#pragma once

#include <string>
#include <string_view>
#include <utility>

struct List;
struct Node;
struct RangeVar;

namespace sallyport::postgres {

// The last name of a list of String nodes, and the one before it (empty where there is none).
std::pair<std::string_view, std::string_view> last_two(const ::List* names);

// "schema.name"; pg_catalog or public where no schema is written.
std::string qualified(std::string_view schema, std::string_view name);

std::string name_of(const ::RangeVar& relation);

// "schema.name" of a list of String nodes.
std::string name_of(const ::List* names);

// kind is an ObjectType, the node what the grammar gives for one: a trigger's, rule's, policy's or
// column's object is its table.
std::string name_of(int kind, const ::Node* object);

// "TABLE", "FOREIGN DATA WRAPPER"; kind is an ObjectType.
std::string_view word_of(int kind);

}  // namespace sallyport::postgres
