// The embedded store: a private PostgreSQL cluster under the state directory, run by the gateway.
// Reached by a socket in that directory only; docs/audit-format.md, "The embedded store".

#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <thread>

#include "audit/store/cluster.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

class EmbeddedStore {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    // Makes the cluster at the first start (some seconds), starts it and returns once it accepts
    // connections. `state_dir` exists. Fault::unavailable, with what to do about it, where that
    // does not succeed until the deadline, or where another process still runs it at
    // `lock_deadline`.
    static Result<std::unique_ptr<EmbeddedStore>> start(const std::string& state_dir,
                                                        Deadline deadline, Deadline lock_deadline);
    static Result<std::unique_ptr<EmbeddedStore>> start(const std::string& state_dir,
                                                        Deadline deadline)
    {
        return start(state_dir, deadline, deadline);
    }

    // Stops the cluster, which takes as long as its last checkpoint.
    ~EmbeddedStore();

    // For this process only: it may go through a file descriptor that the store holds open.
    const std::string& dsn() const { return dsn_; }

    // 0 while it is not running. It is started again whenever it dies.
    pid_t postmaster() const;

private:
    explicit EmbeddedStore(Cluster cluster);

    void supervise();
    bool run_once();
    Result<void> wait_until_ready(Deadline deadline);
    Result<void> make_database(Deadline deadline);

    Cluster cluster_;
    std::string dsn_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    pid_t postmaster_ = 0;
    unsigned starts_ = 0;
    std::thread supervisor_;
};

}  // namespace sallyport
