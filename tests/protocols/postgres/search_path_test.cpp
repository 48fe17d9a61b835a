// search_path as a setting's value, and what becomes of it in a session.

#include "protocols/postgres/search_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::postgres {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

using Schemas = std::vector<std::string>;

TEST(ReadSearchPathTest, ReadsAListOfNames)
{
    EXPECT_THAT(read_search_path("public"), Optional(ElementsAre("public")));
    EXPECT_THAT(read_search_path(" App ,\tPUBLIC\n"), Optional(ElementsAre("app", "public")));
    EXPECT_THAT(read_search_path("\"App\", \"a\"\"b\" , \"x, y\""),
                Optional(ElementsAre("App", "a\"b", "x, y")));
    EXPECT_THAT(read_search_path("\"\""), Optional(ElementsAre("")));
    EXPECT_THAT(read_search_path(""), Optional(IsEmpty()));
    EXPECT_THAT(read_search_path("  "), Optional(IsEmpty()));
}

TEST(ReadSearchPathTest, RefusesWhatIsNone)
{
    for (const std::string_view value :
         {",", "a,", ",a", "a,,b", "a b", "\"a", "\"a\"\"", "\"a\"b", "a, "})
        EXPECT_EQ(read_search_path(value), std::nullopt) << value;
}

const SearchPath unknown{{}, false};

PathChange to(Schemas schemas, bool local = false)
{
    return {PathChange::To::value, std::move(schemas), local};
}

SearchPath path(Schemas schemas)
{
    return {std::move(schemas), true};
}

// A session whose answers come one by one.
class SessionPathTest : public testing::Test {
protected:
    void set(Schemas schemas, bool local = false) { change(to(std::move(schemas), local)); }
    void change(const PathChange& made)
    {
        session.begun();
        EXPECT_THAT(session.now(), Optional(unknown)) << "while it is under way";
        session.completed(made);
    }
    // ReadyForQuery inside a transaction, and outside.
    void within() { session.ready('T'); }
    void ready() { session.ready('I'); }
    void expect(const SearchPath& expected) { EXPECT_THAT(session.now(), Optional(expected)); }

    SessionPath session{Schemas{"login"}};
};

TEST_F(SessionPathTest, BeginsAsAtLogin)
{
    expect(path({"login"}));
    EXPECT_EQ(SessionPath().now(), std::nullopt);
}

TEST_F(SessionPathTest, ASetStays)
{
    const auto version = session.version();
    set({"a", "b"});
    ready();
    expect(path({"a", "b"}));
    EXPECT_NE(session.version(), version);
    const auto settled = session.version();
    ready();
    EXPECT_EQ(session.version(), settled);
}

TEST_F(SessionPathTest, AResetGoesBackToTheLogins)
{
    set({"a"});
    ready();
    change({PathChange::To::as_at_login, {}, false});
    ready();
    expect(path({"login"}));
}

TEST_F(SessionPathTest, AChangeToWhateverIsUnknown)
{
    change({PathChange::To::unknown, {}, false});
    ready();
    expect(unknown);
    set({"a"});
    ready();
    expect(path({"a"}));
}

TEST_F(SessionPathTest, ARefusedSetChangesNothing)
{
    session.begun();
    session.failed();
    session.came_to_nothing();
    ready();
    expect(path({"login"}));
}

TEST_F(SessionPathTest, ACommittedTransactionsSetStays)
{
    within();
    set({"a"});
    within();
    expect(path({"a"}));
    session.committed();
    ready();
    expect(path({"a"}));
}

TEST_F(SessionPathTest, ARolledBackTransactionsSetIsGone)
{
    within();
    set({"a"});
    within();
    set({"b"});
    within();
    expect(path({"b"}));
    session.rolled_back();
    ready();
    expect(path({"login"}));
}

TEST_F(SessionPathTest, SetLocalEndsWithItsTransaction)
{
    within();
    set({"a"}, true);
    within();
    expect(path({"a"}));
    session.committed();
    ready();
    expect(path({"login"}));
    // Outside of one it ends at once.
    set({"a"}, true);
    ready();
    expect(path({"login"}));
}

// One of them lasts, and the gateway does not count which.
TEST_F(SessionPathTest, SetAndSetLocalTogetherAreNotCertain)
{
    within();
    set({"a"});
    set({"b"}, true);
    within();
    session.committed();
    ready();
    expect(unknown);
}

TEST_F(SessionPathTest, AfterARollbackToASavepointASetIsNotBelieved)
{
    within();
    set({"a"});
    within();
    session.rolled_back_to_savepoint();
    within();
    expect(unknown);
    session.committed();
    ready();
    expect(unknown);
}

TEST_F(SessionPathTest, ARollbackToASavepointWithoutASetChangesNothing)
{
    within();
    session.rolled_back_to_savepoint();
    within();
    expect(path({"login"}));
    session.committed();
    ready();
    expect(path({"login"}));
}

TEST_F(SessionPathTest, ASetBehindARollbackToASavepointCounts)
{
    within();
    set({"a"});
    session.failed();
    session.ready('E');
    session.rolled_back_to_savepoint();
    within();
    set({"b"});
    within();
    session.committed();
    ready();
    expect(path({"b"}));
}

TEST_F(SessionPathTest, AFailedTransactionsSetIsGone)
{
    within();
    set({"a"});
    within();
    session.failed();
    session.ready('E');
    session.rolled_back();
    ready();
    expect(path({"login"}));
}

// Several statements in one message are one transaction, where none of them ends it.
TEST_F(SessionPathTest, AnErrorBehindASetInOneMessageUndoesIt)
{
    set({"a"});
    session.failed();
    ready();
    expect(path({"login"}));
}

TEST_F(SessionPathTest, AnEarlierErrorDoesNotUndoALaterSet)
{
    session.failed();
    ready();
    set({"a"});
    ready();
    expect(path({"a"}));
}

TEST_F(SessionPathTest, TransactionsWithinOneMessageCountOneByOne)
{
    // BEGIN; SET a; COMMIT; BEGIN; SET b; ROLLBACK
    set({"a"});
    session.committed();
    set({"b"});
    session.rolled_back();
    ready();
    expect(path({"a"}));
}

TEST_F(SessionPathTest, ARollbackOfNothingUndoesNothing)
{
    // BEGIN; SET a; COMMIT; ROLLBACK
    set({"a"});
    session.committed();
    session.rolled_back();
    ready();
    expect(path({"a"}));
}

TEST_F(SessionPathTest, WhatWasCommittedBeforeAnErrorStays)
{
    // SET a; COMMIT; SET login; SELECT 1/0
    set({"a"});
    session.committed();
    set({"login"});
    session.failed();
    ready();
    expect(path({"a"}));
}

TEST_F(SessionPathTest, ASetBehindARollbackInOneMessageStays)
{
    // BEGIN; SET a; ROLLBACK; SET b
    set({"a"});
    session.rolled_back();
    set({"b"});
    ready();
    expect(path({"b"}));
}

TEST_F(SessionPathTest, SeveralUnderWayAreUnknownUntilTheLast)
{
    session.begun();
    session.begun();
    session.completed(to({"a"}));
    expect(unknown);
    session.completed(to({"b"}));
    ready();
    expect(path({"b"}));
}

TEST_F(SessionPathTest, LostIsUnknownUntilItIsSetAgain)
{
    session.lost();
    ready();
    expect(unknown);
    set({"a"});
    ready();
    expect(path({"a"}));
}

TEST_F(SessionPathTest, LostInATransactionThatIsRolledBackIsAsBefore)
{
    within();
    session.lost();
    expect(unknown);
    session.rolled_back();
    ready();
    expect(path({"login"}));
}

// What nobody saw may have been set for longer than the transaction.
TEST_F(SessionPathTest, LostBehindASetLocalStaysLost)
{
    within();
    set({"a"}, true);
    session.lost();
    session.committed();
    ready();
    expect(unknown);
}

}  // namespace

}  // namespace sallyport::postgres
