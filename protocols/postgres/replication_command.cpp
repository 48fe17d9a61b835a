#include "protocols/postgres/replication_command.h"

#include <algorithm>
#include <array>

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

}  // namespace sallyport::postgres
