#include "protocols/postgres/conversation.h"

#include <gtest/gtest.h>
#include <vector>

#include "protocols/postgres/catalogue.h"

namespace sallyport::postgres {
namespace {

Step step(StepKind kind, std::string name = {})
{
    Step made;
    made.kind = kind;
    made.name = std::move(name);
    if (kind == StepKind::parse) {
        made.prepared = std::make_shared<Prepared>();
        made.prepared->sql = read_sql("select 1", {});
    }
    return made;
}

TEST(ConversationTest, AnErrorSkipsEverythingUpToSync)
{
    Conversation conversation;
    conversation.push(step(StepKind::parse));
    conversation.push(step(StepKind::bind));
    conversation.push(step(StepKind::execute));
    conversation.push(step(StepKind::sync));
    conversation.push(step(StepKind::query));
    conversation.skip_to_sync();
    ASSERT_EQ(conversation.size(), 2U);
    EXPECT_EQ(conversation.front()->kind, StepKind::sync);
}

TEST(ConversationTest, WhatComesBeforeASyncStillToBeSentIsSkippedToo)
{
    Conversation conversation;
    conversation.push(step(StepKind::parse));
    conversation.skip_to_sync();
    conversation.push(step(StepKind::query));
    conversation.push(step(StepKind::bind));
    EXPECT_TRUE(conversation.empty());
    conversation.push(step(StepKind::sync));
    conversation.push(step(StepKind::query));
    EXPECT_EQ(conversation.size(), 2U);
}

TEST(ConversationTest, ASyncInsideACopyIsAnsweredByNothing)
{
    Conversation conversation;
    conversation.push(step(StepKind::execute));
    conversation.push(step(StepKind::sync));
    conversation.data_sent();
    conversation.push(step(StepKind::sync));
    conversation.front()->copying_in = true;
    conversation.drop_swallowed_syncs();
    ASSERT_EQ(conversation.size(), 2U);
    EXPECT_FALSE(conversation.second()->before_data);
}

TEST(ConversationTest, AStatementIsItsNewTextOnlyWhereTheServerTookIt)
{
    Conversation conversation;
    conversation.push(step(StepKind::parse, "s"));
    const auto first = conversation.statements.find("s");
    EXPECT_NE(first, nullptr);
    EXPECT_FALSE(conversation.statements.uncertain("s"));
    conversation.pop(true);
    conversation.push(step(StepKind::parse, "s"));
    EXPECT_TRUE(conversation.statements.uncertain("s"));
    conversation.pop(false);
    EXPECT_EQ(conversation.statements.find("s"), first);
}

TEST(ConversationTest, ThousandsOfMeaningsUnderWaySettleInTheirOrder)
{
    Conversation conversation;
    std::vector<std::shared_ptr<const Prepared>> given;
    for (int i = 0; i < 5000; ++i) {
        Step parse = step(StepKind::parse, "s");
        given.push_back(parse.prepared);
        conversation.push(std::move(parse));
        EXPECT_EQ(conversation.statements.find("s"), given.back());
    }
    // The last two fail: the name keeps the meaning of the newest that was taken.
    for (std::size_t i = 0; i < given.size(); ++i)
        conversation.pop(i + 2 < given.size());
    EXPECT_EQ(conversation.statements.find("s"), given[given.size() - 3]);
    EXPECT_FALSE(conversation.statements.uncertain("s"));
}

TEST(ConversationTest, AFailedParseOfTheUnnamedStatementLeavesNone)
{
    Conversation conversation;
    conversation.push(step(StepKind::parse));
    conversation.pop(true);
    EXPECT_NE(conversation.statements.find(""), nullptr);
    conversation.push(step(StepKind::parse));
    conversation.pop(false);
    EXPECT_EQ(conversation.statements.find(""), nullptr);
}

TEST(ConversationTest, AClosedStatementIsGone)
{
    Conversation conversation;
    conversation.push(step(StepKind::parse, "s"));
    conversation.pop(true);
    Step close = step(StepKind::close, "s");
    close.names_statement = true;
    conversation.push(std::move(close));
    EXPECT_TRUE(conversation.statements.uncertain("s"));
    conversation.pop(true);
    EXPECT_EQ(conversation.statements.find("s"), nullptr);
}

CatalogueRelation relation(std::uint32_t oid, std::string name, std::vector<std::string> columns)
{
    CatalogueRelation made;
    made.oid = oid;
    made.schema = "public";
    made.name = std::move(name);
    made.types.assign(columns.size(), 25);
    made.columns = std::move(columns);
    return made;
}

Catalogue sample()
{
    CatalogueRelation child = relation(2, "users_2026", {"email", "id"});
    child.parents = {1};
    CatalogueRelation view = relation(3, "contacts", {"number", "address"});
    view.view = true;
    view.origins = {{1, 1}, {0, 0}};
    view.reads = {{1, 1}, {1, 2}};
    return Catalogue({relation(1, "users", {"id", "email"}), child, view});
}

TEST(CatalogueTest, FollowsParentsByNameAndViewsByOrigin)
{
    const Catalogue catalogue = sample();
    using Names = std::vector<std::string>;
    EXPECT_EQ(catalogue.sources(1, 2), Names{"public.users.email"});
    EXPECT_EQ(catalogue.sources(2, 1), (Names{"public.users.email", "public.users_2026.email"}));
    EXPECT_EQ(catalogue.sources(3, 1), (Names{"public.contacts.number", "public.users.id"}));
    EXPECT_EQ(catalogue.sources(3, 2),
              (Names{"public.contacts.address", "public.users.email", "public.users.id"}));
    EXPECT_TRUE(catalogue.sources(9, 1).empty());
    EXPECT_TRUE(catalogue.sources(1, 3).empty());
}

TEST(SensitiveNamesTest, KnowsWhatAStatementCouldTouch)
{
    auto key = std::make_shared<MaskKey>();
    key->bytes.assign(32, 'k');
    MaskRules::Rule rule;
    rule.columns = {"users.email"};
    const MaskRules rules({rule}, MaskRules::Untraceable::mask, key);
    const SensitiveNames names(sample(), rules);
    const auto touched = [&names](std::string_view text) {
        return names.touched_by(read_sql(text, {})->statements().at(0).mentions);
    };
    EXPECT_TRUE(touched("select upper(email) from users"));
    EXPECT_TRUE(touched("select * from users union select * from users"));
    EXPECT_TRUE(touched("select row_to_json(u) from users u"));
    EXPECT_TRUE(touched("select address || 'x' from contacts"));
    EXPECT_TRUE(touched("select most_common_vals::text from pg_stats"));
    EXPECT_FALSE(touched("select count(*) from users"));
    EXPECT_FALSE(touched("select id + 1 from users"));
    EXPECT_FALSE(touched("select email || 'x' from elsewhere"));
}

}  // namespace
}  // namespace sallyport::postgres
