#include "gateway/config/yaml_tree.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace sallyport {

namespace {

constexpr std::size_t depth_limit = 64;

// Puts the parser's events together again.
class TreeBuilder final : public YAML::EventHandler {
public:
    TreeBuilder(const std::string& file, std::vector<Problem>& problems)
        : file_(file), problems_(problems)
    {
    }

    YamlNode take() { return std::move(root_); }

    // Where the last scalar began, if it was a quoted one.
    std::optional<YAML::Mark> last_quoted() const { return last_quoted_; }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        refuse_anchor(mark, anchor);
        YamlNode node;
        node.line = line_of(mark);
        add(std::move(node));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override
    {
        problem(line_of(mark), "aliases (*name) are not accepted here; write the value out");
        YamlNode node;
        node.line = line_of(mark);
        node.kind = YamlNode::Kind::scalar;
        node.broken = true;
        add(std::move(node));
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override
    {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        last_quoted_ = tag == "!" ? std::optional(mark) : std::nullopt;
        YamlNode node;
        node.line = line_of(mark);
        node.kind = YamlNode::Kind::scalar;
        node.written = value;
        node.text = value;
        add(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override
    {
        open(mark, tag, anchor, YamlNode::Kind::list);
    }

    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override
    {
        open(mark, tag, anchor, YamlNode::Kind::map);
    }

    void OnMapEnd() override { close(); }

private:
    struct Level {
        YamlNode node;
        YamlKey key;
        bool key_known = false;  // map: the next event is this key's value
        bool key_useless = false;
    };

    static int line_of(const YAML::Mark& mark) { return mark.line + 1; }

    void problem(int line, std::string text)
    {
        problems_.push_back({.file = file_, .line = line, .text = std::move(text)});
    }

    void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor)
    {
        if (anchor != YAML::NullAnchor)
            problem(line_of(mark), "anchors (&name) are not accepted here; write the value out");
    }

    // "?" stands for a plain scalar and "!" for a quoted one: neither was written.
    void refuse_tag(const YAML::Mark& mark, const std::string& tag)
    {
        if (!tag.empty() && tag != "?" && tag != "!")
            problem(line_of(mark), "tags (!name) are not accepted here");
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
              YamlNode::Kind kind)
    {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        if (levels_.size() >= depth_limit)
            throw YAML::ParserException(mark, "lists and maps are nested too deep");
        Level level;
        level.node.kind = kind;
        level.node.line = line_of(mark);
        levels_.push_back(std::move(level));
    }

    void close()
    {
        YamlNode node = std::move(levels_.back().node);
        levels_.pop_back();
        add(std::move(node));
    }

    void add(YamlNode node)
    {
        if (levels_.empty()) {
            root_ = std::move(node);
            return;
        }
        Level& level = levels_.back();
        if (level.node.kind == YamlNode::Kind::list) {
            level.node.items.push_back(std::move(node));
            return;
        }
        if (!level.key_known) {
            take_key(level, node);
            return;
        }
        level.key_known = false;
        if (level.key_useless)
            return;
        // The parser's mark of a value that is left out is wherever it noticed.
        if (node.kind == YamlNode::Kind::null)
            node.line = level.key.line;
        level.node.entries.push_back({.key = std::move(level.key), .value = std::move(node)});
    }

    void take_key(Level& level, const YamlNode& node)
    {
        level.key_known = true;
        level.key = {.text = node.written, .line = node.line};
        level.key_useless = node.kind != YamlNode::Kind::scalar || node.broken;
        if (node.kind != YamlNode::Kind::scalar) {
            problem(node.line, "a key must be a word");
            return;
        }
        const auto earlier = std::ranges::find(
            level.node.entries, node.written,
            [](const YamlEntry& entry) -> const std::string& { return entry.key.text; });
        if (earlier == level.node.entries.end())
            return;
        level.key_useless = true;
        problem(node.line, "key \"" + node.written + "\" stands twice; first on line " +
                               std::to_string(earlier->key.line));
    }

    const std::string& file_;
    std::vector<Problem>& problems_;
    std::vector<Level> levels_;
    YamlNode root_;
    std::optional<YAML::Mark> last_quoted_;
};

// The parser takes the end of the text for the end of a quoted scalar, and so a file that was cut
// short for a whole one. Only the last scalar can be one that never ends.
bool has_closing_quote(std::string_view text, const YAML::Mark& begin)
{
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark))
        text.remove_prefix(byte_order_mark.size());
    std::size_t at = 0;
    for (int line = 0; line < begin.line; ++line) {
        at = text.find('\n', at);
        if (at == std::string_view::npos)
            return true;
        ++at;
    }
    at += static_cast<std::size_t>(begin.column);
    if (at >= text.size() || (text[at] != '"' && text[at] != '\''))
        return true;
    const char quote = text[at];
    for (++at; at < text.size(); ++at) {
        const bool escapes = quote == '"' && text[at] == '\\';
        const bool doubled = quote == '\'' && text.substr(at, 2) == "''";
        if (escapes || doubled)
            ++at;
        else if (text[at] == quote)
            return true;
    }
    return false;
}

void append_quoted(std::string& into, const std::string& text)
{
    into += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\')
            into += '\\';
        into += c;
    }
    into += '"';
}

void append_canonical(std::string& into, const YamlNode& node)
{
    switch (node.kind) {
    case YamlNode::Kind::null: into += '~'; break;
    case YamlNode::Kind::scalar: append_quoted(into, node.text); break;
    case YamlNode::Kind::list:
        into += '[';
        for (const YamlNode& item : node.items) {
            append_canonical(into, item);
            into += ',';
        }
        into += ']';
        break;
    case YamlNode::Kind::map: {
        std::vector<const YamlEntry*> sorted;
        sorted.reserve(node.entries.size());
        for (const auto& entry : node.entries)
            sorted.push_back(&entry);
        std::ranges::sort(sorted, {}, [](const YamlEntry* entry) -> const std::string& {
            return entry->key.text;
        });
        into += '{';
        for (const auto* entry : sorted) {
            append_quoted(into, entry->key.text);
            into += ':';
            append_canonical(into, entry->value);
            into += ',';
        }
        into += '}';
        break;
    }
    }
}

}  // namespace

YamlNode read_yaml(std::string_view text, const std::string& file, std::vector<Problem>& problems)
{
    std::istringstream stream{std::string(text)};
    TreeBuilder builder(file, problems);
    try {
        YAML::Parser parser(stream);
        if (!parser.HandleNextDocument(builder))
            return {};
        YamlNode root = builder.take();
        const auto quoted = builder.last_quoted();
        if (quoted && !has_closing_quote(text, *quoted))
            problems.push_back({.file = file,
                                .line = quoted->line + 1,
                                .text = "not YAML: a quote opens here and is never closed"});
        if (parser.HandleNextDocument(builder)) {
            const int line = std::max(builder.take().line, 1);
            problems.push_back(
                {.file = file, .line = line, .text = "a second document begins; one is expected"});
        }
        return root;
    } catch (const YAML::Exception& error) {
        const int line = error.mark.is_null() ? 0 : error.mark.line + 1;
        problems.push_back({.file = file, .line = line, .text = "not YAML: " + error.msg});
        return {};
    }
}

std::string canonical(const YamlNode& node)
{
    std::string text;
    append_canonical(text, node);
    return text;
}

}  // namespace sallyport
