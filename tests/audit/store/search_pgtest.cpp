// Reading back: filters, and every alteration noticed.

#include <gmock/gmock.h>

#include "audit/store/frame.h"
#include "audit/store/search.h"
#include "tests/audit/store/store_fixture.h"

namespace sallyport {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class SearchTest : public StoreTest {
protected:
    StoreReader reader()
    {
        auto opened = StoreReader::open(dsn);
        if (!opened)
            throw std::runtime_error(opened.error().detail);
        return std::move(*opened);
    }

    Uuid session_of(const std::string& user, const std::string& connection, std::int64_t time_ms,
                    const std::string& command)
    {
        Event opened{.kind = EventKind::session_opened};
        opened.session = make_uuid_v7(std::chrono::system_clock::now());
        opened.number = 1;
        opened.time_ms = time_ms;
        opened.protocol = "postgres";
        const std::string text =
            R"({"actor":")" + user + R"(","connection":")" + connection + R"(","peer":"10.0.0.9"})";
        opened.text = text;
        append(opened);
        Event decided{.kind = EventKind::command_decided};
        decided.session = opened.session;
        decided.number = 2;
        decided.time_ms = time_ms;
        decided.decision = Decision::held;
        decided.text = command;
        append(decided);
        return opened.session;
    }

    std::int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
};

TEST_F(SearchTest, FindsSessionsByEveryField)
{
    auto shipper = start_shipper();
    const Uuid first = session_of("alice", "features", now, "SELECT Ranking");
    const Uuid second = session_of("bob", "features", now + 1, "drop table users");
    const Uuid third = session_of("alice", "billing", now + 2, "select ranking");
    stop(shipper);

    StoreReader store = reader();
    const auto found = [&](const SessionFilter& filter) {
        std::vector<Uuid> ids;
        const auto sessions = store.sessions(filter);
        EXPECT_TRUE(sessions) << (sessions ? "" : sessions.error().detail);
        for (const SessionSummary& session : *sessions)
            ids.push_back(session.id);
        return ids;
    };
    using Ids = std::vector<Uuid>;
    EXPECT_EQ(found({}), (Ids{third, second, first}));
    EXPECT_EQ(found({.limit = 2}), (Ids{third, second}));
    EXPECT_EQ(found({.user = "alice"}), (Ids{third, first}));
    EXPECT_EQ(found({.user = "alice", .connection = "features"}), Ids{first});
    EXPECT_EQ(found({.since_ms = now + 1}), (Ids{third, second}));
    EXPECT_EQ(found({.since_ms = now, .until_ms = now + 2}), (Ids{second, first}));
    EXPECT_EQ(found({.text = "RANKING"}), (Ids{third, first}));
    EXPECT_EQ(found({.text = "ranking", .limit = 1}), Ids{third});
    EXPECT_EQ(found({.user = "x' OR true --"}), Ids{});

    const SessionSummary one = store.session(second).value();
    EXPECT_EQ(one.user, "bob");
    EXPECT_EQ(one.connection, "features");
    EXPECT_EQ(one.address, "10.0.0.9");
    EXPECT_EQ(one.protocol, "postgres");
    EXPECT_EQ(one.gateway, "gw-test");
    EXPECT_EQ(one.started_ms, now + 1);
    EXPECT_EQ(one.status, SessionStatus::open);
    EXPECT_EQ(one.commands, 1U);
    EXPECT_EQ(one.held, 1U);
}

TEST_F(SearchTest, SaysWhenThereIsNoSuchSession)
{
    auto shipper = start_shipper();
    stop(shipper);
    StoreReader store = reader();
    EXPECT_EQ(store.session(Uuid{}).error().fault, Fault::refused);
    EXPECT_EQ(store.session_events(Uuid{}).error().fault, Fault::refused);
}

TEST_F(SearchTest, SaysWhenThereAreNoRecordsYet)
{
    const auto opened = StoreReader::open(dsn);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().detail, HasSubstr("must have been started"));
}

TEST_F(SearchTest, NoticesEveryAlteration)
{
    auto shipper = start_shipper();
    const Uuid session = write_session(450);
    write_close(session, 902);
    stop(shipper);
    ASSERT_EQ(events_of(session).size(), 902U);

    // What only a superuser who disables the triggers can do.
    const std::string free_hands =
        "ALTER TABLE audit.frame DISABLE TRIGGER ro_row; "
        "ALTER TABLE audit.part DISABLE TRIGGER ro_row; ";
    const std::string of_session = " session_id = '" + to_string(session) + "'";
    const std::string alterations[] = {
        "DELETE FROM audit.frame WHERE first_n = 1 AND" + of_session,
        "DELETE FROM audit.frame WHERE first_n BETWEEN 2 AND 500 AND" + of_session,
        "UPDATE audit.frame SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'denied', "
        "'allowed'), 'UTF8') "
        "WHERE first_n < 500 AND" +
            of_session,
        "UPDATE audit.frame SET session_id = session_id, leaf = 'x' WHERE first_n > 700 AND" +
            of_session,
        "UPDATE audit.part SET salt = set_byte(salt, 0, get_byte(salt, 0) # 1) WHERE class = "
        "'masked'",
        "UPDATE audit.part SET data = set_byte(data, 300, get_byte(data, 300) # 255) WHERE class = "
        "'masked'",
        "UPDATE audit.part SET codec = 7 WHERE class = 'masked'"};
    for (const std::string& alteration : alterations) {
        auto store = connect();
        ASSERT_TRUE(
            store.execute("CREATE TABLE kept_frame AS SELECT * FROM audit.frame; "
                          "CREATE TABLE kept_part AS SELECT * FROM audit.part",
                          in_seconds(10)));
        const auto altered = store.execute(free_hands + alteration, in_seconds(10));
        ASSERT_TRUE(altered) << altered.error().detail;
        StoreReader again = reader();
        const auto events = again.session_events(session);
        ASSERT_FALSE(events) << alteration;
        EXPECT_EQ(events.error().fault, Fault::unrecorded) << alteration;
        EXPECT_THAT(events.error().detail, HasSubstr(to_string(session)));
        ASSERT_TRUE(store.execute(free_hands + "DELETE FROM audit.frame; DELETE FROM audit.part; "
                                               "INSERT INTO audit.frame SELECT * FROM kept_frame; "
                                               "INSERT INTO audit.part SELECT * FROM kept_part; "
                                               "DROP TABLE kept_frame, kept_part",
                                  in_seconds(10)));
        ASSERT_EQ(events_of(session).size(), 902U);
    }
}

TEST_F(SearchTest, ShowsTheSkeletonWherePartsWereErased)
{
    auto shipper = start_shipper();
    const Uuid session = write_session(3);
    write_close(session, 8);
    stop(shipper);
    ASSERT_TRUE(
        connect().execute("ALTER TABLE audit.part DISABLE TRIGGER ro_row; "
                          "DELETE FROM audit.part WHERE class = 'identity'",
                          in_seconds(5)));
    const auto events = events_of(session);
    ASSERT_THAT(events, SizeIs(8));
    EXPECT_TRUE(events[0].erased);
    EXPECT_EQ(events[0].text, "");
    EXPECT_FALSE(events[1].erased);
    EXPECT_THAT(events[1].text, HasSubstr("SELECT"));
}

}  // namespace
}  // namespace sallyport
