#include "audit/store/store_connection.h"

#include <algorithm>
#include <charconv>
#include <libpq-fe.h>
#include <optional>
#include <poll.h>
#include <vector>

namespace sallyport {
namespace {

// libpq ends its messages with a line break and spreads them over lines.
std::string one_line(const char* message)
{
    std::string line(message == nullptr ? "" : message);
    while (!line.empty() && line.back() == '\n')
        line.pop_back();
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

// Class 08 connection, 53 resources, 57 operator intervention, 58 system, 40 rollback, 55 not in
// the state for it (a lock), 25006 read-only: a matter of time, not of what was asked.
bool passes_with_time(std::string_view state)
{
    for (const std::string_view prefix : {"08", "53", "57", "58", "40", "55", "25006"}) {
        if (state.starts_with(prefix))
            return true;
    }
    return false;
}

}  // namespace

void StoreRows::Free::operator()(pg_result* result) const
{
    PQclear(result);
}

int StoreRows::size() const
{
    return PQntuples(result_.get());
}

bool StoreRows::null(int row, int column) const
{
    return PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view StoreRows::at(int row, int column) const
{
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t StoreRows::number(int row, int column) const
{
    const std::string_view value = at(row, column);
    if (PQfformat(result_.get(), column) == 0) {
        std::int64_t number = 0;
        std::from_chars(value.data(), value.data() + value.size(), number);
        return number;
    }
    std::uint64_t number = !value.empty() && (value[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const char octet : value)
        number = number << 8 | static_cast<std::uint8_t>(octet);
    return static_cast<std::int64_t>(number);
}

void StoreConnection::Close::operator()(pg_conn* connection) const
{
    PQfinish(connection);
}

StoreConnection::StoreConnection(pg_conn* connection, int interrupt)
    : connection_(connection), interrupt_(interrupt)
{
}

Result<StoreConnection> StoreConnection::connect(std::string_view dsn, Deadline deadline,
                                                 int interrupt)
{
    const std::string text(dsn);
    // What the DSN says goes over the first two and is overruled by the others.
    const char* const keys[] = {
        "application_name",    "keepalives_idle",  "dbname", "client_encoding",
        "keepalives_interval", "keepalives_count", nullptr};
    const char* const values[] = {"sallyport", "10", text.c_str(), "UTF8", "5", "3", nullptr};
    StoreConnection store(PQconnectStartParams(keys, values, 1), interrupt);
    pg_conn* const connection = store.connection_.get();
    if (connection == nullptr || PQstatus(connection) == CONNECTION_BAD) {
        return failure(Fault::unavailable,
                       "cannot connect to the store: " +
                           one_line(connection ? PQerrorMessage(connection) : "no memory"));
    }
    PQsetNoticeProcessor(
        connection, [](void*, const char*) {}, nullptr);
    for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;
         state = PQconnectPoll(connection)) {
        if (state == PGRES_POLLING_FAILED)
            return failure(Fault::unavailable,
                           "cannot connect to the store: " + one_line(PQerrorMessage(connection)));
        auto waited = store.wait_for(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
        if (!waited)
            return tl::unexpected(std::move(waited).error());
    }
    PQsetnonblocking(connection, 1);
    return store;
}

Error StoreConnection::lost(std::string_view doing) const
{
    return Error{Fault::unavailable,
                 "the store's connection broke " + std::string(doing) + ": " +
                     one_line(PQerrorMessage(connection_.get())),
                 ""};
}

Result<void> StoreConnection::wait_for(short events, Deadline deadline) const
{
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd files[] = {{PQsocket(connection_.get()), events, 0}, {interrupt_, POLLIN, 0}};
    const int ready =
        poll(files, 2, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3600000)));
    if (ready > 0 && files[1].revents != 0)
        return failure(Fault::closed, "interrupted while waiting for the store");
    if (ready == 0)
        return failure(Fault::unavailable, "the store did not answer in time");
    return {};
}

Result<void> StoreConnection::flush(Deadline deadline)
{
    for (;;) {
        const int state = PQflush(connection_.get());
        if (state == 0)
            return {};
        if (state < 0)
            return tl::unexpected(lost("while sending"));
        if (auto done = wait_for(POLLIN | POLLOUT, deadline); !done)
            return tl::unexpected(std::move(done).error());
        if (PQconsumeInput(connection_.get()) == 0)
            return tl::unexpected(lost("while sending"));
    }
}

Result<StoreRows> StoreConnection::finish(Deadline deadline)
{
    pg_conn* const connection = connection_.get();
    StoreRows last(nullptr);
    std::optional<Error> error;
    for (;;) {
        while (PQisBusy(connection) != 0) {
            if (auto done = wait_for(POLLIN, deadline); !done)
                return tl::unexpected(std::move(done).error());
            if (PQconsumeInput(connection) == 0)
                return tl::unexpected(lost("while waiting for an answer"));
        }
        pg_result* const result = PQgetResult(connection);
        if (result == nullptr)
            break;
        const ExecStatusType status = PQresultStatus(result);
        StoreRows rows(result);
        if (status == PGRES_COPY_IN)
            return rows;
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            const char* const field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
            const std::string state(field == nullptr ? "" : field);
            const bool for_now = state.empty() || !usable() || passes_with_time(state);
            const char* const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
            if (!error)
                error = Error{
                    for_now ? Fault::unavailable : Fault::refused,
                    "the store says: " + one_line(primary ? primary : PQresultErrorMessage(result)),
                    state};
        }
        last = std::move(rows);
        if (!usable())
            break;
    }
    if (error)
        return tl::unexpected(std::move(*error));
    if (!usable())
        return tl::unexpected(lost("while waiting for an answer"));
    return last;
}

Result<StoreRows> StoreConnection::run(const std::string& sql,
                                       std::span<const std::string> parameters, Deadline deadline,
                                       RowFormat format)
{
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const std::string& parameter : parameters)
        values.push_back(parameter.c_str());
    if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                          values.data(), nullptr, nullptr, static_cast<int>(format)) == 0)
        return tl::unexpected(lost("while sending"));
    if (auto done = flush(deadline); !done)
        return tl::unexpected(std::move(done).error());
    return finish(deadline);
}

Result<StoreRows> StoreConnection::run(const std::string& sql, Deadline deadline)
{
    if (PQsendQuery(connection_.get(), sql.c_str()) == 0)
        return tl::unexpected(lost("while sending"));
    if (auto done = flush(deadline); !done)
        return tl::unexpected(std::move(done).error());
    return finish(deadline);
}

Result<void> StoreConnection::execute(const std::string& sql, Deadline deadline)
{
    auto rows = run(sql, deadline);
    if (!rows)
        return tl::unexpected(std::move(rows).error());
    return {};
}

Result<void> StoreConnection::execute(const std::string& sql,
                                      std::span<const std::string> parameters, Deadline deadline)
{
    auto rows = run(sql, parameters, deadline);
    if (!rows)
        return tl::unexpected(std::move(rows).error());
    return {};
}

Result<void> StoreConnection::copy(const std::string& sql, std::span<const std::string_view> pieces,
                                   Deadline deadline)
{
    if (auto begun = execute(sql, deadline); !begun)
        return begun;
    constexpr std::size_t at_once = std::size_t{1} << 20;
    for (std::string_view piece : pieces) {
        while (!piece.empty()) {
            const std::string_view part = piece.substr(0, at_once);
            const int sent =
                PQputCopyData(connection_.get(), part.data(), static_cast<int>(part.size()));
            if (sent < 0)
                return tl::unexpected(lost("during COPY"));
            if (sent > 0)
                piece.remove_prefix(part.size());
            if (auto done = flush(deadline); !done)
                return tl::unexpected(std::move(done).error());
        }
    }
    for (;;) {
        const int ended = PQputCopyEnd(connection_.get(), nullptr);
        if (ended < 0)
            return tl::unexpected(lost("during COPY"));
        if (auto done = flush(deadline); !done)
            return tl::unexpected(std::move(done).error());
        if (ended > 0)
            break;
    }
    auto rows = finish(deadline);
    if (!rows)
        return tl::unexpected(std::move(rows).error());
    return {};
}

bool StoreConnection::usable() const
{
    return PQstatus(connection_.get()) == CONNECTION_OK;
}

int StoreConnection::server_version() const
{
    return PQserverVersion(connection_.get());
}

std::string StoreConnection::setting(const char* name) const
{
    const char* const value = PQparameterStatus(connection_.get(), name);
    return value == nullptr ? "" : value;
}

}  // namespace sallyport
