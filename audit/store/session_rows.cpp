#include "audit/store/session_rows.h"

#include <string>

namespace sallyport {
namespace {

using namespace std::chrono_literals;

std::uint64_t count_at(const StoreRows& rows, int row, int column)
{
    return static_cast<std::uint64_t>(rows.number(row, column));
}

SessionSummary summary_in(const StoreRows& rows, int row)
{
    SessionSummary session;
    session.id = parse_uuid(rows.at(row, 0)).value_or(Uuid{});
    session.gateway = rows.at(row, 1);
    session.user = rows.at(row, 2);
    session.connection = rows.at(row, 3);
    session.protocol = rows.at(row, 4);
    session.address = rows.at(row, 5);
    session.status = rows.at(row, 6) == "closed"    ? SessionStatus::closed
                     : rows.at(row, 6) == "aborted" ? SessionStatus::aborted
                                                    : SessionStatus::open;
    session.started_ms = rows.number(row, 7);
    if (!rows.null(row, 8))
        session.ended_ms = rows.number(row, 8);
    session.commands = count_at(rows, row, 9);
    session.denied = count_at(rows, row, 10);
    session.held = count_at(rows, row, 11);
    session.rows = count_at(rows, row, 12);
    session.masked_values = count_at(rows, row, 13);
    session.bytes = count_at(rows, row, 14);
    return session;
}

// The conditions of a WHERE with the parameters they name.
class Conditions {
public:
    // `text` has one $ for each of the values.
    void add(std::string_view text, std::initializer_list<std::string> values)
    {
        where_ += where_.empty() ? " WHERE " : " AND ";
        for (const char letter : text) {
            where_ += letter;
            if (letter == '$')
                where_ += std::to_string(++used_);
        }
        parameters_.insert(parameters_.end(), values);
    }
    const std::string& where() const { return where_; }
    const std::vector<std::string>& parameters() const { return parameters_; }

private:
    std::string where_;
    std::vector<std::string> parameters_;
    int used_ = 0;
};

}  // namespace

Result<std::vector<SessionSummary>> session_rows(StoreConnection& store,
                                                 const SessionFilter& filter,
                                                 const std::optional<Uuid>& only,
                                                 const SessionSummary* after, std::size_t count)
{
    Conditions conditions;
    if (only)
        conditions.add("session_id = $::uuid", {to_string(*only)});
    if (filter.user)
        conditions.add("actor = $", {*filter.user});
    if (filter.connection)
        conditions.add("target = $", {*filter.connection});
    if (filter.since_ms)
        conditions.add("started_at >= to_timestamp($::bigint / 1000.0)",
                       {std::to_string(*filter.since_ms)});
    if (filter.until_ms)
        conditions.add("started_at < to_timestamp($::bigint / 1000.0)",
                       {std::to_string(*filter.until_ms)});
    if (after != nullptr)
        conditions.add("(started_at, session_id) < (to_timestamp($::bigint / 1000.0), $::uuid)",
                       {std::to_string(after->started_ms), to_string(after->id)});
    TRY(rows,
        store.run("SELECT session_id, gateway, actor, target, proto, src, status, "
                  "(extract(epoch FROM started_at) * 1000)::bigint, "
                  "(extract(epoch FROM ended_at) * 1000)::bigint, n_cmd, n_denied, n_held, n_rows, "
                  "masked_values, bytes_out FROM proj.session" +
                      conditions.where() + " ORDER BY started_at DESC, session_id DESC LIMIT " +
                      std::to_string(count),
                  conditions.parameters(), std::chrono::steady_clock::now() + 60s));
    std::vector<SessionSummary> sessions;
    sessions.reserve(static_cast<std::size_t>(rows.size()));
    for (int row = 0; row < rows.size(); ++row)
        sessions.push_back(summary_in(rows, row));
    return sessions;
}

}  // namespace sallyport
