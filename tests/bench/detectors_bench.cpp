// What it costs to look at values that are as they should be: detect masks over short values, and
// detect and json masks over documents.
//
//   detectors_bench
//
// One line a case: name, bytes of a value on average, MB/s of processor time. Goals: 250 MB/s over
// short values without a finding, 600 MB/s for json masks over documents whose paths lie at the
// top.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/masking/detectors.h"
#include "gateway/masking/json_mask.h"

using namespace sallyport;

namespace {

// Values as they arrive: one behind the other.
class Values {
public:
    void push_back(std::string_view value)
    {
        bytes_ += value;
        ends_.push_back(bytes_.size());
    }
    std::size_t size() const { return ends_.size(); }
    std::size_t bytes() const { return bytes_.size(); }
    std::string_view operator[](std::size_t i) const
    {
        const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
        return std::string_view(bytes_).substr(begin, ends_[i] - begin);
    }

private:
    std::string bytes_;
    std::vector<std::size_t> ends_;
};

constexpr std::size_t values_in_a_case = 4096;

class Words {
public:
    std::uint64_t number(std::uint64_t below) { return engine_() % below; }
    std::string digits(std::size_t count)
    {
        std::string text;
        while (text.size() < count)
            text += static_cast<char>('0' + number(10));
        return text;
    }
    std::string hex(std::size_t count)
    {
        std::string text;
        while (text.size() < count)
            text += "0123456789abcdef"[number(16)];
        return text;
    }
    std::string word()
    {
        static constexpr std::array<std::string_view, 24> words = {
            "order", "shipped", "to",       "the",     "customer", "Berlin",  "with",   "seven",
            "Anna",  "García",  "Müller",   "account", "JUL",      "status",  "Tokyo",  "key",
            "paid",  "item",    "delivery", "42",      "review",   "ranking", "Jensen", "and"};
        return std::string(words[number(words.size())]);
    }
    std::string sentence(std::size_t words)
    {
        std::string text = word();
        for (std::size_t i = 1; i < words; ++i)
            text += " " + word();
        return text;
    }

private:
    std::mt19937_64 engine_{7};
};

std::string name(Words& words)
{
    return words.sentence(2);
}
std::string sentence(Words& words)
{
    return words.sentence(5 + words.number(8));
}
std::string number(Words& words)
{
    return std::to_string(words.number(1'000'000'000));
}
std::string decimal(Words& words)
{
    return "1" + words.digits(4) + "." + words.digits(11);
}
std::string long_id(Words& words)
{
    return "1" + words.digits(17);
}
std::string uuid(Words& words)
{
    return words.hex(8) + "-" + words.hex(4) + "-4" + words.hex(3) + "-a" + words.hex(3) + "-" +
           words.hex(12);
}
std::string url(Words& words)
{
    return "https://shop.example.com/" + words.word() + "/" + words.digits(7) +
           "?page=" + words.digits(2) + "&sort=" + words.word();
}
std::string timestamp(Words& words)
{
    const auto two = [&](std::uint64_t below) {
        const std::string text = std::to_string(words.number(below));
        return text.size() == 1 ? "0" + text : text;
    };
    return "2024-" + two(12) + "-" + two(28) + " " + two(24) + ":" + two(60) + ":" + two(60) + "." +
           words.digits(6) + "+00";
}
std::string date(Words& words)
{
    return timestamp(words).substr(0, 10);
}
std::string flag(Words& words)
{
    return words.number(2) == 0 ? "active" : "cancelled";
}

std::string product(Words& words)
{
    return R"({"id": )" + number(words) + R"(, "sku": ")" + words.hex(10) + R"(", "name": ")" +
           words.sentence(3) + R"(", "description": ")" + words.sentence(12) +
           R"(", "price": {"amount": )" + words.digits(3).insert(0, "1") +
           R"(.50, "currency": "EUR"}, "tags": [")" + words.word() + R"(", ")" + words.word() +
           R"("], "available": true, "updated_at": ")" + timestamp(words) + R"(", "url": ")" +
           url(words) + R"("})";
}

Values documents(Words& words)
{
    Values values;
    for (std::size_t i = 0; i < 64; ++i) {
        std::string text = R"({"status": "ok", "total": 40, "results": [)";
        for (std::size_t j = 0; j < 40; ++j)
            text += (j > 0 ? ", " : "") + product(words);
        values.push_back(text + R"(], "next": null})");
    }
    return values;
}

template <class Look>
void measure(const char* what, const Values& values, Look look)
{
    std::string into;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (look(values[i], into) != 0) {
            std::fprintf(stderr, "%s: something was found in %s\n", what,
                         std::string(values[i]).c_str());
            std::exit(1);
        }
    }
    std::size_t rounds = 0;
    const std::clock_t begin = std::clock();
    std::clock_t used = 0;
    while (used < CLOCKS_PER_SEC / 2) {
        for (std::size_t i = 0; i < values.size(); ++i)
            look(values[i], into);
        ++rounds;
        used = std::clock() - begin;
    }
    const double seconds = static_cast<double>(used) / CLOCKS_PER_SEC;
    std::printf("%s\t%zu bytes\t%.0f MB/s\n", what, values.bytes() / values.size(),
                static_cast<double>(values.bytes() * rounds) / seconds / 1e6);
}

JsonMask mask_of(std::initializer_list<std::string_view> paths)
{
    JsonMask::Rule rule;
    for (const std::string_view path : paths)
        rule.paths.push_back(*JsonPath::parse(path));
    return JsonMask({rule});
}

}  // namespace

int main()
{
    const MaskKey key{std::string(32, 'k')};
    Detectors::Rule rule;
    for (const std::string_view named : detector_names)
        rule.detect.push_back(*detector_named(named));
    const Detectors detectors({rule});
    const auto detect = [&](std::string_view value, std::string& into) {
        return detectors.hide(value, key, into).spans;
    };

    Words words;
    using Make = std::string (*)(Words&);
    constexpr std::array<std::pair<const char*, Make>, 10> kinds = {{{"names", name},
                                                                     {"sentences", sentence},
                                                                     {"numbers", number},
                                                                     {"decimals", decimal},
                                                                     {"long ids", long_id},
                                                                     {"uuids", uuid},
                                                                     {"urls", url},
                                                                     {"timestamps", timestamp},
                                                                     {"dates", date},
                                                                     {"flags", flag}}};
    for (const auto& [what, make] : kinds) {
        Values values;
        while (values.size() < values_in_a_case)
            values.push_back(make(words));
        measure(what, values, detect);
    }
    Values rows;
    while (rows.size() < values_in_a_case) {
        for (const auto& [what, make] : kinds)
            rows.push_back(make(words));
    }
    measure("rows of all of them", rows, detect);

    const Values json = documents(words);
    measure("detect in documents", json, [&](std::string_view value, std::string& into) {
        return detectors.hide_in_json(value, key, into).spans;
    });
    const auto by_path = [&](const char* what, const JsonMask& mask) {
        measure(what, json, [&](std::string_view value, std::string& into) {
            return mask.hide(value, key, into).value_or(1);
        });
    };
    by_path("json mask at the top", mask_of({"$.user.email", "$.token"}));
    by_path("json mask of list members", mask_of({"$.results[*].user_id", "$.user.email"}));
    by_path("json mask at any depth", mask_of({"$..email", "$..ssn", "$.results[*].user_id"}));
    return 0;
}
