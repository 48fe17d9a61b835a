#include "gateway/masking/detectors.h"

#include <algorithm>
#include <optional>

#include "gateway/masking/json_scanner.h"

namespace sallyport {

namespace {

// One search for all patterns pays where little has to be read. Above this the states it makes on
// the way cost more than searching for each of the few that are possible.
constexpr std::size_t longest_searched_at_once = std::size_t{64} << 10;

// In a longer document something nearly always looks possible, and each of its values is asked for.
constexpr std::size_t longest_asked_as_a_whole = 512;

// Nothing shorter is found: a@b.cc, and a card's number among numbers.
constexpr std::size_t shortest_text = 6;
constexpr std::size_t shortest_number = 13;

// The next finding of each detector, taken in the order of the text.
class Findings {
public:
    Findings(std::string_view text, DetectorSet possible) : text_(text)
    {
        for (std::size_t i = 0; i < next_.size(); ++i) {
            if (possible.contains(static_cast<Detector>(i)))
                next_[i] = find_span(static_cast<Detector>(i), text, 0);
        }
    }

    struct Finding {
        Span span;
        std::size_t action;
    };

    // Findings that overlap, as one. actions: which belongs to a detector; the least is applied.
    std::optional<Finding> take(const std::array<std::size_t, detector_names.size()>& actions)
    {
        std::optional<Finding> taken;
        for (std::size_t i = 0; i < next_.size(); ++i) {
            if (next_[i] && (!taken || next_[i]->begin < taken->span.begin))
                taken = {*next_[i], actions[i]};
        }
        for (bool merged = taken.has_value(); merged;) {
            merged = false;
            for (std::size_t i = 0; i < next_.size(); ++i) {
                if (!next_[i] || next_[i]->begin >= taken->span.end)
                    continue;
                taken->span.end = std::max(taken->span.end, next_[i]->end);
                taken->action = std::min(taken->action, actions[i]);
                next_[i] = find_span(static_cast<Detector>(i), text_, next_[i]->end);
                merged = true;
            }
        }
        return taken;
    }

private:
    std::string_view text_;
    std::array<std::optional<Span>, detector_names.size()> next_;
};

// A number's whole part where what follows it is nothing but zeros: 4111111111111111.00.
std::string_view without_empty_fraction(std::string_view number)
{
    const std::size_t dot = number.find('.');
    if (dot != std::string_view::npos &&
        number.find_first_not_of('0', dot + 1) == std::string_view::npos)
        return number.substr(0, dot);
    return number;
}

// Escapes of JSON resolved wherever they stand, in a text that has no grammar.
std::string without_escapes(std::string_view text)
{
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '\\') {
            std::size_t length = text.substr(at, 2) == "\\u" ? 6 : 2;
            std::string quoted = "\"" + std::string(text.substr(at, length)) + "\"";
            JsonScanner scanner(quoted);
            if (scanner.next() == JsonToken::string) {
                plain += scanner.decoded();
                at += length;
                continue;
            }
        }
        plain += text[at++];
    }
    return plain;
}

}  // namespace

Detectors::Detectors(const std::vector<Rule>& rules)
{
    for (const Rule& rule : rules) {
        for (const Detector detector : rule.detect) {
            if (!wanted_.contains(detector))
                action_of_[static_cast<std::size_t>(detector)] = actions_.size();
            wanted_.add(detector);
        }
        actions_.push_back(rule.action);
    }
}

Detectors::Hidden Detectors::hide(std::string_view text, const MaskKey& key,
                                  std::string& into) const
{
    const DetectorSet possible = possible_in(text, wanted_);
    if (possible.empty() || (text.size() <= longest_searched_at_once && !any_pattern_in(text)))
        return {};
    return hide_found(text, possible, key, into);
}

Detectors::Hidden Detectors::hide_found(std::string_view text, DetectorSet possible,
                                        const MaskKey& key, std::string& into) const
{
    Hidden hidden;
    const std::size_t before = into.size();
    std::size_t copied = 0;
    Findings findings(text, possible);
    while (const auto finding = findings.take(action_of_)) {
        ++hidden.spans;
        const auto [begin, end] = finding->span;
        const auto shown =
            masked_text(actions_[finding->action], key, text.substr(begin, end - begin));
        if (shown)
            into.append(text, copied, begin - copied).append(*shown);
        copied = end;
        if (!shown || into.size() - before > text.size() + most_growth) {
            into.resize(before);
            hidden.whole = true;
            return hidden;
        }
    }
    if (hidden.spans > 0)
        into.append(text, copied);
    return hidden;
}

Detectors::Hidden Detectors::hide_in_json(std::string_view json, const MaskKey& key,
                                          std::string& into) const
{
    // An escape could keep from sight what is looked for.
    if (json.size() <= longest_asked_as_a_whole && json.find('\\') == std::string_view::npos &&
        possible_in(json, wanted_).empty())
        return {};

    Hidden hidden;
    const std::size_t before = into.size();
    std::size_t copied = 0;
    std::string decoded;
    std::string shown;
    JsonScanner scanner(json);
    for (;;) {
        const JsonToken token = scanner.next();
        if (token == JsonToken::end)
            break;
        if (token == JsonToken::wrong) {
            into.resize(before);
            return hide_in_broken_json(json, key, into);
        }
        const bool text = token == JsonToken::string || token == JsonToken::key;
        const std::size_t length = scanner.end() - scanner.begin();
        if (text ? length < shortest_text + 2
                 : token != JsonToken::number || length < shortest_number)
            continue;
        std::string_view value;
        if (!text)
            value = without_empty_fraction(scanner.token());
        else if (scanner.escaped())
            value = decoded = scanner.decoded();
        else
            value = scanner.content();

        shown.clear();
        const Hidden found = hide(value, key, shown);
        if (found.spans == 0)
            continue;
        hidden.spans += found.spans;
        into.append(json, copied, scanner.begin() - copied);
        copied = scanner.end();
        // A member's token ends behind its name, in front of the colon.
        if (found.whole && token == JsonToken::key)
            quote_json(into, "[masked]");
        else if (found.whole)
            into += "null";
        else
            quote_json(into, shown);
        if (into.size() - before > json.size() + most_growth) {
            into.resize(before);
            hidden.whole = true;
            return hidden;
        }
    }
    if (hidden.spans > 0)
        into.append(json, copied);
    return hidden;
}

Detectors::Hidden Detectors::hide_in_broken_json(std::string_view text, const MaskKey& key,
                                                 std::string& into) const
{
    const std::size_t before = into.size();
    Hidden hidden = hide(text, key, into);
    if (hidden.whole || text.find('\\') == std::string_view::npos)
        return hidden;
    std::string discarded;
    const Hidden resolved = hide(without_escapes(text), key, discarded);
    if (resolved.spans <= hidden.spans && !resolved.whole)
        return hidden;
    into.resize(before);
    return {.spans = resolved.spans, .whole = true};
}

}  // namespace sallyport
