#include "audit/store/store_writer.h"

#include <algorithm>
#include <chrono>
#include <spdlog/spdlog.h>

#include "audit/store/copy_text.h"
#include "audit/store/schema.h"

namespace sallyport {
namespace {

using Deadline = StoreConnection::Deadline;

// Partitions are made so many days before they are needed.
constexpr std::int64_t days_ahead = 7;

std::int64_t now_ms()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Error broken_by_test()
{
    return Error{Fault::unavailable, "the store's connection broke", ""};
}

}  // namespace

Result<void> StoreWriter::connect(Deadline deadline)
{
    disconnect();
    TRY(connected, StoreConnection::connect(dsn_.reveal(), deadline, interrupt_));
    StoreConnection& store = connected;
    if (auto made = apply_schema(store, identity_.version, deadline); !made)
        return made;

    // The server must notice soon when this process's machine is gone: until then the place is
    // taken.
    if (auto set =
            store.execute("SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; "
                          "SET tcp_keepalives_count = 3; SET timezone = 'UTC'; SET ROLE sp_writer",
                          deadline);
        !set)
        return set;
    const std::string lock_name[] = {identity_.gateway};
    TRY(locked,
        store.run("SELECT pg_try_advisory_lock(730860, hashtext($1))", lock_name, deadline));
    if (locked.at(0, 0) != "t")
        return failure(Fault::unavailable,
                       "another gateway named \"" + identity_.gateway +
                           "\" writes to this store: give each its own "
                           "gateway.name (after a crash this passes in seconds)");
    if (!writer_id_) {
        if (auto learnt = learn_earlier(store, deadline); !learnt)
            return learnt;
    }
    if (auto registered = register_writer(store, deadline); !registered)
        return registered;
    connection_ = std::move(connected);
    days_.clear();
    if (auto made = ensure_days({}, deadline); !made) {
        disconnect();
        return made;
    }
    return {};
}

Result<void> StoreWriter::learn_earlier(StoreConnection& store, Deadline deadline)
{
    const std::string gateway[] = {identity_.gateway};
    TRY(row,
        store.run("SELECT s.journal, s.position, w.boot_id, s.wseq, s.stopped FROM proj.shipped s "
                  "LEFT JOIN audit.writer w USING (writer_id) WHERE s.gateway = $1",
                  gateway, deadline));
    if (row.size() == 0)
        return {};
    earlier_.journal = parse_uuid(row.at(0, 0));
    earlier_.position = static_cast<Position>(row.number(0, 1));
    if (!row.null(0, 2))
        earlier_.last_boot =
            LostBoot{std::string(row.at(0, 2)), static_cast<std::uint64_t>(row.number(0, 3))};
    earlier_.stopped = row.at(0, 4) == "t";
    return {};
}

Result<void> StoreWriter::register_writer(StoreConnection& store, Deadline deadline)
{
    // Again after every connect: the acknowledgement of the first time may have been lost, and a
    // store restored from a backup does not know this start.
    const std::string parameters[] = {identity_.gateway, to_string(identity_.boot),
                                      "\\x" + to_hex(identity_.public_key), identity_.version};
    if (auto inserted = store.execute("INSERT INTO audit.writer(gateway, boot_id, pubkey, version) "
                                      "VALUES ($1, $2, $3, $4) ON CONFLICT (boot_id) DO NOTHING",
                                      parameters, deadline);
        !inserted)
        return inserted;
    const std::string boot[] = {to_string(identity_.boot)};
    TRY(row, store.run("SELECT writer_id FROM audit.writer WHERE boot_id = $1", boot, deadline));
    if (row.size() != 1)
        return failure(Fault::unavailable,
                       "the store did not keep the registration of this gateway");
    writer_id_ = static_cast<int>(row.number(0, 0));
    return {};
}

Result<bool> StoreWriter::has(std::uint64_t last_wseq, Deadline deadline)
{
    const std::string parameters[] = {identity_.gateway, std::to_string(*writer_id_),
                                      std::to_string(last_wseq)};
    TRY(row, connection_->run("SELECT EXISTS (SELECT FROM proj.shipped WHERE gateway = $1 AND "
                              "writer_id = $2 AND wseq >= $3)",
                              parameters, deadline));
    return row.at(0, 0) == "t";
}

Result<void> StoreWriter::ensure_day(std::int64_t day, Deadline deadline)
{
    if (days_.contains(day))
        return {};
    const std::string parameters[] = {std::to_string(day)};
    if (auto made = connection_->execute("SELECT audit.ensure_day(date '1970-01-01' + $1::int)",
                                         parameters, deadline);
        !made)
        return made;
    days_.insert(day);
    return {};
}

Result<void> StoreWriter::ensure_days(const Shipment& shipment, Deadline deadline)
{
    const std::int64_t today = day_of(storable_ms(now_ms()));
    for (std::int64_t day = today; day <= today + days_ahead; ++day) {
        if (auto made = ensure_day(day, deadline); !made)
            return made;
    }
    for (const Frame& frame : shipment.frames) {
        if (auto made = ensure_day(day_of(kept_at_ms(frame.session, frame.time_ms)), deadline);
            !made)
            return made;
    }
    return {};
}

Result<void> StoreWriter::put(const Shipment& shipment, Deadline deadline,
                              const std::function<bool(ShipmentStep)>& strike)
{
    auto written = ensure_days(shipment, deadline);
    if (written)
        written = write(shipment, deadline, strike);
    if (written) {
        without_names_ = false;
        return {};
    }

    const std::string state = written.error().context;
    if (written.error().fault == Fault::refused &&
        (state.starts_with("22") || state.starts_with("23"))) {
        // Refused for what it holds. The record's own columns are bytes and numbers; only the
        // projection's texts, or a partition that somebody dropped, can be the cause.
        spdlog::error("event=shipment_refused sqlstate={} detail=\"{}\"", state,
                      written.error().detail);
        without_names_ = true;
    }
    disconnect();
    return written;
}

Result<void> StoreWriter::write(const Shipment& shipment, Deadline deadline,
                                const std::function<bool(ShipmentStep)>& strike)
{
    const auto goes_on = [&](ShipmentStep step) { return !strike || strike(step); };
    if (auto begun = connection_->execute("BEGIN", deadline); !begun)
        return begun;
    if (!goes_on(ShipmentStep::begun))
        return tl::unexpected(broken_by_test());
    if (auto copied = copy_frames(shipment, deadline); !copied)
        return copied;
    if (auto copied = copy_parts(shipment, deadline); !copied)
        return copied;
    if (!goes_on(ShipmentStep::copied))
        return tl::unexpected(broken_by_test());
    if (auto projected = project(shipment, deadline); !projected)
        return projected;
    if (auto moved = move_position(shipment, deadline); !moved)
        return moved;
    if (!goes_on(ShipmentStep::projected))
        return tl::unexpected(broken_by_test());
    if (auto committed = connection_->execute("COMMIT", deadline); !committed)
        return committed;
    if (!goes_on(ShipmentStep::committed))
        return tl::unexpected(broken_by_test());
    return {};
}

Result<void> StoreWriter::copy_frames(const Shipment& shipment, Deadline deadline)
{
    CopyRows rows(7);
    for (const Frame& frame : shipment.frames) {
        rows.begin_row();
        rows.time(kept_at_ms(frame.session, frame.time_ms));
        rows.int4(*writer_id_);
        rows.int8(static_cast<std::int64_t>(frame.wseq));
        if (frame.session == Uuid{})
            rows.null();
        else
            rows.uuid(frame.session);
        rows.int4(static_cast<std::int32_t>(frame.first_number));
        rows.int2(static_cast<std::int16_t>(frame.events));
        rows.bytes(bytes_of(frame.leaf));
    }
    const std::string all = rows.finish();
    const std::string_view pieces[] = {all};
    return connection_->copy(
        "COPY audit.frame(at, writer_id, wseq, session_id, first_n, n_ev, leaf) "
        "FROM STDIN (FORMAT binary)",
        pieces, deadline);
}

Result<void> StoreWriter::copy_parts(const Shipment& shipment, Deadline deadline)
{
    CopyRows rows(8);
    bool any = false;
    for (const Frame& frame : shipment.frames) {
        for (const PartClass part_class : {PartClass::masked, PartClass::identity}) {
            const auto& part = part_class == PartClass::masked ? frame.masked : frame.identity;
            if (!part)
                continue;
            any = true;
            rows.begin_row();
            rows.time(kept_at_ms(frame.session, frame.time_ms));
            rows.bytes(bytes_of(name_of(part_class)));
            rows.bytes(part->commitment);
            if (frame.session == Uuid{})
                rows.null();
            else
                rows.uuid(frame.session);
            rows.bytes(part->salt);
            rows.int2(static_cast<std::int16_t>(part->codec));
            rows.int4(static_cast<std::int32_t>(part->size));
            rows.bytes(bytes_of(part->data));
        }
    }
    if (!any)
        return {};
    const std::string all = rows.finish();
    const std::string_view pieces[] = {all};
    return connection_->copy(
        "COPY audit.part(at, class, commit, session_id, salt, codec, size, data) "
        "FROM STDIN (FORMAT binary)",
        pieces, deadline);
}

Result<void> StoreWriter::project(const Shipment& shipment, Deadline deadline)
{
    if (!shipment.projection.opened().empty()) {
        ArrayText id, time, user, address, protocol, target;
        for (const OpenedSession& session : shipment.projection.opened()) {
            id.add(to_string(session.id));
            time.add(storable_ms(session.time_ms));
            user.add(without_names_ ? "" : session.user);
            address.add(without_names_ ? "" : session.address);
            protocol.add(without_names_ ? "" : session.protocol);
            target.add(without_names_ ? "" : session.connection);
        }
        const std::string parameters[] = {identity_.gateway, std::to_string(*writer_id_),
                                          id.finish(),       time.finish(),
                                          user.finish(),     address.finish(),
                                          protocol.finish(), target.finish()};
        if (auto inserted = connection_->execute(
                "INSERT INTO proj.session(session_id, gateway, writer_id, started_at, last_at, "
                "actor, src, "
                "proto, target, status) SELECT d.id, $1, $2::int, to_timestamp(d.ms / 1000.0), "
                "to_timestamp(d.ms / 1000.0), d.actor, d.src, d.proto, d.target, 'open' "
                "FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], "
                "$8::text[]) "
                "AS d(id, ms, actor, src, proto, target) ON CONFLICT (session_id) DO NOTHING",
                parameters, deadline);
            !inserted)
            return inserted;
    }
    if (shipment.projection.progress().empty())
        return {};
    ArrayText id, last, commands, denied, held, rows, masked, bytes, status;
    for (const auto& [session, progress] : shipment.projection.progress()) {
        id.add(to_string(session));
        last.add(storable_ms(progress.last_ms));
        commands.add(progress.commands);
        denied.add(progress.denied);
        held.add(progress.held);
        rows.add(progress.rows);
        masked.add(progress.masked_values);
        bytes.add(progress.bytes);
        status.add(std::string_view(progress.ended_by == EventKind::session_closed    ? "closed"
                                    : progress.ended_by == EventKind::session_aborted ? "aborted"
                                                                                      : "open"));
    }
    const std::string parameters[] = {id.finish(),     last.finish(),  commands.finish(),
                                      denied.finish(), held.finish(),  rows.finish(),
                                      masked.finish(), bytes.finish(), status.finish()};
    return connection_->execute(
        "UPDATE proj.session s SET last_at = to_timestamp(d.ms / 1000.0), n_cmd = s.n_cmd + d.cmd, "
        "n_denied = s.n_denied + d.denied, n_held = s.n_held + d.held, n_rows = s.n_rows + "
        "d.n_rows, "
        "masked_values = s.masked_values + d.masked, bytes_out = s.bytes_out + d.bytes, status = "
        "d.status, "
        "ended_at = CASE d.status WHEN 'open' THEN NULL ELSE to_timestamp(d.ms / 1000.0) END "
        "FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], "
        "$6::bigint[], "
        "$7::bigint[], $8::bigint[], $9::text[]) AS d(id, ms, cmd, denied, held, n_rows, masked, "
        "bytes, status) "
        "WHERE s.session_id = d.id",
        parameters, deadline);
}

Result<void> StoreWriter::move_position(const Shipment& shipment, Deadline deadline)
{
    const std::string parameters[] = {identity_.gateway,
                                      to_string(journal_),
                                      std::to_string(shipment.end),
                                      std::to_string(*writer_id_),
                                      std::to_string(shipment.frames.back().wseq),
                                      shipment.stopped ? "true" : "false"};
    return connection_->execute(
        "INSERT INTO proj.shipped(gateway, journal, position, writer_id, wseq, stopped) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (gateway) DO UPDATE SET journal = "
        "excluded.journal, "
        "position = excluded.position, writer_id = excluded.writer_id, wseq = excluded.wseq, "
        "stopped = excluded.stopped",
        parameters, deadline);
}

Result<std::vector<Uuid>> StoreWriter::open_sessions(Deadline deadline)
{
    const std::string gateway[] = {identity_.gateway};
    TRY(rows, connection_->run(
                  "SELECT session_id FROM proj.session WHERE gateway = $1 AND status = 'open' "
                  "ORDER BY started_at, session_id",
                  gateway, deadline));
    std::vector<Uuid> sessions;
    for (int row = 0; row < rows.size(); ++row) {
        if (const auto id = parse_uuid(rows.at(row, 0)))
            sessions.push_back(*id);
    }
    return sessions;
}

Result<std::optional<SessionHead>> StoreWriter::head_of(const Uuid& session)
{
    if (!connected())
        return failure(Fault::unavailable, "the store is not connected");
    const std::string parameters[] = {to_string(session),
                                      std::to_string(earliest_frame_ms(session))};
    TRY(row, connection_->run("SELECT last_n, leaf FROM audit.session_head($1::uuid, "
                              "to_timestamp($2::bigint / 1000.0))",
                              parameters, deadline_, RowFormat::binary));
    if (row.size() == 0)
        return std::optional<SessionHead>();
    SessionHead head;
    head.number = static_cast<std::uint32_t>(row.number(0, 0));
    head.hash = leaf_hash(row.at(0, 1));
    if (auto frame = parse_frame(row.at(0, 1)))
        head.policy = std::move(frame->policy);
    return std::optional<SessionHead>(std::move(head));
}

}  // namespace sallyport
