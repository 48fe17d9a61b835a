// Whole statements, what they make, and the bodies of functions.

#include <algorithm>

#include "protocols/postgres/function_body.h"
#include "protocols/postgres/lineage_walk.h"
#include "protocols/postgres/object_names.h"
#include "protocols/postgres/plpgsql_block.h"
#include "protocols/postgres/raw_parse.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

namespace {

// Bodies within bodies that are looked into.
constexpr int bodies_within_limit = 4;

const Node* argument_of(const List* options, std::string_view name)
{
    for (const ListCell& cell : cells(options)) {
        const auto& option = as<DefElem>(node_of(cell));
        if (view(option.defname) == name)
            return option.arg;
    }
    return nullptr;
}

}  // namespace

LineageWalk::LineageWalk(Resolution& names) : names_(names) {}
LineageWalk::~LineageWalk() = default;

const CatalogueColumn* LineageWalk::variable()
{
    static const CatalogueColumn column;
    return &column;
}

Lineage LineageWalk::finish()
{
    if (!found_.exact) {
        for (const OutputColumn& output : found_.outputs)
            add(found_.values, output.sources);
    }
    for (OutputColumn& output : found_.outputs)
        add(found_.values, output.sources);
    sort_unique(found_.written);
    return std::move(found_);
}

void LineageWalk::result(Columns columns)
{
    found_.exact = columns.exact;
    add(found_.values, columns.rest);
    for (Column& column : columns.list)
        found_.outputs.push_back(
            {std::string(column.name), std::move(column.sources), column.plain});
}

Lineage LineageWalk::statement(const Node* one)
{
    if (one->type == T_CopyStmt) {
        const auto& copy = as<CopyStmt>(one);
        if (copy.query != nullptr) {
            result(any(copy.query, nullptr));
            if (copy.filename != nullptr || copy.is_program) {
                for (const OutputColumn& output : found_.outputs)
                    add(found_.sunk, output.sources);
                add(found_.sunk, found_.values);
                found_.sink = "COPY to a file or program of the server";
            }
        } else if (copy.relation != nullptr) {
            Scope scope;
            table(*copy.relation, scope, copy.is_from ? std::optional(Use::insert) : std::nullopt);
            Columns all = columns_of(scope.items.front());
            leave_out_generated(scope.items.front(), all);
            if (copy.attlist != nullptr) {
                Columns chosen;
                chosen.exact = true;
                for (const ListCell& cell : cells(copy.attlist)) {
                    Column column{string_of(node_of(cell)), {}};
                    if (!field_of(scope.items.front(), column.name, column.sources, &column.plain))
                        unknown(column.sources);
                    chosen.list.push_back(std::move(column));
                }
                all = std::move(chosen);
            }
            condition(copy.whereClause, scope);
            if (copy.is_from) {
                for (const Column& column : all.list)
                    add(found_.assigned, column.sources);
            } else {
                if (copy.filename != nullptr || copy.is_program) {
                    for (const Column& column : all.list)
                        add(found_.sunk, column.sources);
                    add(found_.sunk, all.rest);
                    found_.sink = "COPY to a file or program of the server";
                }
                result(std::move(all));
            }
        }
        return finish();
    }
    if (one->type == T_ExplainStmt) {
        // A plan shows constants, also those that functions gave while it was made.
        LineageWalk inner(names_);
        const Lineage explained = inner.statement(as<ExplainStmt>(one).query);
        Columns plan;
        plan.list.push_back({"QUERY PLAN", explained.values});
        add(plan.list.back().sources, explained.conditions);
        add(plan.list.back().sources, explained.unused);
        add(plan.list.back().sources, explained.sunk);
        found_.flows = explained.flows;
        found_.conditions = explained.conditions;
        found_.assigned = explained.assigned;
        found_.sunk = explained.sunk;
        found_.sink = explained.sink;
        found_.made = explained.made;
        found_.written = explained.written;
        found_.unknown_names = explained.unknown_names;
        result(std::move(plan));
        return finish();
    }
    result(any(one, nullptr));
    return finish();
}

// COPY of a table leaves generated columns out.
void LineageWalk::leave_out_generated(const Item& item, Columns& columns)
{
    if (item.relation == nullptr)
        return;
    for (const CatalogueColumn& column : item.relation->columns) {
        if (!column.generated.empty())
            std::erase_if(columns.list, [&](const Column& one) { return one.name == column.name; });
    }
}

// A statement, as far as rows come out of it; what it writes and makes is kept.
LineageWalk::Columns LineageWalk::any(const Node* one, const Scope* outer)
{
    if (one == nullptr)
        return {};
    switch (one->type) {
    case T_SelectStmt: {
        const auto& query = as<SelectStmt>(one);
        Columns columns = select(query, outer);
        const SelectStmt* first = &query;
        while (first->larg != nullptr)
            first = first->larg;
        if (first->intoClause != nullptr && unknown_ == Unknown::untraced) {
            made_by(*first->intoClause, columns);
            return {};
        }
        return columns;
    }
    case T_InsertStmt: return insert(as<InsertStmt>(one), outer);
    case T_UpdateStmt: return update(as<UpdateStmt>(one), outer);
    case T_DeleteStmt: return delete_from(as<DeleteStmt>(one), outer);
    case T_MergeStmt: merge(as<MergeStmt>(one), outer); return {};
    case T_ReturnStmt: {
        const Scope scope{outer, {}, {}, {}};
        Columns columns;
        columns.list.push_back({"?column?", {}});
        expression(as<ReturnStmt>(one).returnval, scope, columns.list.back().sources);
        return columns;
    }
    case T_RawStmt: return any(as<RawStmt>(one).stmt, outer);
    case T_PrepareStmt: return any(as<PrepareStmt>(one).query, outer);
    case T_DeclareCursorStmt: return any(as<DeclareCursorStmt>(one).query, outer);
    case T_ExplainStmt: return any(as<ExplainStmt>(one).query, outer);
    case T_CopyStmt: {
        LineageWalk inner(names_);
        inner.unknown_ = unknown_;
        const Lineage copied = inner.statement(one);
        add(found_.values, copied.values);
        add(found_.sunk, copied.sunk);
        return {};
    }
    case T_CreateTableAsStmt: {
        const auto& made = as<CreateTableAsStmt>(one);
        if (is(made.query, T_ExecuteStmt)) {
            Columns columns;
            columns.exact = false;
            add(columns.rest, untraced());
            made_by(*made.into, columns);
        } else {
            made_by(*made.into, any(made.query, outer));
        }
        return {};
    }
    case T_ViewStmt: {
        const auto& made = as<ViewStmt>(one);
        make(view(made.view->schemaname), view(made.view->relname),
             made.view->relpersistence == 't', any(made.query, outer), made.aliases);
        found_.made.back()->kind = 'v';
        return {};
    }
    case T_PLAssignStmt: assigned(as<PLAssignStmt>(one), outer); return {};
    case T_CreateStmt: create(as<CreateStmt>(one)); return {};
    case T_IndexStmt: {
        // What its rows hold may be quoted: two alike, one that does not convert.
        Scope scope;
        table(*as<IndexStmt>(one).relation, scope, Use::read);
        return {};
    }
    case T_RefreshMatViewStmt: {
        Scope scope;
        table(*as<RefreshMatViewStmt>(one).relation, scope, Use::read);
        return {};
    }
    case T_RenameStmt: renamed(as<RenameStmt>(one)); return {};
    case T_AlterObjectSchemaStmt: {
        const auto& moved = as<AlterObjectSchemaStmt>(one);
        if (moved.relation != nullptr)
            moves(*moved.relation, view(moved.newschema), {});
        return {};
    }
    case T_AlterTableStmt: alter(as<AlterTableStmt>(one)); return {};
    case T_ExecuteStmt:
    case T_FetchStmt: {
        // What they run was sent before; the relay knows it.
        Columns columns;
        columns.exact = false;
        const Scope scope{outer, {}, {}, {}};
        if (is(one, T_ExecuteStmt))
            list(as<ExecuteStmt>(one).params, scope, columns.rest);
        return columns;
    }
    case T_CallStmt: {
        const Scope scope{outer, {}, {}, {}};
        Columns columns;
        columns.exact = false;
        call(*as<CallStmt>(one).funccall, scope, columns.rest);
        return columns;
    }
    case T_DoStmt: {
        const Node* code = argument_of(as<DoStmt>(one).args, "as");
        const Node* language = argument_of(as<DoStmt>(one).args, "language");
        if (language == nullptr || string_of(language) == "plpgsql") {
            block({.text = string_of(code)}, outer);
        } else {
            add(found_.values, untraced());
        }
        return {};
    }
    default: return {};
    }
}

void LineageWalk::made_by(const IntoClause& target, const Columns& columns)
{
    make(view(target.rel->schemaname), view(target.rel->relname), target.rel->relpersistence == 't',
         columns, target.colNames);
}

// CREATE TABLE AS and its like: a new relation, and what goes into it.
void LineageWalk::make(std::string_view schema, std::string_view name, bool temporary,
                       const Columns& columns, const List* names)
{
    auto relation = std::make_shared<CatalogueRelation>();
    const std::string home = temporary        ? std::string("pg_temp")
                             : schema.empty() ? names_.creation_schema()
                                              : std::string(schema);
    relation->schema = home;
    relation->name = name;
    const auto given = cells(names);
    for (std::size_t i = 0; i < columns.list.size() || i < given.size(); ++i) {
        CatalogueColumn column;
        column.name = i < given.size() ? std::string(string_of(node_of(given[i])))
                                       : std::string(columns.list[i].name);
        const Sources& sources =
            columns.exact && i < columns.list.size() ? columns.list[i].sources : columns.rest;
        add(found_.values, sources);
        if (!sources.empty())
            found_.flows.add({home, std::string(name), column.name, sources});
        relation->columns.push_back(std::move(column));
    }
    if (!columns.exact && !columns.rest.empty()) {
        // Which column gets what is not known, nor their names.
        add(found_.sunk, columns.rest);
        found_.sink = "a table whose columns the gateway cannot tell";
    }
    found_.made.push_back(std::move(relation));
}

void LineageWalk::create(const CreateStmt& one)
{
    auto relation = std::make_shared<CatalogueRelation>();
    relation->schema = one.relation->relpersistence == 't' ? std::string("pg_temp")
                       : one.relation->schemaname == nullptr
                           ? names_.creation_schema()
                           : std::string(one.relation->schemaname);
    relation->name = view(one.relation->relname);
    const auto add_column = [&](std::string name, std::uint32_t type) {
        CatalogueColumn column;
        column.name = std::move(name);
        column.type = type;
        relation->columns.push_back(std::move(column));
    };
    const auto copy_columns = [&](const RangeVar& from) {
        for (const CatalogueRelation* other :
             names_.relations(view(from.schemaname), view(from.relname))) {
            for (const CatalogueColumn& column : other->columns) {
                if (!column.name.empty())
                    add_column(column.name, column.type);
            }
        }
    };
    for (const ListCell& cell : cells(one.inhRelations))
        copy_columns(as<RangeVar>(node_of(cell)));
    for (const ListCell& cell : cells(one.tableElts)) {
        const Node* element = node_of(cell);
        if (is(element, T_TableLikeClause))
            copy_columns(*as<TableLikeClause>(element).relation);
        if (is(element, T_ColumnDef))
            add_column(std::string(view(as<ColumnDef>(element).colname)), 0);
    }
    if (one.ofTypename == nullptr)
        found_.made.push_back(std::move(relation));
}

// ALTER COLUMN ... TYPE ... USING and generated columns put other columns' values into one.
void LineageWalk::alter(const AlterTableStmt& one)
{
    Scope scope;
    scope.top.push_back(table(*one.relation, scope, Use::read));
    const Item target = scope.items.front();
    for (const ListCell& cell : cells(one.cmds)) {
        const auto& command = as<AlterTableCmd>(node_of(cell));
        // What leaves its parent keeps what the parent's masks hid of it.
        if (is(command.def, T_PartitionCmd) && as<PartitionCmd>(command.def).name != nullptr)
            moves(*as<PartitionCmd>(command.def).name, {}, {});
        if (command.subtype == AT_DropInherit)
            moves(*one.relation, {}, {});
        if (!is(command.def, T_ColumnDef))
            continue;
        const auto& column = as<ColumnDef>(command.def);
        Sources sources;
        expression(column.raw_default, scope, sources);
        for (const ListCell& constraint : cells(column.constraints))
            expression(as<Constraint>(node_of(constraint)).raw_expr, scope, sources);
        flow(target, command.name != nullptr ? view(command.name) : view(column.colname),
             std::move(sources));
    }
}

// A relation by another name still holds what it held, and so do its columns.
void LineageWalk::moves(const RangeVar& from, std::string_view to_schema, std::string_view to_name)
{
    for (const CatalogueRelation* relation :
         names_.relations(view(from.schemaname), view(from.relname))) {
        const std::string schema(to_schema.empty() ? relation->schema : to_schema);
        const std::string name(to_name.empty() ? relation->name : to_name);
        auto moved = std::make_shared<CatalogueRelation>(*relation);
        moved->schema = schema;
        moved->name = name;
        if (schema != relation->schema || name != relation->name)
            found_.made.push_back(std::move(moved));
        for (std::size_t i = 0; i < relation->columns.size(); ++i) {
            if (!relation->columns[i].name.empty())
                found_.flows.add(
                    {schema, name, relation->columns[i].name, of_column(*relation, i)});
        }
    }
}

void LineageWalk::renamed(const RenameStmt& one)
{
    if (one.relation != nullptr && one.renameType == OBJECT_COLUMN) {
        for (const CatalogueRelation* relation :
             names_.relations(view(one.relation->schemaname), view(one.relation->relname))) {
            const auto column =
                std::ranges::find(relation->columns, view(one.subname), &CatalogueColumn::name);
            if (column == relation->columns.end())
                continue;
            const auto position = static_cast<std::size_t>(column - relation->columns.begin());
            auto changed = std::make_shared<CatalogueRelation>(*relation);
            changed->columns[position].name = view(one.newname);
            found_.made.push_back(std::move(changed));
            found_.flows.add({relation->schema, relation->name, std::string(view(one.newname)),
                              of_column(*relation, position)});
        }
    } else if (one.renameType == OBJECT_SCHEMA && names_.catalogue()) {
        for (const CatalogueRelation& relation : names_.catalogue()->relations()) {
            if (relation.schema != view(one.subname))
                continue;
            for (std::size_t i = 0; i < relation.columns.size(); ++i) {
                if (!relation.columns[i].name.empty())
                    found_.flows.add({std::string(view(one.newname)), relation.name,
                                      relation.columns[i].name, of_column(relation, i)});
            }
        }
    } else if (one.relation != nullptr) {
        moves(*one.relation, {}, view(one.newname));
    }
}

Lineage LineageWalk::function(const CreateFunctionStmt& one)
{
    has_parameters_ = true;
    body(one, nullptr);
    settle_variables();
    return finish();
}

Lineage given(const Lineage& body, const Sources& arguments)
{
    Lineage called = body;
    const auto give = [&](Sources& sources) {
        if (remove(sources, LineageWalk::variable()))
            add(sources, arguments);
    };
    give(called.values);
    give(called.sunk);
    give(called.conditions);
    for (OutputColumn& output : called.outputs)
        give(output.sources);
    called.flows.change(give);
    return called;
}

Lineage LineageWalk::action(const Node* one, const CatalogueRelation& on)
{
    Scope rows;
    for (const std::string_view name : {"new", "old"}) {
        Item row;
        row.alias = name;
        row.relation = &on;
        rows.items.push_back(std::move(row));
    }
    result(any(one, &rows));
    return finish();
}

Lineage LineageWalk::trigger(const CreateFunctionStmt& one, const CatalogueRelation& on)
{
    Scope rows;
    for (const std::string_view name : {"new", "old"}) {
        Item row;
        row.alias = name;
        row.relation = &on;
        rows.items.push_back(std::move(row));
    }
    body(one, &rows);
    return finish();
}

Sources LineageWalk::over(const Node* one, const CatalogueRelation& relation)
{
    Scope scope;
    Item table;
    table.alias = relation.name;
    table.relation = &relation;
    scope.items.push_back(std::move(table));
    Sources sources;
    expression(one, scope, sources);
    return sources;
}

void LineageWalk::body(const CreateFunctionStmt& one, const Scope* outer)
{
    unknown_ = Unknown::variable;
    if (one.sql_body != nullptr) {
        // BEGIN ATOMIC ... END is a list of a list of statements.
        Columns last;
        const auto walk = [&](const auto& self, const Node* part) -> void {
            if (is(part, T_List)) {
                for (const ListCell& cell : cells(&as<List>(part)))
                    self(self, node_of(cell));
            } else if (part != nullptr) {
                last = any(part, outer);
            }
        };
        walk(walk, one.sql_body);
        result(std::move(last));
        return;
    }
    const FunctionBody written = body_of(one);
    if (written.language == "sql") {
        Columns last;
        if (!sql_text(written.text, outer, &last))
            add(found_.values, untraced());
        result(std::move(last));
    } else if (written.language == "plpgsql") {
        block(routine_of(one, written.text), outer);
    } else {
        add(found_.values, untraced());
    }
}

// Several statements; the rows of the last are given.
bool LineageWalk::sql_text(std::string_view text, const Scope* outer, Columns* last)
{
    if (++bodies_within_ > bodies_within_limit) {
        --bodies_within_;
        return false;
    }
    texts_.emplace_back(text);
    trees_.push_back(std::make_unique<RawParse>(texts_.back().c_str()));
    const RawParse& parsed = *trees_.back();
    for (const ListCell& cell : cells(parsed.tree())) {
        Columns columns = any(node_of(cell), outer);
        if (last != nullptr)
            *last = std::move(columns);
        else
            for (const Column& column : columns.list)
                add(found_.values, column.sources);
    }
    --bodies_within_;
    return parsed.problem().empty();
}

// Where variables carry values to cannot be seen from one fragment: a variable stands for whatever
// is in any of them.
void LineageWalk::block(const PlpgsqlRoutine& routine, const Scope* outer)
{
    blocks_.push_back(std::make_unique<PlpgsqlBlock>(read_plpgsql(routine)));
    const PlpgsqlBlock& read = *blocks_.back();
    const Unknown before = unknown_;
    unknown_ = Unknown::variable;
    if (read.dynamic || read.cursor || !read.problem.empty())
        add(found_.values, untraced());
    for (const PlpgsqlBlock::Fragment& fragment : read.fragments) {
        if (fragment.tree == nullptr) {
            if (!sql_text(fragment.text, outer, nullptr))
                add(found_.values, untraced());
            continue;
        }
        for (const ListCell& cell : cells(fragment.tree)) {
            const Columns columns = any(node_of(cell), outer);
            add(found_.values, columns.rest);
            for (const Column& column : columns.list)
                add(found_.values, column.sources);
        }
    }
    unknown_ = before;
    settle_variables();
}

// The marker that stands for a variable becomes what variables may hold. In a function it stays as
// well, for what the caller gives it.
void LineageWalk::settle_variables()
{
    remove(found_.values, variable());
    const auto settle = [this](Sources& sources) {
        if (std::ranges::binary_search(sources, variable()))
            add(sources, found_.values);
        if (!has_parameters_)
            remove(sources, variable());
    };
    found_.flows.change(settle);
    settle(found_.sunk);
    settle(found_.conditions);
    for (OutputColumn& output : found_.outputs)
        settle(output.sources);
}

// target := value. NEW.column is what the row will be.
void LineageWalk::assigned(const PLAssignStmt& one, const Scope* outer)
{
    const Columns value = select(*one.val, outer);
    Sources sources = value.rest;
    for (const Column& column : value.list)
        add(sources, column.sources);
    add(found_.values, sources);
    const Scope nothing{outer, {}, {}, {}};
    const std::string_view target = view(one.name);
    const Item* row = find_item({}, target, nothing);
    if (row == nullptr || row->relation == nullptr || sources.empty())
        return;
    const auto steps = cells(one.indirection);
    const bool field = !steps.empty() && is(node_of(steps[0]), T_String);
    for (const CatalogueColumn& column : row->relation->columns) {
        if (column.name.empty() || (field && column.name != string_of(node_of(steps[0]))))
            continue;
        found_.flows.add({row->relation->schema, row->relation->name, column.name, sources});
    }
}

}  // namespace sallyport::postgres
