// detect masks on arbitrary texts, plain and as JSON: nothing is found in what goes on that was not
// put there, the first look rules out nothing that a search finds, and JSON stays JSON.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gateway/masking/detectors.h"
#include "gateway/masking/json_scanner.h"

using namespace sallyport;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

Detectors everything()
{
    Detectors::Rule rule;
    for (const std::string_view name : detector_names)
        rule.detect.push_back(*detector_named(name));
    return Detectors({rule});
}

bool is_json(std::string_view text)
{
    JsonScanner scanner(text);
    for (;;) {
        const JsonToken token = scanner.next();
        if (token == JsonToken::end || token == JsonToken::wrong)
            return token == JsonToken::end;
        require(scanner.end() <= text.size() && scanner.begin() < scanner.end());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const MaskKey key{std::string(32, 'k')};
    static const Detectors detectors = everything();
    const std::string_view text(reinterpret_cast<const char*>(data), size);

    bool any = false;
    const DetectorSet possible = possible_in(text, DetectorSet::all());
    for (const std::string_view name : detector_names) {
        const Detector detector = *detector_named(name);
        std::size_t from = 0;
        while (const auto span = find_span(detector, text, from)) {
            require(span->begin >= from && span->begin < span->end && span->end <= size);
            require(possible.contains(detector));
            from = span->end;
            any = true;
        }
    }
    require(!any || any_pattern_in(text));

    std::string shown;
    const auto hidden = detectors.hide(text, key, shown);
    require(any == (hidden.spans > 0));
    require(!hidden.whole && (hidden.spans > 0) == !shown.empty());

    std::string document;
    const auto in_json = detectors.hide_in_json(text, key, document);
    if (is_json(text) && in_json.spans > 0)
        require(!in_json.whole && is_json(document));
    return 0;
}
