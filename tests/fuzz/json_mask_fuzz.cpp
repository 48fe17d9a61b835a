// json masks on arbitrary texts: what is JSON stays JSON and loses what the paths name, what is
// none is told apart, and both twice the same.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gateway/masking/json_mask.h"

using namespace sallyport;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

JsonMask mask_of(std::initializer_list<std::string_view> paths)
{
    JsonMask::Rule rule;
    for (const std::string_view path : paths)
        rule.paths.push_back(*JsonPath::parse(path));
    return JsonMask({rule});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const MaskKey key{std::string(32, 'k')};
    static const JsonMask mask =
        mask_of({"$..email", "$.list[*].id", "$[1][0]", "$.a.*.b", "$['']"});
    static const JsonMask whole = mask_of({"$"});
    static const JsonMask every = mask_of({"$.*"});
    const std::string_view text(reinterpret_cast<const char*>(data), size);

    // A path may be anything as well.
    if (const auto path = JsonPath::parse(text))
        require(path->text == text && path->steps.size() <= JsonPath::most_steps);

    std::string shown;
    const auto hidden = mask.hide(text, key, shown);
    std::string untouched;
    require(whole.hide(text, key, untouched).has_value() == hidden.has_value());
    if (!hidden || *hidden == 0) {
        require(shown.empty());
        return 0;
    }
    // What was hidden is hidden again, as the same text.
    std::string again;
    require(mask.hide(shown, key, again) == hidden);
    require(again == shown);
    std::string less;
    require(every.hide(shown, key, less).has_value());
    return 0;
}
