// Function bodies: SQL ones are parsed in turn, and so is every piece of SQL in a PL/pgSQL block. A
// body in another language, one that cannot be read, and a text that a block makes and executes are
// opaque.

#include <algorithm>

#include "protocols/postgres/function_body.h"
#include "protocols/postgres/object_names.h"
#include "protocols/postgres/sql_tokens.h"
#include "protocols/postgres/tree_walk.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

namespace {

// Bodies within bodies that are looked into.
constexpr int bodies_within_limit = 8;

// The server reads a text when it comes to it: literals in those that follow may then end elsewhere
// than here. "*" is any setting.
bool decides_where_literals_end(const std::string& setting)
{
    return setting == "standard_conforming_strings" || setting == "*";
}

}  // namespace

void TreeWalk::create_function(const CreateFunctionStmt& one)
{
    const std::string object = name_of_function(*names_, one.funcname);
    created(one.is_procedure ? "PROCEDURE" : "FUNCTION", object, one.replace);
    add(SqlClass::code, object, "CREATE FUNCTION");
    list(one.parameters);
    const std::size_t settings = statement_->settings.size();
    for (const ListCell& cell : cells(one.options)) {
        const auto& option = as<DefElem>(node_of(cell));
        if (view(option.defname) == "set")
            node(option.arg);
    }
    // They are in force where the body is read.
    if (std::any_of(statement_->settings.begin() + static_cast<std::ptrdiff_t>(settings),
                    statement_->settings.end(), decides_where_literals_end))
        opaque("a body that is read with other literals");
    function_body(one);
}

void TreeWalk::called_body(const CreateFunctionStmt& one)
{
    // What a call leaves out.
    list(one.parameters);
    for (const ListCell& cell : cells(one.options)) {
        const auto& option = as<DefElem>(node_of(cell));
        if (!is(option.arg, T_VariableSetStmt))
            continue;
        // Settings of the function end with it; what it does under another role is another's.
        const std::string_view name = view(as<VariableSetStmt>(option.arg).name);
        if (is_word(name, "role") || is_word(name, "session_authorization"))
            add(SqlClass::identity, std::string(name), "a function with SET " + std::string(name));
        else if (is_word(name, "standard_conforming_strings"))
            opaque("a body that is read with other literals");
    }
    ++bodies_within_;
    function_body(one);
    --bodies_within_;
}

void TreeWalk::function_body(const CreateFunctionStmt& one)
{
    // RETURN ..., or BEGIN ATOMIC ... END: a list of lists of statements.
    if (one.sql_body != nullptr) {
        node(one.sql_body);
        return;
    }
    const FunctionBody written = body_of(one);
    if (written.native)
        opaque("a function in a library");
    else if (written.language == "plpgsql")
        body(written.language, routine_of(one, written.text));
    else
        body(written.language, PlpgsqlRoutine{.text = written.text});
}

void TreeWalk::do_block(const List* arguments)
{
    add(SqlClass::do_, {}, "DO");
    add(SqlClass::code, {}, "DO");
    std::string_view language = "plpgsql";
    std::string_view text;
    int texts = 0;
    for (const ListCell& cell : cells(arguments)) {
        const auto& argument = as<DefElem>(node_of(cell));
        if (view(argument.defname) == "language") {
            language = string_of(argument.arg);
        } else if (view(argument.defname) == "as") {
            text = string_of(argument.arg);
            ++texts;
        }
    }
    // The server joins two literals with a comment that ends a line between them; the library does
    // not.
    if (texts > 1) {
        opaque("DO with a text in pieces");
        has_body_ = true;
        return;
    }
    body(language, PlpgsqlRoutine{.text = text});
}

void TreeWalk::body(std::string_view language, const PlpgsqlRoutine& routine)
{
    has_body_ = true;
    if (bodies_within_ >= bodies_within_limit) {
        opaque("function bodies within function bodies");
        return;
    }
    ++bodies_within_;
    const std::size_t settings = statement_->settings.size();
    if (language == "sql") {
        if (!sql_body(std::string(routine.text)))
            opaque("an SQL function body that does not parse");
    } else if (language == "plpgsql") {
        block_body(routine);
    } else {
        opaque("a body in language " + std::string(language));
    }
    if (std::any_of(statement_->settings.begin() + static_cast<std::ptrdiff_t>(settings),
                    statement_->settings.end(), decides_where_literals_end))
        opaque("a body that changes how literals are read");
    // Nobody knows whether it comes to it.
    if (statement_->path)
        statement_->path = PathChange{};
    --bodies_within_;
}

bool TreeWalk::sql_body(const std::string& text)
{
    auto parsed = std::make_unique<RawParse>(text.c_str());
    if (!parsed->problem().empty())
        return false;
    body_statements(parsed->tree());
    bodies_.push_back(std::move(parsed));
    return true;
}

// A prepared statement that is made or dropped here is one that nobody saw by its name.
void TreeWalk::body_statements(const List* statements)
{
    for (const ListCell& cell : cells(statements)) {
        const Node* one = as<RawStmt>(node_of(cell)).stmt;
        if (is(one, T_PrepareStmt) || is(one, T_DeallocateStmt) || is(one, T_DiscardStmt))
            opaque("a prepared statement of a body");
    }
    list(statements);
}

void TreeWalk::block_body(const PlpgsqlRoutine& routine)
{
    using Kind = PlpgsqlBlock::Kind;
    PlpgsqlBlock block = read_plpgsql(routine);
    if (!block.problem.empty())
        opaque("a PL/pgSQL body that cannot be read: " + block.problem);
    if (block.dynamic)
        opaque("EXECUTE of a text that is made in a block");
    if (block.transaction)
        add(SqlClass::transaction, {}, "COMMIT or ROLLBACK in a block");
    if (block.cursor)
        add(SqlClass::select, {}, "FETCH in a block");
    for (const PlpgsqlBlock::Fragment& fragment : block.fragments) {
        switch (fragment.kind) {
        case Kind::statement:
        case Kind::query: body_statements(fragment.tree); break;
        case Kind::executed:
            if (!sql_body(std::string(fragment.text)))
                opaque("EXECUTE of a text that does not parse");
            break;
        case Kind::expression:
        case Kind::assignment: {
            // It reads what it names and nothing else.
            const bool reads = reads_;
            for (const ListCell& cell : cells(fragment.tree))
                block_expression(as<RawStmt>(node_of(cell)).stmt);
            reads_ = reads;
            break;
        }
        }
    }
    blocks_.push_back(std::move(block));
}

void TreeWalk::block_expression(const Node* one)
{
    if (is(one, T_PLAssignStmt)) {
        list(as<PLAssignStmt>(one).indirection);
        one = reinterpret_cast<const Node*>(as<PLAssignStmt>(one).val);
    }
    node(one);
}

}  // namespace sallyport::postgres
