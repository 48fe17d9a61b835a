// What the target's catalogue says about relations: which columns an OID means, where a column of a
// view or a partition has its values from.
//
// A snapshot, read over a connection of the gateway's own. Relations it does not know (temporary
// ones, those of transactions not yet committed) count as untraceable.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/masking/mask_plan.h"
#include "gateway/vocabulary/column.h"
#include "gateway/vocabulary/result.h"
#include "protocols/postgres/statement.h"

namespace sallyport::postgres {

struct CatalogueRelation {
    std::uint32_t oid = 0;
    std::string schema;
    std::string name;
    bool view = false;
    std::vector<std::string> columns;    // by attribute number from 1; empty where dropped
    std::vector<std::uint32_t> types;    // of the columns, OIDs
    std::vector<std::uint32_t> parents;  // tables it inherits from, or is a partition of
    // Views: what the target says of each output column of the view's query, relation and
    // attribute, by position; 0 where it traces none. Empty where the query could not be described.
    std::vector<std::pair<std::uint32_t, int>> origins;
    // Views: every column the query uses, for those without an origin.
    std::vector<std::pair<std::uint32_t, int>> reads;
};

class Catalogue {
public:
    explicit Catalogue(std::vector<CatalogueRelation> relations);

    // Null for an OID it does not know.
    const CatalogueRelation* find(std::uint32_t oid) const;

    // The one relation with this name (in this schema, or in any where none is given); null where
    // there is none or more than one.
    const CatalogueRelation* find(const RelationName& name) const;

    // Every place the values of a column can come from: itself, the column of that name of each
    // ancestor, and for a view the column's origin, or every column the view's query uses where it
    // has none. Nothing where relation or attribute is
    // unknown.
    std::vector<std::string> sources(std::uint32_t oid, int attribute) const;

    // Whether the column is one of the system's that repeat values of other tables' columns, or
    // texts of other people's statements: hidden wherever anything is masked.
    bool holds_values(std::uint32_t oid, int attribute) const;

    const std::vector<CatalogueRelation>& relations() const { return relations_; }

private:
    void add_sources(std::uint32_t oid, int attribute, int depth,
                     std::vector<std::string>& into) const;

    std::vector<CatalogueRelation> relations_;
    std::unordered_map<std::uint32_t, std::size_t> by_oid_;
    std::multimap<std::string, std::size_t, std::less<>> by_name_;
};

// Which names could lead to a masked value under one set of rules: for statements whose result the
// server does not trace.
class SensitiveNames {
public:
    SensitiveNames(const Catalogue& catalogue, const MaskRules& rules);

    // Whether a column of the statement's result that has no origin could hold a masked value.
    bool touched_by(const Mentions& mentions) const;

private:
    std::set<std::string, std::less<>> columns_;
    std::set<std::string, std::less<>> relations_;  // without schema: search_path is the target's
};

}  // namespace sallyport::postgres
