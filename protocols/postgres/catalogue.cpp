#include "protocols/postgres/catalogue.h"

#include <algorithm>

namespace sallyport::postgres {

namespace {

// Views on views, partitions of partitions: deeper than any real schema, and an end to a loop.
constexpr int depth_limit = 32;

// Columns of the system's own relations that hold values of user columns (statistics) or texts of
// statements.
struct ValueColumn {
    std::string_view relation;
    std::string_view column;
};
constexpr ValueColumn value_columns[] = {
    {"pg_stats", "most_common_vals"},
    {"pg_stats", "histogram_bounds"},
    {"pg_stats", "most_common_elems"},
    {"pg_statistic", "stavalues1"},
    {"pg_statistic", "stavalues2"},
    {"pg_statistic", "stavalues3"},
    {"pg_statistic", "stavalues4"},
    {"pg_statistic", "stavalues5"},
    {"pg_stats_ext", "most_common_vals"},
    {"pg_stats_ext_exprs", "most_common_vals"},
    {"pg_stats_ext_exprs", "histogram_bounds"},
    {"pg_stats_ext_exprs", "most_common_elems"},
    {"pg_statistic_ext_data", "stxdmcv"},
    {"pg_statistic_ext_data", "stxdexpr"},
    {"pg_stat_activity", "query"},
    {"pg_stat_statements", "query"},
    {"pg_prepared_statements", "statement"},
    {"pg_cursors", "statement"},
    {"pg_largeobject", "data"},
};

}  // namespace

Catalogue::Catalogue(std::vector<CatalogueRelation> relations) : relations_(std::move(relations))
{
    for (std::size_t i = 0; i < relations_.size(); ++i) {
        by_oid_.emplace(relations_[i].oid, i);
        by_name_.emplace(relations_[i].name, i);
    }
}

const CatalogueRelation* Catalogue::find(std::uint32_t oid) const
{
    const auto found = by_oid_.find(oid);
    return found == by_oid_.end() ? nullptr : &relations_[found->second];
}

const CatalogueRelation* Catalogue::find(const RelationName& name) const
{
    const CatalogueRelation* only = nullptr;
    const auto [first, last] = by_name_.equal_range(name.name);
    for (auto at = first; at != last; ++at) {
        const CatalogueRelation& relation = relations_[at->second];
        if (!name.schema.empty() && relation.schema != name.schema)
            continue;
        if (only != nullptr)
            return nullptr;
        only = &relation;
    }
    return only;
}

std::vector<std::string> Catalogue::sources(std::uint32_t oid, int attribute) const
{
    std::vector<std::string> names;
    add_sources(oid, attribute, 0, names);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

bool Catalogue::holds_values(std::uint32_t oid, int attribute) const
{
    const CatalogueRelation* relation = find(oid);
    if (relation == nullptr || attribute < 1 ||
        static_cast<std::size_t>(attribute) > relation->columns.size())
        return false;
    const auto position = static_cast<std::size_t>(attribute) - 1;
    for (const ValueColumn& value : value_columns)
        if (relation->name == value.relation && relation->columns[position] == value.column)
            return true;
    if (relation->schema == "pg_catalog")
        return false;
    // A view of somebody's over one of them.
    const auto repeats = [this](const std::pair<std::uint32_t, int>& base) {
        return base.first != 0 && holds_values(base.first, base.second);
    };
    if (position < relation->origins.size() && relation->origins[position].first != 0)
        return repeats(relation->origins[position]);
    return std::any_of(relation->reads.begin(), relation->reads.end(), repeats);
}

void Catalogue::add_sources(std::uint32_t oid, int attribute, int depth,
                            std::vector<std::string>& into) const
{
    const CatalogueRelation* relation = find(oid);
    if (relation == nullptr || depth > depth_limit || attribute < 1 ||
        static_cast<std::size_t>(attribute) > relation->columns.size())
        return;
    const std::string& column = relation->columns[static_cast<std::size_t>(attribute) - 1];
    if (column.empty())
        return;
    into.push_back(relation->schema + "." + relation->name + "." + column);
    for (const std::uint32_t parent : relation->parents) {
        const CatalogueRelation* ancestor = find(parent);
        if (ancestor == nullptr)
            continue;
        const auto same = std::find(ancestor->columns.begin(), ancestor->columns.end(), column);
        if (same != ancestor->columns.end())
            add_sources(parent, static_cast<int>(same - ancestor->columns.begin()) + 1, depth + 1,
                        into);
    }
    const auto position = static_cast<std::size_t>(attribute) - 1;
    if (position < relation->origins.size() && relation->origins[position].first != 0) {
        add_sources(relation->origins[position].first, relation->origins[position].second,
                    depth + 1, into);
        return;
    }
    for (const auto& [base, number] : relation->reads)
        add_sources(base, number, depth + 1, into);
}

SensitiveNames::SensitiveNames(const Catalogue& catalogue, const MaskRules& rules)
{
    for (const CatalogueRelation& relation : catalogue.relations()) {
        if (relation.schema == "pg_catalog" || relation.schema == "information_schema")
            continue;
        for (std::size_t i = 0; i < relation.columns.size(); ++i) {
            const auto sources = catalogue.sources(relation.oid, static_cast<int>(i) + 1);
            const bool hidden = std::any_of(sources.begin(), sources.end(), [&](const auto& name) {
                return rules.action_for(name) != nullptr;
            });
            if (!hidden)
                continue;
            columns_.insert(relation.columns[i]);
            relations_.insert(relation.name);
        }
    }
    for (const ValueColumn& value : value_columns) {
        relations_.emplace(value.relation);
        columns_.emplace(value.column);
    }
}

bool SensitiveNames::touched_by(const Mentions& mentions) const
{
    const auto named = [this](const RelationName& relation) {
        return relations_.contains(relation.name);
    };
    const bool relation = std::any_of(mentions.relations.begin(), mentions.relations.end(), named);
    if (!relation)
        return false;
    if (mentions.star || mentions.whole_row || mentions.column_aliases)
        return true;
    return std::any_of(mentions.columns.begin(), mentions.columns.end(),
                       [this](const std::string& column) { return columns_.contains(column); });
}

}  // namespace sallyport::postgres
