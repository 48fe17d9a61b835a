// What the catalogue's reader asks a target, and what becomes of the answers.
//
// Each text is sent as a Query message of its own, all of them at once: what one of them meets
// spoils that one only. Definitions are asked for apart from what they belong to, for the server
// locks what it writes a definition of: an object that a transaction has locked is left out rather
// than waited for, as that transaction can be the one that waits for this reading. PostgreSQL 13
// to 18.

#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocols/postgres/catalogue.h"

namespace sallyport::postgres {

struct CatalogueQuery {
    std::string text;
    // The same with nothing in the definitions' place; empty where it has none.
    std::string without_definitions;
    std::size_t results;  // how many sets of rows it answers with
};

// The first one prepares the session for the others.
std::span<const CatalogueQuery> catalogue_queries();

// Puts a reading together.
class CatalogueDraft {
public:
    using Row = std::vector<std::optional<std::string_view>>;  // no value: NULL

    // A row of the given set of rows, counted over all queries. The sets come in their order.
    void take(std::size_t result, const Row& row);

    // False where something was locked, so that another reading could know more.
    bool complete() const { return complete_; }

    // Called once.
    CatalogueParts finish();

private:
    void add_search_path(const Row& row);
    void add_schema(const Row& row);
    void add_relation(const Row& row);
    void add_column(const Row& row);
    void add_parent(const Row& row);
    void add_reference(const Row& row);
    void add_trigger(const Row& row);
    void add_function(const Row& row);
    void add_aggregate(const Row& row);
    void add_operator(const Row& row);
    void add_cast(const Row& row);
    void add_type(const Row& row);
    void add_view_definition(const Row& row);
    void add_rule(const Row& row);
    void add_written_expression(const Row& row);
    void add_policy(const Row& row);
    void add_trigger_condition(const Row& row);
    void add_function_definition(const Row& row);
    void add_type_constraint(const Row& row);

    CatalogueRelation* relation(std::uint32_t oid);
    CatalogueFunction* function(std::uint32_t oid);
    std::string definition(const Row& row, std::size_t at);
    std::string expression(const Row& row, std::size_t at);

    CatalogueParts parts_;
    std::unordered_map<std::uint32_t, std::size_t> relations_;  // by OID, in parts_
    std::unordered_map<std::uint32_t, std::size_t> functions_;
    std::unordered_map<std::uint32_t, std::size_t> types_;
    // The relation of a trigger with a condition, and which of its triggers it is.
    std::unordered_map<std::uint32_t, std::pair<std::uint32_t, std::size_t>> triggers_;
    bool complete_ = true;
};

}  // namespace sallyport::postgres
