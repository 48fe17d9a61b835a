// Function bodies: SQL ones are parsed in turn; of PL/pgSQL the statements that can be made out add
// their classes, and the block as a whole stays opaque.

#include <algorithm>
#include <array>

#include "protocols/postgres/object_names.h"
#include "protocols/postgres/sql_tokens.h"
#include "protocols/postgres/tree_walk.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

namespace {

// Bodies within bodies that are looked into.
constexpr int bodies_within_limit = 8;

// A statement of a block ends at ';', or where the loop it feeds begins.
std::string_view statement_at(std::string_view text, std::size_t begin,
                              std::string_view* before_into)
{
    SqlTokens tokens(text, begin);
    int depth = 0;
    bool returning = false;
    *before_into = {};
    while (const auto token = tokens.next()) {
        const auto at = static_cast<std::size_t>(token->text.data() - text.data());
        if (token->text == "(")
            ++depth;
        else if (token->text == ")")
            --depth;
        const bool word = token->kind == SqlToken::Kind::word && depth <= 0;
        if ((token->text == ";" && depth <= 0) || (word && is_word(token->text, "loop")))
            return text.substr(begin, at - begin);
        returning = returning || (word && is_word(token->text, "returning"));
        if (returning && word && is_word(token->text, "into") && before_into->empty())
            *before_into = text.substr(begin, at - begin);
    }
    return text.substr(begin);
}

// Words of PL/pgSQL behind which a statement may begin.
bool opens_statement(const SqlToken& token)
{
    static constexpr auto words = std::to_array<std::string_view>(
        {"begin", "else", "for", "in", "is", "loop", "query", "then"});
    return token.text == ";" ||
           (token.kind == SqlToken::Kind::word &&
            std::any_of(words.begin(), words.end(),
                        [&](std::string_view word) { return is_word(token.text, word); }));
}

bool is_own_word(std::string_view text)
{
    static constexpr auto words = std::to_array<std::string_view>(
        {"begin",     "case", "close", "commit", "declare", "else",     "elsif", "end",
         "exception", "exit", "fetch", "for",    "foreach", "get",      "if",    "loop",
         "move",      "null", "open",  "raise",  "return",  "rollback", "when",  "while"});
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return is_word(text, word); });
}

}  // namespace

void TreeWalk::create_function(const CreateFunctionStmt& one)
{
    const std::string object = name_of(one.funcname);
    created(one.is_procedure ? "PROCEDURE" : "FUNCTION", object, one.replace);
    add(SqlClass::code, object, "CREATE FUNCTION");
    list(one.parameters);
    std::string_view language = one.sql_body != nullptr ? "sql" : "";
    std::string_view text;
    bool native = false;
    for (const ListCell& cell : cells(one.options)) {
        const auto& option = as<DefElem>(node_of(cell));
        const std::string_view name = view(option.defname);
        if (name == "language") {
            language = string_of(option.arg);
        } else if (name == "as") {
            const auto parts = cells(&as<List>(option.arg));
            text = string_of(node_of(parts[0]));
            native = parts.size() > 1;
        } else if (name == "set") {
            node(option.arg);
        }
    }
    // BEGIN ATOMIC ... END is a list of lists of statements.
    node(one.sql_body);
    if (one.sql_body != nullptr)
        return;
    if (native)
        opaque("a function in a library");
    else
        body(language, text);
}

void TreeWalk::do_block(const List* arguments)
{
    add(SqlClass::do_, {}, "DO");
    add(SqlClass::code, {}, "DO");
    std::string_view language = "plpgsql";
    std::string_view text;
    for (const ListCell& cell : cells(arguments)) {
        const auto& argument = as<DefElem>(node_of(cell));
        if (view(argument.defname) == "language")
            language = string_of(argument.arg);
        else if (view(argument.defname) == "as")
            text = string_of(argument.arg);
    }
    body(language, text);
}

void TreeWalk::body(std::string_view language, std::string_view text)
{
    has_body_ = true;
    if (bodies_within_ >= bodies_within_limit) {
        opaque("function bodies within function bodies");
        return;
    }
    ++bodies_within_;
    if (is_word(language, "sql")) {
        if (!sql_body(std::string(text)))
            opaque("an SQL function body that does not parse");
    } else {
        opaque("a body in language " + std::string(language));
        if (is_word(language, "plpgsql"))
            block_body(text);
    }
    --bodies_within_;
}

bool TreeWalk::sql_body(const std::string& text)
{
    auto parsed = std::make_unique<RawParse>(text.c_str());
    if (!parsed->problem().empty())
        return false;
    list(parsed->tree());
    bodies_.push_back(std::move(parsed));
    return true;
}

void TreeWalk::block_body(std::string_view text)
{
    // Texts that try many beginnings without an end are left alone: the block is opaque anyway.
    std::size_t budget = 16 * text.size() + 4096;
    const bool outer = in_block_;
    in_block_ = true;
    SqlTokens tokens(text);
    bool at_start = true;
    bool closes_label = false;
    while (const auto token = tokens.next()) {
        const bool starts = at_start && token->kind == SqlToken::Kind::word;
        at_start = opens_statement(*token) || (closes_label && token->text == ">");
        closes_label = token->text == ">";
        if (!starts || at_start || is_own_word(token->text))
            continue;
        if (is_word(token->text, "execute")) {
            opaque("dynamic EXECUTE in a block");
            continue;
        }
        const auto begin = static_cast<std::size_t>(token->text.data() - text.data());
        std::string_view before_into;
        const std::string_view whole = statement_at(text, begin, &before_into);
        if (whole.size() > budget)
            break;
        budget -= whole.size();
        const bool read = is_word(token->text, "perform")
                              ? sql_body("select" + std::string(whole.substr(token->text.size())))
                              : sql_body(std::string(whole)) ||
                                    (!before_into.empty() && sql_body(std::string(before_into)));
        if (read) {
            tokens = SqlTokens(text, begin + whole.size());
            at_start = false;
        }
    }
    in_block_ = outer;
}

}  // namespace sallyport::postgres
