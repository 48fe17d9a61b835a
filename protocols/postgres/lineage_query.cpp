// Queries: WITH, FROM, what is selected, and what INSERT, UPDATE, DELETE and MERGE write.

#include <algorithm>
#include <utility>

#include "protocols/postgres/lineage_walk.h"
#include "protocols/postgres/object_names.h"
#include "protocols/postgres/value_functions.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

namespace {

// Rounds after which a recursive query's columns are taken to hold everything it mentions. Each
// round but the last adds to some column; chains this long are not written.
constexpr int most_rounds = 16;

// Columns of a join that are told apart; the server's own limit for a result is 1,664.
constexpr std::size_t most_columns = 20'000;

}  // namespace

void LineageWalk::unite(Columns& into, const Columns& more)
{
    if (into.exact && more.exact && into.list.size() == more.list.size()) {
        for (std::size_t i = 0; i < more.list.size(); ++i) {
            add(into.list[i].sources, more.list[i].sources);
            into.list[i].plain = into.list[i].plain && more.list[i].plain;
        }
        return;
    }
    into.exact = false;
    add(into.rest, more.rest);
    for (const Column& column : more.list)
        add(into.rest, column.sources);
    for (Column& column : into.list) {
        add(column.sources, into.rest);
        add(into.rest, column.sources);
    }
}

void LineageWalk::rename(Columns& columns, const Alias* alias)
{
    if (alias == nullptr)
        return;
    std::size_t position = 0;
    for (const ListCell& cell : cells(alias->colnames)) {
        const std::string_view name = string_of(node_of(cell));
        if (position == columns.list.size()) {
            if (columns.exact)
                return;
            columns.list.push_back({name, columns.rest});
        }
        columns.list[position++].name = name;
    }
}

LineageWalk::Columns LineageWalk::select(const SelectStmt& one, const Scope* outer)
{
    if (one.op == SETOP_NONE) {
        const std::size_t names = with(one.withClause, outer);
        Columns columns = select_alone(one, outer);
        leave(names);
        return columns;
    }
    // A chain of set operations leans to the left: its spine is followed in a loop. What a level's
    // WITH names is seen by both its sides.
    std::vector<std::pair<const SelectStmt*, std::size_t>> spine;
    const SelectStmt* leaf = &one;
    for (; leaf->op != SETOP_NONE; leaf = leaf->larg)
        spine.emplace_back(leaf, with(leaf->withClause, outer));
    const std::size_t names = with(leaf->withClause, outer);
    Columns columns = select_alone(*leaf, outer);
    leave(names);
    std::for_each(spine.rbegin(), spine.rend(), [&](const auto& level) {
        unite(columns, select(*level.first->rarg, outer));
        Scope nothing{outer, {}, {}, {}};
        order(level.first->sortClause, columns, nothing);
        leave(level.second);
    });
    return columns;
}

LineageWalk::Columns LineageWalk::select_alone(const SelectStmt& one, const Scope* outer)
{
    if (one.valuesLists != nullptr)
        return values(one.valuesLists, outer);
    Scope scope{outer, {}, {}, {}};
    for (const ListCell& cell : cells(one.fromClause)) {
        const int source = from(node_of(cell), scope);
        scope.top.push_back(source);
    }
    condition(one.whereClause, scope);
    Columns made = outputs(one.targetList, scope);
    condition(one.havingClause, scope);
    condition(one.limitOffset, scope);
    condition(one.limitCount, scope);
    for (const ListCell& cell : cells(one.windowClause))
        condition(node_of(cell), scope);
    order(one.groupClause, made, scope);
    order(one.sortClause, made, scope);
    // DISTINCT alone has a null in its list: it compares whole rows.
    const auto distinct = cells(one.distinctClause);
    if (distinct.size() == 1 && node_of(distinct[0]) == nullptr) {
        for (const Column& column : made.list)
            add(found_.conditions, column.sources);
    } else {
        order(one.distinctClause, made, scope);
    }
    return made;
}

// A number stands for an output, and so does a name that one has.
void LineageWalk::order(const List* clause, const Columns& outputs, Scope& scope)
{
    for (const ListCell& cell : cells(clause)) {
        const Node* by = node_of(cell);
        if (is(by, T_SortBy))
            by = as<SortBy>(by).node;
        if (is(by, T_A_Const)) {
            const auto& number = as<A_Const>(by);
            const auto position = static_cast<std::size_t>(
                !number.isnull && is(&number.val, T_Integer) ? number.val.ival.ival : 0);
            found_.positions = true;
            if (position >= 1 && position <= outputs.list.size())
                add(found_.conditions, outputs.list[position - 1].sources);
            continue;
        }
        if (is(by, T_ColumnRef) && cells(as<ColumnRef>(by).fields).size() == 1) {
            const std::string_view name = string_of(node_of(cells(as<ColumnRef>(by).fields)[0]));
            const auto named = std::ranges::find(outputs.list, name, &Column::name);
            if (named != outputs.list.end()) {
                add(found_.conditions, named->sources);
                continue;
            }
        }
        condition(by, scope);
    }
}

LineageWalk::Columns LineageWalk::values(const List* rows, const Scope* outer)
{
    const Scope scope{outer, {}, {}, {}};
    Columns made;
    for (const ListCell& cell : cells(rows)) {
        std::size_t position = 0;
        for (const ListCell& value : cells(&as<List>(node_of(cell)))) {
            if (position == made.list.size()) {
                texts_.push_back("column" + std::to_string(position + 1));
                made.list.push_back({texts_.back(), {}});
            }
            expression(node_of(value), scope, made.list[position++].sources);
        }
    }
    return made;
}

LineageWalk::Columns LineageWalk::outputs(const List* targets, Scope& scope)
{
    Columns made;
    for (const ListCell& cell : cells(targets)) {
        const auto& target = as<ResTarget>(node_of(cell));
        if (is(target.val, T_ColumnRef)) {
            const auto fields = cells(as<ColumnRef>(target.val).fields);
            if (is(node_of(fields.back()), T_A_Star)) {
                if (fields.size() == 1) {
                    for (const int source : scope.top)
                        all_columns(scope, source, made);
                    continue;
                }
                const std::string_view schema = fields.size() > 2
                                                    ? string_of(node_of(fields[fields.size() - 3]))
                                                    : std::string_view();
                if (const Item* from =
                        find_item(schema, string_of(node_of(fields[fields.size() - 2])), scope)) {
                    Columns all = columns_of(*from);
                    made.exact = made.exact && all.exact;
                    add(made.rest, all.rest);
                    std::ranges::move(all.list, std::back_inserter(made.list));
                    continue;
                }
                made.exact = false;
                unknown(made.rest);
                continue;
            }
        }
        // (row).*
        if (is(target.val, T_A_Indirection)) {
            const auto steps = cells(as<A_Indirection>(target.val).indirection);
            if (!steps.empty() && is(node_of(steps.back()), T_A_Star)) {
                const Node* base = as<A_Indirection>(target.val).arg;
                const Item* row = nullptr;
                if (steps.size() == 1 && is(base, T_ColumnRef) &&
                    cells(as<ColumnRef>(base).fields).size() == 1)
                    row = find_item({}, string_of(node_of(cells(as<ColumnRef>(base).fields)[0])),
                                    scope);
                if (row != nullptr) {
                    Columns all = columns_of(*row);
                    made.exact = made.exact && all.exact;
                    add(made.rest, all.rest);
                    std::ranges::move(all.list, std::back_inserter(made.list));
                } else {
                    made.exact = false;
                    expression(base, scope, made.rest);
                }
                continue;
            }
        }
        Column column;
        column.name = target.name != nullptr ? view(target.name) : name_of_output(target.val);
        expression(target.val, scope, column.sources);
        column.plain = is_plain(target.val, scope);
        made.list.push_back(std::move(column));
    }
    if (!made.exact) {
        for (Column& column : made.list)
            add(made.rest, column.sources);
        for (Column& column : made.list)
            column.sources = made.rest;
    }
    return made;
}

std::size_t LineageWalk::with(const WithClause* clause, const Scope* outer)
{
    if (clause == nullptr)
        return 0;
    const auto queries = cells(clause->ctes);
    // RECURSIVE lets a query name those behind it as well; what they hold is not known yet.
    const std::size_t behind = clause->recursive ? queries.size() : 0;
    for (std::size_t i = 0; i < behind; ++i) {
        WithQuery later{view(as<CommonTableExpr>(node_of(queries[i])).ctename), {}};
        later.columns.exact = false;
        add(later.columns.rest, untraced());
        with_.push_back(std::move(later));
    }
    for (const ListCell& cell : queries) {
        const auto& one = as<CommonTableExpr>(node_of(cell));
        Columns columns = with_query(one, clause->recursive, outer);
        unused(columns);
        with_.push_back({view(one.ctename), std::move(columns)});
    }
    return behind + queries.size();
}

LineageWalk::Columns LineageWalk::with_query(const CommonTableExpr& one, bool recursive,
                                             const Scope* outer)
{
    const auto named = [&](Columns columns) {
        std::size_t position = 0;
        for (const ListCell& cell : cells(one.aliascolnames)) {
            if (position < columns.list.size())
                columns.list[position++].name = string_of(node_of(cell));
        }
        return columns;
    };
    Columns columns;
    const Node* query = one.ctequery;
    const bool loops =
        recursive && is(query, T_SelectStmt) && as<SelectStmt>(query).op != SETOP_NONE;
    if (!loops) {
        columns = named(any(query, outer));
    } else {
        // Until nothing is added: what the recursive part adds comes back to it.
        const auto& whole = as<SelectStmt>(query);
        const std::size_t names = with(whole.withClause, outer);
        columns = named(select(*whole.larg, outer));
        for (int round = 0;; ++round) {
            with_.push_back({view(one.ctename), columns});
            Columns more = select(*whole.rarg, outer);
            with_.pop_back();
            Columns next = columns;
            unite(next, more);
            bool same = next.exact == columns.exact && next.rest == columns.rest;
            for (std::size_t i = 0; same && i < next.list.size(); ++i)
                same = next.list[i].sources == columns.list[i].sources;
            columns = std::move(next);
            if (same)
                break;
            if (round == most_rounds) {
                columns.exact = false;
                for (const Column& column : columns.list)
                    add(columns.rest, column.sources);
                for (Column& column : columns.list)
                    column.sources = columns.rest;
                break;
            }
        }
        leave(names);
    }
    Sources everything = columns.rest;
    if (one.search_clause != nullptr || one.cycle_clause != nullptr) {
        for (const Column& column : columns.list)
            add(everything, column.sources);
    }
    if (one.search_clause != nullptr)
        columns.list.push_back({view(one.search_clause->search_seq_column), everything});
    if (one.cycle_clause != nullptr) {
        columns.list.push_back({view(one.cycle_clause->cycle_mark_column), everything});
        columns.list.push_back({view(one.cycle_clause->cycle_path_column), everything});
    }
    return columns;
}

int LineageWalk::item(Item made, Scope& scope)
{
    scope.items.push_back(std::move(made));
    Source source;
    source.item = static_cast<int>(scope.items.size()) - 1;
    scope.sources.push_back(std::move(source));
    return static_cast<int>(scope.sources.size()) - 1;
}

LineageWalk::Columns LineageWalk::columns_of(
    const std::vector<const CatalogueRelation*>& candidates) const
{
    Columns all;
    bool first = true;
    for (const CatalogueRelation* relation : candidates) {
        Columns columns;
        for (std::size_t i = 0; i < relation->columns.size(); ++i) {
            if (!relation->columns[i].name.empty())
                columns.list.push_back({relation->columns[i].name, of_column(*relation, i),
                                        names_.is_plain(*relation, i + 1)});
        }
        if (std::exchange(first, false)) {
            all = std::move(columns);
            continue;
        }
        // Which of them is meant is not known: a name means what it means in any.
        const bool alike =
            std::ranges::equal(all.list, columns.list, {}, &Column::name, &Column::name);
        all.exact = all.exact && alike;
        for (Column& more : columns.list) {
            const auto same = std::ranges::find(all.list, more.name, &Column::name);
            if (same != all.list.end())
                add(same->sources, more.sources);
            else
                all.list.push_back(std::move(more));
        }
    }
    if (!all.exact) {
        for (const Column& column : all.list)
            add(all.rest, column.sources);
    }
    return all;
}

LineageWalk::Columns LineageWalk::columns_of(const Item& item) const
{
    return item.relation == nullptr ? item.columns : columns_of({item.relation});
}

// written: how, where it is; Use::read: something is defined on it.
int LineageWalk::table(const RangeVar& one, Scope& scope, std::optional<Use> written)
{
    const std::string_view name = view(one.relname);
    Item made;
    made.schema = view(one.schemaname);
    made.alias = name;
    const bool renamed = one.alias != nullptr && one.alias->colnames != nullptr;
    if (!written && one.schemaname == nullptr) {
        const auto query = std::find_if(with_.rbegin(), with_.rend(),
                                        [&](const WithQuery& known) { return known.name == name; });
        if (query != with_.rend()) {
            made.columns = query->columns;
            rename(made.columns, one.alias);
            if (one.alias != nullptr)
                made.alias = view(one.alias->aliasname);
            return item(std::move(made), scope);
        }
    }
    auto candidates = names_.relations(made.schema, name);
    if (candidates.empty()) {
        made.columns.exact = false;
        unknown(made.columns.rest);
    } else if (names_.doubts_relations()) {
        made.columns = columns_of(candidates);
        made.columns.exact = false;
        add(made.columns.rest, untraced());
        for (Column& column : made.columns.list)
            add(column.sources, untraced());
    } else if (candidates.size() == 1 && !renamed) {
        made.relation = candidates.front();
    } else {
        made.columns = columns_of(candidates);
    }
    if (written) {
        made.targets = std::move(candidates);
        writes(made, *written);
    }
    rename(made.columns, one.alias);
    if (one.alias != nullptr) {
        made.alias = view(one.alias->aliasname);
        made.schema = {};
    }
    return item(std::move(made), scope);
}

int LineageWalk::function(const RangeFunction& one, Scope& scope)
{
    Columns all;
    const auto functions = cells(one.functions);
    for (const ListCell& cell : functions) {
        // Each: the call, and the columns it is said to return.
        const auto pair = cells(&as<List>(node_of(cell)));
        const Node* called = node_of(pair[0]);
        Sources sources;
        expression(called, scope, sources);
        const List* columns = pair.size() > 1 && node_of(pair[1]) != nullptr
                                  ? &as<List>(node_of(pair[1]))
                                  : one.coldeflist;
        if (columns != nullptr) {
            for (const ListCell& column : cells(columns))
                all.list.push_back({view(as<ColumnDef>(node_of(column)).colname), sources});
            continue;
        }
        add_result_columns(called, sources, scope, all);
    }
    if (!all.exact) {
        for (Column& column : all.list)
            column.sources = all.rest;
    }
    if (one.ordinality)
        all.list.push_back({"ordinality", all.exact ? Sources() : all.rest});
    Item made;
    if (one.alias != nullptr) {
        made.alias = view(one.alias->aliasname);
        // Where a function's one column is named after the function, the alias names it too.
        const bool alone = all.list.size() == (one.ordinality ? 2U : 1U) && functions.size() == 1;
        const Node* called = node_of(cells(&as<List>(node_of(functions[0])))[0]);
        if (alone && all.list[0].name == name_of_output(called))
            all.list[0].name = made.alias;
    } else if (!all.list.empty()) {
        made.alias = all.list[0].name;
    }
    rename(all, one.alias);
    made.columns = std::move(all);
    return item(std::move(made), scope);
}

// The columns of a row type that a function returns.
void LineageWalk::add_row_columns(const CatalogueFunction& function,
                                  std::vector<std::string_view>& into) const
{
    const CatalogueType* type = names_.catalogue()->type(function.result_type);
    const CatalogueRelation* row =
        type == nullptr ? nullptr : names_.catalogue()->relation(type->relation);
    if (row == nullptr || !into.empty())
        return;
    for (const CatalogueColumn& column : row->columns) {
        if (!column.name.empty())
            into.emplace_back(column.name);
    }
}

// How many columns a function returns is a matter of its overloads and types: where it is not
// known, any name means everything that is in it.
void LineageWalk::add_result_columns(const Node* called, const Sources& sources, const Scope& scope,
                                     Columns& into)
{
    const std::string_view name = name_of_output(called);
    std::vector<std::string_view> columns;
    bool exact = true;
    if (is(called, T_FuncCall)) {
        const auto& call = as<FuncCall>(called);
        const auto [schema, function] = last_two(call.funcname);
        const auto candidates = names_.functions(schema, function, cells(call.args).size());
        const auto known = result_columns(function);
        if (candidates.size() == 1) {
            for (const std::string& column : candidates.front()->result_columns)
                columns.emplace_back(column);
            add_row_columns(*candidates.front(), columns);
        }
        if (!columns.empty()) {
            // A function in SQL says which column of its last query is which.
            const Lineage& body = names_.lineage(*candidates.front());
            if (body.exact && body.outputs.size() == columns.size() && !names_.doubts_functions()) {
                Sources arguments;
                list(call.args, scope, arguments);
                const Lineage given_them = given(body, arguments);
                for (std::size_t i = 0; i < columns.size(); ++i)
                    into.list.push_back({columns[i], given_them.outputs[i].sources});
                add(into.rest, sources);
                return;
            }
        } else if (candidates.empty() && !known.empty()) {
            columns.assign(known.begin(), known.end());
        } else {
            exact = false;
        }
    }
    if (columns.empty())
        columns.push_back(name);
    into.exact = into.exact && exact;
    for (const std::string_view column : columns)
        into.list.push_back({column, sources});
    add(into.rest, sources);
}

int LineageWalk::join(const JoinExpr& one, Scope& scope)
{
    // A chain of joins leans to the left: the deepest first.
    std::vector<const JoinExpr*> chain;
    chain.push_back(&one);
    const Node* leaf = one.larg;
    for (; is(leaf, T_JoinExpr); leaf = as<JoinExpr>(leaf).larg)
        chain.push_back(&as<JoinExpr>(leaf));
    const std::size_t first = scope.items.size();
    int left = from(leaf, scope);
    std::for_each(chain.rbegin(), chain.rend(), [&](const JoinExpr* at) {
        const int right = from(at->rarg, scope);
        Source source;
        source.left = left;
        source.right = right;
        source.natural = at->isNatural;
        for (const ListCell& cell : cells(at->usingClause))
            source.together.push_back(string_of(node_of(cell)));
        scope.sources.push_back(std::move(source));
        left = static_cast<int>(scope.sources.size()) - 1;
        if (at->quals != nullptr)
            condition(at->quals, scope);
        for (const std::string_view name : scope.sources.back().together) {
            Sources compared;
            (void)unqualified(name, scope, compared);
            add(found_.conditions, compared);
        }
        if (at->isNatural && scope.sources.size() < 200) {
            Columns both;
            all_columns(scope, left, both);
            for (const Column& column : both.list)
                add(found_.conditions, column.sources);
        }
        if (at->alias != nullptr) {
            Item made;
            made.alias = view(at->alias->aliasname);
            all_columns(scope, left, made.columns);
            rename(made.columns, at->alias);
            // Under an alias the names inside are no longer to be had.
            for (std::size_t i = first; i < scope.items.size(); ++i)
                scope.items[i].visible = false;
            left = item(std::move(made), scope);
        } else if (at->join_using_alias != nullptr) {
            // The alias of USING has the joined columns only; more does no harm.
            Item made;
            made.alias = view(at->join_using_alias->aliasname);
            all_columns(scope, left, made.columns);
            scope.items.push_back(std::move(made));
        }
    });
    return left;
}

void LineageWalk::all_columns(const Scope& scope, int source, Columns& into) const
{
    // A chain of joins leans to the left.
    std::vector<const Source*> chain;
    const Source* at = &scope.sources[static_cast<std::size_t>(source)];
    for (; at->item < 0; at = &scope.sources[static_cast<std::size_t>(at->left)])
        chain.push_back(at);
    Columns columns = columns_of(scope.items[static_cast<std::size_t>(at->item)]);
    std::for_each(chain.rbegin(), chain.rend(), [&](const Source* made) {
        Columns right;
        all_columns(scope, made->right, right);
        columns = joined(*made, std::move(columns), std::move(right));
    });
    into.exact = into.exact && columns.exact;
    add(into.rest, columns.rest);
    std::ranges::move(columns.list, std::back_inserter(into.list));
}

// USING and NATURAL give each common column once, and first.
LineageWalk::Columns LineageWalk::joined(const Source& made, Columns left, Columns right)
{
    std::vector<std::string_view> together = made.together;
    if (made.natural) {
        for (const Column& column : left.list) {
            if (std::ranges::find(right.list, column.name, &Column::name) != right.list.end())
                together.push_back(column.name);
        }
    }
    Columns into;
    into.exact = left.exact && right.exact && left.list.size() + right.list.size() < most_columns;
    add(into.rest, left.rest);
    add(into.rest, right.rest);
    if (together.empty()) {
        into.list = std::move(left.list);
        std::ranges::move(right.list, std::back_inserter(into.list));
    } else {
        for (const std::string_view name : together) {
            Column merged{name, {}, true};
            for (const Columns* side : {&left, &right}) {
                const auto found = std::ranges::find(side->list, name, &Column::name);
                add(merged.sources, found == side->list.end() ? side->rest : found->sources);
                merged.plain = merged.plain && found != side->list.end() && found->plain;
            }
            into.list.push_back(std::move(merged));
        }
        for (Columns* side : {&left, &right}) {
            for (Column& column : side->list) {
                if (std::ranges::find(together, column.name) == together.end())
                    into.list.push_back(std::move(column));
            }
        }
    }
    if (into.list.size() >= most_columns) {
        for (const Column& column : into.list)
            add(into.rest, column.sources);
        into.list.clear();
    }
    return into;
}

int LineageWalk::from(const Node* one, Scope& scope)
{
    switch (one->type) {
    case T_RangeVar: return table(as<RangeVar>(one), scope);
    case T_JoinExpr: return join(as<JoinExpr>(one), scope);
    case T_RangeSubselect: {
        const auto& query = as<RangeSubselect>(one);
        Item made;
        // As if it were LATERAL: a name that is not to be seen is the server's to refuse.
        made.columns = any(query.subquery, &scope);
        unused(made.columns);
        rename(made.columns, query.alias);
        if (query.alias != nullptr)
            made.alias = view(query.alias->aliasname);
        return item(std::move(made), scope);
    }
    case T_RangeFunction: return function(as<RangeFunction>(one), scope);
    case T_RangeTableSample: {
        const int source = from(as<RangeTableSample>(one).relation, scope);
        for (const ListCell& cell : cells(as<RangeTableSample>(one).args))
            condition(node_of(cell), scope);
        condition(as<RangeTableSample>(one).repeatable, scope);
        return source;
    }
    case T_RangeTableFunc: {
        const auto& table = as<RangeTableFunc>(one);
        Sources sources;
        expression(table.docexpr, scope, sources);
        expression(table.rowexpr, scope, sources);
        list(table.namespaces, scope, sources);
        Item made;
        for (const ListCell& cell : cells(table.columns)) {
            const auto& column = as<RangeTableFuncCol>(node_of(cell));
            Sources own = sources;
            expression(column.colexpr, scope, own);
            expression(column.coldefexpr, scope, own);
            made.columns.list.push_back({view(column.colname), std::move(own)});
        }
        rename(made.columns, table.alias);
        if (table.alias != nullptr)
            made.alias = view(table.alias->aliasname);
        return item(std::move(made), scope);
    }
    default: break;
    }
    Item made;
    made.columns.exact = false;
    unknown(made.columns.rest);
    return item(std::move(made), scope);
}

void LineageWalk::writes(const Item& target, Use use)
{
    for (const CatalogueRelation* relation : target.targets)
        found_.written.push_back({relation, use});
}

// What is written into a column of an INSERT's or UPDATE's target.
void LineageWalk::flow(const Item& target, std::string_view column, Sources sources)
{
    for (const CatalogueRelation* relation : target.targets) {
        const auto written = std::ranges::find(relation->columns, column, &CatalogueColumn::name);
        if (written != relation->columns.end())
            add(found_.assigned, &*written);
    }
    if (sources.empty())
        return;
    const auto is_kind = [&](std::string_view kinds) {
        return std::ranges::any_of(target.targets, [&](const CatalogueRelation* relation) {
            return kinds.find(relation->kind) != std::string_view::npos;
        });
    };
    const bool into_view = is_kind("vm");
    const bool into_foreign = is_kind("f");
    if (target.targets.empty() || column.empty() || into_view || into_foreign) {
        add(found_.sunk, sources);
        found_.sink = into_view      ? "a view"
                      : into_foreign ? "a foreign table"
                                     : "a table that the gateway does not know";
        return;
    }
    add(found_.values, sources);
    for (const CatalogueRelation* relation : target.targets)
        found_.flows.add({relation->schema, relation->name, std::string(column), sources});
}

// SET (a, b) = row names its source once for each column.
void LineageWalk::assign(const List* targets, const Item& target, Scope& scope)
{
    for (const ListCell& cell : cells(targets)) {
        const auto& one = as<ResTarget>(node_of(cell));
        Sources sources;
        if (is(one.val, T_MultiAssignRef)) {
            const auto& part = as<MultiAssignRef>(one.val);
            const auto position = static_cast<std::size_t>(part.colno - 1);
            if (is(part.source, T_SubLink) &&
                is(as<SubLink>(part.source).subselect, T_SelectStmt)) {
                const Columns columns = any(as<SubLink>(part.source).subselect, &scope);
                if (columns.exact && position < columns.list.size())
                    sources = columns.list[position].sources;
                else
                    expression(part.source, scope, sources);
            } else if (is(part.source, T_RowExpr) &&
                       position < cells(as<RowExpr>(part.source).args).size()) {
                expression(node_of(cells(as<RowExpr>(part.source).args)[position]), scope, sources);
            } else {
                expression(part.source, scope, sources);
            }
        } else {
            expression(one.val, scope, sources);
        }
        flow(target, view(one.name), std::move(sources));
        for (const CatalogueRelation* relation : target.targets) {
            if (is_followed_key(*relation, view(one.name)))
                found_.written.push_back({relation, Use::key});
        }
    }
}

LineageWalk::Columns LineageWalk::insert(const InsertStmt& one, const Scope* outer)
{
    const std::size_t names = with(one.withClause, outer);
    Scope scope{outer, {}, {}, {}};
    scope.top.push_back(table(*one.relation, scope, Use::insert));
    const Item target = scope.items.front();
    std::vector<std::string_view> columns;
    for (const ListCell& cell : cells(one.cols))
        columns.push_back(view(as<ResTarget>(node_of(cell)).name));
    bool in_order = true;
    if (columns.empty()) {
        const Columns all = columns_of(target);
        in_order = all.exact;
        for (const Column& column : all.list)
            columns.push_back(column.name);
    }
    if (one.selectStmt != nullptr) {
        const Columns rows = any(one.selectStmt, outer);
        if (in_order && rows.exact && rows.list.size() <= columns.size()) {
            for (std::size_t i = 0; i < rows.list.size(); ++i)
                flow(target, columns[i], rows.list[i].sources);
        } else {
            Sources everything = rows.rest;
            for (const Column& column : rows.list)
                add(everything, column.sources);
            for (const std::string_view column : columns)
                flow(target, column, everything);
            if (columns.empty())
                flow(target, {}, everything);
        }
    }
    if (one.onConflictClause != nullptr) {
        const OnConflictClause& conflict = *one.onConflictClause;
        Item excluded = target;
        excluded.alias = "excluded";
        excluded.schema = {};
        Scope both = scope;
        both.items.push_back(std::move(excluded));
        if (conflict.action == ONCONFLICT_UPDATE)
            writes(target, Use::update);
        assign(conflict.targetList, target, both);
        condition(conflict.whereClause, both);
    }
    Columns made = outputs(one.returningList, scope);
    leave(names);
    return made;
}

LineageWalk::Columns LineageWalk::update(const UpdateStmt& one, const Scope* outer)
{
    const std::size_t names = with(one.withClause, outer);
    Scope scope{outer, {}, {}, {}};
    scope.top.push_back(table(*one.relation, scope, Use::update));
    for (const ListCell& cell : cells(one.fromClause)) {
        const int source = from(node_of(cell), scope);
        scope.top.push_back(source);
    }
    const Item target = scope.items.front();
    assign(one.targetList, target, scope);
    condition(one.whereClause, scope);
    Columns made = outputs(one.returningList, scope);
    leave(names);
    return made;
}

LineageWalk::Columns LineageWalk::delete_from(const DeleteStmt& one, const Scope* outer)
{
    const std::size_t names = with(one.withClause, outer);
    Scope scope{outer, {}, {}, {}};
    scope.top.push_back(table(*one.relation, scope, Use::delete_));
    for (const ListCell& cell : cells(one.usingClause)) {
        const int source = from(node_of(cell), scope);
        scope.top.push_back(source);
    }
    condition(one.whereClause, scope);
    Columns made = outputs(one.returningList, scope);
    leave(names);
    return made;
}

void LineageWalk::merge(const MergeStmt& one, const Scope* outer)
{
    const std::size_t names = with(one.withClause, outer);
    Scope scope{outer, {}, {}, {}};
    table(*one.relation, scope, Use::read);
    from(one.sourceRelation, scope);
    const Item target = scope.items.front();
    condition(one.joinCondition, scope);
    for (const ListCell& cell : cells(one.mergeWhenClauses)) {
        const auto& when = as<MergeWhenClause>(node_of(cell));
        condition(when.condition, scope);
        if (when.commandType == CMD_UPDATE)
            writes(target, Use::update);
        else if (when.commandType == CMD_DELETE)
            writes(target, Use::delete_);
        else if (when.commandType == CMD_INSERT)
            writes(target, Use::insert);
        if (when.commandType != CMD_INSERT) {
            assign(when.targetList, target, scope);
            continue;
        }
        std::vector<std::string_view> columns;
        for (const ListCell& name : cells(when.targetList))
            columns.push_back(view(as<ResTarget>(node_of(name)).name));
        if (columns.empty()) {
            for (const Column& column : columns_of(target).list)
                columns.push_back(column.name);
        }
        std::size_t position = 0;
        for (const ListCell& value : cells(when.values)) {
            Sources sources;
            expression(node_of(value), scope, sources);
            flow(target, position < columns.size() ? columns[position] : std::string_view(),
                 std::move(sources));
            ++position;
        }
    }
    leave(names);
}

}  // namespace sallyport::postgres
