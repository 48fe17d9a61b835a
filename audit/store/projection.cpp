#include "audit/store/projection.h"

#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "audit/store/json_text.h"

namespace sallyport {
namespace {

// An index entry has to fit a third of a page, and names are for people.
constexpr std::size_t name_limit = 512;

std::string text_at(const nlohmann::json& object, const char* key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_string()
               ? storable_text(found->get_ref<const std::string&>(), name_limit)
               : std::string();
}

// Counters come from what a target says; what does not fit is as good as the most.
std::int64_t count(std::uint64_t number)
{
    constexpr std::uint64_t most = std::uint64_t{1} << 60;
    return static_cast<std::int64_t>(std::min(number, most));
}

void add(std::int64_t& to, std::uint64_t number)
{
    to = count(static_cast<std::uint64_t>(to) + static_cast<std::uint64_t>(count(number)));
}

}  // namespace

std::size_t Projection::HashOfUuid::operator()(const Uuid& id) const
{
    std::uint64_t half = 0;
    std::memcpy(&half, id.octets.data() + 8, sizeof half);
    return half;
}

void Projection::note(const Event& event)
{
    if (event.session == Uuid{})
        return;
    SessionProgress& progress = progress_[event.session];
    progress.last_ms = event.time_ms;
    switch (event.kind) {
    case EventKind::session_opened: {
        // Not from a stranger, but a row without names is better than a store that stands still.
        const nlohmann::json who = nlohmann::json::parse(event.text, nullptr, false);
        OpenedSession opened;
        opened.id = event.session;
        opened.time_ms = event.time_ms;
        opened.protocol = storable_text(event.protocol, name_limit);
        if (who.is_object()) {
            opened.user = text_at(who, "actor");
            opened.address = text_at(who, "peer");
            opened.connection = text_at(who, "connection");
        }
        opened_.push_back(std::move(opened));
        break;
    }
    case EventKind::command_decided:
        progress.commands += 1;
        progress.denied += event.decision == Decision::denied ? 1 : 0;
        progress.held += event.decision == Decision::held ? 1 : 0;
        break;
    case EventKind::command_ended:
        add(progress.rows, event.rows);
        add(progress.masked_values, event.masked_values);
        add(progress.bytes, event.bytes);
        break;
    case EventKind::session_closed:
    case EventKind::session_aborted: progress.ended_by = event.kind; break;
    default: break;
    }
}

void Projection::note_aborted(const Uuid& session, std::int64_t time_ms)
{
    SessionProgress& progress = progress_[session];
    progress.last_ms = time_ms;
    progress.ended_by = EventKind::session_aborted;
}

void Projection::clear()
{
    opened_.clear();
    progress_.clear();
}

}  // namespace sallyport
