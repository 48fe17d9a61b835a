// The embedded store: made, served, killed and left behind.

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/store/embedded.h"
#include "audit/store/search.h"
#include "tests/audit/store/store_fixture.h"

namespace sallyport {
namespace {

using testing::HasSubstr;

std::unique_ptr<EmbeddedStore> start_in(const std::string& state_dir)
{
    auto store = EmbeddedStore::start(state_dir, in_seconds(60));
    if (!store)
        throw std::runtime_error(store.error().detail);
    return std::move(*store);
}

// initdb takes seconds: it runs once, and other tests start from a copy of what it made.
void copy_cluster_to(const std::string& state_dir)
{
    static const TempFolder made;
    if (!Cluster::exists(made.path()))
        start_in(made.path()).reset();
    std::filesystem::create_directory(state_dir + "/store");
    const std::string command =
        "cp -a '" + made.path() + "/store/data' '" + state_dir + "/store/data'";
    ASSERT_EQ(std::system(command.c_str()), 0);
}

std::string ask(const std::string& dsn, const std::string& sql)
{
    auto connection = StoreConnection::connect(dsn, in_seconds(10));
    if (!connection)
        return connection.error().detail;
    auto rows = connection->run(sql, in_seconds(10));
    return rows ? std::string(rows->at(0, 0)) : rows.error().detail;
}

void append_commands(JournalFile& journal, const Uuid& session, std::uint32_t first,
                     std::uint32_t count)
{
    for (std::uint32_t number = first; number < first + count; ++number) {
        Event event{.kind = number == 1 ? EventKind::session_opened : EventKind::command_decided};
        event.session = session;
        event.number = number;
        event.time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
        event.text = "select 1";
        ASSERT_TRUE(journal.append(event));
    }
}

TEST(EmbeddedStoreTest, IsPrivateAndKeepsItsData)
{
    TempFolder folder;
    {
        const auto store = start_in(folder.path());
        EXPECT_EQ(ask(store->dsn(), "SHOW listen_addresses"), "");
        EXPECT_EQ(ask(store->dsn(), "SHOW data_checksums"), "on");
        EXPECT_EQ(ask(store->dsn(), "SHOW fsync"), "on");
        EXPECT_EQ(ask(store->dsn(), "SHOW server_encoding"), "UTF8");
        EXPECT_EQ(ask(store->dsn(),
                      "CREATE TABLE kept(n int); INSERT INTO kept VALUES (7); SELECT n FROM kept"),
                  "7");
        struct stat made {};
        ASSERT_EQ(::stat((folder.path() + "/store").c_str(), &made), 0);
        EXPECT_EQ(made.st_mode & 0777U, 0700U);
        EXPECT_EQ(made.st_uid, ::geteuid());
    }
    EXPECT_NE(::access((folder.path() + "/store/data/postmaster.pid").c_str(), F_OK), 0);
    const auto store = start_in(folder.path());
    EXPECT_EQ(ask(store->dsn(), "SELECT n FROM kept"), "7");
}

TEST(EmbeddedStoreTest, IsReachedUnderALongPath)
{
    TempFolder folder;
    std::string path = folder.path();
    for (int i = 0; i < 4; ++i) {
        path += "/" + std::string(40, static_cast<char>('a' + i)) + ",'x";
        ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
    }
    ASSERT_GT(path.size(), 107U);
    const auto store = start_in(path);
    EXPECT_EQ(ask(store->dsn(), "SELECT 1"), "1");
}

TEST(EmbeddedStoreTest, BelongsToOneProcess)
{
    TempFolder folder;
    copy_cluster_to(folder.path());
    const auto store = start_in(folder.path());
    const auto second =
        EmbeddedStore::start(folder.path(), in_seconds(1), std::chrono::steady_clock::now());
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().detail, HasSubstr("another sallyport process"));
    EXPECT_EQ(ask(store->dsn(), "SELECT 1"), "1");
}

TEST(EmbeddedStoreTest, SaysWhyItDoesNotStart)
{
    TempFolder folder;
    copy_cluster_to(folder.path());
    std::ofstream(folder.path() + "/store/data/local.conf") << "no_such_setting = 1\n";
    const auto store = EmbeddedStore::start(folder.path(), in_seconds(20));
    ASSERT_FALSE(store);
    EXPECT_THAT(store.error().detail, HasSubstr("no_such_setting"));
}

TEST(EmbeddedStoreTest, ThrowsAwayAnUnfinishedCluster)
{
    TempFolder folder;
    std::filesystem::create_directories(folder.path() + "/store/data.new/base");
    std::ofstream(folder.path() + "/store/data.new/PG_VERSION") << "15\n";
    const auto store = start_in(folder.path());
    EXPECT_EQ(ask(store->dsn(), "SELECT 1"), "1");
}

TEST(EmbeddedStoreTest, ComesBackEachTimeItIsKilledUnderLoad)
{
    TempFolder folder;
    copy_cluster_to(folder.path());
    const auto store = start_in(folder.path());
    auto journal = JournalFile::open(folder.path() + "/journal", {});
    ASSERT_TRUE(journal);
    ShipperSettings settings{
        .gateway = "gw", .version = "test", .journal_directory = folder.path() + "/journal"};
    settings.linger = std::chrono::milliseconds(5);
    Shipper shipper(**journal, Secret(store->dsn()), settings);
    ASSERT_TRUE(shipper.ship_backlog(in_seconds(30)));
    shipper.start();

    const Uuid session = make_uuid_v7(std::chrono::system_clock::now());
    std::uint32_t number = 1;
    for (int kill = 0; kill < 3; ++kill) {
        const auto until =
            std::chrono::steady_clock::now() + std::chrono::milliseconds(300 + 170 * kill);
        while (std::chrono::steady_clock::now() < until) {
            append_commands(**journal, session, number, 500);
            number += 500;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        const pid_t killed = store->postmaster();
        ASSERT_GT(killed, 0);
        ::kill(killed, SIGKILL);
        append_commands(**journal, session, number, 500);
        number += 500;
        const Position written = (*journal)->written();
        const auto patience = in_seconds(30);
        while ((*journal)->committed_up_to() < written &&
               std::chrono::steady_clock::now() < patience)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        ASSERT_GE((*journal)->committed_up_to(), written);
        EXPECT_NE(store->postmaster(), killed);
    }
    shipper.stop(in_seconds(30));
    auto reader = StoreReader::open(store->dsn());
    ASSERT_TRUE(reader);
    const auto events = reader->session_events(session);
    ASSERT_TRUE(events) << events.error().detail;
    EXPECT_EQ(events->size(), number - 1);
}

// This program once more, holding a store until it is killed.
pid_t start_holder(const std::string& state_dir)
{
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::execl("/proc/self/exe", "holder", "--hold-store", state_dir.c_str(), nullptr);
        ::_exit(127);
    }
    const auto patience = in_seconds(60);
    while (::access((state_dir + "/ready").c_str(), F_OK) != 0 &&
           std::chrono::steady_clock::now() < patience)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return pid;
}

TEST(EmbeddedStoreTest, TakesOverWhatAKilledGatewayLeft)
{
    TempFolder folder;
    copy_cluster_to(folder.path());
    const pid_t holder = start_holder(folder.path());
    ::kill(holder, SIGKILL);
    ::waitpid(holder, nullptr, 0);
    const auto store = start_in(folder.path());
    EXPECT_EQ(ask(store->dsn(), "SELECT n FROM held"), "1");
}

TEST(EmbeddedStoreTest, EndsAPostmasterThatNobodyOwns)
{
    TempFolder folder;
    copy_cluster_to(folder.path());
    const pid_t holder = start_holder(folder.path());
    pid_t postmaster = 0;
    std::ifstream(folder.path() + "/store/data/postmaster.pid") >> postmaster;
    ASSERT_GT(postmaster, 1);
    // It cannot shut down while it is stopped: the next start meets it alive.
    ::kill(postmaster, SIGSTOP);
    ::kill(holder, SIGKILL);
    ::waitpid(holder, nullptr, 0);
    std::thread later([postmaster] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        ::kill(postmaster, SIGCONT);
    });
    const auto store = start_in(folder.path());
    later.join();
    EXPECT_EQ(ask(store->dsn(), "SELECT n FROM held"), "1");
    EXPECT_NE(store->postmaster(), postmaster);
}

TEST(StoreVisitTest, ReadsARunningAndAStoppedStore)
{
    TempFolder folder;
    const StorePlace place{.embedded = true, .state_dir = folder.path(), .dsn = {}};
    const auto nothing = StoreVisit::begin(place);
    ASSERT_FALSE(nothing);
    EXPECT_THAT(nothing.error().detail, HasSubstr("start the gateway first"));
    copy_cluster_to(folder.path());
    {
        const auto store = start_in(folder.path());
        auto journal = JournalFile::open(folder.path() + "/journal", {});
        ASSERT_TRUE(journal);
        Shipper shipper(
            **journal, Secret(store->dsn()),
            {.gateway = "gw", .version = "test", .journal_directory = folder.path() + "/journal"});
        append_commands(**journal, make_uuid_v7(std::chrono::system_clock::now()), 1, 5);
        ASSERT_TRUE(shipper.ship_backlog(in_seconds(30)));
        auto visit = StoreVisit::begin(place);
        ASSERT_TRUE(visit) << visit.error().detail;
        EXPECT_EQ(visit->reader().sessions({})->size(), 1U);
    }
    {
        auto visit = StoreVisit::begin(place);
        ASSERT_TRUE(visit) << visit.error().detail;
        EXPECT_EQ(visit->reader().sessions({})->size(), 1U);
    }
    EXPECT_NE(::access((folder.path() + "/store/data/postmaster.pid").c_str(), F_OK), 0);
}

}  // namespace

int hold_store(const std::string& state_dir)
{
    const auto store = start_in(state_dir);
    if (ask(store->dsn(), "CREATE TABLE held AS SELECT 1 AS n; SELECT n FROM held") != "1")
        return 1;
    std::ofstream(state_dir + "/ready") << "ready\n";
    for (;;)
        ::pause();
}

}  // namespace sallyport

int main(int count, char** arguments)
{
    if (count == 3 && std::string_view(arguments[1]) == "--hold-store")
        return sallyport::hold_store(arguments[2]);
    testing::InitGoogleTest(&count, arguments);
    return RUN_ALL_TESTS();
}
