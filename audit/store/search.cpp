#include "audit/store/search.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "audit/store/embedded.h"
#include "audit/store/frame.h"
#include "audit/store/part.h"
#include "audit/store/schema.h"
#include "audit/store/session_rows.h"
#include "audit/store/store_connection.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto connect_time = 10s;
constexpr auto query_time = 60s;
constexpr auto embedded_time = 60s;
constexpr std::size_t sessions_at_once = 100;
constexpr int frames_at_once = 16;

char folded(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

bool contains(std::string_view text, std::string_view wanted)
{
    return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(),
                       [](char left, char right) { return folded(left) == folded(right); }) !=
               text.end() ||
           wanted.empty();
}

tl::unexpected<Error> altered(const Uuid& session, std::uint32_t number, const std::string& what)
{
    return failure(Fault::unrecorded, "the record of session " + to_string(session) +
                                          " cannot be believed from event " +
                                          std::to_string(number) + " on: " + what);
}

}  // namespace

std::string_view name_of(SessionStatus status)
{
    switch (status) {
    case SessionStatus::open: return "open";
    case SessionStatus::closed: return "closed";
    case SessionStatus::aborted: return "aborted";
    }
    return {};
}

struct StoreReader::State {
    explicit State(StoreConnection connection) : store(std::move(connection)) {}

    Result<bool> mentions(const Uuid& id, std::string_view text);
    Result<void> visit(const Uuid& id, const EventVisitor& visit);
    Result<void> fill(ParsedFrame& frame, PartClass part_class,
                      const std::optional<Sha256>& commitment);

    StoreConnection store;
};

StoreReader::StoreReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
StoreReader::StoreReader(StoreReader&&) noexcept = default;
StoreReader& StoreReader::operator=(StoreReader&&) noexcept = default;
StoreReader::~StoreReader() = default;

Result<StoreReader> StoreReader::open(const std::string& dsn)
{
    const auto deadline = Clock::now() + connect_time;
    TRY(store, StoreConnection::connect(dsn, deadline));
    if (auto good = check_schema(store, deadline); !good)
        return tl::unexpected(std::move(good).error());
    // Reading must not be able to change anything, and rights come from the role alone.
    if (auto set = store.execute("SET ROLE sp_reader; SET default_transaction_read_only = on; "
                                 "SET timezone = 'UTC'",
                                 deadline);
        !set)
        return tl::unexpected(std::move(set).error());
    return StoreReader(std::make_unique<State>(std::move(store)));
}

Result<std::vector<SessionSummary>> StoreReader::sessions(const SessionFilter& filter)
{
    if (!filter.text)
        return session_rows(state_->store, filter, std::nullopt, nullptr, filter.limit);

    std::vector<SessionSummary> found;
    std::vector<SessionSummary> page;
    do {
        const SessionSummary last = page.empty() ? SessionSummary{} : std::move(page.back());
        TRY(next, session_rows(state_->store, filter, std::nullopt, page.empty() ? nullptr : &last,
                               sessions_at_once));
        page = std::move(next);
        for (const SessionSummary& session : page) {
            TRY(mentioned, state_->mentions(session.id, *filter.text));
            if (mentioned)
                found.push_back(session);
            if (found.size() >= filter.limit)
                return found;
        }
    } while (page.size() == sessions_at_once);
    return found;
}

Result<SessionSummary> StoreReader::session(const Uuid& id)
{
    TRY(found, session_rows(state_->store, SessionFilter{}, id, nullptr, 1));
    if (found.empty())
        return failure(Fault::refused, "the store has no session " + to_string(id));
    return std::move(found.front());
}

Result<void> StoreReader::visit_session(const Uuid& id, const EventVisitor& visit)
{
    return state_->visit(id, visit);
}

Result<std::vector<RecordedEvent>> StoreReader::session_events(const Uuid& id)
{
    std::vector<RecordedEvent> events;
    auto read = state_->visit(id, [&events](const RecordedEvent& event) -> Result<void> {
        events.push_back(event);
        return {};
    });
    if (!read)
        return tl::unexpected(std::move(read).error());
    return events;
}

Result<bool> StoreReader::State::mentions(const Uuid& id, std::string_view text)
{
    bool found = false;
    auto read = visit(id, [&](const RecordedEvent& event) -> Result<void> {
        found = event.kind != EventKind::session_opened &&
                (contains(event.text, text) || contains(event.payload, text));
        if (found)
            return failure(Fault::closed, "found");
        return {};
    });
    if (!read && !found)
        return tl::unexpected(std::move(read).error());
    return found;
}

Result<void> StoreReader::State::visit(const Uuid& id, const EventVisitor& visit)
{
    std::optional<Sha256> previous;
    std::uint32_t number = 0;
    for (bool more = true; more;) {
        const std::string parameters[] = {to_string(id), std::to_string(number),
                                          std::to_string(earliest_frame_ms(id))};
        TRY(rows,
            store.run(
                "SELECT leaf FROM audit.frame WHERE session_id = $1::uuid AND first_n > $2::int "
                "AND at >= to_timestamp($3::bigint / 1000.0) ORDER BY first_n LIMIT " +
                    std::to_string(frames_at_once),
                parameters, Clock::now() + query_time, RowFormat::binary));
        more = rows.size() == frames_at_once;
        if (rows.size() == 0 && number == 0)
            return failure(Fault::refused, "the store has no session " + to_string(id));
        for (int row = 0; row < rows.size(); ++row) {
            const std::string_view leaf = rows.at(row, 0);
            auto parsed = parse_frame(leaf);
            if (!parsed)
                return altered(id, number + 1, parsed.error().detail);
            ParsedFrame& frame = *parsed;
            if (frame.session != id)
                return altered(id, number + 1, "a frame names another session");
            if (frame.previous != previous)
                return altered(id, number + 1, "a frame does not follow the one before it");
            if (frame.first_number != number + 1)
                return altered(id, number + 1,
                               "events are missing before " + std::to_string(frame.first_number));
            for (const RecordedEvent& event : frame.events) {
                if (event.number != ++number)
                    return altered(id, number, "events are out of order");
            }
            for (const PartClass part_class : {PartClass::identity, PartClass::masked}) {
                const auto& commitment =
                    part_class == PartClass::masked ? frame.masked : frame.identity;
                if (auto filled = fill(frame, part_class, commitment); !filled)
                    return altered(id, frame.first_number, filled.error().detail);
            }
            for (const RecordedEvent& event : frame.events) {
                if (auto went_on = visit(event); !went_on)
                    return went_on;
            }
            previous = leaf_hash(leaf);
        }
    }
    return {};
}

Result<void> StoreReader::State::fill(ParsedFrame& frame, PartClass part_class,
                                      const std::optional<Sha256>& commitment)
{
    if (!commitment)
        return {};
    const std::string parameters[] = {std::string(name_of(part_class)),
                                      std::to_string(kept_at_ms(*frame.session, frame.time_ms)),
                                      "\\x" + to_hex(*commitment)};
    TRY(rows, store.run("SELECT salt, codec, size, data FROM audit.part WHERE class = $1 AND "
                        "at = to_timestamp($2::bigint / 1000.0) AND commit = $3::bytea",
                        parameters, Clock::now() + query_time, RowFormat::binary));
    if (rows.size() == 0) {
        for (RecordedEvent& event : frame.events) {
            const bool of_person =
                event.kind == EventKind::session_opened || event.kind == EventKind::login_refused;
            event.erased |= of_person == (part_class == PartClass::identity);
        }
        return {};
    }
    SealedPart sealed{};
    sealed.commitment = *commitment;
    const std::string_view salt = rows.at(0, 0);
    if (salt.size() != sealed.salt.size())
        return failure(Fault::malformed, "a part's salt has the wrong size");
    std::ranges::copy(bytes_of(salt), sealed.salt.begin());
    sealed.codec = static_cast<PartCodec>(rows.number(0, 1));
    sealed.size = static_cast<std::uint32_t>(rows.number(0, 2));
    sealed.data = rows.at(0, 3);
    TRY(part, open_part(sealed));
    TRY(entries, read_part(bytes_of(part)));
    for (const PartEntry& entry : entries) {
        // Wraps, and is then too large, where the number is before the frame's first.
        const std::size_t index = entry.number - frame.first_number;
        if (index >= frame.events.size())
            return failure(Fault::malformed, "a part belongs to another frame");
        frame.events[index].text = entry.text;
        frame.events[index].payload = entry.payload;
    }
    return {};
}

struct StoreVisit::State {
    // In this order: the connection goes before what it is made through.
    OwnedFile socket_directory;
    std::unique_ptr<EmbeddedStore> embedded;
    std::optional<StoreReader> reader;
};

StoreVisit::StoreVisit(std::unique_ptr<State> state) : state_(std::move(state)) {}
StoreVisit::StoreVisit(StoreVisit&&) noexcept = default;
StoreVisit& StoreVisit::operator=(StoreVisit&&) noexcept = default;
StoreVisit::~StoreVisit() = default;

StoreReader& StoreVisit::reader()
{
    return *state_->reader;
}

Result<StoreVisit> StoreVisit::begin(const StorePlace& place)
{
    auto state = std::make_unique<State>();
    if (!place.embedded) {
        TRY(reader, StoreReader::open(std::string(place.dsn)));
        state->reader = std::move(reader);
        return StoreVisit(std::move(state));
    }
    if (!Cluster::exists(place.state_dir))
        return failure(Fault::unavailable,
                       "there is no store in " + place.state_dir +
                           " yet: start the gateway first (sallyport serve), or name the "
                           "configuration it runs with");
    // Whoever holds the lock runs the store; between two of them neither way works for a moment.
    const auto deadline = Clock::now() + embedded_time;
    for (;;) {
        state->socket_directory = open_socket_directory(place.state_dir);
        auto reader = StoreReader::open(dsn_through(
            socket_directory_of(place.state_dir, state->socket_directory), "sallyport"));
        if (reader) {
            state->reader = std::move(*reader);
            return StoreVisit(std::move(state));
        }
        if (reader.error().fault == Fault::refused)
            return tl::unexpected(std::move(reader).error());
        auto embedded = EmbeddedStore::start(place.state_dir, deadline, Clock::now());
        if (embedded) {
            state->embedded = std::move(*embedded);
            TRY(own, StoreReader::open(state->embedded->dsn()));
            state->reader = std::move(own);
            return StoreVisit(std::move(state));
        }
        if (Clock::now() >= deadline)
            return tl::unexpected(std::move(embedded).error());
        std::this_thread::sleep_for(100ms);
    }
}

}  // namespace sallyport
