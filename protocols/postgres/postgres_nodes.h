// PostgreSQL's own headers for the nodes of a raw parse tree; only for the files that walk one.
//
// The structs are those of server version 15, which libpg_query 15 was cut from. Nothing but
// structs and enumerators may be used: the library's globals are thread-local, the server's headers
// declare them otherwise, so that palloc, ereport and MemoryContextSwitchTo would not link or not
// work.
//
// These headers define macros with the names of standard functions: include this file last.

#pragma once

#include <span>
#include <string_view>

extern "C" {
#include <postgres.h>
// Needs postgres.h before it.
#include <nodes/parsenodes.h>
}

namespace sallyport::postgres {

inline std::span<const ListCell> cells(const List* list)
{
    return list == nullptr
               ? std::span<const ListCell>()
               : std::span<const ListCell>(list->elements, static_cast<std::size_t>(list->length));
}

inline const Node* node_of(const ListCell& cell)
{
    return static_cast<const Node*>(cell.ptr_value);
}

// The node as what its tag says it is.
template <typename T>
const T& as(const void* node)
{
    return *static_cast<const T*>(node);
}

inline bool is(const void* node, NodeTag tag)
{
    return node != nullptr && static_cast<const Node*>(node)->type == tag;
}

inline std::string_view view(const char* text)
{
    return text == nullptr ? std::string_view() : std::string_view(text);
}

// The text of a String node; empty for any other.
inline std::string_view string_of(const void* node)
{
    return is(node, T_String) ? view(as<String>(node).sval) : std::string_view();
}

}  // namespace sallyport::postgres
