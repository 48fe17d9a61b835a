#include "protocols/postgres/search_path.h"

#include <utility>

namespace sallyport::postgres {

namespace {

const SearchPath unknown{{}, false};

bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

}  // namespace

std::optional<std::vector<std::string>> read_search_path(std::string_view value)
{
    std::vector<std::string> names;
    std::size_t at = 0;
    const auto skip_blanks = [&] {
        while (at < value.size() && is_blank(value[at]))
            ++at;
    };
    skip_blanks();
    if (at == value.size())
        return names;
    for (;;) {
        std::string name;
        if (at < value.size() && value[at] == '"') {
            for (++at;; ++at) {
                if (at == value.size())
                    return std::nullopt;
                if (value[at] == '"' && (at + 1 == value.size() || value[at + 1] != '"'))
                    break;
                if (value[at] == '"')
                    ++at;
                name += value[at];
            }
            ++at;
        } else {
            for (; at < value.size() && value[at] != ',' && !is_blank(value[at]); ++at) {
                const char c = value[at];
                name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            }
            if (name.empty())
                return std::nullopt;
        }
        names.push_back(std::move(name));
        skip_blanks();
        if (at == value.size())
            return names;
        if (value[at++] != ',')
            return std::nullopt;
        skip_blanks();
    }
}

SessionPath::SessionPath(std::optional<std::vector<std::string>> at_login)
{
    if (at_login)
        at_login_ = SearchPath{std::move(*at_login), true};
    settled_ = at_login_;
}

std::optional<SearchPath> SessionPath::now() const
{
    return under_way_ > 0 ? unknown : settled_;
}

void SessionPath::completed(const PathChange& change)
{
    ++version_;
    if (under_way_ > 0)
        --under_way_;
    if (!before_)
        before_ = settled_;
    local_ = local_ || change.local;
    lasting_ = lasting_ || !change.local;
    switch (change.to) {
    case PathChange::To::value: settled_ = SearchPath{change.schemas, true}; break;
    case PathChange::To::as_at_login: settled_ = at_login_; break;
    case PathChange::To::unknown: settled_ = unknown; break;
    }
}

void SessionPath::came_to_nothing()
{
    ++version_;
    if (under_way_ > 0)
        --under_way_;
}

void SessionPath::committed()
{
    ++version_;
    if (before_ && local_)
        settled_ = lasting_ ? State(unknown) : std::move(*before_);
    forget_transaction();
}

void SessionPath::rolled_back()
{
    ++version_;
    if (before_)
        settled_ = std::move(*before_);
    forget_transaction();
}

void SessionPath::rolled_back_to_savepoint()
{
    ++version_;
    if (before_)
        settled_ = unknown;
}

void SessionPath::forget_transaction()
{
    before_.reset();
    local_ = false;
    lasting_ = false;
    failed_ = false;
}

void SessionPath::ready(char status)
{
    if (status != 'I')
        return;
    if (!before_)
        failed_ = false;
    else if (failed_)
        rolled_back();
    else
        committed();
}

void SessionPath::lost()
{
    ++version_;
    if (!before_)
        before_ = settled_;
    lasting_ = true;
    settled_ = unknown;
}

}  // namespace sallyport::postgres
