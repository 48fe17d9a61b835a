// How objects are called in actions: "public.users", "analytics", and what kind they are.
//
// A name without a schema is looked up as the server would (resolution.h); temporary tables are
// "pg_temp.name".

#pragma once

#include <string>
#include <string_view>
#include <utility>

struct List;
struct Node;
struct RangeVar;

namespace sallyport::postgres {

class Resolution;

// The last name of a list of String nodes, and the one before it (empty where there is none).
std::pair<std::string_view, std::string_view> last_two(const ::List* names);

std::string name_of(const Resolution& names, const ::RangeVar& relation);

// "schema.name" of a list of String nodes: of a relation, or something else that has a schema.
std::string name_of(const Resolution& names, const ::List* parts);

// "schema.name" of a function or procedure.
std::string name_of_function(const Resolution& names, const ::List* parts);

// kind is an ObjectType, the node what the grammar gives for one: a trigger's, rule's, policy's or
// column's object is its table.
std::string name_of(const Resolution& names, int kind, const ::Node* object);

// "TABLE", "FOREIGN DATA WRAPPER"; kind is an ObjectType.
std::string_view word_of(int kind);

}  // namespace sallyport::postgres
