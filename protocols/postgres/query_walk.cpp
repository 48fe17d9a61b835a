// SELECT, INSERT, UPDATE, DELETE, MERGE and what stands in FROM and WITH.

#include <algorithm>
#include <utility>

#include "protocols/postgres/function_classes.h"
#include "protocols/postgres/object_names.h"
#include "protocols/postgres/tree_walk.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

bool TreeWalk::query(const Node* one)
{
    switch (one->type) {
    case T_SelectStmt: select(as<SelectStmt>(one)); return true;
    case T_InsertStmt: insert(as<InsertStmt>(one)); return true;
    case T_UpdateStmt: update(as<UpdateStmt>(one)); return true;
    case T_DeleteStmt: delete_from(as<DeleteStmt>(one)); return true;
    case T_MergeStmt: merge(as<MergeStmt>(one)); return true;
    case T_ReturnStmt:  // the whole body of an SQL function
        reads_ = true;
        node(as<ReturnStmt>(one).returnval);
        return true;
    default: return false;
    }
}

// A chain of set operations leans to the left: its spine is followed in a loop.
void TreeWalk::select(const SelectStmt& one)
{
    std::size_t names = 0;
    const SelectStmt* leaf = &one;
    while (leaf->op != SETOP_NONE && !too_deep_) {
        names += with(leaf->withClause);
        list(leaf->sortClause);
        node(leaf->limitOffset);
        node(leaf->limitCount);
        list(leaf->lockingClause);
        node(leaf->rarg);
        leaf = leaf->larg;
    }
    if (!too_deep_) {
        names += with(leaf->withClause);
        select_alone(*leaf);
    }
    leave(names);
}

void TreeWalk::select_alone(const SelectStmt& one)
{
    ++nodes_;
    const std::string_view outer_setting = settings_name_;
    settings_name_ = named_setting(one);
    const std::size_t tables = locked_.size();
    const bool outer_reads = std::exchange(reads_table_, false);
    for (const ListCell& cell : cells(one.fromClause))
        node(node_of(cell));
    // A row source other than a table, or none: the statement still reads.
    reads_ = reads_ || !reads_table_;
    reads_table_ = outer_reads || reads_table_;
    for (const ListCell& cell : cells(one.targetList))
        node(as<ResTarget>(node_of(cell)).val);
    list(one.distinctClause);
    node(one.whereClause);
    list(one.groupClause);
    node(one.havingClause);
    list(one.windowClause);
    list(one.valuesLists);
    list(one.sortClause);
    node(one.limitOffset);
    node(one.limitCount);
    if (one.lockingClause != nullptr) {
        if (locked_.size() == tables)
            add(SqlClass::lock, {}, "SELECT ... FOR UPDATE or SHARE");
        for (std::size_t i = tables; i < locked_.size(); ++i)
            add(SqlClass::lock, locked_[i], "SELECT ... FOR UPDATE or SHARE");
    }
    if (one.intoClause != nullptr)
        created_as(*one.intoClause, "SELECT INTO");
    settings_name_ = outer_setting;
}

// pg_dump asks  SELECT set_config(name, ...) FROM pg_settings WHERE name = 'some_setting': the
// setting is as good as literal there.
std::string_view TreeWalk::named_setting(const SelectStmt& one) const
{
    const auto from = cells(one.fromClause);
    if (from.size() != 1 || !is(node_of(from[0]), T_RangeVar) || !is(one.whereClause, T_A_Expr))
        return {};
    const auto& table = as<RangeVar>(node_of(from[0]));
    if (name_of(table) != "pg_catalog.pg_settings" || is_with_name(table))
        return {};
    const auto& test = as<A_Expr>(one.whereClause);
    if (test.kind != AEXPR_OP ||
        last_two(test.name) != std::pair<std::string_view, std::string_view>("", "=") ||
        !is(test.lexpr, T_ColumnRef) || !is(test.rexpr, T_A_Const))
        return {};
    const auto fields = cells(as<ColumnRef>(test.lexpr).fields);
    if (string_of(node_of(fields.back())) != "name" || as<A_Const>(test.rexpr).isnull)
        return {};
    return string_of(&as<A_Const>(test.rexpr).val);
}

std::size_t TreeWalk::with(const WithClause* clause)
{
    if (clause == nullptr)
        return 0;
    const auto queries = cells(clause->ctes);
    if (clause->recursive) {
        for (const ListCell& cell : queries)
            with_names_.push_back(view(as<CommonTableExpr>(node_of(cell)).ctename));
    }
    for (const ListCell& cell : queries) {
        const auto& one = as<CommonTableExpr>(node_of(cell));
        const std::string_view outer = within_;
        within_ = " in WITH";
        node(one.ctequery);
        within_ = outer;
        if (one.cycle_clause != nullptr) {
            node(one.cycle_clause->cycle_mark_value);
            node(one.cycle_clause->cycle_mark_default);
        }
        if (!clause->recursive)
            with_names_.push_back(view(one.ctename));
    }
    return queries.size();
}

void TreeWalk::leave(std::size_t names)
{
    with_names_.resize(with_names_.size() - names);
}

void TreeWalk::insert(const InsertStmt& one)
{
    const std::size_t names = with(one.withClause);
    target(*one.relation, SqlClass::insert, "INSERT");
    for (const ListCell& cell : cells(one.cols))
        list(as<ResTarget>(node_of(cell)).indirection);
    if (is(one.selectStmt, T_SelectStmt) && as<SelectStmt>(one.selectStmt).valuesLists != nullptr) {
        // A plain VALUES list is part of the INSERT, not a SELECT.
        const bool reads = reads_;
        select(as<SelectStmt>(one.selectStmt));
        reads_ = reads;
    } else {
        node(one.selectStmt);
    }
    if (one.onConflictClause != nullptr) {
        const OnConflictClause& conflict = *one.onConflictClause;
        if (conflict.infer != nullptr) {
            list(conflict.infer->indexElems);
            node(conflict.infer->whereClause);
        }
        if (conflict.action == ONCONFLICT_UPDATE)
            relation(*one.relation, SqlClass::update, "ON CONFLICT DO UPDATE");
        assignments(conflict.targetList, *one.relation);
        node(conflict.whereClause);
    }
    list(one.returningList);
    leave(names);
}

void TreeWalk::update(const UpdateStmt& one)
{
    const std::size_t names = with(one.withClause);
    target(*one.relation, SqlClass::update, "UPDATE");
    assignments(one.targetList, *one.relation);
    list(one.fromClause);
    if (condition(one.whereClause) == Truth::always)
        add(SqlClass::update_all, name_of(*one.relation), "UPDATE of every row");
    list(one.returningList);
    leave(names);
}

void TreeWalk::delete_from(const DeleteStmt& one)
{
    const std::size_t names = with(one.withClause);
    target(*one.relation, SqlClass::delete_, "DELETE");
    list(one.usingClause);
    if (condition(one.whereClause) == Truth::always)
        add(SqlClass::delete_all, name_of(*one.relation), "DELETE of every row");
    list(one.returningList);
    leave(names);
}

void TreeWalk::merge(const MergeStmt& one)
{
    const std::size_t names = with(one.withClause);
    target(*one.relation, SqlClass::merge, "MERGE");
    const std::string object = name_of(*one.relation);
    node(one.sourceRelation);
    const bool joins_all = condition(one.joinCondition) == Truth::always;
    for (const ListCell& cell : cells(one.mergeWhenClauses)) {
        const auto& when = as<MergeWhenClause>(node_of(cell));
        const bool all = condition(when.condition) == Truth::always && joins_all;
        if (when.commandType == CMD_INSERT) {
            add(SqlClass::insert, object, "INSERT in MERGE");
        } else if (when.commandType == CMD_UPDATE) {
            add(SqlClass::update, object, "UPDATE in MERGE");
            if (all)
                add(SqlClass::update_all, object, "UPDATE of every row in MERGE");
        } else if (when.commandType == CMD_DELETE) {
            add(SqlClass::delete_, object, "DELETE in MERGE");
            if (all)
                add(SqlClass::delete_all, object, "DELETE of every row in MERGE");
        }
        assignments(when.targetList, *one.relation);
        list(when.values);
    }
    leave(names);
}

// SET (a, b) = row names its source once for each column: once is enough.
void TreeWalk::assignments(const List* targets, const RangeVar& table)
{
    const auto candidates = names_->relations(view(table.schemaname), view(table.relname));
    const void* source = nullptr;
    for (const ListCell& cell : cells(targets)) {
        const auto& one = as<ResTarget>(node_of(cell));
        for (const CatalogueRelation* each : candidates) {
            if (is_followed_key(*each, view(one.name)))
                uses_.push_back({each, Use::key});
        }
        list(one.indirection);
        if (is(one.val, T_MultiAssignRef)) {
            const void* shared = as<MultiAssignRef>(one.val).source;
            if (shared == source)
                continue;
            source = shared;
        }
        node(one.val);
    }
}

// Where rows are written: a WITH name never stands for it.
void TreeWalk::target(const RangeVar& table, SqlClass how, std::string_view verb)
{
    std::string cause(verb);
    cause += within_;
    relation(table, how, cause);
}

namespace {

Use use_of(SqlClass how)
{
    switch (how) {
    case SqlClass::insert: return Use::insert;
    case SqlClass::update: return Use::update;
    case SqlClass::delete_: return Use::delete_;
    default: return Use::read;
    }
}

}  // namespace

// The action on every relation that the name could mean, and what follows from it.
void TreeWalk::relation(const RangeVar& table, SqlClass how, std::string_view cause)
{
    const auto candidates = names_->relations(view(table.schemaname), view(table.relname));
    // A rule of the catalogue's makes it set_config().
    if (how == SqlClass::update && name_of(table) == "pg_catalog.pg_settings") {
        opaque("UPDATE of pg_settings sets whatever it says");
        statement_->settings.emplace_back("*");
    }
    if (candidates.empty()) {
        const std::string name = name_of(table);
        if (name.starts_with("pg_catalog.") &&
            shows_server_files(std::string_view(name).substr(11)))
            add(SqlClass::server_file, name, cause);
        add(how, name, cause);
    }
    for (const CatalogueRelation* one : candidates) {
        if (one->schema == "pg_catalog" && shows_server_files(one->name))
            add(SqlClass::server_file, one->schema + "." + one->name, cause);
        add(how, one->schema + "." + one->name, cause);
        uses_.push_back({one, use_of(how)});
        // MERGE inserts, updates and deletes.
        if (how == SqlClass::merge) {
            for (const Use use : {Use::insert, Use::update, Use::delete_})
                uses_.push_back({one, use});
        }
    }
}

bool TreeWalk::is_with_name(const RangeVar& table) const
{
    return table.schemaname == nullptr && std::find(with_names_.begin(), with_names_.end(),
                                                    view(table.relname)) != with_names_.end();
}

void TreeWalk::read_from(const RangeVar& table)
{
    if (is_with_name(table))
        return;
    reads_table_ = true;
    locked_.push_back(name_of(table));
    relation(table, SqlClass::select, "SELECT");
}

// A chain of joins leans to the left as well.
void TreeWalk::join(const JoinExpr& one)
{
    const JoinExpr* at = &one;
    while (!too_deep_) {
        ++nodes_;
        if (at->isNatural || at->usingClause != nullptr)
            equality();
        node(at->rarg);
        node(at->quals);
        if (!is(at->larg, T_JoinExpr)) {
            node(at->larg);
            return;
        }
        at = &as<JoinExpr>(at->larg);
    }
}

bool TreeWalk::from_clause(const Node* one)
{
    switch (one->type) {
    case T_RangeVar: read_from(as<RangeVar>(one)); return true;
    case T_JoinExpr: join(as<JoinExpr>(one)); return true;
    case T_RangeSubselect: node(as<RangeSubselect>(one).subquery); return true;
    case T_RangeFunction:
        // Each item: the call, and the columns it is said to return.
        list(as<RangeFunction>(one).functions);
        list(as<RangeFunction>(one).coldeflist);
        return true;
    case T_RangeTableSample:
        node(as<RangeTableSample>(one).relation);
        list(as<RangeTableSample>(one).args);
        node(as<RangeTableSample>(one).repeatable);
        return true;
    case T_RangeTableFunc:
        node(as<RangeTableFunc>(one).docexpr);
        node(as<RangeTableFunc>(one).rowexpr);
        list(as<RangeTableFunc>(one).namespaces);
        list(as<RangeTableFunc>(one).columns);
        return true;
    case T_RangeTableFuncCol:
        node(as<RangeTableFuncCol>(one).colexpr);
        node(as<RangeTableFuncCol>(one).coldefexpr);
        return true;
    case T_CommonTableExpr:
    case T_WithClause:
    case T_Alias:
    default: return false;
    }
}

}  // namespace sallyport::postgres
