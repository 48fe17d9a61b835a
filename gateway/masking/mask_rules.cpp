// Which rule a column of a result falls under.
//
// Pattern and source are compared part by part from the right, because a pattern may leave out
// leading parts:
//
//     "*.ssn"           public.users.ssn      yes: any table
//     "cards.*"         public.cards.pan      yes: any schema, every column
//     "cards.*"         cards.clients.name    no: cards is the schema there
//
// A quoted name may itself hold a dot, and then nobody can tell where its parts end. Such a source
// is compared as one text, where `*` crosses dots: that hides too much rather than too little.

#include <algorithm>
#include <utility>

#include "gateway/masking/mask_plan.h"
#include "gateway/vocabulary/glob.h"

namespace sallyport {

namespace {

constexpr std::size_t parts_of_a_source = 3;

// The text behind its last dot; takes it and the dot away from the text.
std::string_view take_last_part(std::string_view& text)
{
    const std::size_t dot = text.rfind('.');
    if (dot == std::string_view::npos)
        return std::exchange(text, {});
    const std::string_view part = text.substr(dot + 1);
    text = text.substr(0, dot);
    return part;
}

bool names_by_parts(std::string_view pattern, std::string_view source)
{
    while (!pattern.empty() && !source.empty()) {
        if (!glob_matches(take_last_part(pattern), take_last_part(source)))
            return false;
    }
    return true;
}

bool names_as_one_text(std::string_view pattern, std::string_view source)
{
    if (glob_matches(pattern, source))
        return true;
    return std::ranges::count(pattern, '.') < 2 &&
           glob_matches("*." + std::string(pattern), source);
}

}  // namespace

MaskRules::MaskRules(std::vector<Rule> rules, Untraceable untraceable,
                     std::shared_ptr<const MaskKey> key)
    : rules_(std::move(rules)), untraceable_(untraceable), key_(std::move(key))
{
    std::vector<Detectors::Rule> detect;
    std::vector<JsonMask::Rule> json;
    for (const Rule& rule : rules_) {
        if (!rule.detect.empty())
            detect.push_back({rule.detect, rule.action});
        if (!rule.json.empty())
            json.push_back({rule.json, rule.action});
    }
    if (!detect.empty())
        detectors_ = std::make_shared<const Detectors>(detect);
    if (!json.empty())
        json_ = std::make_shared<const JsonMask>(json);
}

bool MaskRules::names_columns() const
{
    return std::ranges::any_of(rules_, [](const Rule& rule) { return !rule.columns.empty(); });
}

const MaskAction* MaskRules::action_for(std::string_view source) const
{
    const Rule* rule = rule_for(source);
    return rule == nullptr ? nullptr : &rule->action;
}

const MaskRules::Rule* MaskRules::rule_for(std::string_view source) const
{
    const auto rule =
        std::ranges::find_if(rules_, [source](const Rule& one) { return names(one, source); });
    return rule == rules_.end() ? nullptr : &*rule;
}

bool MaskRules::names(const Rule& rule, std::string_view source)
{
    const bool ambiguous = std::ranges::count(source, '.') >= std::ptrdiff_t{parts_of_a_source};
    return std::ranges::any_of(rule.columns, [&](const std::string& pattern) {
        return ambiguous ? names_as_one_text(pattern, source) : names_by_parts(pattern, source);
    });
}

const MaskAction& MaskRules::untraced_action()
{
    static const MaskAction action{
        .kind = MaskAction::Kind::redact, .keep = 0, .text = {}, .rule = "untraceable"};
    return action;
}

}  // namespace sallyport
