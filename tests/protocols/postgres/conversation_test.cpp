#include "protocols/postgres/conversation.h"

#include <gtest/gtest.h>
#include <vector>

#include "tests/protocols/postgres/sample_names.h"

namespace sallyport::postgres {
namespace {

Step step(StepKind kind, std::string name = {})
{
    Step made;
    made.kind = kind;
    made.name = std::move(name);
    if (kind == StepKind::parse) {
        made.prepared = std::make_shared<Prepared>();
        made.prepared->sql = read_sql("select 1", no_names());
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

}  // namespace
}  // namespace sallyport::postgres
