#include "protocols/postgres/sql_tokens.h"

#include <algorithm>

namespace sallyport::postgres {

namespace {

bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
bool starts_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}
bool continues_word(char c)
{
    return starts_word(c) || is_digit(c) || c == '$';
}

}  // namespace

bool is_word(std::string_view written, std::string_view lower)
{
    return written.size() == lower.size() &&
           std::equal(written.begin(), written.end(), lower.begin(), [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b;
           });
}

std::string_view inside_dollar_quotes(std::string_view literal)
{
    const std::size_t tag = literal.find('$', 1);
    if (tag == std::string_view::npos)
        return {};
    literal.remove_prefix(tag + 1);
    return literal.substr(0, literal.size() - std::min(literal.size(), tag + 1));
}

void SqlTokens::skip_blanks_and_comments()
{
    while (at_ < text_.size()) {
        if (is_blank(text_[at_])) {
            ++at_;
        } else if (text_.substr(at_, 2) == "--") {
            at_ = std::min(text_.size(), text_.find_first_of("\r\n", at_));
        } else if (text_.substr(at_, 2) == "/*") {
            int depth = 0;
            do {
                const std::string_view two = text_.substr(at_, 2);
                if (two == "/*" || two == "*/") {
                    depth += two == "/*" ? 1 : -1;
                    ++at_;
                }
                ++at_;
            } while (depth > 0 && at_ < text_.size());
        } else {
            return;
        }
    }
}

SqlToken SqlTokens::token(SqlToken::Kind kind, std::size_t begin, std::size_t end, bool dollar)
{
    at_ = std::min(end, text_.size());
    return {kind, text_.substr(begin, at_ - begin), dollar};
}

// Two literals with a line break and nothing else but comments between them are one.
bool SqlTokens::continues()
{
    const std::size_t end = at_;
    skip_blanks_and_comments();
    const std::string_view between = text_.substr(end, at_ - end);
    if (at_ < text_.size() && text_[at_] == '\'' && between.find_first_of("\r\n") != between.npos) {
        ++at_;
        return true;
    }
    at_ = end;
    return false;
}

// at_ is behind the opening quote.
SqlToken SqlTokens::quoted(std::size_t begin, char quote, bool backslashes)
{
    while (at_ < text_.size()) {
        const char c = text_[at_++];
        if (c == '\\' && backslashes) {
            ++at_;
        } else if (c == quote) {
            if (at_ < text_.size() && text_[at_] == quote)
                ++at_;
            else if (quote == '"' || !continues())
                break;
        }
    }
    return token(quote == '"' ? SqlToken::Kind::quoted_name : SqlToken::Kind::literal, begin, at_);
}

std::optional<SqlToken> SqlTokens::dollar_quoted()
{
    const std::size_t begin = at_;
    std::size_t end = begin + 1;
    if (end < text_.size() && is_digit(text_[end]))
        return std::nullopt;
    while (end < text_.size() && (starts_word(text_[end]) || is_digit(text_[end])))
        ++end;
    if (end >= text_.size() || text_[end] != '$')
        return std::nullopt;
    const std::string_view tag = text_.substr(begin, end + 1 - begin);
    const std::size_t close = text_.find(tag, end + 1);
    return token(SqlToken::Kind::literal, begin,
                 close == std::string_view::npos ? text_.size() : close + tag.size(), true);
}

std::optional<SqlToken> SqlTokens::next()
{
    skip_blanks_and_comments();
    if (at_ >= text_.size())
        return std::nullopt;
    const std::size_t begin = at_;
    const char c = text_[begin];
    if (c == '\'' || c == '"') {
        ++at_;
        return quoted(begin, c, false);
    }
    if (c == '$') {
        if (auto literal = dollar_quoted())
            return literal;
    }
    if (!starts_word(c) && !is_digit(c))
        return token(SqlToken::Kind::symbol, begin, begin + 1);
    std::size_t end = begin + 1;
    while (end < text_.size() && continues_word(text_[end]))
        ++end;
    // E'..', B'..', X'..', N'..', U&'..', U&".."
    const std::string_view word = text_.substr(begin, end - begin);
    if (end < text_.size() && text_[end] == '\'' && word.size() == 1 &&
        std::string_view("eEbBxXnN").find(c) != std::string_view::npos) {
        at_ = end + 1;
        return quoted(begin, '\'', c == 'e' || c == 'E');
    }
    if (is_word(word, "u") && end + 1 < text_.size() && text_[end] == '&' &&
        (text_[end + 1] == '\'' || text_[end + 1] == '"')) {
        at_ = end + 2;
        return quoted(begin, text_[end + 1], false);
    }
    return token(SqlToken::Kind::word, begin, end);
}

}  // namespace sallyport::postgres
