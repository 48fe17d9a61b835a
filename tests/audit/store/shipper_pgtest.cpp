// Journal to store: once, in order, whatever breaks.

#include <cstdio>
#include <fstream>
#include <gmock/gmock.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include "audit/store/shipper.h"
#include "tests/audit/store/store_fixture.h"

namespace sallyport {
namespace {

using testing::HasSubstr;

using ShipperTest = StoreTest;

TEST_F(ShipperTest, BringsEveryEventOfASessionIntoTheStore)
{
    auto shipper = start_shipper();
    const Uuid session = write_session(500);
    write_close(session, 1002);
    stop(shipper);

    const auto events = events_of(session);
    ASSERT_EQ(events.size(), 1002U);
    EXPECT_EQ(events[0].kind, EventKind::session_opened);
    EXPECT_EQ(events[0].policy, "sha256:00");
    EXPECT_THAT(events[0].text, HasSubstr("alice"));
    EXPECT_EQ(events[1].text, "SELECT abalance FROM pgbench_accounts WHERE aid = 2;");
    EXPECT_EQ(events[1001].text, "the client left");
    expect_contiguous_writers();

    EXPECT_EQ(ask("SELECT actor || ' ' || target || ' ' || status || ' ' || n_cmd || ' ' || "
                  "n_denied || ' ' || "
                  "n_rows || ' ' || masked_values || ' ' || bytes_out FROM proj.session"),
              "alice featurestore closed 500 50 500 1000 28500");
}

TEST_F(ShipperTest, LosesAndDoublesNothingWhenTheConnectionBreaksAtAnyStep)
{
    for (const ShipmentStep step : {ShipmentStep::begun, ShipmentStep::copied,
                                    ShipmentStep::projected, ShipmentStep::committed}) {
        std::atomic<int> strikes = 0;
        auto shipper =
            start_shipper([&](ShipmentStep at) { return at != step || ++strikes % 2 == 0; });
        const Uuid session = write_session(100);
        write_close(session, 202);
        stop(shipper);
        EXPECT_GT(strikes, 0);
        EXPECT_EQ(events_of(session).size(), 202U);
        EXPECT_EQ(
            ask("SELECT n_cmd FROM proj.session WHERE session_id = '" + to_string(session) + "'"),
            "100");
    }
    expect_contiguous_writers();
}

TEST_F(ShipperTest, LosesAndDoublesNothingWhenTheServerEndsItsConnection)
{
    auto killer = connect();
    for (const ShipmentStep step :
         {ShipmentStep::begun, ShipmentStep::copied, ShipmentStep::projected}) {
        std::atomic<bool> struck = false;
        auto shipper = start_shipper([&](ShipmentStep at) {
            if (at == step && !struck.exchange(true))
                EXPECT_TRUE(
                    killer.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                                   "pid <> pg_backend_pid() AND datname = current_database()",
                                   in_seconds(10)));
            return true;
        });
        const Uuid session = write_session(100);
        write_close(session, 202);
        stop(shipper);
        EXPECT_TRUE(struck);
        EXPECT_EQ(events_of(session).size(), 202U);
    }
    expect_contiguous_writers();
}

// The process dies after a transaction, before its journal knows; what is left is shipped by the
// next start, which closes what was open.
TEST_F(ShipperTest, FinishesWhatAnEarlierStartLeft)
{
    for (const ShipmentStep step :
         {ShipmentStep::begun, ShipmentStep::projected, ShipmentStep::committed}) {
        open_journal();
        std::atomic<bool> dying = false;
        auto shipper = start_shipper([&](ShipmentStep at) { return !dying || at != step; });
        const Uuid open = write_session(30);
        while (journal->committed_up_to() < journal->written())
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        dying = true;
        write_commands(open, 62, 40);
        const Uuid closed = write_session(5);
        write_close(closed, 12);
        shipper->stop(std::chrono::steady_clock::now() + std::chrono::milliseconds(200));
        shipper.reset();

        open_journal();
        shipper = start_shipper();
        stop(shipper);
        const auto events = events_of(open);
        ASSERT_EQ(events.size(), 142U);
        EXPECT_EQ(events.back().kind, EventKind::session_aborted);
        EXPECT_EQ(events_of(closed).size(), 12U);
        EXPECT_EQ(ask("SELECT status || n_cmd FROM proj.session WHERE session_id = '" +
                      to_string(open) + "'"),
                  "aborted70");
        EXPECT_EQ(
            ask("SELECT status FROM proj.session WHERE session_id = '" + to_string(closed) + "'"),
            "closed");
    }
    expect_contiguous_writers();
    EXPECT_THAT(ask("SELECT string_agg(convert_from(leaf, 'UTF8'), ' ') FROM audit.frame WHERE "
                    "session_id IS NULL"),
                HasSubstr("\"k\":\"gateway.lost\""));
}

TEST_F(ShipperTest, SaysNothingIsLostAfterAnOrderlyStop)
{
    for (int start = 0; start < 3; ++start) {
        open_journal();
        auto shipper = start_shipper();
        append(Event{.kind = EventKind::gateway_started, .text = "0.1.0"});
        append(Event{.kind = EventKind::gateway_stopped});
        stop(shipper);
    }
    EXPECT_EQ(ask("SELECT count(*) FROM audit.frame WHERE convert_from(leaf, 'UTF8') LIKE "
                  "'%gateway.lost%'"),
              "0");
    EXPECT_EQ(ask("SELECT count(*) FROM audit.frame WHERE convert_from(leaf, 'UTF8') LIKE "
                  "'%gateway.stop%'"),
              "3");
    EXPECT_EQ(ask("SELECT count(*) FROM audit.writer"), "3");
}

TEST_F(ShipperTest, CountsFromTheBeginningInANewJournal)
{
    auto shipper = start_shipper();
    const Uuid before = write_session(100);
    write_close(before, 202);
    stop(shipper);
    journal.reset();
    std::filesystem::remove_all(folder.path() + "/journal");

    shipper = start_shipper();
    const Uuid after = write_session(3);
    write_close(after, 8);
    stop(shipper);
    EXPECT_EQ(events_of(before).size(), 202U);
    EXPECT_EQ(events_of(after).size(), 8U);
}

TEST_F(ShipperTest, TakesEventsAtPositionsThatTheStoreHasSeen)
{
    // The machine lost power: the store is ahead of the disk.
    auto shipper = start_shipper();
    stop(shipper);
    const Position before = journal->written();
    std::filesystem::copy(folder.path() + "/journal", folder.path() + "/kept",
                          std::filesystem::copy_options::recursive);
    shipper = start_shipper();
    const Uuid lost = write_session(50);
    stop(shipper);
    journal.reset();
    std::filesystem::remove_all(folder.path() + "/journal");
    std::filesystem::rename(folder.path() + "/kept", folder.path() + "/journal");

    open_journal();
    ASSERT_EQ(journal->written(), before);
    shipper = start_shipper();
    const Uuid after = write_session(20);
    write_close(after, 42);
    stop(shipper);
    EXPECT_EQ(events_of(lost).size(), 102U);
    EXPECT_EQ(events_of(lost).back().kind, EventKind::session_aborted);
    EXPECT_EQ(events_of(after).size(), 42U);
}

TEST_F(ShipperTest, StoresHostileBytes)
{
    auto shipper = start_shipper();
    std::string every;
    for (int octet = 0; octet < 256; ++octet)
        every += static_cast<char>(octet);
    const std::string huge(100000, 'u');
    std::vector<Uuid> sessions;
    for (const std::string& text :
         {R"({"actor":"a\u0000b\ud800","connection":"\u0007","peer":""})" + std::string(),
          std::string("{\"actor\":\"") + huge + "\",\"connection\":\"" + huge + "\"}", every,
          std::string("{\"actor\":\"\xFF\xC0\",\"connection\":\"x\"}"),
          std::string("{\"actor\":7}"),
          std::string(R"({"actor":"{\"a\",NULL}\\","connection":"\"\\,{}"})"), std::string()}) {
        Event opened{.kind = EventKind::session_opened};
        opened.session = make_uuid_v7(std::chrono::system_clock::now());
        opened.number = 1;
        opened.time_ms = sessions.size() % 2 == 0 ? 0x7FFFFFFFFFFFFFFF : -0x7FFFFFFFFFFFFFFF;
        opened.text = text;
        opened.protocol = every;
        append(opened);
        Event decided{.kind = EventKind::command_decided};
        decided.session = opened.session;
        decided.number = 2;
        decided.text = every;
        decided.classes = every;
        decided.rule = every;
        const Bytes pieces[] = {bytes_of(every), bytes_of(huge)};
        decided.payload = pieces;
        append(decided);
        write_close(opened.session, 3);
        sessions.push_back(opened.session);
    }
    stop(shipper);
    for (const Uuid& session : sessions) {
        const auto events = events_of(session);
        ASSERT_EQ(events.size(), 3U);
        EXPECT_EQ(events[1].text, every);
        EXPECT_EQ(events[1].payload, every + huge);
    }
    EXPECT_EQ(ask(R"(SELECT target FROM proj.session WHERE actor = '{"a",NULL}\')"), R"("\,{})");
}

TEST_F(ShipperTest, SaysWhenTheStoreCannotBeReached)
{
    dsn = "host='" + folder.path() + "' user=nobody dbname=nothing";
    auto shipper = make_shipper();
    const auto shipped =
        shipper->ship_backlog(std::chrono::steady_clock::now() + std::chrono::milliseconds(200));
    ASSERT_FALSE(shipped);
    EXPECT_EQ(shipped.error().fault, Fault::unavailable);
    EXPECT_THAT(shipped.error().detail, HasSubstr(folder.path()));
    EXPECT_FALSE(shipper->store_reached());
}

TEST_F(ShipperTest, LetsOnlyOneGatewayOfANameWrite)
{
    auto shipper = start_shipper();
    TempFolder other;
    auto opened = JournalFile::open(other.path() + "/journal", {});
    ASSERT_TRUE(opened);
    Shipper second(**opened, Secret(dsn),
                   {.gateway = "gw-test", .journal_directory = other.path() + "/journal"});
    const auto refused = second.ship_backlog(in_seconds(5));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, HasSubstr("another gateway named \"gw-test\""));
    Shipper third(**opened, Secret(dsn),
                  {.gateway = "gw-other", .journal_directory = other.path() + "/journal"});
    EXPECT_TRUE(third.ship_backlog(in_seconds(10)));
    stop(shipper);
}

TEST_F(ShipperTest, HasEverythingInTheStoreWithinASecond)
{
    if (!journal)
        open_journal();
    Shipper shipper(*journal, Secret(dsn),
                    {.gateway = "gw-test", .journal_directory = folder.path() + "/journal"});
    ASSERT_TRUE(shipper.ship_backlog(in_seconds(30)));
    shipper.start();
    for (int round = 0; round < 3; ++round) {
        const auto began = std::chrono::steady_clock::now();
        write_session(10);
        while (journal->committed_up_to() < journal->written())
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        const auto took = std::chrono::steady_clock::now() - began;
        // A loaded test machine is given some grace.
        EXPECT_LT(took, std::chrono::seconds(3));
        std::printf("in the store after %lld ms\n",
                    static_cast<long long>(
                        std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
    }
    shipper.stop(in_seconds(30));
}

double cpu_seconds(int who)
{
    rusage usage{};
    getrusage(who, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// Of the server process at the other end of the shipper's connection.
double server_cpu_seconds(const std::string& pid)
{
    std::ifstream file("/proc/" + pid + "/stat");
    std::string word;
    double ticks = 0;
    for (int field = 1; field <= 15 && file >> word; ++field) {
        if (field >= 14)
            ticks += std::stod(word);
    }
    return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

TEST_F(ShipperTest, ShipsTwoHundredThousandEvents)
{
    {
        auto first = start_shipper();  // the schema is made only once
        stop(first);
    }
    spdlog::set_level(spdlog::level::warn);
    std::vector<Uuid> sessions;
    for (int i = 0; i < 64; ++i)
        sessions.push_back(write_session(0));
    constexpr std::uint32_t rounds = 80;
    for (std::uint32_t round = 0; round < rounds; ++round) {
        for (const Uuid& session : sessions)
            write_commands(session, 2 + 40 * round, 20);
    }
    auto shipper = make_shipper();
    const auto began = std::chrono::steady_clock::now();
    const double cpu_before = cpu_seconds(RUSAGE_SELF);
    ASSERT_TRUE(shipper->ship_backlog(in_seconds(50)));
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const double cpu = cpu_seconds(RUSAGE_SELF) - cpu_before;
    const double server =
        server_cpu_seconds(ask("SELECT pid FROM pg_stat_activity WHERE datname = "
                               "current_database() AND pid <> pg_backend_pid()"));
    const double statements = 64.0 * rounds * 20;
    std::printf(
        "%.0f statements in %.2f s: processor time %.2f us each here, %.2f us in the server; %llu "
        "frames\n",
        statements, seconds, cpu * 1e6 / statements, server * 1e6 / statements,
        static_cast<unsigned long long>(shipper->frames_shipped()));
    std::printf(
        "store: %s bytes of leaves and %s bytes of parts a statement\n",
        ask("SELECT round(sum(pg_column_size(leaf)) / 102400.0, 1) FROM audit.frame").c_str(),
        ask("SELECT round(sum(pg_column_size(data)) / 102400.0, 1) FROM audit.part").c_str());
    EXPECT_EQ(shipper->events_shipped(), 64U + 2 * 102400U + 64U);
    EXPECT_EQ(events_of(sessions[7]).size(), 1U + 2 * rounds * 20 + 1);
    expect_contiguous_writers();
}

}  // namespace
}  // namespace sallyport
