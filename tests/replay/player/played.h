// A recorded session to play, and a protocol that records plain words.

#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "replay/player/player.h"

namespace sallyport {

constexpr std::int64_t test_start_ms = 1795255200000;  // 2026-11-21T10:00:00Z

// Payload lines: "T a,b" columns (those that end in # are numbers), "D 1,-" a row where - is null,
// "C tag" completed, "E text" an error, "S bytes" a stream, anything else an aside.
class WordTranscript final : public Transcript {
public:
    std::vector<ShownParameter> parameters(Bytes payload) override
    {
        std::vector<ShownParameter> all;
        for (const std::string& word : words(std::string(text_of(payload)))) {
            if (word == "-")
                all.push_back({.type = "text"});
            else if (word.starts_with("!"))
                all.push_back({.type = "", .left_out = std::stoull(word.substr(1))});
            else
                all.push_back({.type = "int4", .value = word});
        }
        return all;
    }

    void shown(std::uint32_t, Bytes payload, TranscriptViewer& viewer) override
    {
        std::istringstream lines{std::string(text_of(payload))};
        for (std::string line; std::getline(lines, line);) {
            const std::string rest = line.size() > 2 ? line.substr(2) : "";
            if (line.starts_with("T ")) {
                std::vector<ShownColumn> columns;
                for (std::string word : words(rest)) {
                    const bool number = word.ends_with('#');
                    if (number)
                        word.pop_back();
                    columns.push_back({word, number ? "int4" : "text", number});
                }
                viewer.columns(columns);
            } else if (line.starts_with("D ")) {
                std::vector<ShownValue> values;
                for (const std::string& word : words(rest))
                    values.push_back(word == "-" ? ShownValue() : ShownValue(word));
                viewer.row(values);
            } else if (line.starts_with("C ")) {
                viewer.completed(rest);
            } else if (line.starts_with("E ")) {
                viewer.message({"ERROR", "42P01", rest, "", "look again"});
            } else if (line.starts_with("S ")) {
                viewer.stream(bytes_of(rest + "\n"));
            } else {
                viewer.aside(line);
            }
        }
    }

    void ended(std::uint32_t, TranscriptViewer&) override {}

private:
    static std::vector<std::string> words(const std::string& text)
    {
        std::vector<std::string> all;
        std::istringstream in(text);
        for (std::string word; std::getline(in, word, ',');)
            all.push_back(word);
        return all;
    }
};

inline SessionSummary test_session()
{
    SessionSummary session;
    session.id = *parse_uuid("019aa6bd-43d4-7c1e-8f0a-5f6d2c9b7a10");
    session.gateway = "gw-a";
    session.user = "alice";
    session.connection = "featurestore";
    session.protocol = "words";
    session.address = "10.0.0.5";
    session.status = SessionStatus::closed;
    session.started_ms = test_start_ms;
    session.ended_ms = test_start_ms + 60'000;
    session.commands = 2;
    session.denied = 1;
    session.rows = 2;
    session.masked_values = 2;
    return session;
}

inline RecordedEvent test_event(EventKind kind, std::uint32_t number, std::int64_t after_ms)
{
    RecordedEvent event;
    event.kind = kind;
    event.number = number;
    event.time_ms = test_start_ms + after_ms;
    return event;
}

inline RecordedEvent test_opening()
{
    RecordedEvent event = test_event(EventKind::session_opened, 1, 0);
    event.protocol = "words";
    event.policy = "sha256:ab";
    event.text =
        R"({"actor":"alice","groups":["analysts"],"peer":"10.0.0.5","tls":true,"client":"psql"})";
    return event;
}

inline RecordedEvent test_command(std::uint32_t number, std::int64_t after_ms, std::string text,
                                  Decision decision = Decision::allowed)
{
    RecordedEvent event = test_event(EventKind::command_decided, number, after_ms);
    event.decision = decision;
    event.classes = decision == Decision::allowed ? "select" : "drop";
    event.rule = decision == Decision::allowed ? "readers" : "guard";
    event.text = std::move(text);
    return event;
}

inline RecordedEvent test_output(std::uint32_t number, std::uint32_t command, std::int64_t after_ms,
                                 std::string payload)
{
    RecordedEvent event = test_event(EventKind::output_shown, number, after_ms);
    event.command = command;
    event.payload = std::move(payload);
    return event;
}

inline RecordedEvent test_ending(std::uint32_t number, std::uint32_t command, std::int64_t after_ms,
                                 std::string tag, std::string payload = "")
{
    RecordedEvent event = test_event(EventKind::command_ended, number, after_ms);
    event.command = command;
    event.succeeded = !tag.starts_with("ERROR");
    event.text = std::move(tag);
    event.payload = std::move(payload);
    event.duration_us = 5100;
    return event;
}

// A small session with everything in it.
inline std::vector<RecordedEvent> test_events()
{
    std::vector<RecordedEvent> events;
    events.push_back(test_opening());
    events.push_back(test_command(2, 812, "select id, email\nfrom users where id < $1"));
    events.back().payload = "42,-,!9000";
    events.push_back(test_output(3, 2, 813, "T id#,email\nD 1,a***@***"));
    events.push_back(test_ending(4, 2, 815, "SELECT 2", "D 20,-\nC SELECT 2"));
    events.back().rows = 2;
    events.back().masked_values = 1;
    events.push_back(test_command(5, 2000, "DROP TABLE users", Decision::denied));
    events.push_back(test_command(6, 3000, "COPY t FROM STDIN"));
    events.push_back(test_event(EventKind::input_sent, 7, 3001));
    events.back().command = 6;
    events.back().payload = "1\tone\n2\ttwo\n";
    events.push_back(test_ending(8, 6, 3002, "ERROR 42P01", "E no such table"));
    events.push_back(test_event(EventKind::cancel_requested, 9, 4000));
    events.push_back(test_event(EventKind::session_closed, 10, 60'000));
    events.back().text = "the client left";
    return events;
}

inline std::string played(Form& form, std::ostringstream& out,
                          const std::vector<RecordedEvent>& events)
{
    Player player(form, std::make_unique<WordTranscript>(), {});
    player.begin(test_session());
    for (const RecordedEvent& event : events)
        player.play(event);
    player.end();
    return out.str();
}

}  // namespace sallyport
