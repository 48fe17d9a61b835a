#include "gateway/masking/json_path.h"

namespace sallyport {

namespace {

constexpr std::size_t longest_path = 1024;
constexpr std::size_t most_index_digits = 9;

constexpr bool is_digit(char c)
{
    return static_cast<unsigned char>(c - '0') < 10;
}

constexpr bool is_name(char c)
{
    return is_digit(c) || static_cast<unsigned char>((c | 0x20) - 'a') < 26 || c == '_' ||
           c == '-' || static_cast<unsigned char>(c) >= 0x80;
}

Result<JsonPath> refuse(std::string why)
{
    return failure(Fault::refused, std::move(why));
}

// Reads the steps behind the '$'.
class PathReader {
public:
    explicit PathReader(std::string_view text) : text_(text) {}

    bool at_end() const { return at_ == text_.size(); }

    Result<JsonStep> step()
    {
        JsonStep step;
        if (text_[at_] == '.') {
            ++at_;
            step.at_any_depth = takes('.');
            if (step.at_any_depth && !at_end() && text_[at_] == '[')
                return bracket(std::move(step));
            return name(std::move(step));
        }
        if (text_[at_] == '[')
            return bracket(std::move(step));
        return wrong("a '.' or '[' is expected in front of " + rest());
    }

private:
    bool takes(char c)
    {
        if (at_end() || text_[at_] != c)
            return false;
        ++at_;
        return true;
    }

    std::string rest() const { return "\"" + std::string(text_.substr(at_)) + "\""; }

    static tl::unexpected<Error> wrong(std::string why)
    {
        return failure(Fault::refused, std::move(why));
    }

    // Behind a dot.
    Result<JsonStep> name(JsonStep step)
    {
        if (takes('*')) {
            step.kind = JsonStep::Kind::every;
            return step;
        }
        const std::size_t begin = at_;
        while (!at_end() && is_name(text_[at_]))
            ++at_;
        if (at_ == begin)
            return wrong(
                "a name is expected behind the dot; a name with other signs stands in "
                "brackets and quotes: ['odd name']");
        step.name = text_.substr(begin, at_ - begin);
        return step;
    }

    Result<JsonStep> bracket(JsonStep step)
    {
        ++at_;
        if (at_end())
            return wrong("a ']' is missing");
        const char first = text_[at_];
        if (first == '?' || first == '(')
            return wrong("filters and scripts are not supported");
        if (first == '\'' || first == '"') {
            if (!quoted(step.name))
                return wrong(
                    "a name in quotes does not end, or has an escape other than \\\\, \\' "
                    "and \\\"");
        } else if (takes('*')) {
            step.kind = JsonStep::Kind::every;
        } else if (first == '-') {
            return wrong("places counted from the end are not supported");
        } else {
            const std::size_t begin = at_;
            while (!at_end() && is_digit(text_[at_]))
                step.index = step.index * 10 + static_cast<std::uint64_t>(text_[at_++] - '0');
            if (at_ - begin > most_index_digits)
                return wrong("a place may have 9 digits");
            if (at_ == begin && (at_end() || text_[at_] != ':'))
                return wrong("[*], [0] or ['name'] is expected at " + rest());
            step.kind = JsonStep::Kind::index;
        }
        if (!at_end() && text_[at_] == ':')
            return wrong("slices are not supported");
        if (!at_end() && text_[at_] == ',')
            return wrong("lists of names or places are not supported; write a path for each");
        if (!takes(']'))
            return wrong("a ']' is missing");
        return step;
    }

    bool quoted(std::string& name)
    {
        const char quote = text_[at_++];
        while (!at_end()) {
            char c = text_[at_++];
            if (c == quote)
                return true;
            if (c == '\\') {
                if (at_end())
                    return false;
                c = text_[at_++];
                if (c != '\\' && c != '\'' && c != '"')
                    return false;
            }
            name += c;
        }
        return false;
    }

    std::string_view text_;
    std::size_t at_ = 1;
};

}  // namespace

Result<JsonPath> JsonPath::parse(std::string_view text)
{
    if (text.empty() || text[0] != '$')
        return refuse("a path begins with $, as in $.user.email and $..email");
    if (text.size() > longest_path)
        return refuse("a path may have " + std::to_string(longest_path) + " characters");
    JsonPath path{.text = std::string(text), .steps = {}};
    for (PathReader reader(text); !reader.at_end();) {
        TRY(step, reader.step());
        path.steps.push_back(std::move(step));
        if (path.steps.size() > most_steps)
            return refuse("a path may have " + std::to_string(most_steps) + " steps");
    }
    return path;
}

}  // namespace sallyport
