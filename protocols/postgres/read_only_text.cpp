#include "protocols/postgres/read_only_text.h"

#include "protocols/postgres/sql_tokens.h"

namespace sallyport::postgres {

std::string read_only_text(std::string_view text)
{
    constexpr std::string_view only = "ONLY ";
    std::string made(text);
    SqlTokens tokens(text);
    bool after_read = false;
    while (const auto token = tokens.next()) {
        const bool is_plain = token->kind == SqlToken::Kind::word;
        if (after_read && is_plain && is_word(token->text, "write"))
            made.replace(static_cast<std::size_t>(token->text.data() - text.data()), only.size(),
                         only);
        after_read = is_plain && is_word(token->text, "read");
    }
    return made;
}

}  // namespace sallyport::postgres
