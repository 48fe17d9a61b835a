#include "audit/trail/event.h"

#include <utility>

namespace sallyport {

namespace {

constexpr std::pair<EventKind, std::string_view> kinds[] = {
    {EventKind::gateway_started, "gateway.start"},
    {EventKind::gateway_stopped, "gateway.stop"},
    {EventKind::configuration_loaded, "config.load"},
    {EventKind::configuration_refused, "config.refuse"},
    {EventKind::login_refused, "login.refuse"},
    {EventKind::session_opened, "session.open"},
    {EventKind::session_closed, "session.close"},
    {EventKind::command_decided, "command"},
    {EventKind::output_shown, "output"},
    {EventKind::input_sent, "input"},
    {EventKind::command_ended, "command.end"},
    {EventKind::cancel_requested, "cancel"},
    {EventKind::gateway_lost, "gateway.lost"},
    {EventKind::session_aborted, "session.abort"},
};

constexpr std::pair<Decision, std::string_view> decisions[] = {
    {Decision::none, "none"},
    {Decision::allowed, "allowed"},
    {Decision::denied, "denied"},
    {Decision::held, "held"},
};

template <class Value, std::size_t Size>
std::string_view name_in(const std::pair<Value, std::string_view> (&table)[Size], Value wanted)
{
    for (const auto& [value, name] : table)
        if (value == wanted)
            return name;
    return {};
}

template <class Value, std::size_t Size>
std::optional<Value> value_in(const std::pair<Value, std::string_view> (&table)[Size],
                              std::string_view wanted)
{
    for (const auto& [value, name] : table)
        if (name == wanted)
            return value;
    return std::nullopt;
}

}  // namespace

std::string_view name_of(EventKind kind)
{
    return name_in(kinds, kind);
}

std::optional<EventKind> event_kind_named(std::string_view name)
{
    return value_in(kinds, name);
}

std::string_view name_of(Decision decision)
{
    return name_in(decisions, decision);
}

std::optional<Decision> decision_named(std::string_view name)
{
    return value_in(decisions, name);
}

}  // namespace sallyport
