#include "gateway/masking/json_mask.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace sallyport {

namespace {

constexpr std::size_t bits_in_a_word = 64;
constexpr std::size_t levels_at_first = 16;

std::uint64_t length_bit(std::size_t length)
{
    return std::uint64_t{1} << std::min(length, bits_in_a_word - 1);
}

}  // namespace

JsonMask::JsonMask(const std::vector<Rule>& rules)
{
    std::size_t steps = 0;
    for (const Rule& rule : rules) {
        for (const JsonPath& path : rule.paths)
            steps += path.steps.size();
    }
    words_ = std::max<std::size_t>(1, (steps + bits_in_a_word - 1) / bits_in_a_word);
    for (Bits* bits : {&first_, &last_, &every_, &at_any_depth_, &none_})
        bits->resize(words_);

    const auto set = [](Bits& bits, std::size_t step) {
        bits[step / bits_in_a_word] |= std::uint64_t{1} << (step % bits_in_a_word);
    };
    for (const Rule& rule : rules) {
        for (const JsonPath& path : rule.paths) {
            if (path.steps.empty() && !whole_document_)
                whole_document_ = actions_.size();
            for (const JsonStep& step : path.steps) {
                const std::size_t number = action_of_step_.size();
                action_of_step_.push_back(actions_.size());
                if (&step == &path.steps.front())
                    set(first_, number);
                if (&step == &path.steps.back())
                    set(last_, number);
                if (step.at_any_depth)
                    set(at_any_depth_, number);
                switch (step.kind) {
                case JsonStep::Kind::every: set(every_, number); break;
                case JsonStep::Kind::name: {
                    auto found = std::ranges::find(names_, step.name, &Named::name);
                    if (found == names_.end())
                        found = names_.insert(found, {step.name, none_});
                    set(found->steps, number);
                    name_lengths_ |= length_bit(step.name.size());
                    break;
                }
                case JsonStep::Kind::index: {
                    auto found = std::ranges::find(places_, step.index, &Placed::index);
                    if (found == places_.end())
                        found = places_.insert(found, {step.index, none_});
                    set(found->steps, number);
                    break;
                }
                }
            }
        }
        actions_.push_back(rule.action);
    }
}

const JsonMask::Bits& JsonMask::steps_named(std::string_view name) const
{
    if ((name_lengths_ & length_bit(name.size())) != 0) {
        for (const Named& named : names_) {
            if (named.name == name)
                return named.steps;
        }
    }
    return none_;
}

const JsonMask::Bits& JsonMask::steps_at(std::uint64_t index) const
{
    for (const Placed& placed : places_) {
        if (placed.index == index)
            return placed.steps;
    }
    return none_;
}

const MaskAction* JsonMask::whole_document() const
{
    return whole_document_ ? &actions_[*whole_document_] : nullptr;
}

// One document's way through the scanner.
class JsonMask::Walk {
public:
    Walk(const JsonMask& mask, std::string_view json, const MaskKey& key, std::string& into)
        : mask_(mask), json_(json), key_(key), into_(into), before_(into.size()), scanner_(json)
    {
        open_.resize(levels_at_first * mask.words_);
        places_.resize(levels_at_first);
        std::ranges::copy(mask.first_, open_.begin());
    }

    // False where the document cannot be gone through.
    bool run()
    {
        const std::size_t words = mask_.words_;
        const MaskAction* action = mask_.whole_document();
        bool entered =
            true;  // the next value's steps are in place, on the level below the open ones
        for (;;) {
            const JsonToken token = scanner_.next();
            const std::size_t depth = scanner_.depth();
            switch (token) {
            case JsonToken::end: return true;
            case JsonToken::wrong: return false;
            case JsonToken::object_end:
            case JsonToken::array_end: continue;
            case JsonToken::key:
                grow(depth);
                action = scanner_.escaped() ? enter(depth, mask_.steps_named(scanner_.decoded()))
                                            : enter(depth, mask_.steps_named(scanner_.content()));
                entered = true;
                continue;
            default: break;
            }
            const bool opens = token == JsonToken::object_begin || token == JsonToken::array_begin;
            const std::size_t outer = opens ? depth - 1 : depth;
            if (!std::exchange(entered, false)) {
                grow(outer);
                action = enter(outer, mask_.steps_at(places_[outer]++));
            }
            if (action != nullptr) {
                const std::size_t begin = scanner_.begin();
                if (opens && !skip(outer))
                    return false;
                if (token != JsonToken::null && !replace(token, begin, *action))
                    return false;
                continue;
            }
            if (!opens)
                continue;
            // Where no path leads further, nothing inside has to be compared.
            const auto level = open_.begin() + static_cast<std::ptrdiff_t>(outer * words);
            if (std::all_of(level, level + static_cast<std::ptrdiff_t>(words),
                            [](std::uint64_t word) { return word == 0; })) {
                if (!skip(outer))
                    return false;
                continue;
            }
            grow(depth);
            places_[depth] = 0;
        }
    }

    std::size_t hidden() const { return hidden_; }

    // What stands behind the last value that was hidden.
    void finish() { into_.append(json_, copied_); }

private:
    // Room for the steps of a member at this depth.
    void grow(std::size_t depth)
    {
        if (depth + 1 < places_.size())
            return;
        places_.resize(places_.size() * 2);
        open_.resize(places_.size() * mask_.words_);
    }

    // Where a member of what is open at `depth` leads: puts down its steps and gives the action of
    // the first path that ends there. matching: the steps that its name or place fits.
    const MaskAction* enter(std::size_t depth, const Bits& matching)
    {
        const std::size_t words = mask_.words_;
        const std::uint64_t* outer = &open_[(depth - 1) * words];
        std::uint64_t* inner = &open_[depth * words];
        const MaskAction* action = nullptr;
        std::uint64_t carried = 0;
        for (std::size_t i = 0; i < words; ++i) {
            const std::uint64_t fits = outer[i] & (matching[i] | mask_.every_[i]);
            const std::uint64_t ended = fits & mask_.last_[i];
            if (ended != 0 && action == nullptr) {
                const std::size_t step =
                    i * bits_in_a_word + static_cast<std::size_t>(std::countr_zero(ended));
                action = &mask_.actions_[mask_.action_of_step_[step]];
            }
            const std::uint64_t going_on = fits & ~mask_.last_[i];
            inner[i] = going_on << 1 | carried | (outer[i] & mask_.at_any_depth_[i]);
            carried = going_on >> (bits_in_a_word - 1);
        }
        return action;
    }

    // To the end of the object or array that was opened inside `outer` levels.
    bool skip(std::size_t outer)
    {
        while (scanner_.depth() > outer) {
            if (scanner_.next() == JsonToken::wrong)
                return false;
        }
        return true;
    }

    // From `begin` to the end of the last token.
    bool replace(JsonToken token, std::size_t begin, const MaskAction& action)
    {
        static const MaskAction redact;
        into_.append(json_, copied_, begin - copied_);
        copied_ = scanner_.end();
        ++hidden_;
        const bool nested = token == JsonToken::object_begin || token == JsonToken::array_begin;
        const bool keeps = action.kind == MaskAction::Kind::keep_first ||
                           action.kind == MaskAction::Kind::keep_last;
        std::string decoded;
        std::string_view value = json_.substr(begin, copied_ - begin);
        if (token == JsonToken::string) {
            value = scanner_.content();
            if (scanner_.escaped())
                value = decoded = scanner_.decoded();
        }
        const auto text = masked_text(nested && keeps ? redact : action, key_, value);
        if (text)
            quote_json(into_, *text);
        else
            into_ += "null";
        return into_.size() - before_ <= json_.size() + most_growth;
    }

    const JsonMask& mask_;
    std::string_view json_;
    const MaskKey& key_;
    std::string& into_;
    std::size_t before_;
    JsonScanner scanner_;
    // The steps in force inside a value with so many levels around it, `words_` for each.
    std::vector<std::uint64_t> open_;
    std::vector<std::uint64_t> places_;  // the next element's, at each level
    std::size_t copied_ = 0;
    std::size_t hidden_ = 0;
};

std::optional<std::size_t> JsonMask::hide(std::string_view json, const MaskKey& key,
                                          std::string& into) const
{
    const std::size_t before = into.size();
    Walk walk(*this, json, key, into);
    if (!walk.run()) {
        into.resize(before);
        return std::nullopt;
    }
    if (walk.hidden() > 0)
        walk.finish();
    return walk.hidden();
}

}  // namespace sallyport
