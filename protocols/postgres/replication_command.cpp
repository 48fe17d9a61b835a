#include "protocols/postgres/replication_command.h"

#include <algorithm>
#include <array>
#include <utility>

#include "protocols/postgres/sql_tokens.h"

namespace sallyport::postgres {

namespace {

constexpr std::array<std::string_view, 9> commands{
    "IDENTIFY_SYSTEM",        "BASE_BACKUP",
    "START_REPLICATION",      "CREATE_REPLICATION_SLOT",
    "ALTER_REPLICATION_SLOT", "DROP_REPLICATION_SLOT",
    "READ_REPLICATION_SLOT",  "TIMELINE_HISTORY",
    "UPLOAD_MANIFEST"};

constexpr std::string_view spaces = " \t\n\r\f\v";

bool same_word(std::string_view word, std::string_view upper)
{
    return std::ranges::equal(word, upper, [](char one, char other) {
        return (one >= 'a' && one <= 'z' ? static_cast<char>(one - 'a' + 'A') : one) == other;
    });
}

bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

// The walsender's lexer knows no comments, dollar quotes and prefixed literals: where SQL's reads
// such a thing, the walsender finds a syntax error.
bool goes_elsewhere(std::string_view text)
{
    SqlTokens tokens(text);
    while (const auto token = tokens.next()) {
        const bool quoted = token->kind == SqlToken::Kind::quoted_name && token->text.size() > 2;
        const bool word = token->kind == SqlToken::Kind::word;
        const std::string_view name =
            quoted ? token->text.substr(1, token->text.size() - 2) : token->text;
        if ((!quoted && !word) || !same_word(name, "TARGET"))
            continue;
        const auto value = tokens.next();
        if (!value || value->text != "'client'")
            return true;
    }
    return false;
}

}  // namespace

bool is_replication_command(std::string_view text)
{
    const auto start = text.find_first_not_of(spaces);
    if (start == std::string_view::npos)
        return false;
    const std::string_view rest = text.substr(start);
    const std::string_view word(rest.begin(), std::ranges::find_if_not(rest, in_word));
    return std::ranges::any_of(commands,
                               [&](std::string_view command) { return same_word(word, command); });
}

std::shared_ptr<const Sql> read_replication_command(std::string_view text)
{
    Actions actions{
        {static_cast<std::uint8_t>(SqlClass::replication), {}, "a replication command"}};
    if (goes_elsewhere(text))
        actions.push_back({static_cast<std::uint8_t>(SqlClass::server_file),
                           {},
                           "a TARGET of BASE_BACKUP other than the client"});
    return unread_sql(text, std::move(actions));
}

}  // namespace sallyport::postgres
