#include "protocols/postgres/session_masks.h"

#include <algorithm>

namespace sallyport::postgres {

namespace {

void add_places(Column& column, const Sources& sources)
{
    for (const CatalogueColumn* source : sources) {
        column.sources.insert(column.sources.end(), source->places.begin(), source->places.end());
        column.traced = column.traced && source != untraced() && !source->holds_values;
    }
}

// What the server says a result's column is: a column of a relation, or a row of it (attribute 0).
// False where the relation or the column is not known.
bool add_origin(Column& column, const FieldShape& field, Resolution& names, bool& plain)
{
    // System columns have no values of any column.
    if (field.attribute < 0)
        return true;
    const Catalogue* known = names.catalogue().get();
    const CatalogueRelation* relation =
        known == nullptr ? nullptr : known->relation(field.relation);
    const CatalogueColumn* source =
        known == nullptr ? nullptr : known->column(field.relation, field.attribute);
    if (relation == nullptr || (source == nullptr && field.attribute != 0))
        return false;
    if (relation->schema.starts_with("pg_temp")) {
        // What it holds is known to the session that made it.
        const auto own = names.relations("pg_temp", relation->name);
        column.traced = column.traced && !own.empty();
        for (const CatalogueRelation* made : own) {
            for (const CatalogueColumn& one : made->columns) {
                if (source == nullptr || one.name == source->name)
                    add_places(column, {&one});
            }
        }
        return true;
    }
    const auto add_column = [&](std::size_t at) {
        const CatalogueColumn& one = relation->columns[at];
        add_places(column, {&one});
        if (relation->is_view() || !one.generated.empty())
            add_places(column, names.behind(*relation, at + 1));
    };
    if (source != nullptr) {
        const auto attribute = static_cast<std::size_t>(field.attribute);
        plain = names.is_plain(*relation, attribute);
        add_column(attribute - 1);
        return true;
    }
    for (std::size_t at = 0; at < relation->columns.size(); ++at) {
        if (!relation->columns[at].name.empty())
            add_column(at);
    }
    return true;
}

void sort_unique(std::vector<std::string>& names)
{
    std::ranges::sort(names);
    const auto same = std::ranges::unique(names);
    names.erase(same.begin(), same.end());
}

bool writes(const Statement& statement)
{
    return !statement.lineage->written.empty() || !statement.lineage->flows.empty() ||
           !statement.lineage->made.empty();
}

}  // namespace

bool SessionMasks::hides(const CatalogueColumn* column) const
{
    if (!rules_.names_columns())
        return false;
    return column == untraced() || column->holds_values ||
           std::ranges::any_of(column->places, [this](const std::string& place) {
               return rules_.action_for(place) != nullptr;
           });
}

bool SessionMasks::hides_any(const Sources& sources) const
{
    return std::ranges::any_of(sources,
                               [this](const CatalogueColumn* column) { return hides(column); });
}

bool SessionMasks::touched_by(const Statement& statement) const
{
    const Lineage& lineage = *statement.lineage;
    if (!rules_.names_columns())
        return false;
    if (hides_any(lineage.values) || hides_any(lineage.conditions) || hides_any(lineage.unused) ||
        hides_any(lineage.sunk))
        return true;
    // A row that a constraint refuses is quoted whole.
    for (const auto& [relation, use] : lineage.written) {
        for (const CatalogueColumn& column : relation->columns) {
            if (!column.name.empty() && hides(&column))
                return true;
        }
    }
    return statement.classes.contains(static_cast<std::size_t>(SqlClass::opaque));
}

bool SessionMasks::touched_by(const Sql& sql)
{
    if (asked_ == sql.shared_statements)
        return answer_;
    answer_ = std::ranges::any_of(
        sql.statements(), [this](const Statement& statement) { return touched_by(statement); });
    asked_ = sql.shared_statements;
    return answer_;
}

std::optional<std::string> SessionMasks::forbids(const Statement& statement) const
{
    const Lineage& lineage = *statement.lineage;
    if (!lineage.sunk.empty() && hides_any(lineage.sunk))
        return "a masked value would go to where masks cannot follow it: " + lineage.sink;
    // Whichever rule names a place may refuse, be it the one that hides it or not; what nobody can
    // trace may be of any.
    const auto refused = [&](const Sources& sources, bool MaskRules::Rule::*kind) {
        for (const MaskRules::Rule& rule : rules_.rules()) {
            if (!(rule.*kind))
                continue;
            for (const CatalogueColumn* column : sources) {
                if (column == untraced() || column->holds_values ||
                    std::ranges::any_of(column->places, [&](const std::string& place) {
                        return MaskRules::names(rule, place);
                    }))
                    return &rule;
            }
        }
        return static_cast<const MaskRules::Rule*>(nullptr);
    };
    if (const auto* rule = refused(lineage.conditions, &MaskRules::Rule::refuse_conditions))
        return rule->action.rule + " allows no masked column in conditions, order or groups";
    if (!writes(statement))
        return std::nullopt;
    for (const Sources* sources : {&lineage.values, &lineage.conditions, &lineage.assigned}) {
        if (const auto* rule = refused(*sources, &MaskRules::Rule::refuse_writes))
            return rule->action.rule + " allows no masked column in statements that write";
    }
    return std::nullopt;
}

Traced SessionMasks::trace(const std::vector<FieldShape>& fields, const Lineage* lineage,
                           Resolution& names, bool untraced_otherwise) const
{
    Traced traced;
    traced.columns.reserve(fields.size());
    const bool exact =
        lineage != nullptr && lineage->exact && lineage->outputs.size() == fields.size();
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const FieldShape& field = fields[i];
        Column column;
        column.label = field.label;
        bool by_server = false;
        bool plain = false;
        if (field.relation != 0) {
            by_server = add_origin(column, field, names, plain);
            traced.complete = traced.complete && by_server;
        }
        column.made = exact ? !lineage->outputs[i].plain : !plain;
        if (exact)
            add_places(column, lineage->outputs[i].sources);
        else if (!by_server && lineage != nullptr)
            add_places(column, lineage->values);
        else if (!by_server)
            column.traced = !untraced_otherwise;
        // A relation that nobody knows is trusted only where the session itself has made it: else
        // the text was read with names that have changed since.
        if (field.relation != 0 && !by_server) {
            const bool own = exact && std::ranges::any_of(lineage->outputs[i].sources,
                                                          [](const CatalogueColumn* source) {
                                                              return source->own;
                                                          });
            column.traced = column.traced && own;
        }
        sort_unique(column.sources);
        traced.columns.push_back(std::move(column));
    }
    return traced;
}

Traced traced_columns(const Lineage& lineage)
{
    Traced traced;
    for (const OutputColumn& output : lineage.outputs) {
        Column column;
        column.label = output.name;
        column.made = !output.plain;
        add_places(column, lineage.exact ? output.sources : lineage.values);
        sort_unique(column.sources);
        traced.columns.push_back(std::move(column));
    }
    traced.complete = lineage.exact;
    return traced;
}

}  // namespace sallyport::postgres
