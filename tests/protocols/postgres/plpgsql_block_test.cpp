// What a PL/pgSQL block is taken apart into, and which ones are refused.

#include "protocols/postgres/plpgsql_block.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sanitizer/allocator_interface.h>
#include <string>
#include <vector>

#include "tests/protocols/postgres/deep_texts.h"

namespace sallyport::postgres {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = PlpgsqlBlock::Kind;

PlpgsqlBlock block(std::string_view text)
{
    return read_plpgsql({.text = text});
}

// "kind: text" of each fragment.
std::vector<std::string> fragments(const PlpgsqlBlock& of)
{
    std::vector<std::string> all;
    for (const PlpgsqlBlock::Fragment& fragment : of.fragments) {
        const char* const names[] = {"statement", "query", "expression", "assignment", "executed"};
        all.push_back(std::string(names[static_cast<std::size_t>(fragment.kind)]) + ": " +
                      std::string(fragment.text));
        EXPECT_EQ(fragment.tree == nullptr, fragment.kind == Kind::executed) << fragment.text;
    }
    EXPECT_EQ(of.problem, "");
    return all;
}

TEST(PlpgsqlBlockTest, GivesStatementsWithoutTheirInto)
{
    EXPECT_THAT(
        fragments(block("declare a int; b int; begin "
                        "delete from t where id = 1; "
                        "select x, y into strict a, b from t; "
                        "perform f(1); call p(); do 'begin end'; end")),
        ElementsAre("statement: delete from t where id = 1",
                    "statement: select x, y                  from t", "statement: SELECT f(1)",
                    "statement: call p()", "statement: do 'begin end'"));
}

TEST(PlpgsqlBlockTest, GivesAssignmentsWithTheirTargets)
{
    EXPECT_THAT(fragments(block("declare a int; r record; v app.t; x int[]; begin "
                                "a := 1; r.f = 2; v.f.g := 3; x[f(1)] := 4; x[1:2] := x; end")),
                ElementsAre("assignment: a := 1", "assignment: r.f = 2", "assignment: v.f.g := 3",
                            "assignment: x[f(1)] := 4", "assignment: x[1:2] := x"));
}

TEST(PlpgsqlBlockTest, GivesWhatIsDeclaredFirst)
{
    const PlpgsqlBlock read = block(
        "<<l>> declare b int := f(1); \"A b\" record; "
        "c cursor (n int) for select n; begin "
        "declare d t%rowtype = null; begin end; "
        "for i in 1 .. 2 loop end loop; "
        "case 1 when 2 then end case; end");
    EXPECT_THAT(fragments(read),
                ElementsAre("expression: f(1)", "expression: 'c'::pg_catalog.refcursor",
                            "query: select n", "expression: null", "expression: 1", "expression: 2",
                            "expression: 1", HasSubstr("IN (2)")));
    EXPECT_THAT(read.variables, ElementsAre("A b", "b", "c", "d", "i", "n"));
}

TEST(PlpgsqlBlockTest, GivesEveryExpressionOfControlStatements)
{
    EXPECT_THAT(
        fragments(block("declare x int; y int[]; begin "
                        "if a1 then null; elsif a2 then null; else perform a3; end if; "
                        "case when b1 then perform b2; else perform b3; end case; "
                        "loop exit when c1; continue when c2; end loop; "
                        "while d1 loop perform d2; end loop; "
                        "for i in e1 .. e2 by e3 loop perform e4; end loop; "
                        "foreach x in array f1 loop perform f2; end loop; "
                        "raise notice '%', g1 using hint = g2; assert h1, h2; "
                        "return i1; exception when others then perform j1; end")),
        ElementsAre("expression: a1", "expression: a2", "statement: SELECT a3", "expression: b1",
                    "statement: SELECT b2", "statement: SELECT b3", "expression: c1",
                    "expression: c2", "expression: d1", "statement: SELECT d2", "expression: e1",
                    "expression: e2", "expression: e3", "statement: SELECT e4", "expression: f1",
                    "statement: SELECT f2", "expression: g1", "expression: g2", "expression: h1",
                    "expression: h2", "expression: i1", "statement: SELECT j1"));
}

TEST(PlpgsqlBlockTest, KnowsCursors)
{
    const PlpgsqlBlock read = block(
        "declare b cursor (n int) for select n; u refcursor; r record; "
        "begin open b(f(1)); open u for select 2; "
        "for r in b(n := 3) loop end loop; end");
    EXPECT_THAT(fragments(read),
                ElementsAre("expression: 'b'::pg_catalog.refcursor", "query: select n",
                            "expression: f(1)", "query: select 2", "expression: 3 AS n"));
    EXPECT_FALSE(read.cursor);
    EXPECT_TRUE(block("declare u refcursor; r record; begin fetch u into r; end").cursor);
    EXPECT_TRUE(block("declare u refcursor; begin move u; end").cursor);
    EXPECT_TRUE(block("declare u refcursor; begin close u; end").cursor);
    EXPECT_THAT(
        fragments(block("declare u refcursor; r t; begin fetch absolute f(1) from u into r; end")),
        ElementsAre("expression: f(1)"));
}

TEST(PlpgsqlBlockTest, KnowsTransactions)
{
    EXPECT_TRUE(block("begin commit; end").transaction);
    EXPECT_TRUE(block("begin rollback and chain; end").transaction);
    EXPECT_FALSE(block("begin perform 1; end").transaction);
}

TEST(PlpgsqlBlockTest, ReadsWhatExecuteIsGivenAsALiteral)
{
    const PlpgsqlBlock read = block(
        "declare r t; c refcursor; begin "
        "execute 'a ''b''' into r using x; "
        "execute $q$ b $q$; "
        "for r in execute E'c\\x64' using y loop end loop; "
        "open c for execute 'e' using z; end");
    EXPECT_THAT(fragments(read),
                ElementsAre("expression: x", "executed: a 'b'", "executed:  b ", "expression: y",
                            "executed: cd", "expression: z", "executed: e"));
    EXPECT_FALSE(read.dynamic);
}

TEST(PlpgsqlBlockTest, AnyOtherTextOfExecuteIsDynamic)
{
    for (const std::string_view text : {"'a' || 'b'",
                                        "q",
                                        "format('a')",
                                        "'a'::text",
                                        "(select 'a')",
                                        "'a' from t",
                                        "'a' where true",
                                        "'a', 'b'",
                                        "1",
                                        "null",
                                        "distinct 'a'",
                                        "all 'a'",
                                        "'a' limit 1",
                                        "'a' offset 1",
                                        "'a' order by 1",
                                        "'a' union select 'b'",
                                        "'a' for update",
                                        "'a' group by 1",
                                        "'a' having true",
                                        "'a' window w as ()",
                                        "'a' into x",
                                        "b'1'"}) {
        const PlpgsqlBlock read =
            block("declare x text; begin execute " + std::string(text) + "; end");
        // "all" says nothing more, and INTO belongs to EXECUTE.
        if (text == "all 'a'" || text == "'a' into x")
            EXPECT_FALSE(read.dynamic) << text;
        else
            EXPECT_TRUE(read.dynamic || !read.problem.empty()) << text;
    }
}

TEST(PlpgsqlBlockTest, KnowsParameters)
{
    const PlpgsqlRoutine routine{
        .text =
            "declare c alias for $2; begin "
            "$1 := 1; a := 2; f.a := 3; $3.x := 4; r.x := 5; "
            "open k for select 1; c := 6; end",
        .name = "f",
        .parameters = {{"a", "int4"}, {"", "text"}, {"r", "record"}, {"k", "refcursor"}}};
    const PlpgsqlBlock read = read_plpgsql(routine);
    EXPECT_THAT(fragments(read),
                ElementsAre("assignment: $1 := 1", "assignment: a := 2", "assignment: f.a := 3",
                            "assignment: $3.x := 4", "assignment: r.x := 5", "query: select 1",
                            "assignment: c := 6"));
    EXPECT_THAT(read.variables, IsEmpty());
}

TEST(PlpgsqlBlockTest, KnowsWhatAFunctionReturns)
{
    EXPECT_THAT(
        fragments(read_plpgsql({.text = "begin return next x + 1; "
                                        "return query select 1; "
                                        "return query execute 'a' using y; end",
                                .returns_set = true})),
        ElementsAre("expression: x + 1", "query: select 1", "expression: y", "executed: a"));
    EXPECT_THAT(fragments(read_plpgsql({.text = "begin a := 1; return next; return; end",
                                        .parameters = {{"a", "int4"}},
                                        .returns_set = true,
                                        .has_output = true})),
                ElementsAre("assignment: a := 1"));
    EXPECT_THAT(block("begin return query select 1; end").problem, HasSubstr("non-SETOF"));
}

TEST(PlpgsqlBlockTest, KnowsTriggers)
{
    EXPECT_THAT(
        fragments(read_plpgsql({.text = "begin new.a := old.a; tg_op := 'x'; return new; "
                                        "end",
                                .trigger = PlpgsqlRoutine::Trigger::rows})),
        ElementsAre("assignment: new.a := old.a", "assignment: tg_op := 'x'", "expression: new"));
    EXPECT_THAT(fragments(read_plpgsql({.text = "begin tg_tag := tg_event; end",
                                        .trigger = PlpgsqlRoutine::Trigger::event})),
                ElementsAre("assignment: tg_tag := tg_event"));
    EXPECT_THAT(block("begin new.a := 1; end").problem, HasSubstr("not a known variable"));
}

TEST(PlpgsqlBlockTest, SaysWhyABlockCannotBeRead)
{
    EXPECT_THAT(block("").problem, HasSubstr("syntax error"));
    EXPECT_THAT(block("begin").problem, HasSubstr("syntax error"));
    EXPECT_THAT(block("delete from t").problem, HasSubstr("syntax error"));
    EXPECT_THAT(block("begin selec 1; end").problem, HasSubstr("syntax error"));
    EXPECT_THAT(block("begin if 1 + then null; end if; end").problem, HasSubstr("syntax error"));
    EXPECT_THAT(block("begin x := 1; end").problem, HasSubstr("not a known variable"));
    EXPECT_THAT(block("declare c int; begin open c for select 1; end").problem,
                HasSubstr("cursor"));
    EXPECT_THAT(block("begin exit nowhere; end").problem, HasSubstr("no label"));
    EXPECT_THAT(block("begin perform 'a; end").problem, HasSubstr("unterminated"));
    // A password may stand where the grammar stumbles.
    EXPECT_EQ(block("begin alter role x password 'secret' 'other'; end").problem, "syntax error");
}

TEST(PlpgsqlBlockTest, RefusesWhatIsTooLong)
{
    const std::string longer(PlpgsqlCompile::text_limit, ' ');
    EXPECT_THAT(block("begin end" + longer).problem, HasSubstr("longer than"));
    EXPECT_EQ(block("begin perform 1;" + longer.substr(100) + "end").problem, "");
}

void read_deep_blocks()
{
    EXPECT_EQ(block(repeated("begin ", 90) + repeated("end; ", 90)).problem, "");
    for (const int depth : {200, 2000, 20'000}) {
        EXPECT_NE(block(repeated("begin ", depth) + repeated("end; ", depth)).problem, "");
        EXPECT_NE(block("begin " + repeated("loop ", depth) + repeated("end loop; ", depth) + "end")
                      .problem,
                  "");
        EXPECT_NE(
            block("begin " + repeated("if a then ", depth) + repeated("end if; ", depth) + "end")
                .problem,
            "");
    }
    EXPECT_EQ(
        block("begin if a then null; " + repeated("elsif a then null; ", 5000) + "end if; end")
            .problem,
        "");
    EXPECT_EQ(block("begin " + repeated("null; ", 20'000) + "end").problem, "");
    EXPECT_EQ(block("begin " + repeated("/**/", 1900) + "end").problem, "");
    EXPECT_THAT(block("begin " + repeated("/**/", 30'000) + "end").problem, HasSubstr("comments"));
    EXPECT_THAT(block("begin " + repeated("--\n", 30'000) + "end").problem, HasSubstr("comments"));
    EXPECT_EQ(block("begin " + repeated("null; --a\n", 10'000) + "end").problem, "");
    EXPECT_NE(block("begin perform " + repeated("(", 100'000)).problem, "");
    EXPECT_NE(
        block("begin perform " + repeated("(", 50'000) + "1" + repeated(")", 50'000) + "; end")
            .problem,
        "");
}

TEST(PlpgsqlBlockTest, DeepTextsDoNotOverflowASmallStack)
{
    on_stack(small_stack, read_deep_blocks);
}

TEST(PlpgsqlBlockTest, ManyNamesTakeNoSquareTime)
{
    const auto filled = [](std::string text, std::string_view piece) {
        text += "begin ";
        while (text.size() < PlpgsqlCompile::text_limit - 40)
            text += piece;
        return text + "end";
    };
    std::string variables = "declare ";
    for (int i = 0; i < 900; ++i)
        variables += "v" + std::to_string(i) + " int;";
    EXPECT_EQ(block(filled(variables, "v0.x:=1;")).problem, "");
    for (int i = 900; i < 10'000; ++i)
        variables += "v" + std::to_string(i) + " int;";
    EXPECT_THAT(block(variables + "begin end").problem, HasSubstr("too many variables"));

    std::string fields = "declare r record; begin ";
    for (int i = 0; fields.size() < PlpgsqlCompile::text_limit - 40; ++i)
        fields += "r.f" + std::to_string(i) + ":=1;";
    EXPECT_EQ(block(fields + "end").problem, "");
}

// Bytes that are allocated and not freed.
std::size_t allocated()
{
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return __sanitizer_get_current_allocated_bytes();
#else
    return mallinfo2().uordblks;
#endif
#else
    return mallinfo2().uordblks;
#endif
}

TEST(PlpgsqlBlockTest, MemoryDoesNotGrow)
{
    const std::string good =
        "declare r record; begin for r in select * from t loop "
        "execute 'delete from t'; x := 1; end loop; end";
    const auto read = [&](int times) {
        for (int i = 0; i < times; ++i) {
            EXPECT_NE(block("declare x int; " + good.substr(0, good.size() - 1)).problem, "");
            EXPECT_EQ(block("declare x int; " + good.substr(8)).problem, "");
            EXPECT_NE(block("begin selec 1; end").problem, "");
        }
    };
    read(100);
    const std::size_t before = allocated();
    read(10'000);
    EXPECT_LT(allocated(), before + 10'000);
}

}  // namespace

}  // namespace sallyport::postgres
