// `policies:`: who may do what where, and what is hidden from them.

#include <algorithm>
#include <re2/re2.h>

#include "gateway/config/sections.h"

namespace sallyport {

namespace {

constexpr std::uint64_t most_rows = std::uint64_t{1} << 62;
constexpr std::size_t parts_of_a_column = 3;

std::string in_quotes(const std::string& text)
{
    return "\"" + text + "\"";
}

std::vector<std::string> names_of_classes(const Vocabulary& vocabulary)
{
    std::vector<std::string> names(vocabulary.classes.begin(), vocabulary.classes.end());
    for (const Vocabulary::Group& group : vocabulary.groups)
        names.emplace_back(group.name);
    names.emplace_back("\"*\"");
    return names;
}

// Empty where there is no such class or group.
ClassSet classes_of_word(const Vocabulary& vocabulary, std::string_view word)
{
    ClassSet classes;
    for (std::size_t i = 0; i < vocabulary.classes.size(); ++i) {
        if (word == "*" || word == vocabulary.classes[i])
            classes |= ClassSet::of(i);
    }
    for (const Vocabulary::Group& group : vocabulary.groups) {
        if (word == group.name)
            classes |= group.members;
    }
    return classes;
}

// A list that must name something: an empty one would match nothing, or everything.
std::vector<MapReader::Item> some_texts(MapReader& map, std::string_view key)
{
    const YamlNode* node = map.node(key);
    std::vector<MapReader::Item> items = map.texts(key);
    if (node != nullptr && node->kind == YamlNode::Kind::list && node->items.empty())
        map.problem(key, "at least one is expected");
    return items;
}

std::vector<std::string> plain(std::vector<MapReader::Item> items)
{
    std::vector<std::string> texts;
    texts.reserve(items.size());
    for (MapReader::Item& item : items)
        texts.push_back(std::move(item.text));
    return texts;
}

void read_classes(MapReader& map, PolicyRule& rule)
{
    Reading& reading = map.reading();
    std::vector<std::string_view> facets;
    for (const ProtocolWords& protocol : reading.protocols) {
        const Vocabulary& vocabulary = *protocol.vocabulary;
        if (std::ranges::find(facets, vocabulary.facet) != facets.end())
            continue;
        facets.push_back(vocabulary.facet);
        if (map.node(vocabulary.facet) == nullptr)
            continue;
        if (!rule.facet.empty()) {
            map.problem(vocabulary.facet, "stands beside " + rule.facet + "; write two rules");
            continue;
        }
        rule.facet = vocabulary.facet;
        for (const MapReader::Item& word : some_texts(map, vocabulary.facet)) {
            const ClassSet classes = classes_of_word(vocabulary, word.text);
            if (classes.empty())
                map.problem_at(word.line, map.path_of(vocabulary.facet) + ": " +
                                              in_quotes(word.written) +
                                              " is no class or group; known are " +
                                              listed(names_of_classes(vocabulary)));
            rule.classes |= classes;
        }
    }
    bool later = false;
    for (const std::string_view facet : {"sql", "ssh", "http", "grpc"}) {
        if (std::ranges::find(facets, facet) == facets.end() && map.has(facet)) {
            map.node(facet);
            map.problem(facet, "rules for " + std::string(facet) + " are not in this build");
            later = true;
        }
    }
    if (rule.facet.empty() && !later)
        map.problem_at(map.line(), map.path() + ": names no classes; one of " + listed(facets) +
                                       " is expected, as in " + std::string(facets.front()) +
                                       ": [\"*\"]");
}

void read_statement(MapReader& map, PolicyRule& rule)
{
    const auto pattern = map.text("statement");
    if (!pattern)
        return;
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto compiled = std::make_shared<const re2::RE2>(*pattern, options);
    if (compiled->ok()) {
        rule.statement = std::move(compiled);
        return;
    }
    // RE2 repeats part of the pattern, which may have come from elsewhere.
    const bool as_written = map.node("statement")->written == *pattern;
    map.problem("statement", "is not a pattern that RE2 knows" +
                                 (as_written ? ": " + compiled->error() : std::string()));
}

void read_matches(const YamlNode& node, const std::string& path, PolicyRule& rule, Reading& reading)
{
    MapReader map(node, path, reading);
    if (node.kind == YamlNode::Kind::map)
        read_classes(map, rule);
    rule.objects = plain(some_texts(map, "objects"));
    read_statement(map, rule);
    map.finish();
}

void read_approval(MapReader& map, PolicyRule& rule)
{
    if (const YamlNode* by = map.required_node("by")) {
        MapReader by_map(*by, map.path_of("by"), map.reading());
        by_map.required_node("groups");
        rule.by_groups = plain(some_texts(by_map, "groups"));
        by_map.finish();
    }
    rule.quorum = static_cast<int>(map.number("quorum", 1, 100).value_or(1));
    rule.timeout = map.duration("timeout").value_or(rule.timeout);
}

PolicyRule read_rule(const YamlNode& node, const std::string& path, Reading& reading)
{
    static constexpr std::pair<std::string_view, Verdict> verdicts[] = {
        {"allow", Verdict::allow}, {"deny", Verdict::deny}, {"approve", Verdict::hold}};
    PolicyRule rule;
    rule.line = node.line;
    MapReader map(node, path, reading);
    int found = 0;
    for (const auto& [word, verdict] : verdicts) {
        const YamlNode* matches = map.node(word);
        if (matches == nullptr || ++found > 1)
            continue;
        rule.verdict = verdict;
        read_matches(*matches, map.path_of(word), rule, reading);
    }
    if (found != 1 && node.kind == YamlNode::Kind::map)
        reading.add(node.line, path + ": one of allow, deny and approve is expected");
    rule.reason = map.text("reason").value_or("");
    if (map.has("approve"))
        read_approval(map, rule);
    map.finish();
    return rule;
}

// `with:` of a mask.
void read_mask_action(MapReader& mask, MaskAction& action)
{
    static constexpr std::string_view expected =
        "redact, null, hash, {keep_last: N}, {keep_first: N} or {replace: TEXT} is expected";
    const YamlNode* node = mask.required_node("with");
    if (node == nullptr || node->broken)
        return;
    if (node->kind == YamlNode::Kind::null) {  // the word null is YAML's own
        action.kind = MaskAction::Kind::null;
        return;
    }
    if (node->kind == YamlNode::Kind::scalar) {
        if (node->text == "redact")
            action.kind = MaskAction::Kind::redact;
        else if (node->text == "null")
            action.kind = MaskAction::Kind::null;
        else if (node->text == "hash")
            action.kind = MaskAction::Kind::hash;
        else
            mask.problem("with", std::string(expected));
        return;
    }
    if (node->kind != YamlNode::Kind::map || node->entries.size() != 1) {
        mask.problem("with", std::string(expected));
        return;
    }
    MapReader map(*node, mask.path_of("with"), mask.reading());
    if (const auto last = map.number("keep_last", 1, 1000)) {
        action.kind = MaskAction::Kind::keep_last;
        action.keep = *last;
    }
    if (const auto first = map.number("keep_first", 1, 1000)) {
        action.kind = MaskAction::Kind::keep_first;
        action.keep = *first;
    }
    if (const YamlNode* text = map.node("replace"); text != nullptr && !text->broken) {
        if (text->kind == YamlNode::Kind::scalar) {
            action.kind = MaskAction::Kind::replace;
            action.text = text->text;
        } else {
            map.problem("replace", "a text is expected");
        }
    }
    map.finish();
}

bool is_column_pattern(std::string_view pattern)
{
    return !pattern.starts_with('.') && !pattern.ends_with('.') &&
           pattern.find("..") == std::string_view::npos &&
           std::ranges::count(pattern, '.') < std::ptrdiff_t{parts_of_a_column};
}

void read_columns(MapReader& map, MaskRules::Rule& mask)
{
    for (MapReader::Item& pattern : some_texts(map, "columns")) {
        if (is_column_pattern(pattern.text))
            mask.columns.push_back(std::move(pattern.text));
        else
            map.problem_at(pattern.line, map.path_of("columns") + ": " +
                                             in_quotes(pattern.written) +
                                             ": column, table.column or schema.table.column is "
                                             "expected");
    }
}

void read_json(MapReader& map, MaskRules::Rule& mask)
{
    for (const MapReader::Item& item : some_texts(map, "json")) {
        auto path = JsonPath::parse(item.text);
        if (path) {
            mask.json.push_back(std::move(*path));
            continue;
        }
        // What is wrong may repeat part of the path, which may have come from elsewhere.
        const bool as_written = item.text == item.written;
        map.problem_at(item.line, map.path_of("json") + ": " + in_quotes(item.written) + ": " +
                                      (as_written ? path.error().detail
                                                  : std::string("is not a path of JSON")));
    }
}

void read_detect(MapReader& map, MaskRules::Rule& mask)
{
    for (const MapReader::Item& item : some_texts(map, "detect")) {
        if (const auto detector = detector_named(item.text))
            mask.detect.push_back(*detector);
        else
            map.problem_at(item.line, map.path_of("detect") + ": " + in_quotes(item.written) +
                                          " is not known; known are " + listed(detector_names));
    }
}

void read_refuse(MapReader& map, MaskRules::Rule& mask)
{
    for (const MapReader::Item& item : some_texts(map, "refuse")) {
        if (item.text == "conditions")
            mask.refuse_conditions = true;
        else if (item.text == "writes")
            mask.refuse_writes = true;
        else
            map.problem_at(item.line, map.path_of("refuse") + ": " + in_quotes(item.written) +
                                          " is not known; known are conditions and writes");
    }
    if (map.has("refuse") && !map.has("columns"))
        map.problem("refuse", "is for masks by columns only");
}

void read_mask(const YamlNode& node, const std::string& path, PolicyEntry& policy, Reading& reading)
{
    using Read = void (*)(MapReader&, MaskRules::Rule&);
    static constexpr std::pair<std::string_view, Read> readers[] = {
        {"columns", read_columns}, {"json", read_json}, {"detect", read_detect}};
    MaskRules::Rule mask;
    MapReader map(node, path, reading);
    int kinds = 0;
    for (const auto& [key, read] : readers) {
        if (map.node(key) == nullptr)
            continue;
        ++kinds;
        read(map, mask);
    }
    if (kinds != 1 && node.kind == YamlNode::Kind::map)
        reading.add(node.line, path + ": one of columns, json and detect is expected");
    read_mask_action(map, mask.action);
    read_refuse(map, mask);
    map.finish();
    mask.action.rule =
        "policy \"" + policy.name + "\" mask " + std::to_string(policy.masks.size() + 1);
    policy.masks.push_back(std::move(mask));
}

void read_who(const YamlNode& node, const std::string& path, PolicyEntry& policy, Reading& reading)
{
    MapReader map(node, path, reading);
    policy.users = plain(some_texts(map, "users"));
    policy.groups = plain(some_texts(map, "groups"));
    if (node.kind == YamlNode::Kind::map && !map.has("users") && !map.has("groups"))
        reading.add(node.line, path + ": users, groups or both are expected");
    map.finish();
}

void read_limits(const YamlNode& node, const std::string& path, SessionLimits& limits,
                 Reading& reading)
{
    MapReader map(node, path, reading);
    limits.rows = map.number("rows", 1, most_rows);
    limits.session = map.duration("session");
    limits.idle = map.duration("idle");
    map.finish();
}

}  // namespace

std::shared_ptr<const PolicyEntry> read_policy(const YamlNode& node, const std::string& path,
                                               Reading& reading)
{
    static constexpr std::string_view accesses[] = {"standing", "on_request"};
    static constexpr std::string_view untraceables[] = {"mask", "refuse"};
    auto policy = std::make_shared<PolicyEntry>();
    MapReader map(node, path, reading);
    policy->name = map.required_text("name").value_or("");
    if (const YamlNode* who = map.required_node("who"))
        read_who(*who, map.path_of("who"), *policy, reading);
    map.required_node("connections");
    policy->connections = plain(some_texts(map, "connections"));
    policy->on_request = map.word("access", accesses) == "on_request";
    map.each("rules", [&](const YamlNode& item, const std::string& item_path) {
        policy->rules.push_back(read_rule(item, item_path, reading));
    });
    map.each("mask", [&](const YamlNode& item, const std::string& item_path) {
        read_mask(item, item_path, *policy, reading);
    });
    if (map.word("untraceable", untraceables) == "refuse")
        policy->untraceable = MaskRules::Untraceable::refuse;
    if (const YamlNode* limits = map.node("limits"))
        read_limits(*limits, map.path_of("limits"), policy->limits, reading);
    map.finish();
    return policy;
}

}  // namespace sallyport
