#include "protocols/postgres/own_relations.h"

#include <algorithm>
#include <unordered_map>

#include "protocols/postgres/lineage.h"

namespace sallyport::postgres {

namespace {

// Sessions that make more see the oldest as unknown ones, whose values are hidden.
constexpr std::size_t most_relations = 1000;

void merge(std::vector<std::string>& into, const std::vector<std::string>& more)
{
    for (const std::string& name : more) {
        if (std::ranges::find(into, name) == into.end())
            into.push_back(name);
    }
}

// What goes into a column leaves its places there.
void pour(CatalogueColumn& column, const Sources& sources)
{
    for (const CatalogueColumn* source : sources) {
        merge(column.places, source->places);
        column.holds_values = column.holds_values || source->holds_values || source == untraced();
    }
}

}  // namespace

bool OwnRelations::take(const Statement& statement)
{
    const Lineage& lineage = *statement.lineage;
    bool changed = false;
    for (const auto& relation : lineage.made) {
        auto made = std::make_shared<CatalogueRelation>(*relation);
        const std::string home = made->schema + "." + made->name + ".";
        for (CatalogueColumn& column : made->columns) {
            merge(column.places, {home + column.name});
            column.own = true;
        }
        // A name used again may be either: whether the old one is gone is the server's to know.
        const auto old = std::ranges::find_if(relations_, [&](const auto& known) {
            return known->schema == made->schema && known->name == made->name;
        });
        if (old != relations_.end()) {
            for (const CatalogueColumn& before : (*old)->columns) {
                const auto same =
                    std::ranges::find(made->columns, before.name, &CatalogueColumn::name);
                if (same == made->columns.end())
                    continue;
                merge(same->places, before.places);
                same->holds_values = same->holds_values || before.holds_values;
            }
            relations_.erase(old);
        }
        if (relations_.size() == most_relations)
            relations_.erase(relations_.begin());
        relations_.push_back(std::move(made));
        changed = true;
    }
    for (const Flow& flow : lineage.flows) {
        for (auto& relation : relations_) {
            if (relation->schema != flow.schema || relation->name != flow.relation)
                continue;
            auto copy = std::make_shared<CatalogueRelation>(*relation);
            auto column = std::ranges::find(copy->columns, flow.column, &CatalogueColumn::name);
            // Added since it was made.
            if (column == copy->columns.end()) {
                copy->columns.push_back({flow.column, 0, {}, {}});
                column = std::prev(copy->columns.end());
                column->places = {place_of(flow.schema, flow.relation, flow.column)};
                column->own = true;
            }
            const std::size_t before = column->places.size();
            const bool held = column->holds_values;
            pour(*column, flow.sources);
            if (column->places.size() != before || column->holds_values != held) {
                relation = std::move(copy);
                changed = true;
            }
        }
    }
    return changed;
}

bool OwnRelations::forget_known(const Catalogue& catalogue)
{
    return std::erase_if(relations_, [&](const auto& own) {
               return own->schema != "pg_temp" &&
                      std::ranges::any_of(catalogue.relations_named(own->name),
                                          [&](const CatalogueRelation* known) {
                                              return known->schema == own->schema;
                                          });
           }) != 0;
}

std::vector<DerivedColumn> derived_by(const Lineage& lineage)
{
    std::vector<DerivedColumn> derived;
    for (const Flow& flow : lineage.flows) {
        DerivedColumn column{flow.schema, flow.relation, flow.column, {}};
        const std::string own = flow.schema + "." + flow.relation + "." + flow.column;
        for (const CatalogueColumn* source : flow.sources) {
            for (const std::string& place : source->places) {
                if (place != own)
                    column.places.push_back(place);
            }
            if (source == untraced() || source->holds_values)
                column.places.emplace_back(untraced_place);
        }
        std::ranges::sort(column.places);
        const auto same = std::ranges::unique(column.places);
        column.places.erase(same.begin(), same.end());
        if (!column.places.empty())
            derived.push_back(std::move(column));
    }
    return derived;
}

void close_copies(std::vector<Statement>& statements)
{
    std::vector<DerivedColumn*> all;
    for (Statement& statement : statements) {
        for (DerivedColumn& column : statement.derived)
            all.push_back(&column);
    }
    // A chain is no longer than there are copies.
    constexpr std::size_t most_rounds = 32;
    if (all.size() < 2)
        return;
    std::unordered_map<std::string, std::vector<const DerivedColumn*>> into;
    for (const DerivedColumn* column : all)
        into[column->schema + "." + column->relation + "." + column->column].push_back(column);
    bool changed = true;
    for (std::size_t round = 0; changed && round < most_rounds; ++round) {
        changed = false;
        for (DerivedColumn* column : all) {
            std::vector<std::string> more;
            for (const std::string& place : column->places) {
                const auto through = into.find(place);
                if (through == into.end())
                    continue;
                for (const DerivedColumn* before : through->second)
                    more.insert(more.end(), before->places.begin(), before->places.end());
            }
            const std::size_t size = column->places.size();
            column->places.insert(column->places.end(), more.begin(), more.end());
            std::ranges::sort(column->places);
            const auto same = std::ranges::unique(column->places);
            column->places.erase(same.begin(), same.end());
            changed = changed || column->places.size() != size;
        }
    }
}

}  // namespace sallyport::postgres
