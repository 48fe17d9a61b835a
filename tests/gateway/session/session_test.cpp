#include "gateway/session/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gateway/session/session_world.h"

namespace sallyport {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(SessionTest, RecordsItsOpeningBeforeItExists)
{
    SessionWorld world;
    const auto session = world.open();
    ASSERT_TRUE(session);
    ASSERT_THAT(world.journal.kept, SizeIs(1));
    EXPECT_EQ(world.journal.kept[0].kind, EventKind::session_opened);
    EXPECT_THAT(world.journal.kept[0].text, HasSubstr("\"actor\":\"alice\""));
    EXPECT_THAT(world.journal.synced_to, SizeIs(1));
}

TEST(SessionTest, RefusesWhomNoPolicyNamesLikeAConnectionThatIsNotThere)
{
    SessionWorld world;
    const auto eve = world.open("eve");
    const auto nowhere = world.open("alice", "nowhere");
    ASSERT_FALSE(eve);
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(eve.error().fault, Fault::refused);
    EXPECT_EQ(eve.error().detail, "connection \"db\" does not exist");
    EXPECT_EQ(nowhere.error().detail, "connection \"nowhere\" does not exist");
    EXPECT_EQ(world.journal.kept[0].kind, EventKind::login_refused);
    EXPECT_THAT(world.journal.kept[0].text, HasSubstr("no policy names this user"));
}

TEST(SessionTest, ReadsAreForwardedWithoutWaitingForTheDisk)
{
    SessionWorld world;
    const auto session = world.open();
    world.journal.synced_to.clear();
    auto exchange = (*session)->begin(SessionWorld::command(SessionWorld::look), {});
    ASSERT_TRUE(exchange);
    EXPECT_TRUE(run((*session)->permit_to_forward()));
    EXPECT_TRUE(run((*session)->permit_to_show()));
    EXPECT_THAT(world.journal.synced_to, IsEmpty());
}

TEST(SessionTest, EffectsWaitForTheDiskOnceAndBeforeTheyAreForwarded)
{
    SessionWorld world;
    const auto session = world.open();
    world.journal.synced_to.clear();
    auto exchange = (*session)->begin(SessionWorld::command(SessionWorld::change, "public.t"), {});
    ASSERT_TRUE(exchange);
    EXPECT_TRUE(run((*session)->permit_to_forward()));
    EXPECT_THAT(world.journal.synced_to, SizeIs(1));
    EXPECT_TRUE(run((*session)->permit_to_forward()));
    EXPECT_THAT(world.journal.synced_to, SizeIs(1));
}

TEST(SessionTest, StrictWaitsForTheDiskBeforeAReadIsShown)
{
    SessionWorld world(Durability::strict);
    const auto session = world.open();
    world.journal.synced_to.clear();
    auto exchange = (*session)->begin(SessionWorld::command(SessionWorld::look), {});
    EXPECT_TRUE(run((*session)->permit_to_forward()));
    EXPECT_THAT(world.journal.synced_to, IsEmpty());
    EXPECT_TRUE(run((*session)->permit_to_show()));
    EXPECT_THAT(world.journal.synced_to, SizeIs(1));
}

TEST(SessionTest, StoreWaitsForTheCommitOfReadsAndEffects)
{
    SessionWorld world(Durability::store);
    const auto session = world.open();
    world.journal.committed_to.clear();
    auto read = (*session)->begin(SessionWorld::command(SessionWorld::look), {});
    EXPECT_TRUE(run((*session)->permit_to_show()));
    EXPECT_THAT(world.journal.committed_to, SizeIs(1));
    auto effect = (*session)->begin(SessionWorld::command(SessionWorld::change, "public.t"), {});
    EXPECT_TRUE(run((*session)->permit_to_forward()));
    EXPECT_THAT(world.journal.committed_to, SizeIs(2));
    EXPECT_THAT(world.journal.synced_to, IsEmpty());
}

TEST(SessionTest, ARefusalIsRecordedAndSaysPolicyReasonRuleAndSession)
{
    SessionWorld world;
    const auto session = world.open();
    const auto refused =
        (*session)->begin(SessionWorld::command(SessionWorld::change, "public.keep"), {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::refused);
    EXPECT_EQ(refused.error().detail, "blocked by policy \"p\": kept for ever");
    EXPECT_THAT(refused.error().context, HasSubstr("rule p#2"));
    EXPECT_THAT(refused.error().context, HasSubstr(to_string((*session)->id())));
    ASSERT_THAT(world.journal.kept, SizeIs(3));
    EXPECT_EQ(world.journal.kept[1].decision, Decision::denied);
    EXPECT_THAT(refused.error().context, EndsWith("; command 2"));
    EXPECT_EQ(world.journal.kept[2].kind, EventKind::command_ended);
    EXPECT_EQ(world.journal.kept[2].command, 2U);
    EXPECT_FALSE(world.journal.kept[2].succeeded);
    EXPECT_EQ(world.journal.kept[2].text, refused.error().detail);
}

TEST(SessionTest, WhatNeedsAnApprovalIsHeldAndSaysSo)
{
    SessionWorld world;
    const auto session = world.open();
    const auto held =
        (*session)->begin(SessionWorld::command(SessionWorld::change, "public.ask"), {});
    ASSERT_FALSE(held);
    EXPECT_THAT(held.error().detail, HasSubstr("needs an approval"));
    ASSERT_THAT(world.journal.kept, SizeIs(3));
    EXPECT_EQ(world.journal.kept[1].decision, Decision::held);
    EXPECT_EQ(world.journal.kept[2].text, held.error().detail);
}

TEST(SessionTest, WhatNoRuleAllowsIsDenied)
{
    SessionWorld world;
    const auto session = world.open();
    EXPECT_FALSE((*session)->begin(SessionWorld::command(SessionWorld::obscure), {}));
    EXPECT_FALSE((*session)->allows(SessionWorld::command(SessionWorld::obscure)));
    EXPECT_TRUE((*session)->allows(SessionWorld::command(SessionWorld::look)));
}

TEST(SessionTest, AFailureToRecordEndsEverythingAndLeavesNoHoleInTheNumbers)
{
    SessionWorld world;
    const auto session = world.open();
    world.journal.full = true;
    const auto lost = (*session)->begin(SessionWorld::command(SessionWorld::look), {});
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().fault, Fault::unrecorded);
    EXPECT_FALSE(run((*session)->permit_to_forward()));
    EXPECT_FALSE(run((*session)->permit_to_show()));
    world.journal.full = false;
    EXPECT_FALSE((*session)->begin(SessionWorld::command(SessionWorld::look), {}));
    (*session)->close("full");
    EXPECT_EQ(world.journal.kept.back().number, 2U);
}

TEST(SessionTest, AFailedSyncForwardsNothing)
{
    SessionWorld world;
    const auto session = world.open();
    world.journal.sync_fails = true;
    auto exchange = (*session)->begin(SessionWorld::command(SessionWorld::change, "public.t"), {});
    EXPECT_FALSE(run((*session)->permit_to_forward()));
}

TEST(SessionTest, RefusesNewCommandsWhileTheStoreIsTooFarBehind)
{
    SessionWorld world;
    const auto session = world.open();
    world.journal.backlogged = true;
    const auto refused = (*session)->begin(SessionWorld::command(SessionWorld::look), {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::unavailable);
    world.journal.backlogged = false;
    EXPECT_TRUE((*session)->begin(SessionWorld::command(SessionWorld::look), {}));
}

TEST(SessionTest, PlansMasksBySourceAndHidesWhatCannotBeTraced)
{
    SessionWorld world;
    const auto session = world.open();
    const std::vector<Column> columns = {{.label = "id", .sources = {"public.users.id"}},
                                         {.label = "e", .sources = {"public.users.email"}},
                                         {.label = "u", .sources = {}, .traced = false},
                                         {.label = "one", .sources = {}}};
    const auto plan = (*session)->plan(columns);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->action(0), nullptr);
    EXPECT_NE(plan->action(1), nullptr);
    EXPECT_NE(plan->action(2), nullptr);
    EXPECT_EQ(plan->action(3), nullptr);
    EXPECT_FALSE(plan->hides_nothing());
}

// Of what was made of a value the end could be the beginning.
TEST(SessionTest, NothingIsKeptOfWhatWasMadeOfAMaskedValue)
{
    for (const MaskAction::Kind kind :
         {MaskAction::Kind::keep_last, MaskAction::Kind::keep_first, MaskAction::Kind::hash}) {
        SessionWorld world(Durability::standard, {.kind = kind, .keep = 4, .text = {}, .rule = {}});
        const auto session = world.open();
        const std::vector<Column> columns = {
            {.label = "e", .sources = {"public.users.email"}},
            {.label = "reverse", .sources = {"public.users.email"}, .made = true},
        };
        const auto plan = (*session)->plan(columns);
        ASSERT_TRUE(plan);
        EXPECT_EQ(plan->action(0)->kind, kind);
        EXPECT_EQ(plan->action(1)->kind,
                  kind == MaskAction::Kind::hash ? kind : MaskAction::Kind::redact);
    }
}

TEST(ExchangeTest, RecordsWhatWasShownWithItsOutcome)
{
    SessionWorld world;
    const auto session = world.open();
    auto exchange = (*session)->begin(SessionWorld::command(SessionWorld::look), {});
    exchange->shown(bytes_of("abc"));
    exchange->count_rows(1);
    exchange->finish({true, "SELECT 1"});
    const auto& ended = world.journal.kept.back();
    EXPECT_EQ(ended.kind, EventKind::command_ended);
    EXPECT_EQ(ended.payload, "abc");
    EXPECT_EQ(ended.text, "SELECT 1");
    EXPECT_EQ(ended.rows, 1U);
    EXPECT_TRUE(ended.succeeded);
    EXPECT_FALSE(ended.digested);
}

TEST(ExchangeTest, KeepsAMebibyteAndCountsAndDigestsTheRest)
{
    SessionWorld world;
    const auto session = world.open();
    auto exchange = (*session)->begin(SessionWorld::command(SessionWorld::look), {});
    const std::string large((std::size_t{1} << 20) + 10, 'x');
    exchange->shown(bytes_of(large));
    EXPECT_TRUE(run((*session)->permit_to_show()));
    EXPECT_EQ(world.journal.kept.back().payload.size(), std::size_t{1} << 20);
    exchange->finish({true, "SELECT 1"});
    EXPECT_EQ(world.journal.kept.back().bytes_left_out, 10U);
    EXPECT_TRUE(world.journal.kept.back().digested);
}

TEST(ExchangeTest, CountsInputThatMayHoldMaskedValuesWithoutKeepingIt)
{
    SessionWorld world;
    const auto session = world.open();
    auto exchange = (*session)->begin(SessionWorld::command(SessionWorld::change, "public.t"), {});
    const std::size_t before = world.journal.kept.size();
    exchange->sent_unseen(bytes_of("secret"));
    EXPECT_EQ(world.journal.kept.size(), before);
    exchange->sent(bytes_of("plain"));
    EXPECT_EQ(world.journal.kept.back().payload, "plain");
    exchange->finish({true, "COPY 1"});
    EXPECT_EQ(world.journal.kept.back().bytes_left_out, 6U);
}

TEST(ExchangeTest, IsRecordedAsAbandonedWhereItIsDropped)
{
    SessionWorld world;
    const auto session = world.open();
    {
        auto exchange = (*session)->begin(SessionWorld::command(SessionWorld::look), {});
        ASSERT_TRUE(exchange);
    }
    EXPECT_EQ(world.journal.kept.back().text, "abandoned");
    EXPECT_FALSE(world.journal.kept.back().succeeded);
}

TEST(ExchangeTest, OutputOfTwoCommandsInOneBatchStaysApart)
{
    SessionWorld world;
    const auto session = world.open();
    auto first = (*session)->begin(SessionWorld::command(SessionWorld::look), {});
    auto second = (*session)->begin(SessionWorld::command(SessionWorld::look), {});
    first->shown(bytes_of("one"));
    first->finish({true, "A"});
    second->shown(bytes_of("two"));
    second->finish({true, "B"});
    const auto& kept = world.journal.kept;
    EXPECT_EQ(kept[kept.size() - 2].payload, "one");
    EXPECT_EQ(kept[kept.size() - 1].payload, "two");
}

}  // namespace
}  // namespace sallyport
