#include "gateway/program/sessions.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <unistd.h>
#include <vector>

#include "audit/store/search.h"
#include "replay/player/inert_text.h"
#include "replay/player/times.h"

namespace sallyport {

namespace {

using Json = nlohmann::ordered_json;

constexpr int negative = 1;
constexpr int wrong_use = 2;

std::int64_t now_ms()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// Begins a visit of the store that the configuration names; nothing, with the reason told and the
// status set, where that fails.
std::optional<StoreVisit> visit_store(const std::string& config_file,
                                      std::span<const ProtocolWords> protocols,
                                      std::ostream& errors, int& status)
{
    const auto configuration = read_configuration(config_file, protocols);
    if (!configuration) {
        for (const Problem& problem : configuration.error())
            errors << to_string(problem) << '\n';
        status = wrong_use;
        return std::nullopt;
    }
    auto visit = StoreVisit::begin({.embedded = configuration->store.embedded,
                                    .state_dir = configuration->gateway.state_dir,
                                    .dsn = configuration->store.dsn.reveal()});
    if (!visit) {
        errors << "sallyport: " << visit.error().detail << '\n';
        status = negative;
        return std::nullopt;
    }
    return std::move(*visit);
}

// Reads a time of a filter; false, with the problem told, where it is none.
bool set_moment(std::optional<std::int64_t>& into, const std::optional<std::string>& text,
                std::string_view option, std::ostream& errors)
{
    if (!text)
        return true;
    into = read_moment(*text, now_ms());
    if (!into)
        errors << fmt::format(
            "sallyport: {} \"{}\" is no time: write it like 2026-11-21, 2026-11-21T10:00 (UTC), or "
            "how long ago: 30m, 2h, 7d\n",
            option, inert(*text));
    return into.has_value();
}

Json as_json(const SessionSummary& session)
{
    return {{"id", to_string(session.id)},
            {"user", session.user},
            {"connection", session.connection},
            {"protocol", session.protocol},
            {"address", session.address},
            {"gateway", session.gateway},
            {"status", name_of(session.status)},
            {"started", moment_text(session.started_ms)},
            {"ended", session.ended_ms ? Json(moment_text(*session.ended_ms)) : Json(nullptr)},
            {"commands", session.commands},
            {"denied", session.denied},
            {"held", session.held},
            {"rows", session.rows},
            {"masked_values", session.masked_values},
            {"bytes", session.bytes}};
}

constexpr std::size_t table_columns = 11;
using TableRow = std::array<std::string, table_columns>;

TableRow as_row(const SessionSummary& session)
{
    const std::int64_t duration_ms =
        session.ended_ms ? std::max<std::int64_t>(0, *session.ended_ms - session.started_ms) : 0;
    return {to_string(session.id),
            moment_text(session.started_ms),
            inert(session.user),
            inert(session.connection),
            std::string(name_of(session.status)),
            session.ended_ms ? duration_text(static_cast<std::uint64_t>(duration_ms) * 1000) : "",
            std::to_string(session.commands),
            std::to_string(session.denied),
            std::to_string(session.held),
            std::to_string(session.rows),
            std::to_string(session.masked_values)};
}

void write_table(const std::vector<SessionSummary>& sessions, std::ostream& out)
{
    std::vector<TableRow> rows{{"SESSION", "STARTED", "USER", "CONNECTION", "STATUS", "LASTED",
                                "COMMANDS", "DENIED", "HELD", "ROWS", "MASKED"}};
    for (const SessionSummary& session : sessions)
        rows.push_back(as_row(session));
    std::array<std::size_t, table_columns> widths{};
    for (const TableRow& row : rows)
        for (std::size_t i = 0; i < table_columns; ++i)
            widths[i] = std::max(widths[i], width_of(row[i]));
    for (const TableRow& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < table_columns; ++i)
            line += row[i] + std::string(widths[i] - width_of(row[i]) + 2, ' ');
        line.erase(line.find_last_not_of(' ') + 1);
        out << line << '\n';
    }
}

std::unique_ptr<Form> form_named(const ReplayQuestion& question, std::ostream& out)
{
    if (question.format == "text")
        return text_form(out);
    if (question.format == "json")
        return json_form(out);
    if (question.format == "sql")
        return sql_form(out, question.terminal);
    return nullptr;
}

Pace pace_of(const ReplayQuestion& question)
{
    Pace pace;
    // An idle limit alone means: as it happened, without the long waits.
    if (question.speed || question.idle_limit_s)
        pace.speed = question.speed.value_or(1);
    if (question.idle_limit_s)
        pace.idle_limit =
            std::chrono::milliseconds(static_cast<std::int64_t>(*question.idle_limit_s * 1000));
    pace.pause = [](std::chrono::milliseconds wait) { std::this_thread::sleep_for(wait); };
    return pace;
}

}  // namespace

int list_sessions(const SessionsQuestion& question, std::span<const ProtocolWords> protocols,
                  std::ostream& out, std::ostream& errors)
{
    SessionFilter filter{.user = question.user,
                         .connection = question.connection,
                         .text = question.search,
                         .limit = question.limit};
    if (!set_moment(filter.since_ms, question.since, "--since", errors) ||
        !set_moment(filter.until_ms, question.until, "--until", errors))
        return wrong_use;
    int status = 0;
    auto store = visit_store(question.config_file, protocols, errors, status);
    if (!store)
        return status;
    const auto sessions = store->reader().sessions(filter);
    if (!sessions) {
        errors << "sallyport: " << sessions.error().detail << '\n';
        return negative;
    }
    if (question.json) {
        for (const SessionSummary& session : *sessions)
            out << as_json(session).dump(-1, ' ', true, Json::error_handler_t::replace) << '\n';
    } else if (sessions->empty()) {
        out << "no session matches\n";
    } else {
        write_table(*sessions, out);
    }
    return 0;
}

int replay(const ReplayQuestion& question, std::span<const ProtocolWords> protocols,
           std::span<const ProtocolTranscript> transcripts, std::ostream& out, std::ostream& errors)
{
    const auto form = form_named(question, out);
    if (!form) {
        errors << "sallyport: --format is text, json or sql\n";
        return wrong_use;
    }
    const auto id = parse_uuid(question.id);
    if (!id) {
        errors << "sallyport: \"" << inert(question.id)
               << "\" is no session's id; `sallyport sessions` lists them\n";
        return wrong_use;
    }
    int status = 0;
    auto store = visit_store(question.config_file, protocols, errors, status);
    if (!store)
        return status;
    const auto session = store->reader().session(*id);
    if (!session) {
        errors << "sallyport: " << session.error().detail << '\n';
        return negative;
    }
    const auto transcript =
        std::ranges::find(transcripts, session->protocol, &ProtocolTranscript::protocol);
    Pace pace = pace_of(question);
    pace.pause = [&out, pause = std::move(pace.pause)](std::chrono::milliseconds wait) {
        out.flush();
        pause(wait);
    };
    Player player(*form, transcript == transcripts.end() ? nullptr : transcript->make(),
                  std::move(pace));
    player.begin(*session);
    const auto played = store->reader().visit_session(*id, [&](const RecordedEvent& event) {
        player.play(event);
        // The reader of the output has gone (a pager that was left): there is nobody to play for.
        return out ? Result<void>() : failure(Fault::closed, "the output was closed");
    });
    player.end();
    if (!played) {
        errors << "sallyport: " << played.error().detail << '\n';
        return negative;
    }
    return 0;
}

void add_sessions_commands(CLI::App& app, std::span<const ProtocolWords> protocols,
                           std::span<const ProtocolTranscript> transcripts, int& status)
{
    const auto list = std::make_shared<SessionsQuestion>();
    CLI::App* sessions = app.add_subcommand("sessions", "List and search recorded sessions");
    sessions->add_option("--config", list->config_file, "The gateway's configuration file")
        ->required();
    sessions->add_option("--user", list->user, "Only this user's");
    sessions->add_option("--connection", list->connection, "Only those of this connection");
    sessions->add_option("--since", list->since, "Begun then or later: 2026-11-21T10:00 or 2h");
    sessions->add_option("--until", list->until, "Begun before then");
    sessions->add_option("--search", list->search, "With this text in a command or an answer");
    sessions->add_option("--limit", list->limit, "At most so many, the newest")
        ->capture_default_str();
    sessions->add_flag("--json", list->json, "One JSON object a line");
    sessions->footer(
        "Newest first; times are UTC.\nExample:\n  sallyport sessions --config "
        "gateway.yaml --user alice --since 2h --search users");
    sessions->callback([list, protocols, &status] {
        status = list_sessions(*list, protocols, std::cout, std::cerr);
    });

    const auto one = std::make_shared<ReplayQuestion>();
    CLI::App* play = app.add_subcommand("replay", "Show what happened in one session");
    play->add_option("ID", one->id, "The session, as `sallyport sessions` lists it")->required();
    play->add_option("--config", one->config_file, "The gateway's configuration file")->required();
    play->add_option("--format", one->format,
                     "text: for people; json: one object a line; sql: the statements as a script")
        ->check(CLI::IsMember({"text", "json", "sql"}))
        ->capture_default_str();
    play->add_option("--speed", one->speed,
                     "Play it as it happened, so many times faster; without it, at once")
        ->check(CLI::Range(0.01, 1e6));
    play->add_option("--idle-limit", one->idle_limit_s,
                     "Wait at most so many seconds between two events")
        ->check(CLI::NonNegativeNumber);
    play->footer(
        "The record is checked against its commitments while it is read; the exit status "
        "is 1 where it does not verify.\nExample:\n  sallyport replay "
        "019aa6bd-43d4-7c1e-8f0a-5f6d2c9b7a10 --config gateway.yaml --speed 4 "
        "--idle-limit 2");
    play->callback([one, protocols, transcripts, &status] {
        one->terminal = ::isatty(STDOUT_FILENO) == 1;
        status = replay(*one, protocols, transcripts, std::cout, std::cerr);
    });
}

}  // namespace sallyport
