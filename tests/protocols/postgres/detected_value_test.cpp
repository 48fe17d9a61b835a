// The second net over values as they are on the wire.

#include "protocols/postgres/detected_value.h"

#include <gtest/gtest.h>
#include <optional>

#include "protocols/postgres/frame.h"

namespace sallyport::postgres {
namespace {

using Kind = MaskAction::Kind;

constexpr std::uint32_t text = 25;
constexpr std::uint32_t json = 114;
constexpr std::uint32_t xml = 142;
constexpr std::uint32_t json_array = 199;
constexpr std::uint32_t text_array = 1009;
constexpr std::uint32_t record = 2249;
constexpr std::uint32_t jsonb = 3802;
constexpr std::uint32_t unknown = 70000;

MaskRules rules_of(MaskAction action)
{
    MaskRules::Rule detect;
    for (const std::string_view name : detector_names)
        detect.detect.push_back(*detector_named(name));
    detect.action = action;
    MaskRules::Rule paths;
    paths.json.push_back(*JsonPath::parse("$..secret"));
    paths.action = action;
    return {{detect, paths},
            MaskRules::Untraceable::mask,
            std::make_shared<const MaskKey>(MaskKey{std::string(32, 'k')})};
}

MaskAction action_of(Kind kind, std::string replacement = {})
{
    return {.kind = kind, .keep = 4, .text = std::move(replacement), .rule = {}};
}

// The value as it goes on; "NULL" for a NULL, in either form.
std::string shown(std::uint32_t type, bool binary, std::string_view value, MaskAction action = {})
{
    const MaskRules rules = rules_of(std::move(action));
    std::string into = "<";
    switch (detect_in_value(SecondNet::of(rules), type, binary, value, into)) {
    case Detected::nothing: EXPECT_EQ(into, "<"); return std::string(value);
    case Detected::null: EXPECT_EQ(into, "<"); return "NULL";
    case Detected::hidden: break;
    }
    return into.substr(1);
}

std::string as_text(std::uint32_t type, std::string_view value, MaskAction action = {})
{
    return shown(type, false, value, std::move(action));
}

std::string u32(std::uint32_t number)
{
    std::byte raw[4];
    write_u32(raw, number);
    return std::string(text_of(raw));
}

constexpr std::uint32_t null_length = 0xffffffff;

std::string part(const std::optional<std::string>& value)
{
    return value ? u32(static_cast<std::uint32_t>(value->size())) + *value : u32(null_length);
}

std::string binary_array(std::uint32_t element,
                         const std::vector<std::optional<std::string>>& values, bool nulls)
{
    std::string bytes = u32(1) + u32(nulls ? 1 : 0) + u32(element) +
                        u32(static_cast<std::uint32_t>(values.size())) + u32(1);
    for (const auto& value : values)
        bytes += part(value);
    return bytes;
}

using Field = std::pair<std::uint32_t, std::optional<std::string>>;

std::string binary_row(const std::vector<Field>& fields)
{
    std::string bytes = u32(static_cast<std::uint32_t>(fields.size()));
    for (const auto& [type, value] : fields)
        bytes += u32(type) + part(value);
    return bytes;
}

TEST(DetectedValueTest, LooksAtTextOfEveryKind)
{
    for (const std::uint32_t type : {19U, 25U, 705U, 1042U, 1043U, 2275U, unknown}) {
        for (const bool binary : {false, true}) {
            EXPECT_TRUE(is_looked_at(type));
            EXPECT_EQ(shown(type, binary, "to a@b.cc"), "to [masked]") << type;
            EXPECT_EQ(shown(type, binary, "hello"), "hello") << type;
            EXPECT_EQ(shown(type, binary, "a@b.cc", action_of(Kind::null)), "NULL") << type;
        }
    }
}

TEST(DetectedValueTest, PassesNumbersTimesAndTheirLike)
{
    for (const std::uint32_t type : {16U, 17U, 20U, 23U, 26U, 700U, 701U, 869U, 1007U, 1016U, 1082U,
                                     1114U, 1184U, 1186U, 1231U, 1700U, 2950U, 2951U, 3910U}) {
        EXPECT_FALSE(is_looked_at(type)) << type;
        EXPECT_EQ(as_text(type, "4111111111111111"), "4111111111111111") << type;
    }
}

TEST(DetectedValueTest, LooksIntoJson)
{
    const std::string_view document = R"({"a": "a\u0040b.cc", "secret": [1], "n": 1})";
    const std::string_view masked = R"({"a": "[masked]", "secret": "[masked]", "n": 1})";
    EXPECT_EQ(as_text(json, document), masked);
    EXPECT_EQ(shown(json, true, document), masked);
    EXPECT_EQ(as_text(jsonb, document), masked);
    EXPECT_EQ(shown(jsonb, true, "\x01" + std::string(document)), "\x01" + std::string(masked));
    EXPECT_EQ(shown(jsonb, true, "\x01{}"), "\x01{}");
    EXPECT_EQ(as_text(json, R"({"secret": 1, "b": 2})"), R"({"secret": "[masked]", "b": 2})");
    EXPECT_EQ(as_text(json, R"("a@b.cc")"), R"("[masked]")");
    // A document in a column of text.
    EXPECT_EQ(as_text(text, document), masked);
    EXPECT_EQ(as_text(unknown, document), masked);
}

TEST(DetectedValueTest, WhatCannotBeReadAsJsonIsHiddenWhereItMustBe)
{
    EXPECT_EQ(as_text(json, "{\"secret\": "), "\"[masked]\"");
    EXPECT_EQ(shown(jsonb, true, "\x02{}"), "NULL");
    EXPECT_EQ(shown(jsonb, true, ""), "NULL");
    // A text that only begins like JSON.
    EXPECT_EQ(as_text(text, "{hello"), "{hello");
    EXPECT_EQ(as_text(text, "[to a@b.cc"), "[to [masked]");
}

TEST(DetectedValueTest, LooksIntoXml)
{
    EXPECT_EQ(as_text(xml, "<p>a@b.cc &amp; more</p>"), "<p>[masked] &amp; more</p>");
    EXPECT_EQ(as_text(xml, "<p>a&#64;b.cc</p>"), "NULL");
    EXPECT_EQ(as_text(xml, "<p>a&#x40;b.cc</p>"), "NULL");
    EXPECT_EQ(as_text(xml, "<p>&lt;&unknown;&#x41;</p>"), "<p>&lt;&unknown;&#x41;</p>");
    EXPECT_EQ(as_text(xml, "<p>a@b.cc</p>", action_of(Kind::replace, "<b>")), "NULL");
}

TEST(DetectedValueTest, LooksAtElementsOfArraysInTextForm)
{
    EXPECT_EQ(as_text(text_array, "{a,a@b.cc,NULL,\"b c\"}"), R"({a,"[masked]",NULL,"b c"})");
    EXPECT_EQ(as_text(text_array, R"({"to \"x\" a@b.cc",{}})"), R"({"to \"x\" [masked]",{}})");
    EXPECT_EQ(as_text(text_array, "{{a@b.cc,b},{c,d}}"), R"({{"[masked]",b},{c,d}})");
    EXPECT_EQ(as_text(text_array, "[0:1]={a@b.cc,x}"), R"([0:1]={"[masked]",x})");
    EXPECT_EQ(as_text(text_array, "{a@b.cc}", action_of(Kind::replace, "\"x\\,")), R"({"\"x\\,"})");
    EXPECT_EQ(as_text(text_array, "{a@b.cc,x}", action_of(Kind::null)), "{NULL,x}");
    EXPECT_EQ(as_text(text_array, "{}"), "{}");
    EXPECT_EQ(as_text(json_array, R"({"{\"secret\": 1}","{\"b\": \"a@b.cc\"}"})"),
              R"({"{\"secret\": \"[masked]\"}","{\"b\": \"[masked]\"}"})");
    // Of a type that is not known, and what is no array.
    EXPECT_EQ(as_text(unknown, "{a@b.cc,x}"), R"({"[masked]",x})");
    EXPECT_EQ(as_text(text_array, "{a@b.cc"), "{[masked]");
    EXPECT_EQ(as_text(text_array, "{a@b.cc}}"), "{[masked]}}");
}

TEST(DetectedValueTest, LooksAtFieldsOfRowsInTextForm)
{
    EXPECT_EQ(as_text(record, "(1,a@b.cc,,\"b c\")"), R"((1,"[masked]",,"b c"))");
    EXPECT_EQ(as_text(record, R"(("to ""x"" a@b.cc",1))"), R"(("to ""x"" [masked]",1))");
    EXPECT_EQ(as_text(record, "(a@b.cc,x)", action_of(Kind::null)), "(,x)");
    EXPECT_EQ(as_text(record, "(a@b.cc,x)", action_of(Kind::replace, "\"\\")), R"(("""\\",x))");
    EXPECT_EQ(as_text(unknown, R"((1,"{a@b.cc,x}"))"), R"((1,"{""[masked]"",x}"))");
    EXPECT_EQ(as_text(unknown, R"(("{""secret"": 1}"))"), R"(("{""secret"": ""[masked]""}"))");
    EXPECT_EQ(as_text(record, "()"), "()");
    EXPECT_EQ(as_text(record, "(x"), "(x");
}

TEST(DetectedValueTest, LooksAtElementsOfArraysInBinaryForm)
{
    EXPECT_EQ(shown(text_array, true, binary_array(text, {"a", "a@b.cc", {}}, true)),
              binary_array(text, {"a", "[masked]", {}}, true));
    // Nulls that were not there before are announced.
    EXPECT_EQ(
        shown(text_array, true, binary_array(text, {"a", "a@b.cc"}, false), action_of(Kind::null)),
        binary_array(text, {"a", {}}, true));
    EXPECT_EQ(shown(unknown, true, binary_array(jsonb, {"\x01{\"secret\":1}"}, false)),
              binary_array(jsonb, {"\x01{\"secret\":\"[masked]\"}"}, false));
    const std::string numbers = binary_array(23, {u32(1), u32(2)}, false);
    EXPECT_EQ(shown(unknown, true, numbers), numbers);
}

TEST(DetectedValueTest, LooksAtFieldsOfRowsInBinaryForm)
{
    EXPECT_EQ(shown(record, true, binary_row({{23, u32(7)}, {text, "a@b.cc"}, {text, {}}})),
              binary_row({{23, u32(7)}, {text, "[masked]"}, {text, {}}}));
    EXPECT_EQ(
        shown(unknown, true, binary_row({{text_array, binary_array(text, {"a@b.cc"}, false)}})),
        binary_row({{text_array, binary_array(text, {"[masked]"}, false)}}));
    EXPECT_EQ(shown(record, true, binary_row({{text, "a@b.cc"}}), action_of(Kind::null)),
              binary_row({{text, {}}}));
}

TEST(DetectedValueTest, WhatCannotBeTakenApartIsNullWhereSomethingIsFound)
{
    const std::string bytes =
        std::string("\x00\x00\x00\x07", 4) + "a@b.cc" + std::string("\x00", 1);
    EXPECT_EQ(shown(unknown, true, bytes), "NULL");
    EXPECT_EQ(shown(unknown, true, std::string("\x00\x01", 2)), std::string("\x00\x01", 2));
    // An array that ends early.
    std::string cut = binary_array(text, {"a@b.cc", "x"}, false);
    cut.pop_back();
    EXPECT_EQ(shown(text_array, true, cut), "NULL");
}

TEST(DetectedValueTest, NestingHasABound)
{
    std::string nested = "a@b.cc";
    std::string row = nested;
    for (int i = 0; i < 30; ++i)
        nested = binary_row({{record, nested}});
    EXPECT_EQ(shown(record, true, nested).find("a@b.cc"), std::string::npos);
    for (int i = 0; i < 200; ++i)
        row = "(" + row + ")";
    EXPECT_EQ(as_text(record, row).find("a@b.cc"), std::string::npos);
    EXPECT_EQ(as_text(text_array, std::string(100000, '{') + "a@b.cc" + std::string(100000, '}')),
              std::string(100000, '{') + "\"[masked]\"" + std::string(100000, '}'));
}

TEST(DetectedValueTest, WithoutRulesNothingIsLookedAt)
{
    const MaskRules none({}, MaskRules::Untraceable::mask, std::make_shared<const MaskKey>());
    const SecondNet net = SecondNet::of(none);
    EXPECT_TRUE(net.empty());
    std::string into;
    EXPECT_EQ(detect_in_value(net, text, false, "a@b.cc", into), Detected::nothing);
}

// Neither of the two needs the other.
TEST(DetectedValueTest, EachAlone)
{
    const MaskRules rules = rules_of({});
    std::string into;
    const SecondNet paths{.detectors = nullptr, .json = rules.json().get(), .key = &rules.key()};
    EXPECT_EQ(detect_in_value(paths, json, false, R"({"secret":1,"a":"a@b.cc"})", into),
              Detected::hidden);
    EXPECT_EQ(into, R"({"secret":"[masked]","a":"a@b.cc"})");
    EXPECT_EQ(detect_in_value(paths, text, false, "a@b.cc", into), Detected::nothing);
    EXPECT_EQ(detect_in_value(paths, xml, false, "a@b.cc", into), Detected::nothing);
    into.clear();
    const SecondNet detectors{
        .detectors = rules.detectors().get(), .json = nullptr, .key = &rules.key()};
    EXPECT_EQ(detect_in_value(detectors, json, false, R"({"secret":1,"a":"a@b.cc"})", into),
              Detected::hidden);
    EXPECT_EQ(into, R"({"secret":1,"a":"[masked]"})");
}

}  // namespace
}  // namespace sallyport::postgres
