#include "tests/audit/store/store_fixture.h"

#include <cstdlib>

namespace sallyport {
namespace {

struct RunningCluster {
    TempFolder folder;
    std::unique_ptr<EmbeddedStore> store;
};

std::unique_ptr<RunningCluster>& running()
{
    static std::unique_ptr<RunningCluster> cluster;
    return cluster;
}

}  // namespace

TempFolder::TempFolder()
{
    std::string name = "/tmp/sallyport-store-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr)
        throw std::runtime_error("mkdtemp");
    path_ = name;
}

TempFolder::~TempFolder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

EmbeddedStore& TestCluster::get()
{
    if (!running()) {
        auto cluster = std::make_unique<RunningCluster>();
        auto store = EmbeddedStore::start(cluster->folder.path(), in_seconds(60));
        if (!store)
            throw std::runtime_error(store.error().detail);
        cluster->store = std::move(*store);
        running() = std::move(cluster);
    }
    return *running()->store;
}

void TestCluster::end()
{
    running().reset();
}

std::chrono::steady_clock::time_point in_seconds(int seconds)
{
    return std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
}

StoreTest::StoreTest()
{
    static int databases = 0;
    const std::string name = "test_" + std::to_string(++databases);
    dsn = TestCluster::get().dsn();
    EXPECT_TRUE(connect().execute("CREATE DATABASE " + name, in_seconds(30)));
    dsn.replace(dsn.rfind("dbname="), std::string::npos, "dbname=" + name);
}

StoreConnection StoreTest::connect()
{
    auto connected = StoreConnection::connect(dsn, in_seconds(10));
    if (!connected)
        throw std::runtime_error(connected.error().detail);
    return std::move(*connected);
}

std::string StoreTest::ask(const std::string& sql)
{
    auto rows = connect().run(sql, in_seconds(30));
    if (!rows) {
        ADD_FAILURE() << sql << ": " << rows.error().detail;
        return {};
    }
    return rows->size() == 0 ? std::string() : std::string(rows->at(0, 0));
}

std::string StoreTest::refusal_of(const std::string& sql)
{
    auto done = connect().execute(sql, in_seconds(30));
    return done ? std::string() : done.error().context;
}

void StoreTest::open_journal()
{
    journal.reset();
    JournalSettings settings;
    settings.segment_bytes = 4 << 20;
    auto opened = JournalFile::open(folder.path() + "/journal", settings);
    ASSERT_TRUE(opened) << opened.error().detail;
    journal = std::move(*opened);
}

std::unique_ptr<Shipper> StoreTest::make_shipper(std::function<bool(ShipmentStep)> strike)
{
    if (!journal)
        open_journal();
    ShipperSettings settings;
    settings.gateway = "gw-test";
    settings.version = "test";
    settings.journal_directory = folder.path() + "/journal";
    settings.linger = std::chrono::milliseconds(20);
    settings.strike = std::move(strike);
    return std::make_unique<Shipper>(*journal, Secret(dsn), std::move(settings));
}

std::unique_ptr<Shipper> StoreTest::start_shipper(std::function<bool(ShipmentStep)> strike)
{
    auto shipper = make_shipper(std::move(strike));
    const auto shipped = shipper->ship_backlog(in_seconds(30));
    EXPECT_TRUE(shipped) << (shipped ? "" : shipped.error().detail);
    shipper->start();
    return shipper;
}

void StoreTest::stop(std::unique_ptr<Shipper>& shipper)
{
    shipper->stop(in_seconds(30));
    EXPECT_EQ(journal->committed_up_to(), journal->written());
    shipper.reset();
}

void StoreTest::append(const Event& event)
{
    const auto position = journal->append(event);
    ASSERT_TRUE(position) << position.error().detail;
}

Uuid StoreTest::write_session(std::uint32_t commands)
{
    const auto now = std::chrono::system_clock::now();
    Event opened{.kind = EventKind::session_opened};
    opened.session = make_uuid_v7(now);
    opened.number = 1;
    opened.time_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    opened.protocol = "postgres";
    opened.policy = "sha256:00";
    opened.text = R"({"actor":"alice","connection":"featurestore","peer":"127.0.0.1"})";
    append(opened);
    write_commands(opened.session, 2, commands);
    return opened.session;
}

void StoreTest::write_commands(const Uuid& session, std::uint32_t first_event,
                               std::uint32_t commands)
{
    const std::int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                                 std::chrono::system_clock::now().time_since_epoch())
                                 .count();
    for (std::uint32_t i = 0; i < commands; ++i) {
        Event decided{.kind = EventKind::command_decided};
        decided.session = session;
        decided.number = first_event + 2 * i;
        decided.time_ms = now;
        decided.decision = i % 10 == 9 ? Decision::denied : Decision::allowed;
        decided.classes = "select";
        decided.rule = "analysts read features: rule 1";
        const std::string text =
            "SELECT abalance FROM pgbench_accounts WHERE aid = " + std::to_string(decided.number) +
            ";";
        decided.text = text;
        append(decided);
        Event ended{.kind = EventKind::command_ended};
        ended.session = session;
        ended.number = decided.number + 1;
        ended.time_ms = now;
        ended.command = decided.number;
        ended.succeeded = true;
        ended.rows = 1;
        ended.masked_values = 2;
        ended.bytes = 57;
        ended.duration_us = 140;
        ended.text = "SELECT 1";
        const std::string shown = "T\0\0\0\x21\0\1abalance\0D\0\0\0\x0e\0\1 row " + text.substr(40);
        const Bytes pieces[] = {bytes_of(shown)};
        ended.payload = pieces;
        append(ended);
    }
}

void StoreTest::write_close(const Uuid& session, std::uint32_t number)
{
    Event closed{.kind = EventKind::session_closed};
    closed.session = session;
    closed.number = number;
    closed.time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    closed.text = "the client left";
    append(closed);
}

std::vector<RecordedEvent> StoreTest::events_of(const Uuid& session)
{
    auto reader = StoreReader::open(dsn);
    if (!reader) {
        ADD_FAILURE() << reader.error().detail;
        return {};
    }
    auto events = reader->session_events(session);
    if (!events) {
        ADD_FAILURE() << events.error().detail;
        return {};
    }
    return std::move(*events);
}

void StoreTest::expect_contiguous_writers()
{
    EXPECT_EQ(ask("SELECT count(*) FROM (SELECT writer_id FROM audit.frame GROUP BY writer_id "
                  "HAVING min(wseq) <> 0 OR max(wseq) <> count(*) - 1) wrong"),
              "0");
}

}  // namespace sallyport
