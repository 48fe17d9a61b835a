// What the reader of YAML keeps, and what it will not take.

#include "gateway/config/yaml_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> problems_of(std::string_view text)
{
    std::vector<Problem> problems;
    read_yaml(text, "f.yaml", problems);
    std::vector<std::string> lines;
    for (const Problem& problem : problems)
        lines.push_back(to_string(problem));
    return lines;
}

TEST(YamlTreeTest, EveryValueKnowsItsLine)
{
    std::vector<Problem> problems;
    const YamlNode root =
        read_yaml("# note\na: 1\nb:\n  - x\n  - {c: y,\n     d: }\ne: ~\n", "f", problems);
    EXPECT_THAT(problems, IsEmpty());
    ASSERT_EQ(root.kind, YamlNode::Kind::map);
    ASSERT_EQ(root.entries.size(), 3U);
    EXPECT_EQ(root.entries[0].key.text, "a");
    EXPECT_EQ(root.entries[0].key.line, 2);
    EXPECT_EQ(root.entries[0].value.text, "1");
    const YamlNode& list = root.entries[1].value;
    ASSERT_EQ(list.items.size(), 2U);
    EXPECT_EQ(list.items[0].line, 4);
    ASSERT_EQ(list.items[1].entries.size(), 2U);
    EXPECT_EQ(list.items[1].entries[0].value.line, 5);
    EXPECT_EQ(list.items[1].entries[1].value.kind, YamlNode::Kind::null);
    EXPECT_EQ(list.items[1].entries[1].value.line, 6);
    EXPECT_EQ(root.entries[2].value.kind, YamlNode::Kind::null);
    EXPECT_EQ(root.entries[2].value.line, 7);
}

TEST(YamlTreeTest, KeysThatStandTwiceAreProblems)
{
    EXPECT_THAT(problems_of("a: 1\nb: 2\na: 3\n"),
                ElementsAre("f.yaml:3: key \"a\" stands twice; first on line 1"));
    EXPECT_THAT(problems_of("m: {x: 1, \"x\": 2}\n"),
                ElementsAre("f.yaml:1: key \"x\" stands twice; first on line 1"));
    EXPECT_THAT(problems_of("a: {x: 1}\nb: {x: 1}\n"), IsEmpty());
}

TEST(YamlTreeTest, WhatAConfigurationHasNoUseForIsRefused)
{
    EXPECT_THAT(
        problems_of("a: &x 1\nb: *x\n"),
        ElementsAre("f.yaml:1: anchors (&name) are not accepted here; write the value out",
                    "f.yaml:2: aliases (*name) are not accepted here; write the value out"));
    EXPECT_THAT(problems_of("a: !secret 1\n"),
                ElementsAre("f.yaml:1: tags (!name) are not accepted here"));
    EXPECT_THAT(problems_of("a: !!map {}\n"),
                ElementsAre("f.yaml:1: tags (!name) are not accepted here"));
    EXPECT_THAT(problems_of("[a]: 1\n"), ElementsAre("f.yaml:1: a key must be a word"));
    EXPECT_THAT(problems_of("a: 1\n---\nb: 2\n"),
                ElementsAre("f.yaml:3: a second document begins; one is expected"));
}

TEST(YamlTreeTest, ABrokenDocumentNamesItsLine)
{
    EXPECT_THAT(problems_of("a: 1\nb: [1, 2\nc: 3\n"),
                ElementsAre(StartsWith("f.yaml:3: not YAML: ")));
    EXPECT_THAT(problems_of("a: 1\n\tb: 2\n"), ElementsAre(StartsWith("f.yaml:2: not YAML: ")));
    EXPECT_THAT(problems_of("a: \"x"), ElementsAre(StartsWith("f.yaml:1: not YAML: ")));
}

TEST(YamlTreeTest, AFileCutShortInsideOfQuotesIsNoWholeOne)
{
    const std::string_view open = "f.yaml:2: not YAML: a quote opens here and is never closed";
    EXPECT_THAT(problems_of("a: 1\nb: \"x\n"), ElementsAre(open));
    EXPECT_THAT(problems_of("a: 1\nb: 'x\nc: 2\n"), ElementsAre(open));
    EXPECT_THAT(problems_of("a: 1\nb: \"x\\\"\n"), ElementsAre(open));
    EXPECT_THAT(problems_of("a: 1\nb: 'it''s\n"), ElementsAre(open));
    for (const char* whole :
         {"b: \"x\"\n", "b: 'x'", "b: 'it''s'\n", "b: \"\\\"\"\n", "b: \"x\ny\"\n",
          "\xef\xbb\xbf\"b\": \"x\"\n", "é: \"x\" # \"\n", "b: \"\"\n"})
        EXPECT_THAT(problems_of(whole), IsEmpty()) << whole;
}

TEST(YamlTreeTest, DepthIsBounded)
{
    EXPECT_THAT(problems_of(std::string(64, '[') + std::string(64, ']')), IsEmpty());
    EXPECT_THAT(problems_of(std::string(100000, '[')),
                ElementsAre("f.yaml:1: not YAML: lists and maps are nested too deep"));
}

TEST(YamlTreeTest, TheCanonicalFormForgetsSpellingOnly)
{
    const auto form = [](std::string_view text) {
        std::vector<Problem> problems;
        return canonical(read_yaml(text, "f", problems));
    };
    EXPECT_EQ(form("b: [1, x]\na: {c: ~}\n"), form("# note\na:\n  c:\nb:\n- \"1\"\n- 'x'\n"));
    EXPECT_NE(form("b: [1, x]"), form("b: [x, 1]"));
    EXPECT_NE(form("a: [b, c]"), form("a: [\"b,c\"]"));
    EXPECT_NE(form("a: \"~\""), form("a: ~"));
    EXPECT_NE(form("a: ['\"', b]"), form("a: ['\",\"b']"));
}

}  // namespace
}  // namespace sallyport
