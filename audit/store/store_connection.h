// One connection to the store, over libpq, that never waits longer than it was told to.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"

struct pg_conn;
struct pg_result;

namespace sallyport {

// The rows of one answer.
class StoreRows {
public:
    explicit StoreRows(pg_result* result) : result_(result) {}

    int size() const;
    bool null(int row, int column) const;
    // Valid as long as these rows. Text form, or the bytes of a bytea where asked for binary
    // answers.
    std::string_view at(int row, int column) const;
    // An int8 or int4, in text or in binary form.
    std::int64_t number(int row, int column) const;

private:
    struct Free {
        void operator()(pg_result* result) const;
    };
    std::unique_ptr<pg_result, Free> result_;
};

enum class RowFormat : int { text = 0, binary = 1 };

// Errors carry the SQLSTATE in Error::context where PostgreSQL gave one. Fault::unavailable where
// the connection is gone, the time is over or PostgreSQL cannot do it now; Fault::closed after an
// interruption; Fault::refused for every other error of PostgreSQL.
class StoreConnection {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    // Waits end early when `interrupt`, a file descriptor that outlives the connection, becomes
    // readable; -1: they do not. The DSN may hold a password and is in no error.
    static Result<StoreConnection> connect(std::string_view dsn, Deadline deadline,
                                           int interrupt = -1);

    // One statement with parameters in text form, or several without any.
    Result<StoreRows> run(const std::string& sql, std::span<const std::string> parameters,
                          Deadline deadline, RowFormat format = RowFormat::text);
    Result<StoreRows> run(const std::string& sql, Deadline deadline);

    // The same, for statements whose rows do not matter.
    Result<void> execute(const std::string& sql, Deadline deadline);
    Result<void> execute(const std::string& sql, std::span<const std::string> parameters,
                         Deadline deadline);

    // COPY ... FROM STDIN; `pieces` are sent one behind the other.
    Result<void> copy(const std::string& sql, std::span<const std::string_view> pieces,
                      Deadline deadline);

    // False once libpq knows that the connection is broken: nothing but destruction helps.
    bool usable() const;
    int server_version() const;                   // 150020
    std::string setting(const char* name) const;  // a reported one, "server_encoding"

private:
    StoreConnection(pg_conn* connection, int interrupt);

    Result<void> wait_for(short events, Deadline deadline) const;
    Result<void> flush(Deadline deadline);
    Result<StoreRows> finish(Deadline deadline);
    Error lost(std::string_view doing) const;

    struct Close {
        void operator()(pg_conn* connection) const;
    };
    std::unique_ptr<pg_conn, Close> connection_;
    int interrupt_ = -1;
};

}  // namespace sallyport
