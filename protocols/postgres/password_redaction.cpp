#include "protocols/postgres/password_redaction.h"

#include <algorithm>
#include <vector>

#include "protocols/postgres/sql_tokens.h"
#include "protocols/postgres/tree_walk.h"

namespace sallyport::postgres {

namespace {

constexpr std::string_view replacement = "'[secret]'";

bool holds(std::string_view text, std::string_view lower)
{
    for (std::size_t i = 0; i + lower.size() <= text.size(); ++i) {
        if (is_word(text.substr(i, lower.size()), lower))
            return true;
    }
    return false;
}

// A libpq connection string with a password in it, or a URI with a user's part.
bool holds_connection_secret(std::string_view literal)
{
    return holds(literal, "pass") || (holds(literal, "://") && literal.find('@') != literal.npos);
}

// Pieces of one text, replaced in order.
class Replacements {
public:
    explicit Replacements(std::string_view text) : text_(text) {}

    void replace(std::string_view piece)
    {
        const auto begin = static_cast<std::size_t>(piece.data() - text_.data());
        pieces_.emplace_back(begin, piece.size());
    }

    bool empty() const { return pieces_.empty(); }

    std::string result()
    {
        std::sort(pieces_.begin(), pieces_.end());
        std::string made;
        std::size_t done = 0;
        for (const auto& [begin, size] : pieces_) {
            if (begin < done)
                continue;
            made += text_.substr(done, begin - done);
            made += replacement;
            done = begin + size;
        }
        made += text_.substr(done);
        return made;
    }

private:
    std::string_view text_;
    std::vector<std::pair<std::size_t, std::size_t>> pieces_;
};

// Literals behind the word PASSWORD, in this text and in literals in dollar quotes. A body in plain
// quotes that speaks of passwords goes whole: its quotes are doubled.
void hide_in_bodies(std::string_view text, Replacements& out, int depth)
{
    SqlTokens tokens(text);
    bool after_password = false;
    while (const auto token = tokens.next()) {
        if (token->kind == SqlToken::Kind::literal) {
            const bool speaks = holds(token->text, "password");
            if (!after_password && speaks && token->dollar && depth < 4)
                hide_in_bodies(inside_dollar_quotes(token->text), out, depth + 1);
            else if (after_password || speaks)
                out.replace(token->text);
        }
        after_password = token->kind == SqlToken::Kind::word && is_word(token->text, "password");
    }
}

}  // namespace

std::string without_secrets(std::string_view text, std::span<const SecretAt> secrets, bool bodies)
{
    Replacements out(text);
    for (const SecretAt& secret : secrets) {
        SqlTokens tokens(text, std::min(secret.from, text.size()));
        while (const auto token = tokens.next()) {
            if (token->kind == SqlToken::Kind::literal) {
                if (!secret.only_connection_string || holds_connection_secret(token->text))
                    out.replace(token->text);
                break;
            }
            if (token->text == ";")
                break;
        }
    }
    if (bodies && holds(text, "password"))
        hide_in_bodies(text, out, 0);
    return out.empty() ? std::string(text) : out.result();
}

std::string without_possible_secrets(std::string_view text, bool& hidden)
{
    hidden = holds(text, "pass") || holds(text, "identified") || holds(text, "://");
    if (!hidden) {
        SqlTokens first(text);
        const auto verb = first.next();
        const auto what = first.next();
        hidden = verb && what && (is_word(verb->text, "create") || is_word(verb->text, "alter")) &&
                 (is_word(what->text, "user") || is_word(what->text, "role") ||
                  is_word(what->text, "group"));
    }
    if (!hidden)
        return std::string(text);
    Replacements out(text);
    SqlTokens tokens(text);
    bool after_password = false;
    while (const auto token = tokens.next()) {
        if (after_password || token->kind == SqlToken::Kind::literal)
            out.replace(token->text);
        after_password = token->kind == SqlToken::Kind::word && holds(token->text, "password");
    }
    hidden = !out.empty();
    return out.result();
}

}  // namespace sallyport::postgres
