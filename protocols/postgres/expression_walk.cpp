// Expressions, and the small nodes that statements are made of.

#include <algorithm>

#include "protocols/postgres/function_classes.h"
#include "protocols/postgres/object_names.h"
#include "protocols/postgres/sql_tokens.h"
#include "protocols/postgres/tree_walk.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

void TreeWalk::expression(const Node* one)
{
    switch (one->type) {
    case T_Integer:
    case T_Float:
    case T_Boolean:
    case T_String:
    case T_BitString:
    case T_A_Const:
    case T_A_Star:
    case T_SetToDefault:
    case T_SQLValueFunction:  // CURRENT_USER, CURRENT_DATE ...
        return;
    case T_List: list(&as<List>(one)); return;
    case T_ColumnRef: column(as<ColumnRef>(one)); return;
    case T_ParamRef:
        // The library also reads "?" as a parameter, which the server does not.
        if (as<ParamRef>(one).number == 0)
            misread_ = "a bare ? is no parameter to the server";
        return;
    case T_FuncCall: call(as<FuncCall>(one)); return;
    case T_A_Expr: operators(as<A_Expr>(one)); return;
    case T_BoolExpr: list(as<BoolExpr>(one).args); return;
    case T_SubLink: sub_link(as<SubLink>(one)); return;
    case T_TypeCast:
        node(as<TypeCast>(one).arg);
        node(as<TypeCast>(one).typeName);
        return;
    case T_TypeName: type_name(as<TypeName>(one)); return;
    case T_CollateClause: node(as<CollateClause>(one).arg); return;
    case T_A_ArrayExpr: list(as<A_ArrayExpr>(one).elements); return;
    case T_A_Indirection:
        node(as<A_Indirection>(one).arg);
        fields(as<A_Indirection>(one).indirection);
        return;
    case T_A_Indices:
        node(as<A_Indices>(one).lidx);
        node(as<A_Indices>(one).uidx);
        return;
    case T_NullTest: node(as<NullTest>(one).arg); return;
    case T_BooleanTest: node(as<BooleanTest>(one).arg); return;
    case T_CaseExpr:
        if (as<CaseExpr>(one).arg != nullptr)
            equality();
        node(as<CaseExpr>(one).arg);
        list(as<CaseExpr>(one).args);
        node(as<CaseExpr>(one).defresult);
        return;
    case T_CaseWhen:
        node(as<CaseWhen>(one).expr);
        node(as<CaseWhen>(one).result);
        return;
    case T_CoalesceExpr: list(as<CoalesceExpr>(one).args); return;
    case T_MinMaxExpr: list(as<MinMaxExpr>(one).args); return;
    case T_RowExpr: list(as<RowExpr>(one).args); return;
    case T_NamedArgExpr: node(as<NamedArgExpr>(one).arg); return;
    case T_GroupingFunc: list(as<GroupingFunc>(one).args); return;
    case T_GroupingSet: list(as<GroupingSet>(one).content); return;
    case T_MultiAssignRef: node(as<MultiAssignRef>(one).source); return;
    case T_CurrentOfExpr: ++row_terms_; return;
    case T_XmlExpr:
        list(as<XmlExpr>(one).named_args);
        list(as<XmlExpr>(one).args);
        return;
    case T_XmlSerialize:
        node(as<XmlSerialize>(one).expr);
        node(as<XmlSerialize>(one).typeName);
        return;
    case T_ResTarget:
        list(as<ResTarget>(one).indirection);
        node(as<ResTarget>(one).val);
        return;
    case T_SortBy:
        node(as<SortBy>(one).node);
        operator_name(as<SortBy>(one).useOp);
        return;
    case T_WindowDef:
        list(as<WindowDef>(one).partitionClause);
        list(as<WindowDef>(one).orderClause);
        node(as<WindowDef>(one).startOffset);
        node(as<WindowDef>(one).endOffset);
        return;
    case T_LockingClause: return;  // its names are those in FROM
    default: part(one);
    }
}

// What stands only in definitions and options.
void TreeWalk::part(const Node* one)
{
    switch (one->type) {
    case T_RawStmt: node(as<RawStmt>(one).stmt); return;
    case T_DefElem: node(as<DefElem>(one).arg); return;
    case T_ColumnDef:
        node(as<ColumnDef>(one).typeName);
        node(as<ColumnDef>(one).raw_default);
        list(as<ColumnDef>(one).constraints);
        list(as<ColumnDef>(one).fdwoptions);
        return;
    case T_Constraint:
        node(as<Constraint>(one).raw_expr);
        node(as<Constraint>(one).where_clause);
        list(as<Constraint>(one).exclusions);
        list(as<Constraint>(one).options);
        return;
    case T_IndexElem:
        node(as<IndexElem>(one).expr);
        list(as<IndexElem>(one).opclassopts);
        return;
    case T_StatsElem: node(as<StatsElem>(one).expr); return;
    case T_PartitionSpec: list(as<PartitionSpec>(one).partParams); return;
    case T_PartitionElem: node(as<PartitionElem>(one).expr); return;
    case T_PartitionBoundSpec:
        list(as<PartitionBoundSpec>(one).listdatums);
        list(as<PartitionBoundSpec>(one).lowerdatums);
        list(as<PartitionBoundSpec>(one).upperdatums);
        return;
    case T_PartitionRangeDatum: node(as<PartitionRangeDatum>(one).value); return;
    case T_PartitionCmd: node(as<PartitionCmd>(one).bound); return;
    case T_FunctionParameter:
        node(as<FunctionParameter>(one).argType);
        node(as<FunctionParameter>(one).defexpr);
        return;
    // Names of other objects; the statement says what is done to them.
    case T_TableLikeClause:
    case T_RoleSpec:
    case T_ObjectWithArgs:
    case T_AccessPriv:
    case T_CreateOpClassItem:
    case T_TriggerTransition:
    case T_VacuumRelation: return;
    case T_PublicationObjSpec: node(as<PublicationObjSpec>(one).pubtable); return;
    case T_PublicationTable: node(as<PublicationTable>(one).whereClause); return;
    default:
        if (!from_clause(one))
            opaque("a part of the statement that is not known here");
    }
}

void TreeWalk::column(const ColumnRef& one)
{
    ++row_terms_;
    const auto names = cells(one.fields);
    // "t.f" is a call f(t) where t has no column of that name.
    if (names.size() > 1)
        called({}, string_of(node_of(names.back())), 1);
}

void TreeWalk::fields(const List* indirection)
{
    for (const ListCell& cell : cells(indirection)) {
        const Node* field = node_of(cell);
        if (is(field, T_String))
            called({}, string_of(field), 1);  // (row).f likewise
        else if (!is(field, T_A_Star))
            node(field);
    }
}

// The functions outside pg_catalog that a call could mean.
void TreeWalk::called(std::string_view schema, std::string_view name, std::size_t arguments)
{
    const auto candidates = names_->functions(schema, name, arguments);
    calls_.insert(calls_.end(), candidates.begin(), candidates.end());
}

void TreeWalk::call(const FuncCall& one)
{
    const auto [schema, name] = last_two(one.funcname);
    statement_->functions.push_back(schema.empty() ? std::string(name)
                                                   : std::string(schema) + "." + std::string(name));
    const auto arguments = cells(one.args);
    for (const ListCell& cell : arguments)
        node(node_of(cell));
    list(one.agg_order);
    node(one.agg_filter);
    node(one.over);

    if ((schema.empty() || schema == "pg_catalog") && name == "set_config") {
        set_config(one);
        return;
    }
    if (takes_a_connection_string(name)) {
        for (const ListCell& cell : arguments) {
            if (is(node_of(cell), T_A_Const))
                secret(as<A_Const>(node_of(cell)).location, true);
        }
    }
    const std::size_t before = calls_.size();
    called(schema, name, arguments.size());
    const bool found = calls_.size() > before;
    if (found && names_->doubts_functions())
        opaque("a function that was changed in the same text");
    ClassSet classes = classes_of_function(schema, name, arguments.size());
    const bool unknown = classes.contains(static_cast<std::size_t>(SqlClass::opaque)) &&
                         !is_built_in_function(schema, name);
    // What the catalogue knows is decided by what it does.
    if (classes.empty() || (unknown && (found || names_->is_trusted(schema, name))))
        return;
    statement_->unknown_names = statement_->unknown_names || unknown;
    const std::string object =
        unknown ? names_->function_name(schema, name)
                : std::string(schema.empty() ? "pg_catalog" : schema) + "." + std::string(name);
    add(classes, object,
        "call of " + object + (unknown ? "(), a function that is not known here" : "()"));
}

// A name that is no literal may be any setting's, the role's among them.
void TreeWalk::set_config(const FuncCall& one)
{
    const auto arguments = cells(one.args);
    const Node* first = arguments.empty() ? nullptr : node_of(arguments[0]);
    std::string_view name;
    if (is(first, T_A_Const) && !as<A_Const>(first).isnull)
        name = string_of(&as<A_Const>(first).val);
    else if (is(first, T_ColumnRef) &&
             string_of(node_of(cells(as<ColumnRef>(first).fields).back())) == "name")
        name = settings_name_;
    if (name.empty()) {
        add(SqlClass::set, {}, "set_config() of a setting that is not literal");
        opaque("set_config() of a setting that is not literal");
        statement_->settings.emplace_back("*");
    } else {
        const Node* second = arguments.size() > 1 ? node_of(arguments[1]) : nullptr;
        if (is_word(name, "search_path"))
            set_path(second, arguments.size() > 2 ? node_of(arguments[2]) : nullptr);
        setting(name,
                is(second, T_A_Const) ? string_of(&as<A_Const>(second).val) : std::string_view(),
                "set_config() of");
    }
}

// set_config('search_path', ...): as far as the value is literal.
void TreeWalk::set_path(const Node* value, const Node* local)
{
    PathChange path;
    if (is(value, T_A_Const) && is(&as<A_Const>(value).val, T_String)) {
        if (auto schemas = read_search_path(string_of(&as<A_Const>(value).val))) {
            path.to = PathChange::To::value;
            path.schemas = std::move(*schemas);
        }
    }
    const bool lasts = is(local, T_A_Const) && is(&as<A_Const>(local).val, T_Boolean) &&
                       !as<A_Const>(local).val.boolval.boolval;
    path.local = !lasts;
    // Called for several rows, or for none.
    statement_->path = statement_->path ? PathChange{} : std::move(path);
}

void TreeWalk::sub_link(const SubLink& one)
{
    node(one.testexpr);
    if (one.testexpr != nullptr && one.operName == nullptr)
        equality();  // IN
    operator_name(one.operName);
    node(one.subselect);
}

// An "=" that nobody wrote.
void TreeWalk::equality()
{
    names_->operators({}, "=", calls_);
}

// An operator is a function.
void TreeWalk::operator_name(const List* name)
{
    const auto [schema, symbol] = last_two(name);
    const std::size_t before = calls_.size();
    names_->operators(schema, symbol, calls_);
    const bool found = calls_.size() > before;
    if (!schema.empty() && schema != "pg_catalog" && !found)
        add(SqlClass::opaque, std::string(schema) + "." + std::string(symbol),
            "an operator that is not known here");
}

// A cast to a type of somebody's is a call of the cast's function, and of what a domain checks.
void TreeWalk::type_name(const TypeName& one)
{
    list(one.typmods);
    const auto [schema, name] = last_two(one.names);
    if (schema == "pg_catalog")
        return;
    Doings casts;
    names_->casts_to(schema, name, casts);
    calls_.insert(calls_.end(), casts.calls.begin(), casts.calls.end());
    types_.insert(types_.end(), casts.types.begin(), casts.types.end());
    for (const Action& action : casts.actions)
        add(static_cast<SqlClass>(action.action_class), action.object, action.cause);
}

// Left-associative chains, a || b || c, are as long as people make them.
void TreeWalk::operators(const A_Expr& one)
{
    const A_Expr* at = &one;
    while (!too_deep_) {
        ++nodes_;
        operator_name(at->name);
        node(at->rexpr);
        if (!is(at->lexpr, T_A_Expr)) {
            node(at->lexpr);
            return;
        }
        at = &as<A_Expr>(at->lexpr);
    }
}

}  // namespace sallyport::postgres
