#include "audit/store/embedded.h"

#include <algorithm>
#include <cerrno>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>

#include "audit/store/store_connection.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* database = "sallyport";

// So many fruitless starts in a row while nobody has been served yet are taken for an answer.
constexpr unsigned starts_to_try = 4;

}  // namespace

EmbeddedStore::EmbeddedStore(Cluster cluster)
    : cluster_(std::move(cluster)), dsn_(dsn_through(cluster_.socket_directory(), database))
{
}

Result<std::unique_ptr<EmbeddedStore>> EmbeddedStore::start(const std::string& state_dir,
                                                            Deadline deadline,
                                                            Deadline lock_deadline)
{
    TRY(cluster, Cluster::prepare(state_dir, deadline, lock_deadline));
    std::unique_ptr<EmbeddedStore> store(new EmbeddedStore(std::move(cluster)));
    store->supervisor_ = std::thread([raw = store.get()] { raw->supervise(); });
    if (auto ready = store->wait_until_ready(deadline); !ready)
        return tl::unexpected(std::move(ready).error());
    if (auto made = store->make_database(deadline); !made)
        return tl::unexpected(std::move(made).error());
    return store;
}

EmbeddedStore::~EmbeddedStore()
{
    {
        std::unique_lock lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
        const auto gone = [this] { return postmaster_ == 0; };
        // Fast: ends connections, writes a checkpoint. Then immediate: recovery at the next start.
        for (const int how : {SIGINT, SIGQUIT, SIGKILL}) {
            if (!gone())
                ::kill(postmaster_, how);
            if (changed_.wait_for(lock, how == SIGINT ? 60s : 10s, gone))
                break;
            spdlog::warn("event=store_slow_to_stop pid={}", postmaster_);
        }
    }
    supervisor_.join();
}

pid_t EmbeddedStore::postmaster() const
{
    const std::unique_lock lock(mutex_);
    return postmaster_;
}

void EmbeddedStore::supervise()
{
    auto delay = 100ms;
    for (;;) {
        const auto began = Clock::now();
        const bool goes_on = run_once();
        if (!goes_on)
            return;
        delay = Clock::now() - began > 10s ? 100ms
                                           : std::min(2 * delay, std::chrono::milliseconds(5000));
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, delay, [this] { return stopping_; }))
            return;
    }
}

bool EmbeddedStore::run_once()
{
    pid_t pid = 0;
    {
        const std::unique_lock lock(mutex_);
        if (stopping_)
            return false;
        ++starts_;
        auto started = cluster_.start_postmaster();
        if (!started) {
            spdlog::error("event=store_not_started detail=\"{}\"", started.error().detail);
            return true;
        }
        postmaster_ = pid = *started;
        changed_.notify_all();
    }
    // Not reaped before the number is forgotten: nobody may signal a stranger that got it.
    siginfo_t ended{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT) != 0 &&
           errno == EINTR) {
    }
    const std::unique_lock lock(mutex_);
    postmaster_ = 0;
    int status = 0;
    ::waitpid(pid, &status, 0);
    changed_.notify_all();
    if (!stopping_)
        spdlog::error("event=store_died pid={} {}={} action=starting_again", pid,
                      WIFSIGNALED(status) ? "signal" : "status",
                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return !stopping_;
}

Result<void> EmbeddedStore::wait_until_ready(Deadline deadline)
{
    const std::string dsn = dsn_through(cluster_.socket_directory(), "postgres");
    for (;;) {
        const auto connected = StoreConnection::connect(dsn, deadline);
        if (connected)
            return {};
        std::unique_lock lock(mutex_);
        const bool hopeless = starts_ >= starts_to_try && postmaster_ == 0;
        if (hopeless || Clock::now() >= deadline)
            return failure(Fault::unavailable,
                           "the embedded store did not start: " + connected.error().detail +
                               "; its last words: " + cluster_.last_words());
        changed_.wait_for(lock, 25ms);
    }
}

Result<void> EmbeddedStore::make_database(Deadline deadline)
{
    TRY(store,
        StoreConnection::connect(dsn_through(cluster_.socket_directory(), "postgres"), deadline));
    TRY(found,
        store.run("SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'sallyport')", deadline));
    if (found.at(0, 0) == "t")
        return {};
    return store.execute("CREATE DATABASE sallyport", deadline);
}

}  // namespace sallyport
