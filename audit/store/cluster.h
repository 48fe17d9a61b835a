// The embedded store's files and how its programs are run on them. docs/audit-format.md, "The
// embedded store".
//
//     <state_dir>/store/         0700, the gateway's user
//         lock                   held by the gateway, or by a command that runs the store meanwhile
//         data/                  PostgreSQL's, the user it runs as
//         run/                   its socket
//         start.log              what initdb and postgres say before they log to data/log/
//
// PostgreSQL refuses to run as root and may not walk through a state directory that only root may
// enter. Its processes therefore get data/ and run/ as open file descriptors and name them through
// /proc/self/fd: nothing above them need be opened to anybody.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "audit/store/child_process.h"
#include "audit/store/postgres_programs.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

class Cluster {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    static bool exists(const std::string& state_dir);

    // Takes the lock, waiting until `lock_deadline` (Fault::unavailable then), and makes what is
    // missing: folders, the cluster itself (initdb, with checksums), its configuration. Ends a
    // postmaster that an earlier run left behind.
    static Result<Cluster> prepare(const std::string& state_dir, Deadline deadline,
                                   Deadline lock_deadline);

    // Starts the postmaster as a child of the calling thread: it shuts down when that thread ends.
    Result<pid_t> start_postmaster() const;

    // How the store is reached from this process. Valid while the Cluster lives.
    const std::string& socket_directory() const { return socket_directory_; }

    // The last lines of what its programs said, for an error.
    std::string last_words() const;

private:
    Cluster() = default;

    Result<void> lock(Deadline deadline);
    Result<void> choose_user();
    Result<void> make_folders();
    Result<void> initialise(const std::string& data);
    Result<void> configure() const;
    Result<void> end_left_behind(Deadline deadline) const;
    Result<void> give(const std::string& path) const;

    std::string folder_;  // <state_dir>/store
    OwnedFile lock_;
    OwnedFile data_;  // O_PATH
    OwnedFile run_;
    RunUser user_;
    PostgresPrograms programs_;
    std::string socket_directory_;
};

// The folder of the socket as this process can name it in the 107 octets that the address of a
// socket has: its path, or /proc/self/fd/N where that is too long. `run` must stay open.
std::string socket_directory_of(const std::string& state_dir, const OwnedFile& run);

// The open folder of the socket; an empty one where there is none.
OwnedFile open_socket_directory(const std::string& state_dir);

// For a DSN.
std::string dsn_through(const std::string& socket_directory, const std::string& database);

}  // namespace sallyport
