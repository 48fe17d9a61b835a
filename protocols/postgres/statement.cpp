#include "protocols/postgres/statement.h"

#include <algorithm>
#include <array>

#include "protocols/postgres/password_redaction.h"
#include "protocols/postgres/raw_parse.h"
#include "protocols/postgres/sql_tokens.h"
#include "protocols/postgres/tree_walk.h"
#include "protocols/postgres/utf8.h"

namespace sallyport::postgres {

namespace {

// A tree takes up to 150 bytes for each token: this many keep it below 750 MB, and are more than
// an INSERT of 20 MB has.
constexpr std::size_t token_limit = 5'000'000;

bool too_many_tokens(std::string_view text)
{
    if (text.size() <= token_limit)
        return false;
    SqlTokens tokens(text);
    std::size_t count = 0;
    while (count <= token_limit && tokens.next())
        ++count;
    return count > token_limit;
}

// The grammar quotes the text it stumbled over, which may be a piece of a password.
std::string without_quotation(const std::string& problem)
{
    return problem.substr(0, problem.find(" at or near"));
}

}  // namespace

std::shared_ptr<const Sql> unread_sql(std::string_view text, Actions actions, std::string problem)
{
    auto command = std::make_shared<Command>();
    command->vocabulary = &sql_vocabulary();
    command->text = text;
    command->shared_actions = std::make_shared<const Actions>(std::move(actions));
    auto sql = std::make_shared<Sql>();
    sql->command = std::move(command);
    sql->problem = std::move(problem);
    return sql;
}

std::shared_ptr<const Sql> opaque_sql(std::string_view text, std::string problem)
{
    Actions actions{{static_cast<std::uint8_t>(SqlClass::opaque), {}, problem}};
    return unread_sql(text, std::move(actions), std::move(problem));
}

std::shared_ptr<const Sql> read_sql(std::string_view text, const std::shared_ptr<Resolution>& names,
                                    std::size_t text_limit)
{
    const auto refused = [&](std::string problem) {
        bool hidden = false;
        const std::string recorded = without_possible_secrets(text, hidden);
        return opaque_sql(recorded, hidden ? without_quotation(problem) : std::move(problem));
    };
    if (text.size() > text_limit)
        return refused("the statement is longer than " + std::to_string(text_limit) + " bytes");
    if (text.find('\0') != std::string_view::npos)
        return refused("the statement holds a NUL byte");
    if (!is_utf8(text))
        return refused("the statement is not valid UTF-8");
    if (too_many_tokens(text))
        return refused("the statement has more than " + std::to_string(token_limit) +
                       " words, numbers and signs");

    auto sql = std::make_shared<Sql>();
    sql->names = names;
    auto command = std::make_shared<Command>();
    command->vocabulary = &sql_vocabulary();
    command->text = text;
    const RawParse parsed(command->text.c_str());
    if (!parsed.problem().empty())
        return refused(parsed.problem() + " (read with the grammar of PostgreSQL 15)");

    TreeWalk walk(*names);
    std::vector<Statement> statements = walk.walk_all(parsed);
    if (walk.too_deep())
        return refused("the statement is nested more than " + std::to_string(TreeWalk::max_depth) +
                       " levels deep");
    if (!walk.misread().empty())
        return refused(walk.misread());
    sql->later_names.assign(walk.later_names().begin(), walk.later_names().end());
    Actions actions = std::move(walk.actions());
    if (actions.empty())
        actions.push_back({static_cast<std::uint8_t>(SqlClass::select), {}, "an empty query"});
    command->shared_actions = std::make_shared<const Actions>(std::move(actions));
    const bool secretive = !walk.secrets().empty() || walk.has_body();
    if (secretive)
        command->text = without_secrets(text, walk.secrets(), walk.has_body());
    sql->same_for_any_numbers = !secretive && !walk.weighed_constants() &&
                                std::ranges::all_of(statements, [](const Statement& statement) {
                                    return statement.kind == StatementKind::query;
                                });
    sql->shared_statements = std::make_shared<const std::vector<Statement>>(std::move(statements));
    sql->command = std::move(command);
    return sql;
}

}  // namespace sallyport::postgres
