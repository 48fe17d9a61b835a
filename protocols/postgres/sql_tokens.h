// A plain lexer for SQL text, for what the grammar does not give: where literals begin and end, in
// texts that do not parse and in function bodies.
//
// It takes standard_conforming_strings as on, which the gateway sees to. Never used to decide what
// a statement does: that is the grammar's.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::postgres {

struct SqlToken {
    enum class Kind : std::uint8_t { word, quoted_name, literal, symbol };

    Kind kind;
    std::string_view text;  // as written; a literal with its prefix and quotes
    bool dollar = false;    // a literal in dollar quotes
};

class SqlTokens {
public:
    // text outlives the lexer and its tokens.
    explicit SqlTokens(std::string_view text, std::size_t from = 0) : text_(text), at_(from) {}

    // Comments and blanks are passed over. A literal that does not end reaches to the end of the
    // text.
    std::optional<SqlToken> next();

private:
    void skip_blanks_and_comments();
    bool continues();
    SqlToken quoted(std::size_t begin, char quote, bool backslashes);
    std::optional<SqlToken> dollar_quoted();
    SqlToken token(SqlToken::Kind kind, std::size_t begin, std::size_t end, bool dollar = false);

    std::string_view text_;
    std::size_t at_;
};

// The text between the quotes of a literal in dollar quotes.
std::string_view inside_dollar_quotes(std::string_view literal);

// Compares a word with one in lower case, ASCII letters without regard to case.
bool is_word(std::string_view written, std::string_view lower);

}  // namespace sallyport::postgres
