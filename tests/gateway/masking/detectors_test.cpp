// What is found in a text by what it looks like, and what is left alone.

#include "gateway/masking/detectors.h"

#include <gtest/gtest.h>
#include <random>

#include "gateway/masking/checksums.h"
#include "gateway/masking/json_scanner.h"

namespace sallyport {
namespace {

using Kind = MaskAction::Kind;

const MaskKey key{std::string(32, 'k')};

MaskAction action_of(Kind kind, std::size_t keep = 0, std::string text = {})
{
    return {.kind = kind, .keep = keep, .text = std::move(text), .rule = {}};
}

Detectors everything(MaskAction action = {})
{
    Detectors::Rule rule;
    for (const std::string_view name : detector_names)
        rule.detect.push_back(*detector_named(name));
    rule.action = std::move(action);
    return Detectors({rule});
}

Detectors only(Detector detector, MaskAction action = {})
{
    return Detectors({{.detect = {detector}, .action = std::move(action)}});
}

// The text as it is shown; "NULL" where it goes as a whole.
std::string shown(const Detectors& detectors, std::string_view text)
{
    std::string into = "<";
    const auto hidden = detectors.hide(text, key, into);
    if (hidden.whole || hidden.spans == 0)
        EXPECT_EQ(into, "<");
    if (hidden.whole)
        return "NULL";
    return hidden.spans == 0 ? std::string(text) : into.substr(1);
}

std::string shown_json(const Detectors& detectors, std::string_view text)
{
    std::string into;
    const auto hidden = detectors.hide_in_json(text, key, into);
    if (hidden.whole || hidden.spans == 0)
        EXPECT_EQ(into, "");
    if (hidden.whole)
        return "NULL";
    return hidden.spans == 0 ? std::string(text) : into;
}

struct Case {
    Detector detector;
    std::string_view text;
    std::string_view shown;
};

class FoundTest : public testing::TestWithParam<Case> {};

TEST_P(FoundTest, IsHidden)
{
    EXPECT_EQ(shown(only(GetParam().detector), GetParam().text), GetParam().shown);
    EXPECT_EQ(shown(everything(), GetParam().text), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    Email, FoundTest,
    testing::Values(Case{Detector::email, "alice@example.com", "[masked]"},
                    Case{Detector::email, "to alice.b+x@mail.example.co.uk, please",
                         "to [masked], please"},
                    Case{Detector::email, "<alice@example.com>;bob@x.org", "<[masked]>;[masked]"},
                    Case{Detector::email, "\"alice b\"@example.com", "[masked]"},
                    Case{Detector::email, "zoë@bücher.example", "[masked]"},
                    Case{Detector::email, "a@xn--bcher-kva.example", "[masked]"},
                    Case{Detector::email, "https://x.example/?q=alice%40example.com&p=1",
                         "https://x.example/?q=[masked]&p=1"},
                    Case{Detector::email, "a@b.cc", "[masked]"}));

INSTANTIATE_TEST_SUITE_P(
    CreditCard, FoundTest,
    testing::Values(Case{Detector::credit_card, "4111111111111111", "[masked]"},
                    Case{Detector::credit_card, "4111 1111 1111 1111", "[masked]"},
                    Case{Detector::credit_card, "4111-1111-1111-1111", "[masked]"},
                    Case{Detector::credit_card, "card 4012888888881881.", "card [masked]."},
                    Case{Detector::credit_card, "3782 822463 10005", "[masked]"},
                    Case{Detector::credit_card, "378282246310005", "[masked]"},
                    Case{Detector::credit_card, "5555555555554444", "[masked]"},
                    Case{Detector::credit_card, "2223003122003222", "[masked]"},
                    Case{Detector::credit_card, "30569309025904", "[masked]"},
                    Case{Detector::credit_card, "6011111111111117", "[masked]"},
                    Case{Detector::credit_card, "3530111333300000", "[masked]"},
                    Case{Detector::credit_card, "4222222222222", "[masked]"},
                    Case{Detector::credit_card, "4111 1111 1111 1111 12/29", "[masked] 12/29"},
                    Case{Detector::credit_card, "no 12 4111 1111 1111 1111", "no 12 [masked]"},
                    Case{Detector::credit_card, "1234 4111 1111 1111 1111", "1234 [masked]"},
                    Case{Detector::credit_card, "4111111111111111,5555555555554444",
                         "[masked],[masked]"},
                    Case{Detector::credit_card, "pan=4111111111111111;cvc=1", "pan=[masked];cvc=1"},
                    Case{Detector::credit_card, "id-4111111111111111", "id-[masked]"}));

INSTANTIATE_TEST_SUITE_P(Ssn, FoundTest,
                         testing::Values(Case{Detector::ssn, "123-45-6789", "[masked]"},
                                         Case{Detector::ssn, "ssn:123-45-6789.", "ssn:[masked]."},
                                         Case{Detector::ssn, "123 45 6789", "[masked]"},
                                         Case{Detector::ssn, "899-99-9999 of Bob",
                                              "[masked] of Bob"}));

INSTANTIATE_TEST_SUITE_P(
    Iban, FoundTest,
    testing::Values(Case{Detector::iban, "DE89370400440532013000", "[masked]"},
                    Case{Detector::iban, "DE89 3704 0044 0532 0130 00", "[masked]"},
                    Case{Detector::iban, "pay DE89 3704 0044 0532 0130 00 and go",
                         "pay [masked] and go"},
                    Case{Detector::iban, "GB82WEST12345698765432", "[masked]"},
                    Case{Detector::iban, "gb82 west 1234 5698 7654 32", "[masked]"},
                    Case{Detector::iban, "NO9386011117947", "[masked]"},
                    Case{Detector::iban, "MT84MALT011000012345MTLCAST001S", "[masked]"},
                    Case{Detector::iban, "FR14-2004-1010-0505-0001-3M02-606", "[masked]"}));

INSTANTIATE_TEST_SUITE_P(
    Phone, FoundTest,
    testing::Values(Case{Detector::phone, "+49 30 901820", "[masked]"},
                    Case{Detector::phone, "+14155552671", "[masked]"},
                    Case{Detector::phone, "+1 (415) 555-2671", "[masked]"},
                    Case{Detector::phone, "tel:+44 (0)20 7946 0958", "tel:[masked]"},
                    Case{Detector::phone, "(415) 555-2671", "[masked]"},
                    Case{Detector::phone, "415-555-2671", "[masked]"},
                    Case{Detector::phone, "415.555.2671 x2", "[masked] x2"},
                    Case{Detector::phone, "1-415-555-2671", "[masked]"},
                    Case{Detector::phone, "030 1234567", "[masked]"},
                    Case{Detector::phone, "0171/2345678", "[masked]"},
                    Case{Detector::phone, "Tel. (030) 123456", "Tel. [masked]"},
                    Case{Detector::phone, "01 23 45 67 89", "[masked]"},
                    Case{Detector::phone, "020 7946 0958", "[masked]"},
                    Case{Detector::phone, "0049 30 901820", "[masked]"},
                    Case{Detector::phone, "call 030 1234567 or wait", "call [masked] or wait"}));

constexpr std::string_view token =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";

INSTANTIATE_TEST_SUITE_P(
    Tokens, FoundTest,
    testing::Values(
        Case{Detector::jwt, token, "[masked]"},
        Case{Detector::jwt, "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "Bearer [masked]"},
        Case{Detector::jwt, "eyJhbGciOiJkaXIiLCJlbmMiOiJ4In0..iv01.cipher.tag9", "[masked]"},
        Case{Detector::aws_key, "AKIAIOSFODNN7EXAMPLE", "[masked]"},
        Case{Detector::aws_key, "id ASIAIOSFODNN7EXAMPLE;", "id [masked];"},
        Case{Detector::aws_key, "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
             "aws_secret_access_key = [masked]"},
        Case{Detector::aws_key, "SecretAccessKey: \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"",
             "SecretAccessKey: \"[masked]\""}));

class LeftAloneTest : public testing::TestWithParam<std::string_view> {};

TEST_P(LeftAloneTest, AsItIs)
{
    EXPECT_EQ(shown(everything(), GetParam()), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    LookAlikes, LeftAloneTest,
    testing::Values(
        "", "a", "@", "alice", "alice @ example.com", "@alice", "a@b", "a@localhost",
        "react@18.2.0",
        // Numbers that are no card: the check digit, the issuer, the length, the word they are in.
        "4111111111111112", "1111111111111117", "41111111111111", "411111111111111111111111",
        "x4111111111111111", "4111111111111111x", "0.4111111111111111", "4111111111111111.5",
        "1700000000000", "1700000000000000", "9007199254740993", "41 11 11 11 11 11 11 11",
        "41111111-1111-1111-8111-111111111111", "4111_1111_1111_1111",
        // SSN: areas, groups and serials that nobody has, and other groups of digits.
        "000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "123456789",
        "1123-45-6789", "123-45-67890", "123-45 6789", "9-123-45-6789", "12 123 45 6789 1",
        // IBAN
        "DE89370400440532013001", "XX89370400440532013000", "DE8937040044053201300",
        "DE893704004405320130000", "DE8937 0400440532013000", "XDE89370400440532013000",
        // Dates, times, versions, addresses, coordinates, sizes, codes.
        "2024-01-15", "2024-01-15 10:30:00.123456+00", "2024-01-15T10:30:05.123456-05:00",
        "15.01.2024 10:30", "01.02.2024 10:30:00", "01-02-2024 12", "20240115103000", "1.22.333",
        "10.15.7-build.20240115", "192.168.100.200", "255.255.255.255", "+37.7749", "+12345678.50",
        "10:30:00+10", "978-3-16-148410-0", "4006381333931", "0x1f2e3d4c5b6a7988",
        "00000000000000000000", "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "00000000-0000-0000-0000-000000000000", "01234567-0123-4123-8123-012345678901",
        "9e107d9d372bb6826bd81d3542a419d6", "3.141592653589793", "1e-10", "12 345 678",
        "4155552671", "030123456", "$1,234,567.89", "0123.4567", "eyJub2RvdHM",
        "eyJhbGciOiJIUzI1NiJ9", "AKIA1234", "AKIAIOSFODNN7EXAMPLEX", "XAKIAIOSFODNN7EXAMPLE",
        "secret_key=short", "Tokyo key JUL A=B: 100%"));

TEST(DetectorsTest, UuidsTimesAndPlainNumbersAreNothing)
{
    std::mt19937_64 engine(11);
    const auto hex = [&](std::size_t count) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i)
            text += "0123456789abcdef"[engine() % 16];
        return text;
    };
    const Detectors detectors = everything();
    std::size_t found = 0;
    for (int i = 0; i < 20000; ++i) {
        const std::string uuid =
            hex(8) + "-" + hex(4) + "-4" + hex(3) + "-a" + hex(3) + "-" + hex(12);
        const std::string time =
            "2024-0" + std::to_string(1 + engine() % 9) + "-1" + std::to_string(engine() % 10) +
            " 1" + std::to_string(engine() % 10) + ":0" + std::to_string(engine() % 10) + ":0" +
            std::to_string(engine() % 10) + "." + std::to_string(100000 + engine() % 900000) +
            "-05";
        const std::string number = "1" + std::to_string(engine());
        for (const std::string& text : {uuid, time, number}) {
            if (shown(detectors, text) != text) {
                ++found;
                ADD_FAILURE() << text << " became " << shown(detectors, text);
            }
        }
        ASSERT_LT(found, 5U);
    }
}

// The first look must never rule out what a search finds.
TEST(DetectorsTest, TheFirstLookMissesNothing)
{
    constexpr std::string_view pieces[] = {"4111",     "1111",
                                           "378282",   "246310005",
                                           " ",        "-",
                                           ".",        "/",
                                           "(",        ")",
                                           "+",        "+49",
                                           "030",      "0171",
                                           "415",      "555",
                                           "2671",     "123",
                                           "45",       "67",
                                           "6789",     "DE89",
                                           "3704",     "0044",
                                           "0532",     "0130",
                                           "00",       "a",
                                           "_",        "@",
                                           "x.com",    "b",
                                           "eyJ",      "aGVsbG8gd29ybGQ",
                                           "AKIA",     "IOSFODNN7EXAMPLE",
                                           ":",        "4111111111111111",
                                           "01 23 45", "é"};
    std::mt19937_64 engine(5);
    std::size_t found = 0;
    for (int i = 0; i < 60000; ++i) {
        std::string text(engine() % 70, '.');
        for (std::size_t count = 1 + engine() % 10; count > 0; --count)
            text += pieces[engine() % std::size(pieces)];
        for (const std::string_view name : detector_names) {
            const Detector detector = *detector_named(name);
            if (!find_span(detector, text, 0))
                continue;
            ++found;
            ASSERT_TRUE(possible_in(text, DetectorSet::all()).contains(detector)) << name << text;
            ASSERT_TRUE(any_pattern_in(text)) << name << " in " << text;
        }
    }
    EXPECT_GT(found, 1000U);
}

TEST(DetectorsTest, EveryActionHidesTheSpan)
{
    const std::string_view text = "pay 4111111111111111 now";
    EXPECT_EQ(shown(everything(action_of(Kind::keep_last, 4)), text), "pay ************1111 now");
    EXPECT_EQ(shown(everything(action_of(Kind::keep_first, 6)), text), "pay 411111********** now");
    EXPECT_EQ(shown(everything(action_of(Kind::replace, 0, "a card")), text), "pay a card now");
    EXPECT_EQ(shown(everything(action_of(Kind::null)), text), "NULL");
    EXPECT_EQ(shown(everything(action_of(Kind::hash)), text),
              "pay " + *masked_text(action_of(Kind::hash), key, "4111111111111111") + " now");
}

TEST(DetectorsTest, TheFirstRuleOfADetectorIsApplied)
{
    const Detectors detectors({{.detect = {Detector::email}, .action = {}},
                               {.detect = {Detector::email, Detector::ssn},
                                .action = action_of(Kind::replace, 0, "second")}});
    EXPECT_EQ(shown(detectors, "a@b.cc 123-45-6789"), "[masked] second");
}

TEST(DetectorsTest, WhatOverlapsIsHiddenAsOne)
{
    // The number is a part of the address.
    const std::string_view text = "to 4111111111111111@example.com now";
    const Detectors card_first(
        {{.detect = {Detector::credit_card}, .action = action_of(Kind::replace, 0, "card")},
         {.detect = {Detector::email}, .action = {}}});
    EXPECT_EQ(shown(card_first, text), "to card now");
    const Detectors email_first(
        {{.detect = {Detector::email}, .action = {}},
         {.detect = {Detector::credit_card}, .action = action_of(Kind::replace, 0, "card")}});
    EXPECT_EQ(shown(email_first, text), "to [masked] now");
}

TEST(DetectorsTest, OnlyWhatWasAskedForIsHidden)
{
    EXPECT_EQ(shown(only(Detector::ssn), "a@b.cc 123-45-6789"), "a@b.cc [masked]");
}

TEST(DetectorsTest, OutsideOfAsciiTextGoesOnByteForByte)
{
    EXPECT_EQ(shown(everything(), "Ü\xff\xfe 123-45-6789 日本"), "Ü\xff\xfe [masked] 日本");
    EXPECT_EQ(shown(everything(), std::string_view("a\0b@c.de\0", 9)),
              std::string("a\0[masked]\0", 11));
}

// Texts on which a search that begins anew at each digit or letter takes the square of their
// length.
TEST(DetectorsTest, TakesTimeInProportionToTheText)
{
    constexpr std::size_t size = std::size_t{1} << 20;
    for (const std::string_view piece : {"4", "4 ", "41111111 ", "0", "030 ", "+1", "DE89 ", "a@a.",
                                         "x@y.com-", "eyJ", "eyJaaaaaaaaaaa.", "123-45-", "A",
                                         "key=", "(", "\"", "4111 1111 1111 1111 ", "a@b.cc "}) {
        std::string text;
        while (text.size() < size)
            text += piece;
        std::string into;
        everything().hide(text, key, into);
        into.clear();
        everything().hide_in_json("[\"" + text + "\"]", key, into);
    }
}

TEST(DetectorsTest, AValueThatWouldGrowTooLargeGoesAsAWhole)
{
    const Detectors detectors =
        everything(action_of(Kind::replace, 0, std::string(std::size_t{16} << 20, 'x')));
    EXPECT_EQ(shown(detectors, "a@b.cc a@b.cc a@b.cc a@b.cc a@b.cc"), "NULL");
}

struct JsonCase {
    std::string_view text;
    std::string_view shown;
};

class FoundInJsonTest : public testing::TestWithParam<JsonCase> {};

TEST_P(FoundInJsonTest, IsHiddenAndStaysJson)
{
    EXPECT_EQ(shown_json(everything(), GetParam().text), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    Json, FoundInJsonTest,
    testing::Values(
        JsonCase{R"({"a": "a@b.cc", "n": 1})", R"({"a": "[masked]", "n": 1})"},
        JsonCase{R"("a@b.cc")", R"("[masked]")"},
        JsonCase{R"( [ "x" , {"y":["to a@b.cc"]} ] )", R"( [ "x" , {"y":["to [masked]"]} ] )"},
        // Escapes resolved.
        JsonCase{R"({"a": "a\u0040b.cc"})", R"({"a": "[masked]"})"},
        JsonCase{R"(["\u0034111\u0031111 1111 1111", "\/a@b.cc\n\"q\""])",
                 R"(["[masked]", "/[masked]\u000a\"q\""])"},
        JsonCase{R"(["\ud83d\ude00 a\u0040b.cc \ud83d"])",
                 "[\"\xf0\x9f\x98\x80 [masked] \xef\xbf\xbd\"]"},
        // Numbers and names.
        JsonCase{R"({"pan": 4111111111111111, "id": 4111111111111112})",
                 R"({"pan": "[masked]", "id": 4111111111111112})"},
        JsonCase{"[4111111111111111.00, 4111111111111111.5]",
                 R"(["[masked]", 4111111111111111.5])"},
        JsonCase{R"({"a@b.cc": {"a\u0040b.cc" : 1}})", R"({"[masked]": {"[masked]" : 1}})"},
        // Nothing in it.
        JsonCase{R"({"a": "\u0062", "b": [1, true, null]})",
                 R"({"a": "\u0062", "b": [1, true, null]})"},
        JsonCase{"{}", "{}"}, JsonCase{"", ""},
        // No JSON: a text.
        JsonCase{R"({"a": "a@b.cc")", R"({"a": "[masked]")"}, JsonCase{"a@b.cc", "[masked]"},
        JsonCase{R"({"a": a@b.cc})", R"({"a": [masked]})"},
        // In which escapes hide something.
        JsonCase{R"({"a": "a\u0040b.cc")", "NULL"},
        JsonCase{R"({"a": "\u0062")", R"({"a": "\u0062")"}));

TEST(DetectorsTest, NullStandsInTheDocument)
{
    const Detectors detectors = everything(action_of(Kind::null));
    EXPECT_EQ(shown_json(detectors, R"({"a": ["to a@b.cc", 4111111111111111], "a@b.cc": 1})"),
              R"({"a": [null, null], "[masked]": 1})");
}

TEST(DetectorsTest, WhatIsPutInIsQuotedForJson)
{
    EXPECT_EQ(shown_json(everything(action_of(Kind::replace, 0, "\"\\\n")), R"(["a@b.cc"])"),
              R"(["\"\\\u000a"])");
}

TEST(DetectorsTest, WhatIsNestedTooDeeplyIsAText)
{
    const std::string deep(JsonScanner::deepest + 1, '[');
    const std::string closed(JsonScanner::deepest + 1, ']');
    EXPECT_EQ(shown_json(everything(), deep + "\"a@b.cc\"" + closed),
              deep + "\"[masked]\"" + closed);
    EXPECT_EQ(shown_json(everything(), deep + "\"a\\u0040b.cc\"" + closed), "NULL");
}

TEST(DetectorNamesTest, AreThoseOfTheConfiguration)
{
    for (const std::string_view name : detector_names)
        EXPECT_EQ(name_of(*detector_named(name)), name);
    EXPECT_EQ(detector_named("e-mail"), std::nullopt);
    EXPECT_EQ(detector_named(""), std::nullopt);
}

TEST(ChecksumsTest, AreThoseOfTheStandards)
{
    EXPECT_TRUE(passes_luhn("79927398713"));
    EXPECT_FALSE(passes_luhn("79927398710"));
    EXPECT_FALSE(passes_luhn(""));
    EXPECT_TRUE(passes_mod_97("GB82WEST12345698765432"));
    EXPECT_FALSE(passes_mod_97("GB82WEST12345698765423"));
    EXPECT_FALSE(passes_mod_97("GB"));
    EXPECT_EQ(iban_length('D', 'E'), 22U);
    EXPECT_EQ(iban_length('X', 'X'), 0U);
    EXPECT_TRUE(has_card_issuer("4111111111111111"));
    EXPECT_FALSE(has_card_issuer("41111111111111"));
    EXPECT_FALSE(has_card_issuer("1111111111111111"));
}

}  // namespace
}  // namespace sallyport
