#include "protocols/postgres/plpgsql_block.h"

#include <algorithm>

// Their macros hide names of the standard library.
#include "protocols/postgres/plpgsql_library.h"

namespace sallyport::postgres {

namespace {

using Kind = PlpgsqlBlock::Kind;

// Blocks and loops within each other; ordinary functions have fewer than 10.
constexpr int max_depth = 100;

// A text that EXECUTE is given: one string constant and nothing else.
const char* literal_of(const List* tree)
{
    const auto statements = cells(tree);
    if (statements.size() != 1)
        return nullptr;
    const auto* statement = as<RawStmt>(node_of(statements[0])).stmt;
    if (!is(statement, T_SelectStmt))
        return nullptr;
    const auto& one = as<SelectStmt>(statement);
    const auto outputs = cells(one.targetList);
    if (one.op != SETOP_NONE || outputs.size() != 1 || one.distinctClause != nullptr ||
        one.intoClause != nullptr || one.fromClause != nullptr || one.whereClause != nullptr ||
        one.groupClause != nullptr || one.havingClause != nullptr || one.windowClause != nullptr ||
        one.valuesLists != nullptr || one.sortClause != nullptr || one.limitOffset != nullptr ||
        one.limitCount != nullptr || one.lockingClause != nullptr || one.withClause != nullptr)
        return nullptr;
    const auto* value = as<ResTarget>(node_of(outputs[0])).val;
    if (!is(value, T_A_Const) || as<A_Const>(value).isnull)
        return nullptr;
    const auto& constant = as<A_Const>(value).val;
    return is(&constant, T_String) ? constant.sval.sval : nullptr;
}

class Reading {
public:
    Reading(PlpgsqlBlock& block, PlpgsqlCompile& parser) : block_(block), parser_(parser) {}

    void read()
    {
        for (const PLpgSQL_datum* datum : parser_.declared())
            declaration(*datum);
        if (parser_.tree() != nullptr)
            block(*parser_.tree());
        auto& names = block_.variables;
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
    }

private:
    void declaration(const PLpgSQL_datum& datum)
    {
        switch (datum.dtype) {
        case PLPGSQL_DTYPE_VAR:
        case PLPGSQL_DTYPE_REC: {
            const auto& variable = as_is<PLpgSQL_variable>(datum);
            // The grammar's own, for CASE.
            if (!view(variable.refname).starts_with("__Case__Variable_"))
                block_.variables.emplace_back(view(variable.refname));
            add(Kind::expression, variable.default_val);
            if (datum.dtype == PLPGSQL_DTYPE_VAR)
                add(Kind::query, as_is<PLpgSQL_var>(datum).cursor_explicit_expr);
            return;
        }
        case PLPGSQL_DTYPE_ROW:  // lists of variables
        case PLPGSQL_DTYPE_RECFIELD: return;
        case PLPGSQL_DTYPE_PROMISE:
        default: problem("a kind of variable that is not known here");
        }
    }

    void body(const List* statements)
    {
        if (++depth_ > max_depth) {
            problem("nested more than " + std::to_string(max_depth) + " levels deep");
        } else {
            for (const ListCell& cell : cells(statements))
                statement(*static_cast<const PLpgSQL_stmt*>(cell.ptr_value));
        }
        --depth_;
    }

    void block(const PLpgSQL_stmt_block& one)
    {
        body(one.body);
        if (one.exceptions == nullptr)
            return;
        for (const ListCell& cell : cells(one.exceptions->exc_list))
            body(static_cast<const PLpgSQL_exception*>(cell.ptr_value)->action);
    }

    void statement(const PLpgSQL_stmt& one)
    {
        switch (one.cmd_type) {
        case PLPGSQL_STMT_BLOCK: block(as_is<PLpgSQL_stmt_block>(one)); return;
        case PLPGSQL_STMT_ASSIGN:
            add(Kind::assignment, as_is<PLpgSQL_stmt_assign>(one).expr);
            return;
        case PLPGSQL_STMT_IF:
        case PLPGSQL_STMT_CASE:
        case PLPGSQL_STMT_EXIT: branch(one); return;
        case PLPGSQL_STMT_LOOP:
        case PLPGSQL_STMT_WHILE:
        case PLPGSQL_STMT_FORI:
        case PLPGSQL_STMT_FORS:
        case PLPGSQL_STMT_FORC:
        case PLPGSQL_STMT_FOREACH_A:
        case PLPGSQL_STMT_DYNFORS: loop(one); return;
        case PLPGSQL_STMT_RETURN:
            add(Kind::expression, as_is<PLpgSQL_stmt_return>(one).expr);
            return;
        case PLPGSQL_STMT_RETURN_NEXT:
            add(Kind::expression, as_is<PLpgSQL_stmt_return_next>(one).expr);
            return;
        case PLPGSQL_STMT_RETURN_QUERY: {
            const auto& query = as_is<PLpgSQL_stmt_return_query>(one);
            add(Kind::query, query.query);
            executed(query.dynquery, query.params);
            return;
        }
        case PLPGSQL_STMT_RAISE: {
            const auto& raise = as_is<PLpgSQL_stmt_raise>(one);
            expressions(raise.params);
            for (const ListCell& cell : cells(raise.options))
                add(Kind::expression,
                    static_cast<const PLpgSQL_raise_option*>(cell.ptr_value)->expr);
            return;
        }
        case PLPGSQL_STMT_ASSERT:
            add(Kind::expression, as_is<PLpgSQL_stmt_assert>(one).cond);
            add(Kind::expression, as_is<PLpgSQL_stmt_assert>(one).message);
            return;
        case PLPGSQL_STMT_EXECSQL:
            add(Kind::statement, as_is<PLpgSQL_stmt_execsql>(one).sqlstmt);
            return;
        case PLPGSQL_STMT_DYNEXECUTE:
            executed(as_is<PLpgSQL_stmt_dynexecute>(one).query,
                     as_is<PLpgSQL_stmt_dynexecute>(one).params);
            return;
        case PLPGSQL_STMT_PERFORM:
            add(Kind::statement, as_is<PLpgSQL_stmt_perform>(one).expr);
            return;
        case PLPGSQL_STMT_CALL:  // and DO
            add(Kind::statement, as_is<PLpgSQL_stmt_call>(one).expr);
            return;
        case PLPGSQL_STMT_OPEN:
        case PLPGSQL_STMT_FETCH:
        case PLPGSQL_STMT_CLOSE: cursor(one); return;
        case PLPGSQL_STMT_COMMIT:
        case PLPGSQL_STMT_ROLLBACK: block_.transaction = true; return;
        case PLPGSQL_STMT_GETDIAG: return;  // into variables
        default: problem("a kind of statement that is not known here");
        }
    }

    void branch(const PLpgSQL_stmt& one)
    {
        if (one.cmd_type == PLPGSQL_STMT_IF) {
            const auto& choice = as_is<PLpgSQL_stmt_if>(one);
            add(Kind::expression, choice.cond);
            body(choice.then_body);
            for (const ListCell& cell : cells(choice.elsif_list)) {
                const auto& other = *static_cast<const PLpgSQL_if_elsif*>(cell.ptr_value);
                add(Kind::expression, other.cond);
                body(other.stmts);
            }
            body(choice.else_body);
        } else if (one.cmd_type == PLPGSQL_STMT_CASE) {
            const auto& choice = as_is<PLpgSQL_stmt_case>(one);
            add(Kind::expression, choice.t_expr);
            for (const ListCell& cell : cells(choice.case_when_list)) {
                const auto& when = *static_cast<const PLpgSQL_case_when*>(cell.ptr_value);
                add(Kind::expression, when.expr);
                body(when.stmts);
            }
            body(choice.else_stmts);
        } else {
            add(Kind::expression, as_is<PLpgSQL_stmt_exit>(one).cond);
        }
    }

    void loop(const PLpgSQL_stmt& one)
    {
        switch (one.cmd_type) {
        case PLPGSQL_STMT_LOOP: body(as_is<PLpgSQL_stmt_loop>(one).body); return;
        case PLPGSQL_STMT_WHILE:
            add(Kind::expression, as_is<PLpgSQL_stmt_while>(one).cond);
            body(as_is<PLpgSQL_stmt_while>(one).body);
            return;
        case PLPGSQL_STMT_FORI: {
            const auto& counted = as_is<PLpgSQL_stmt_fori>(one);
            add(Kind::expression, counted.lower);
            add(Kind::expression, counted.upper);
            add(Kind::expression, counted.step);
            body(counted.body);
            return;
        }
        case PLPGSQL_STMT_FORS:
            add(Kind::query, as_is<PLpgSQL_stmt_fors>(one).query);
            body(as_is<PLpgSQL_stmt_fors>(one).body);
            return;
        case PLPGSQL_STMT_FORC:
            add(Kind::expression, as_is<PLpgSQL_stmt_forc>(one).argquery);
            body(as_is<PLpgSQL_stmt_forc>(one).body);
            return;
        case PLPGSQL_STMT_FOREACH_A:
            add(Kind::expression, as_is<PLpgSQL_stmt_foreach_a>(one).expr);
            body(as_is<PLpgSQL_stmt_foreach_a>(one).body);
            return;
        case PLPGSQL_STMT_DYNFORS:
            executed(as_is<PLpgSQL_stmt_dynfors>(one).query,
                     as_is<PLpgSQL_stmt_dynfors>(one).params);
            body(as_is<PLpgSQL_stmt_dynfors>(one).body);
            return;
        default: problem("a kind of loop that is not known here");
        }
    }

    void cursor(const PLpgSQL_stmt& one)
    {
        if (one.cmd_type == PLPGSQL_STMT_OPEN) {
            const auto& open = as_is<PLpgSQL_stmt_open>(one);
            add(Kind::expression, open.argquery);
            add(Kind::query, open.query);
            executed(open.dynquery, open.params);
            return;
        }
        block_.cursor = true;
        if (one.cmd_type == PLPGSQL_STMT_FETCH)
            add(Kind::expression, as_is<PLpgSQL_stmt_fetch>(one).expr);
    }

    void expressions(const List* some)
    {
        for (const ListCell& cell : cells(some))
            add(Kind::expression, static_cast<const PLpgSQL_expr*>(cell.ptr_value));
    }

    void executed(const PLpgSQL_expr* text, const List* parameters)
    {
        if (text == nullptr)
            return;
        expressions(parameters);
        const List* tree = parse(*text);
        if (tree == nullptr)
            return;
        if (const char* literal = literal_of(tree)) {
            block_.fragments.push_back({Kind::executed, view(literal), nullptr});
        } else {
            block_.dynamic = true;
            block_.fragments.push_back({Kind::expression, view(text->query), tree});
        }
    }

    void add(Kind kind, const PLpgSQL_expr* text)
    {
        if (text == nullptr)
            return;
        if (const List* tree = parse(*text))
            block_.fragments.push_back({kind, view(text->query), tree});
    }

    const List* parse(const PLpgSQL_expr& text)
    {
        const List* tree = parser_.parse(text.query, text.parseMode);
        if (tree == nullptr && block_.problem.empty())
            block_.problem = parser_.problem().empty() ? "an empty statement" : parser_.problem();
        return tree;
    }

    void problem(std::string text)
    {
        if (block_.problem.empty())
            block_.problem = std::move(text);
    }

    // The struct that begins with what its first member says it is.
    template <typename T>
    static const T& as_is(const auto& any)
    {
        return reinterpret_cast<const T&>(any);
    }

    PlpgsqlBlock& block_;
    PlpgsqlCompile& parser_;
    int depth_ = 0;
};

}  // namespace

PlpgsqlBlock read_plpgsql(const PlpgsqlRoutine& routine)
{
    PlpgsqlBlock block;
    auto parser = std::make_unique<PlpgsqlCompile>(routine);
    block.problem = parser->problem();
    if (block.problem.empty())
        Reading(block, *parser).read();
    block.memory = std::move(parser);
    return block;
}

}  // namespace sallyport::postgres
