// Expressions: which columns stand in them, and what functions bring along.

#include <algorithm>
#include <array>

#include "protocols/postgres/function_classes.h"
#include "protocols/postgres/lineage_walk.h"
#include "protocols/postgres/object_names.h"
#include "protocols/postgres/value_functions.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

namespace {

bool is_system_column(std::string_view name)
{
    static constexpr auto names =
        std::to_array<std::string_view>({"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"});
    return std::ranges::find(names, name) != names.end();
}

}  // namespace

void LineageWalk::unknown(Sources& into)
{
    if (unknown_ == Unknown::variable) {
        add(into, variable());
        return;
    }
    found_.unknown_names = true;
    add(into, untraced());
}

Sources LineageWalk::of_column(const CatalogueRelation& relation, std::size_t position) const
{
    Sources sources{&relation.columns[position]};
    if (relation.is_view() || !relation.columns[position].generated.empty())
        add(sources, names_.behind(relation, position + 1));
    return sources;
}

// Queries within may evaluate what nobody around them shows.
void LineageWalk::unused(const Columns& columns)
{
    for (const Column& column : columns.list)
        add(found_.unused, column.sources);
    add(found_.unused, columns.rest);
}

// A reference to one column, that of a table or one that passes such a one on.
bool LineageWalk::is_plain(const Node* one, const Scope& scope) const
{
    if (!is(one, T_ColumnRef))
        return false;
    const auto fields = cells(as<ColumnRef>(one).fields);
    const std::string_view name = string_of(node_of(fields.back()));
    const auto plain_in = [&](const Item& item) {
        Sources ignored;
        bool plain = false;
        return field_of(item, name, ignored, &plain) && plain;
    };
    if (fields.size() == 1) {
        for (const Scope* at = &scope; at != nullptr; at = at->outer) {
            for (const Item& item : at->items) {
                Sources ignored;
                bool plain = false;
                if (item.visible && field_of(item, name, ignored, &plain))
                    return plain;
            }
        }
        return false;
    }
    const std::string_view schema =
        fields.size() > 2 ? string_of(node_of(fields[fields.size() - 3])) : std::string_view();
    const Item* item = find_item(schema, string_of(node_of(fields[fields.size() - 2])), scope);
    return item != nullptr && plain_in(*item);
}

bool LineageWalk::field_of(const Item& item, std::string_view name, Sources& into,
                           bool* plain) const
{
    if (item.relation == nullptr) {
        bool found = false;
        for (const Column& column : item.columns.list) {
            if (column.name == name) {
                add(into, column.sources);
                if (plain != nullptr)
                    *plain = column.plain;
                found = true;
            }
        }
        return found;
    }
    const auto& columns = item.relation->columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].name == name) {
            if (plain != nullptr)
                *plain = names_.is_plain(*item.relation, i + 1);
            if (item.relation->is_view() || !columns[i].generated.empty())
                add(into, of_column(*item.relation, i));
            else
                add(into, &columns[i]);
            return true;
        }
    }
    return false;
}

void LineageWalk::whole(const Item& item, Sources& into) const
{
    const Columns columns = columns_of(item);
    for (const Column& column : columns.list)
        add(into, column.sources);
    add(into, columns.rest);
}

const LineageWalk::Item* LineageWalk::find_item(std::string_view schema, std::string_view name,
                                                const Scope& scope) const
{
    for (const Scope* at = &scope; at != nullptr; at = at->outer) {
        for (const Item& item : at->items) {
            if (!item.visible || item.alias != name)
                continue;
            const bool schema_fits = schema.empty() || item.schema == schema ||
                                     (item.relation != nullptr && item.relation->schema == schema);
            if (schema_fits)
                return &item;
        }
    }
    return nullptr;
}

// A name alone: a column of the innermost level that has one. Where something in FROM has columns
// that are not known it may be one of those, or still one from further out.
bool LineageWalk::unqualified(std::string_view name, const Scope& scope, Sources& into)
{
    bool possible = false;
    for (const Scope* at = &scope; at != nullptr; at = at->outer) {
        bool found = false;
        for (const Item& item : at->items) {
            if (item.visible && field_of(item, name, into))
                found = true;
        }
        if (found)
            return true;
        for (const Item& item : at->items) {
            if (item.visible && item.relation == nullptr && !item.columns.exact) {
                add(into, item.columns.rest);
                possible = true;
            }
        }
    }
    if (is_system_column(name))
        return true;
    // The row of something in FROM, by its name.
    if (const Item* row = find_item({}, name, scope)) {
        whole(*row, into);
        return true;
    }
    return possible;
}

// What a call's result may hold, and what the function does with its arguments.
void LineageWalk::called(const CatalogueFunction& function, const Sources& arguments, Sources& into)
{
    Lineage body = given(names_.lineage(function), arguments);
    add(into, body.values);
    add(found_.conditions, body.conditions);
    add(found_.unused, body.unused);
    add(found_.sunk, body.sunk);
    if (!body.sink.empty())
        found_.sink = std::move(body.sink);
    found_.flows.add(body.flows);
    std::ranges::move(body.made, std::back_inserter(found_.made));
    add(found_.assigned, body.assigned);
    found_.written.insert(found_.written.end(), body.written.begin(), body.written.end());
}

void LineageWalk::column(const ColumnRef& one, const Scope& scope, Sources& into)
{
    const auto fields = cells(one.fields);
    const auto text = [&](std::size_t from_the_end) {
        return string_of(node_of(fields[fields.size() - from_the_end]));
    };
    const bool star = is(node_of(fields.back()), T_A_Star);
    if (fields.size() == 1) {
        if (star) {
            for (const Item& item : scope.items)
                whole(item, into);
        } else if (!unqualified(text(1), scope, into)) {
            unknown(into);
        }
        return;
    }
    const std::string_view schema = fields.size() > 2 ? text(3) : std::string_view();
    const Item* item = find_item(schema, text(2), scope);
    if (item == nullptr) {
        // A composite column without parentheses, in PL/pgSQL a record's field.
        if (unknown_ == Unknown::untraced || !unqualified(text(2), scope, into))
            unknown(into);
        return;
    }
    if (star) {
        whole(*item, into);
        return;
    }
    const std::string_view name = text(1);
    if (field_of(*item, name, into) || is_system_column(name))
        return;
    // "t.f" is f(t) where t has no such column.
    Sources row;
    whole(*item, row);
    add(into, row);
    for (const CatalogueFunction* function : names_.functions({}, name, 1))
        called(*function, row, into);
}

void LineageWalk::condition(const void* one, const Scope& scope)
{
    if (one != nullptr)
        expression(one, scope, found_.conditions);
}

void LineageWalk::list(const List* all, const Scope& scope, Sources& into)
{
    for (const ListCell& cell : cells(all))
        expression(node_of(cell), scope, into);
}

void LineageWalk::expression(const void* any_node, const Scope& scope, Sources& into)
{
    if (any_node == nullptr)
        return;
    const auto* one = static_cast<const Node*>(any_node);
    switch (one->type) {
    case T_Integer:
    case T_Float:
    case T_Boolean:
    case T_String:
    case T_BitString:
    case T_A_Const:
    case T_SetToDefault:
    case T_SQLValueFunction:
    case T_TypeName:
    case T_A_Star:
    case T_CurrentOfExpr:
    case T_LockingClause: return;
    case T_ParamRef:
        if (unknown_ == Unknown::variable)
            add(into, variable());  // else it is what the client sends
        return;
    case T_ColumnRef: column(as<ColumnRef>(one), scope, into); return;
    case T_FuncCall: call(as<FuncCall>(one), scope, into); return;
    case T_A_Expr: {
        // a || b || c leans to the left and is as long as people make it.
        const Node* at = one;
        Sources operands;
        std::vector<const CatalogueFunction*> functions;
        for (; is(at, T_A_Expr); at = as<A_Expr>(at).lexpr) {
            const auto& operation = as<A_Expr>(at);
            expression(operation.rexpr, scope, operands);
            const auto [schema, symbol] = last_two(operation.name);
            names_.operators(schema, symbol, functions);
        }
        expression(at, scope, operands);
        add(into, operands);
        for (const CatalogueFunction* function : functions)
            called(*function, operands, into);
        return;
    }
    case T_SubLink: sub_link(as<SubLink>(one), scope, into); return;
    default: parts(one, scope, into);
    }
}

// Nodes that pass on whatever stands in them.
void LineageWalk::parts(const Node* one, const Scope& scope, Sources& into)
{
    switch (one->type) {
    case T_List: list(&as<List>(one), scope, into); return;
    case T_BoolExpr: list(as<BoolExpr>(one).args, scope, into); return;
    case T_TypeCast: {
        Sources value;
        expression(as<TypeCast>(one).arg, scope, value);
        add(into, value);
        Doings casts;
        const auto [schema, type] = last_two(as<TypeCast>(one).typeName->names);
        names_.casts_to(schema, type, casts);
        for (const CatalogueFunction* function : casts.calls)
            called(*function, value, into);
        return;
    }
    case T_CollateClause: expression(as<CollateClause>(one).arg, scope, into); return;
    case T_A_ArrayExpr: list(as<A_ArrayExpr>(one).elements, scope, into); return;
    case T_A_Indirection: {
        const auto& base = as<A_Indirection>(one);
        const auto steps = cells(base.indirection);
        // (t).a is the column a of t.
        if (!steps.empty() && is(node_of(steps[0]), T_String) && is(base.arg, T_ColumnRef) &&
            cells(as<ColumnRef>(base.arg).fields).size() == 1) {
            const auto name = string_of(node_of(cells(as<ColumnRef>(base.arg).fields)[0]));
            const Item* item = find_item({}, name, scope);
            Sources own;
            if (item != nullptr && !field_of(*item, name, own) &&
                field_of(*item, string_of(node_of(steps[0])), into))
                return;
        }
        Sources row;
        expression(base.arg, scope, row);
        add(into, row);
        for (const ListCell& step : steps) {
            // (row).f may be a call as well.
            for (const CatalogueFunction* function :
                 names_.functions({}, string_of(node_of(step)), 1))
                called(*function, row, into);
            if (is(node_of(step), T_A_Indices)) {
                expression(as<A_Indices>(node_of(step)).lidx, scope, into);
                expression(as<A_Indices>(node_of(step)).uidx, scope, into);
            }
        }
        return;
    }
    case T_NullTest: condition(as<NullTest>(one).arg, scope); return;  // masks show NULL as well
    case T_BooleanTest: expression(as<BooleanTest>(one).arg, scope, into); return;
    case T_CaseExpr:
        expression(as<CaseExpr>(one).arg, scope, into);
        list(as<CaseExpr>(one).args, scope, into);
        expression(as<CaseExpr>(one).defresult, scope, into);
        return;
    case T_CaseWhen:
        expression(as<CaseWhen>(one).expr, scope, into);
        expression(as<CaseWhen>(one).result, scope, into);
        return;
    case T_CoalesceExpr: list(as<CoalesceExpr>(one).args, scope, into); return;
    case T_MinMaxExpr: list(as<MinMaxExpr>(one).args, scope, into); return;
    case T_RowExpr: list(as<RowExpr>(one).args, scope, into); return;
    case T_NamedArgExpr: expression(as<NamedArgExpr>(one).arg, scope, into); return;
    case T_GroupingFunc: return;  // which columns were grouped, not what is in them
    case T_GroupingSet: list(as<GroupingSet>(one).content, scope, into); return;
    case T_MultiAssignRef: expression(as<MultiAssignRef>(one).source, scope, into); return;
    case T_XmlExpr:
        list(as<XmlExpr>(one).named_args, scope, into);
        list(as<XmlExpr>(one).args, scope, into);
        return;
    case T_XmlSerialize: expression(as<XmlSerialize>(one).expr, scope, into); return;
    case T_ResTarget: expression(as<ResTarget>(one).val, scope, into); return;
    case T_SortBy: expression(as<SortBy>(one).node, scope, into); return;
    case T_WindowDef:
        list(as<WindowDef>(one).partitionClause, scope, into);
        list(as<WindowDef>(one).orderClause, scope, into);
        expression(as<WindowDef>(one).startOffset, scope, into);
        expression(as<WindowDef>(one).endOffset, scope, into);
        return;
    case T_SelectStmt: {
        const Columns columns = any(one, &scope);
        for (const Column& column : columns.list)
            add(into, column.sources);
        add(into, columns.rest);
        return;
    }
    default: add(into, untraced());
    }
}

void LineageWalk::sub_link(const SubLink& one, const Scope& scope, Sources& into)
{
    if (one.testexpr != nullptr)
        expression(one.testexpr, scope, into);
    const Columns columns = any(one.subselect, &scope);
    // Whether a row is there tells what its conditions tell, no value.
    if (one.subLinkType == EXISTS_SUBLINK) {
        unused(columns);
        return;
    }
    for (const Column& column : columns.list)
        add(into, column.sources);
    add(into, columns.rest);
}

void LineageWalk::call(const FuncCall& one, const Scope& scope, Sources& into)
{
    const auto [schema, name] = last_two(one.funcname);
    Sources arguments;
    list(one.args, scope, arguments);
    if (one.agg_within_group)  // percentile_disc(0.5) WITHIN GROUP (ORDER BY x) gives an x
        list(one.agg_order, scope, arguments);
    else
        list(one.agg_order, scope, found_.conditions);
    condition(one.agg_filter, scope);
    condition(one.over, scope);
    const std::size_t count = cells(one.args).size();
    // Values that leave by another way than the result.
    if (!arguments.empty() && keeps_its_arguments(schema, name)) {
        add(found_.sunk, arguments);
        found_.sink = std::string(name) + "()";
    }
    const auto candidates = names_.functions(schema, name, count);
    // How many there are is no value of any.
    add(name == "count" && candidates.empty() ? found_.conditions : into, arguments);
    for (const CatalogueFunction* function : candidates)
        called(*function, arguments, into);
    if (!candidates.empty() && names_.doubts_functions())
        add(into, untraced());
    if (!candidates.empty() || names_.is_trusted(schema, name))
        return;
    if (reads_beyond_arguments(schema, name))
        add(into, untraced());
    else if (!is_known_function(schema, name))
        unknown(into);
}

// As the server names a column nobody named (FigureColname() of parser/parse_target.c).
std::string_view LineageWalk::name_of_output(const void* any_node)
{
    if (any_node == nullptr)
        return "?column?";
    const auto* one = static_cast<const Node*>(any_node);
    switch (one->type) {
    case T_ColumnRef: {
        const auto fields = cells(as<ColumnRef>(one).fields);
        for (std::size_t i = fields.size(); i > 0; --i) {
            if (is(node_of(fields[i - 1]), T_String))
                return string_of(node_of(fields[i - 1]));
        }
        return "?column?";
    }
    case T_A_Indirection: {
        const auto steps = cells(as<A_Indirection>(one).indirection);
        for (std::size_t i = steps.size(); i > 0; --i) {
            if (is(node_of(steps[i - 1]), T_String))
                return string_of(node_of(steps[i - 1]));
        }
        return name_of_output(as<A_Indirection>(one).arg);
    }
    case T_FuncCall: return last_two(as<FuncCall>(one).funcname).second;
    case T_A_Expr: return as<A_Expr>(one).kind == AEXPR_NULLIF ? "nullif" : "?column?";
    case T_TypeCast: {
        const std::string_view inner = name_of_output(as<TypeCast>(one).arg);
        return inner != "?column?" ? inner : last_two(as<TypeCast>(one).typeName->names).second;
    }
    case T_CollateClause: return name_of_output(as<CollateClause>(one).arg);
    case T_GroupingFunc: return "grouping";
    case T_SubLink: {
        const auto& link = as<SubLink>(one);
        if (link.subLinkType == EXISTS_SUBLINK)
            return "exists";
        if (link.subLinkType == ARRAY_SUBLINK)
            return "array";
        if (link.subLinkType != EXPR_SUBLINK || !is(link.subselect, T_SelectStmt))
            return "?column?";
        const SelectStmt* query = &as<SelectStmt>(link.subselect);
        while (query->op != SETOP_NONE)
            query = query->larg;
        const auto targets = cells(query->targetList);
        if (targets.empty())
            return query->valuesLists != nullptr ? "column1" : "?column?";
        const auto& target = as<ResTarget>(node_of(targets[0]));
        return target.name != nullptr ? view(target.name) : name_of_output(target.val);
    }
    case T_CaseExpr: {
        const std::string_view otherwise = name_of_output(as<CaseExpr>(one).defresult);
        return otherwise != "?column?" ? otherwise : "case";
    }
    case T_A_ArrayExpr: return "array";
    case T_RowExpr: return "row";
    case T_CoalesceExpr: return "coalesce";
    case T_MinMaxExpr: return as<MinMaxExpr>(one).op == IS_GREATEST ? "greatest" : "least";
    case T_XmlExpr:
        switch (as<XmlExpr>(one).op) {
        case IS_XMLCONCAT: return "xmlconcat";
        case IS_XMLELEMENT: return "xmlelement";
        case IS_XMLFOREST: return "xmlforest";
        case IS_XMLPARSE: return "xmlparse";
        case IS_XMLPI: return "xmlpi";
        case IS_XMLROOT: return "xmlroot";
        default: return "?column?";
        }
    case T_XmlSerialize: return "xmlserialize";
    case T_SQLValueFunction:
        switch (as<SQLValueFunction>(one).op) {
        case SVFOP_CURRENT_DATE: return "current_date";
        case SVFOP_CURRENT_TIME:
        case SVFOP_CURRENT_TIME_N: return "current_time";
        case SVFOP_CURRENT_TIMESTAMP:
        case SVFOP_CURRENT_TIMESTAMP_N: return "current_timestamp";
        case SVFOP_LOCALTIME:
        case SVFOP_LOCALTIME_N: return "localtime";
        case SVFOP_LOCALTIMESTAMP:
        case SVFOP_LOCALTIMESTAMP_N: return "localtimestamp";
        case SVFOP_CURRENT_ROLE: return "current_role";
        case SVFOP_CURRENT_USER: return "current_user";
        case SVFOP_USER: return "user";
        case SVFOP_SESSION_USER: return "session_user";
        case SVFOP_CURRENT_CATALOG: return "current_catalog";
        case SVFOP_CURRENT_SCHEMA: return "current_schema";
        }
        return "?column?";
    default: return "?column?";
    }
}

}  // namespace sallyport::postgres
