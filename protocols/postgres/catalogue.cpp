#include "protocols/postgres/catalogue.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "protocols/postgres/derived_columns.h"

namespace sallyport::postgres {

namespace {

// Partitions of partitions: deeper than any real schema.
constexpr int depth_limit = 32;
// What anybody who may make tables can make the gateway remember.
constexpr std::size_t places_limit = 4'000'000;

// Columns of the system's own relations, of PostgreSQL 13 to 18, that hold values of user columns,
// texts of statements, or secrets.
struct ValueColumn {
    std::string_view schema;  // empty: any, for an extension's view is wherever it was installed
    std::string_view relation;
    std::string_view column;
};
constexpr ValueColumn value_columns[] = {
    // Samples of values that ANALYZE keeps.
    {"pg_catalog", "pg_statistic", "stavalues1"},
    {"pg_catalog", "pg_statistic", "stavalues2"},
    {"pg_catalog", "pg_statistic", "stavalues3"},
    {"pg_catalog", "pg_statistic", "stavalues4"},
    {"pg_catalog", "pg_statistic", "stavalues5"},
    {"pg_catalog", "pg_statistic_ext_data", "stxdmcv"},
    {"pg_catalog", "pg_statistic_ext_data", "stxdexpr"},
    {"pg_catalog", "pg_stats", "most_common_vals"},
    {"pg_catalog", "pg_stats", "histogram_bounds"},
    {"pg_catalog", "pg_stats", "most_common_elems"},
    {"pg_catalog", "pg_stats", "range_length_histogram"},
    {"pg_catalog", "pg_stats", "range_bounds_histogram"},
    {"pg_catalog", "pg_stats_ext", "most_common_vals"},
    {"pg_catalog", "pg_stats_ext_exprs", "most_common_vals"},
    {"pg_catalog", "pg_stats_ext_exprs", "histogram_bounds"},
    {"pg_catalog", "pg_stats_ext_exprs", "most_common_elems"},
    {"pg_catalog", "pg_stats_ext_exprs", "range_length_histogram"},
    {"pg_catalog", "pg_stats_ext_exprs", "range_bounds_histogram"},
    // What the rows from before ALTER TABLE ... ADD COLUMN ... DEFAULT have.
    {"pg_catalog", "pg_attribute", "attmissingval"},
    {"pg_catalog", "pg_largeobject", "data"},
    // Texts of statements.
    {"pg_catalog", "pg_stat_activity", "query"},
    {"pg_catalog", "pg_prepared_statements", "statement"},
    {"pg_catalog", "pg_cursors", "statement"},
    {"pg_catalog", "pg_backend_memory_contexts", "ident"},
    {"", "pg_stat_statements", "query"},
    {"", "pg_stat_monitor", "query"},
    {"", "pg_stat_monitor", "query_plan"},
    {"", "pg_store_plans", "plan"},
    {"", "pg_qualstats", "constvalue"},
    // Passwords and connection strings.
    {"pg_catalog", "pg_authid", "rolpassword"},
    {"pg_catalog", "pg_shadow", "passwd"},
    {"information_schema", "_pg_foreign_servers", "foreign_server_options"},
    {"information_schema", "user_mapping_options", "option_value"},
    {"information_schema", "foreign_server_options", "option_value"},
};

void mark_value_columns(CatalogueRelation& relation)
{
    for (const ValueColumn& value : value_columns) {
        if (relation.name != value.relation ||
            (!value.schema.empty() && relation.schema != value.schema))
            continue;
        for (CatalogueColumn& column : relation.columns)
            column.holds_values = column.holds_values || column.name == value.column;
    }
}

// Finds the places of one relation's columns after the other's.
//
// A row that a table shows is its own or a descendant's, and what holds for a table's column holds
// for its children's. So the family of a table is itself, its descendants, and the ancestors of all
// of these: for a partition itself and what it is a partition of, not its siblings. Going through
// the families of a whole tree costs its size times its depth.
class PlaceFinder {
public:
    PlaceFinder(std::vector<CatalogueRelation>& relations, const DerivedColumns* derived)
        : derived_(derived != nullptr && !derived->empty() ? derived : nullptr)
    {
        std::unordered_map<std::uint32_t, const CatalogueRelation*> by_oid;
        by_oid.reserve(relations.size());
        for (const CatalogueRelation& relation : relations)
            by_oid.emplace(relation.oid, &relation);
        for (const CatalogueRelation& relation : relations) {
            for (const std::uint32_t oid : relation.parents) {
                const auto parent = by_oid.find(oid);
                if (parent == by_oid.end())
                    continue;
                above_[&relation].push_back(parent->second);
                below_[parent->second].push_back(&relation);
            }
        }
    }

    void fill(CatalogueRelation& relation)
    {
        const bool whole = find_family(relation);
        std::vector<std::vector<std::string>> found(relation.columns.size());
        for (std::size_t i = 0; i < relation.columns.size(); ++i) {
            CatalogueColumn& column = relation.columns[i];
            if (column.name.empty())
                continue;
            copied_ = false;
            if (!whole || places_ + family_.size() > places_limit) {
                column.holds_values = true;
                add_place(relation, i, found[i]);
                continue;
            }
            for (const CatalogueRelation* member : family_)
                if (const auto at = position(*member, column.name, i))
                    add_place(*member, *at, found[i]);
            column.copied = copied_;
        }
        for (std::size_t i = 0; i < found.size(); ++i) {
            std::vector<std::string>& places = found[i];
            if (places.size() > 1) {
                std::sort(places.begin(), places.end());
                places.erase(std::unique(places.begin(), places.end()), places.end());
            }
            // What nobody could trace was copied into it.
            if (std::erase(places, untraced_place) != 0)
                relation.columns[i].holds_values = true;
            relation.columns[i].places = std::move(places);
        }
    }

private:
    using Kin = std::unordered_map<const CatalogueRelation*, std::vector<const CatalogueRelation*>>;

    // False where there is more of it than is followed.
    bool find_family(const CatalogueRelation& relation)
    {
        family_.assign(1, &relation);
        if (!above_.contains(&relation) && !below_.contains(&relation))
            return true;
        met_.clear();
        met_.insert(&relation);
        const bool down = add_kin(below_);
        return add_kin(above_) && down;
    }

    // Everything that can be reached from the family as it is, one generation after the other.
    bool add_kin(const Kin& kin)
    {
        std::size_t begin = 0;
        for (int depth = 0; begin < family_.size(); ++depth) {
            if (depth > depth_limit || family_.size() > places_limit)
                return false;
            const std::size_t end = family_.size();
            for (; begin < end; ++begin) {
                const auto next = kin.find(family_[begin]);
                if (next == kin.end())
                    continue;
                for (const CatalogueRelation* one : next->second)
                    if (met_.insert(one).second)
                        family_.push_back(one);
            }
        }
        return true;
    }

    // Where a relation has the column of that name; the first place to look is where another one
    // has it.
    std::optional<std::size_t> position(const CatalogueRelation& relation, std::string_view name,
                                        std::size_t likely)
    {
        if (likely < relation.columns.size() && relation.columns[likely].name == name)
            return likely;
        auto& columns = positions_[&relation];
        if (columns.empty())
            for (std::size_t i = 0; i < relation.columns.size(); ++i)
                if (!relation.columns[i].name.empty())
                    columns.emplace(relation.columns[i].name, i);
        const auto found = columns.find(name);
        return found == columns.end() ? std::nullopt : std::optional(found->second);
    }

    void add_place(const CatalogueRelation& relation, std::size_t at,
                   std::vector<std::string>& into)
    {
        ++places_;
        std::string place;
        const std::string& column = relation.columns[at].name;
        place.reserve(relation.schema.size() + relation.name.size() + column.size() + 2);
        place.append(relation.schema).append(1, '.').append(relation.name).append(1, '.');
        into.push_back(std::move(place.append(column)));
        if (derived_ == nullptr)
            return;
        for (std::string& copied : derived_->places_of(relation, static_cast<int>(at) + 1)) {
            ++places_;
            copied_ = true;
            into.push_back(std::move(copied));
        }
    }

    const DerivedColumns* derived_;
    Kin above_;
    Kin below_;
    std::unordered_map<const CatalogueRelation*, std::unordered_map<std::string_view, std::size_t>>
        positions_;
    std::vector<const CatalogueRelation*> family_;
    std::unordered_set<const CatalogueRelation*> met_;
    std::size_t places_ = 0;
    bool copied_ = false;  // something, into the column at hand
};

template <class T, class Map>
const T* at_oid(const Map& map, std::uint32_t oid)
{
    const auto found = map.find(oid);
    return found == map.end() ? nullptr : found->second;
}

template <class T, class Map>
std::span<const T* const> with_name(const Map& map, std::string_view name)
{
    const auto found = map.find(name);
    return found == map.end() ? std::span<const T* const>() : std::span(found->second);
}

}  // namespace

Catalogue::Catalogue(CatalogueParts parts, const DerivedColumns* derived) : parts_(std::move(parts))
{
    find_places(derived);
    relations_by_oid_.reserve(parts_.relations.size());
    relations_by_name_.reserve(parts_.relations.size());
    types_by_oid_.reserve(parts_.types.size());
    types_by_name_.reserve(parts_.types.size());
    for (const CatalogueRelation& relation : parts_.relations) {
        relations_by_oid_.emplace(relation.oid, &relation);
        relations_by_name_[relation.name].push_back(&relation);
        for (const std::uint32_t parent : relation.parents)
            children_[parent].push_back(&relation);
    }
    for (const CatalogueFunction& function : parts_.functions) {
        functions_by_oid_.emplace(function.oid, &function);
        functions_by_name_[function.name].push_back(&function);
    }
    for (const CatalogueOperator& one : parts_.operators)
        operators_by_name_[one.name].push_back(&one);
    for (const CatalogueType& type : parts_.types) {
        types_by_oid_.emplace(type.oid, &type);
        types_by_name_[type.name].push_back(&type);
    }
}

void Catalogue::find_places(const DerivedColumns* derived)
{
    PlaceFinder finder(parts_.relations, derived);
    for (CatalogueRelation& relation : parts_.relations) {
        for (CatalogueColumn& column : relation.columns)
            column.holds_values = false;
        mark_value_columns(relation);
        finder.fill(relation);
    }
}

const CatalogueRelation* Catalogue::relation(std::uint32_t oid) const
{
    return at_oid<CatalogueRelation>(relations_by_oid_, oid);
}

const CatalogueFunction* Catalogue::function(std::uint32_t oid) const
{
    return at_oid<CatalogueFunction>(functions_by_oid_, oid);
}

const CatalogueType* Catalogue::type(std::uint32_t oid) const
{
    return at_oid<CatalogueType>(types_by_oid_, oid);
}

std::span<const CatalogueRelation* const> Catalogue::children(std::uint32_t oid) const
{
    const auto found = children_.find(oid);
    return found == children_.end() ? std::span<const CatalogueRelation* const>()
                                    : std::span(found->second);
}

const CatalogueColumn* Catalogue::column(std::uint32_t oid, int attribute) const
{
    const CatalogueRelation* found = relation(oid);
    if (found == nullptr || attribute < 1 ||
        static_cast<std::size_t>(attribute) > found->columns.size())
        return nullptr;
    const CatalogueColumn& column = found->columns[static_cast<std::size_t>(attribute) - 1];
    return column.name.empty() ? nullptr : &column;
}

std::span<const CatalogueRelation* const> Catalogue::relations_named(std::string_view name) const
{
    return with_name<CatalogueRelation>(relations_by_name_, name);
}

std::span<const CatalogueFunction* const> Catalogue::functions_named(std::string_view name) const
{
    return with_name<CatalogueFunction>(functions_by_name_, name);
}

std::span<const CatalogueOperator* const> Catalogue::operators_named(std::string_view name) const
{
    return with_name<CatalogueOperator>(operators_by_name_, name);
}

std::span<const CatalogueType* const> Catalogue::types_named(std::string_view name) const
{
    return with_name<CatalogueType>(types_by_name_, name);
}

}  // namespace sallyport::postgres
