// Values of a document hidden by their paths; the paths themselves; the scanner below both.

#include "gateway/masking/json_mask.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <random>

namespace sallyport {
namespace {

using Kind = MaskAction::Kind;

const MaskKey key{std::string(32, 'k')};

JsonMask::Rule rule_of(std::initializer_list<std::string_view> paths, MaskAction action = {})
{
    JsonMask::Rule rule;
    for (const std::string_view path : paths) {
        auto parsed = JsonPath::parse(path);
        if (parsed)
            rule.paths.push_back(std::move(*parsed));
        else
            ADD_FAILURE() << path << ": " << parsed.error().detail;
    }
    rule.action = std::move(action);
    return rule;
}

MaskAction action_of(Kind kind, std::size_t keep = 0, std::string text = {})
{
    return {.kind = kind, .keep = keep, .text = std::move(text), .rule = {}};
}

// The document as it is shown; "no JSON" where it has to go as a whole.
std::string shown(const JsonMask& mask, std::string_view text)
{
    std::string into = "<";
    const auto hidden = mask.hide(text, key, into);
    if (!hidden || *hidden == 0)
        EXPECT_EQ(into, "<");
    if (!hidden)
        return "no JSON";
    return *hidden == 0 ? std::string(text) : into.substr(1);
}

struct Case {
    std::string_view path;
    std::string_view text;
    std::string_view shown;
};

class JsonMaskPathTest : public testing::TestWithParam<Case> {};

TEST_P(JsonMaskPathTest, HidesWhatItNames)
{
    const auto& [path, text, expected] = GetParam();
    EXPECT_EQ(shown(JsonMask({rule_of({path})}), text), expected) << path;
}

INSTANTIATE_TEST_SUITE_P(
    Paths, JsonMaskPathTest,
    testing::Values(
        Case{"$.a", R"({"a": "x", "b": "x"})", R"({"a": "[masked]", "b": "x"})"},
        Case{"$.a", R"({"b": {"a": "x"}})", R"({"b": {"a": "x"}})"},
        Case{"$.a", R"([{"a": "x"}])", R"([{"a": "x"}])"},
        Case{"$.a.b", R"({"a":{"b":"x","c":"x"},"b":"x"})",
             R"({"a":{"b":"[masked]","c":"x"},"b":"x"})"},
        Case{"$..email", R"({"email":"x","a":[{"email":"x"},{"b":{"email":"x"}}]})",
             R"({"email":"[masked]","a":[{"email":"[masked]"},{"b":{"email":"[masked]"}}]})"},
        Case{"$.a..b", R"({"b":"x","a":{"b":"x","c":[{"b":"x"}]}})",
             R"({"b":"x","a":{"b":"[masked]","c":[{"b":"[masked]"}]}})"},
        Case{"$..a.b", R"({"a":{"a":{"b":"x"},"c":{"b":"y"}}})",
             R"({"a":{"a":{"b":"[masked]"},"c":{"b":"y"}}})"},
        Case{"$.results[*].user_id",
             R"({"results":[{"user_id":1,"n":2},{"user_id":3}],"user_id":4})",
             R"({"results":[{"user_id":"[masked]","n":2},{"user_id":"[masked]"}],"user_id":4})"},
        Case{"$[1]", R"(["a","b","c"])", R"(["a","[masked]","c"])"},
        Case{"$.a[0][1]", R"({"a":[["x","y"],["x","y"]]})",
             R"({"a":[["x","[masked]"],["x","y"]]})"},
        Case{"$..[0]", R"([["x","y"],"z"])", R"(["[masked]","z"])"},
        Case{"$..[1]", R"([["x","y"],"z"])", R"([["x","[masked]"],"[masked]"])"},
        Case{"$[0]", R"({"0":"x"})", R"({"0":"x"})"},
        Case{"$.*", R"({"a":"x","b":[1]})", R"({"a":"[masked]","b":"[masked]"})"},
        Case{"$[*]", R"({"a":"x"})", R"({"a":"[masked]"})"},
        Case{"$.*.b", R"({"a":{"b":"x","c":"x"}})", R"({"a":{"b":"[masked]","c":"x"}})"},
        Case{"$..*", R"({"a":{"b":"x"}})", R"({"a":"[masked]"})"},
        Case{"$['odd name']", R"({"odd name":"x"})", R"({"odd name":"[masked]"})"},
        Case{"$[\"it's\"]", R"({"it's":"x"})", R"({"it's":"[masked]"})"},
        Case{"$['it\\'s']", R"({"it's":"x"})", R"({"it's":"[masked]"})"},
        Case{"$.größe", R"({"größe":"x"})", R"({"größe":"[masked]"})"},
        Case{"$", R"({"a":"x"})", R"("[masked]")"}, Case{"$", "7", R"("[masked]")"},
        Case{"$", "null", "null"},
        // Every kind of value.
        Case{"$[*]", R"(["s",1.5e3,true,false,null,{"a":[1]},[[]]])",
             R"(["[masked]","[masked]","[masked]","[masked]",null,"[masked]","[masked]"])"},
        // Names with escapes, and names that stand twice.
        Case{"$.email", R"({"em\u0061il":"x","\u0065mail":"y","email":"z"})",
             R"({"em\u0061il":"[masked]","\u0065mail":"[masked]","email":"[masked]"})"},
        // White space stays.
        Case{"$.a", " {\r\n\t\"a\" : \"x\" ,\n \"b\":[ 1 , 2 ] } ",
             " {\r\n\t\"a\" : \"[masked]\" ,\n \"b\":[ 1 , 2 ] } "}));

TEST(JsonMaskTest, AppliesTheFirstRuleThatNamesAValue)
{
    const JsonMask mask({rule_of({"$.a"}, action_of(Kind::replace, 0, "first")),
                         rule_of({"$.*", "$..deep"}, action_of(Kind::replace, 0, "second"))});
    EXPECT_EQ(shown(mask, R"({"a":1,"b":2,"c":null})"), R"({"a":"first","b":"second","c":null})");
}

TEST(JsonMaskTest, EveryAction)
{
    const std::string_view text = R"({"s":"ab\"cdef","n":123456,"o":{"x":"y"},"b":true,"z":null})";
    const auto by = [&](MaskAction action) {
        return shown(JsonMask({rule_of({"$.*"}, std::move(action))}), text);
    };
    EXPECT_EQ(by(action_of(Kind::null)), R"({"s":null,"n":null,"o":null,"b":null,"z":null})");
    EXPECT_EQ(by(action_of(Kind::keep_last, 2)),
              R"({"s":"*****ef","n":"****56","o":"[masked]","b":"**ue","z":null})");
    EXPECT_EQ(by(action_of(Kind::keep_first, 3)),
              R"({"s":"ab\"****","n":"123***","o":"[masked]","b":"tru*","z":null})");
    EXPECT_EQ(by(action_of(Kind::replace, 0, "\t\"")),
              R"({"s":"\u0009\"","n":"\u0009\"","o":"\u0009\"","b":"\u0009\"","z":null})");
    const auto hash = [](std::string_view value) {
        return *masked_text(action_of(Kind::hash), key, value);
    };
    EXPECT_EQ(by(action_of(Kind::hash)), R"({"s":")" + hash("ab\"cdef") + R"(","n":")" +
                                             hash("123456") + R"(","o":")" + hash(R"({"x":"y"})") +
                                             R"(","b":")" + hash("true") + R"(","z":null})");
}

TEST(JsonMaskTest, ManyPaths)
{
    std::vector<JsonMask::Rule> rules;
    for (int i = 0; i < 60; ++i)
        rules.push_back(rule_of({"$.a.b.c" + std::to_string(i), "$..d" + std::to_string(i)},
                                action_of(Kind::replace, 0, std::to_string(i))));
    const JsonMask mask(rules);
    EXPECT_EQ(shown(mask, R"({"a":{"b":{"c0":1,"c59":1,"c60":1,"e":[{"d31":1}]},"c7":1}})"),
              R"({"a":{"b":{"c0":"0","c59":"59","c60":1,"e":[{"d31":"31"}]},"c7":1}})");
}

class NoJsonTest : public testing::TestWithParam<std::string_view> {};

TEST_P(NoJsonTest, IsToldApart)
{
    EXPECT_EQ(shown(JsonMask({rule_of({"$.a", "$..b", "$[0]"})}), GetParam()), "no JSON")
        << GetParam();
    EXPECT_FALSE(nlohmann::json::accept(GetParam())) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Texts, NoJsonTest,
                         testing::Values("", " ", "x", "{", "}", "[", "]", "{]", "[}", "[1", "[1,",
                                         "[1,]", "[,1]", "[1 2]", "{\"a\"", "{\"a\":", "{\"a\":1",
                                         "{\"a\":1,", "{\"a\":1,}", "{,}", "{1:2}", "{a:1}",
                                         "{\"a\" 1}", "{\"a\":1 \"b\":2}", "\"", "\"a", "\"\\\"",
                                         "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"", "'a'",
                                         "01", "-", "-a", "1.", ".1", "1e", "1e+", "+1", "0x1",
                                         "tru", "truex", "nul", "True", "1 1", "{} {}", "[]]",
                                         "{\"a\":1}}", "NaN", "{\"a\":x}", "{\"b\":[1,{\"b\":}]}",
                                         "\"a\"b", "\xef\xbb\xbf[]1"));

TEST(JsonMaskTest, NestingHasABound)
{
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + "{\"a\":1}" + std::string(depth, ']');
    };
    const JsonMask mask({rule_of({"$..a"})});
    const std::string deepest = nested(JsonScanner::deepest - 1);
    std::string expected = deepest;
    expected.replace(expected.find('1'), 1, "\"[masked]\"");
    EXPECT_EQ(shown(mask, deepest), expected);
    EXPECT_EQ(shown(mask, nested(JsonScanner::deepest)), "no JSON");
    EXPECT_EQ(shown(mask, std::string(std::size_t{1} << 20, '[')), "no JSON");
    // Where no path leads, and inside of what is hidden.
    EXPECT_EQ(shown(JsonMask({rule_of({"$.x"})}), nested(JsonScanner::deepest)), "no JSON");
    EXPECT_EQ(shown(JsonMask({rule_of({"$[0]"})}), nested(JsonScanner::deepest)), "no JSON");
}

TEST(JsonMaskTest, ADocumentThatWouldGrowTooLargeGoesAsAWhole)
{
    const JsonMask mask(
        {rule_of({"$[*]"}, action_of(Kind::replace, 0, std::string(std::size_t{16} << 20, 'x')))});
    EXPECT_EQ(shown(mask, "[1,2,3,4,5]"), "no JSON");
}

// The same by a tree of the document, for members at any depth.
void hide_in_tree(nlohmann::ordered_json& node, std::string_view name)
{
    if (node.is_object()) {
        for (auto& [member, value] : node.items()) {
            if (member == name && !value.is_null())
                value = "[masked]";
            else
                hide_in_tree(value, name);
        }
    } else if (node.is_array()) {
        for (auto& element : node)
            hide_in_tree(element, name);
    }
}

TEST(JsonMaskTest, AgreesWithATree)
{
    std::mt19937_64 engine(3);
    const auto random = [&](auto& self, std::size_t depth) -> nlohmann::ordered_json {
        static constexpr std::string_view names[] = {"a", "b", "secret", "\"q\\", "é\n"};
        const std::uint64_t kind = engine() % (depth == 0 ? 5 : 8);
        nlohmann::ordered_json value;
        if (kind == 1)
            return engine() % 1000;
        if (kind == 2)
            return std::string(names[engine() % std::size(names)]);
        if (kind == 3)
            return true;
        if (kind == 4)
            return -0.5;
        if (kind >= 5) {
            value = kind == 5 ? nlohmann::ordered_json::array() : nlohmann::ordered_json::object();
            for (std::uint64_t i = engine() % 5; i > 0; --i) {
                if (kind == 5)
                    value.push_back(self(self, depth - 1));
                else
                    value[std::string(names[engine() % std::size(names)])] = self(self, depth - 1);
            }
        }
        return value;
    };
    const JsonMask mask({rule_of({"$..secret"})});
    for (int i = 0; i < 3000; ++i) {
        nlohmann::ordered_json document = random(random, 5);
        const std::string text = document.dump(engine() % 2 == 0 ? -1 : 1, ' ', engine() % 2 == 0);
        const std::string masked = shown(mask, text);
        hide_in_tree(document, "secret");
        ASSERT_EQ(nlohmann::ordered_json::parse(masked), document) << text;
    }
}

struct Refused {
    std::string_view path;
    std::string_view why;
};

class JsonPathProblemTest : public testing::TestWithParam<Refused> {};

TEST_P(JsonPathProblemTest, SaysWhatIsWrong)
{
    const auto path = JsonPath::parse(GetParam().path);
    ASSERT_FALSE(path.has_value());
    EXPECT_EQ(path.error().detail, GetParam().why);
}

constexpr std::string_view begin = "a path begins with $, as in $.user.email and $..email";
constexpr std::string_view behind_dot =
    "a name is expected behind the dot; a name with other signs stands in brackets and quotes: "
    "['odd "
    "name']";

INSTANTIATE_TEST_SUITE_P(
    Paths, JsonPathProblemTest,
    testing::Values(
        Refused{"", begin}, Refused{"email", begin}, Refused{".email", begin},
        Refused{"$.", behind_dot}, Refused{"$..", behind_dot}, Refused{"$...a", behind_dot},
        Refused{"$. a", behind_dot}, Refused{"$a", "a '.' or '[' is expected in front of \"a\""},
        Refused{"$.a b", "a '.' or '[' is expected in front of \" b\""},
        Refused{"$.a*", "a '.' or '[' is expected in front of \"*\""},
        Refused{"$[?(@.a)]", "filters and scripts are not supported"},
        Refused{"$[(@.length)]", "filters and scripts are not supported"},
        Refused{"$[-1]", "places counted from the end are not supported"},
        Refused{"$[1:2]", "slices are not supported"}, Refused{"$[:2]", "slices are not supported"},
        Refused{"$['a','b']", "lists of names or places are not supported; write a path for each"},
        Refused{"$[0,1]", "lists of names or places are not supported; write a path for each"},
        Refused{"$[", "a ']' is missing"}, Refused{"$[0", "a ']' is missing"},
        Refused{"$['a'", "a ']' is missing"}, Refused{"$[*", "a ']' is missing"},
        Refused{"$[]", "[*], [0] or ['name'] is expected at \"]\""},
        Refused{"$[a]", "[*], [0] or ['name'] is expected at \"a]\""},
        Refused{"$[1234567890]", "a place may have 9 digits"},
        Refused{"$['a",
                "a name in quotes does not end, or has an escape other than \\\\, \\' and \\\""},
        Refused{"$['\\n']",
                "a name in quotes does not end, or has an escape other than \\\\, \\' and \\\""}));

TEST(JsonPathTest, HasBounds)
{
    std::string path = "$";
    for (std::size_t i = 0; i < JsonPath::most_steps; ++i)
        path += ".a";
    EXPECT_EQ(JsonPath::parse(path)->steps.size(), JsonPath::most_steps);
    EXPECT_EQ(JsonPath::parse(path + ".a").error().detail, "a path may have 64 steps");
    EXPECT_EQ(JsonPath::parse("$." + std::string(2000, 'a')).error().detail,
              "a path may have 1024 characters");
}

TEST(JsonScannerTest, ReadsTokensWithTheirPlaces)
{
    JsonScanner scanner(R"( {"a\n" : [-1.5, "b"]} )");
    EXPECT_EQ(scanner.next(), JsonToken::object_begin);
    EXPECT_EQ(scanner.next(), JsonToken::key);
    EXPECT_EQ(scanner.token(), R"("a\n")");
    EXPECT_TRUE(scanner.escaped());
    EXPECT_EQ(scanner.decoded(), "a\n");
    EXPECT_EQ(scanner.next(), JsonToken::array_begin);
    EXPECT_EQ(scanner.depth(), 2U);
    EXPECT_EQ(scanner.next(), JsonToken::number);
    EXPECT_EQ(scanner.token(), "-1.5");
    EXPECT_EQ(scanner.next(), JsonToken::string);
    EXPECT_EQ(scanner.content(), "b");
    EXPECT_EQ(scanner.next(), JsonToken::array_end);
    EXPECT_EQ(scanner.next(), JsonToken::object_end);
    EXPECT_EQ(scanner.depth(), 0U);
    EXPECT_EQ(scanner.next(), JsonToken::end);
}

TEST(JsonScannerTest, GoesNowhereOnceItIsWrong)
{
    JsonScanner scanner("[1,x]");
    EXPECT_EQ(scanner.next(), JsonToken::array_begin);
    EXPECT_EQ(scanner.next(), JsonToken::number);
    EXPECT_EQ(scanner.next(), JsonToken::wrong);
    EXPECT_EQ(scanner.next(), JsonToken::wrong);
    EXPECT_EQ(scanner.token(), "");
}

}  // namespace
}  // namespace sallyport
