// A session as JSON lines: docs/audit-format.md, "Replay as JSON".

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "gateway/digest/digest.h"
#include "replay/player/form.h"
#include "replay/player/times.h"

namespace sallyport {

namespace {

using Json = nlohmann::ordered_json;

// Rows are written together up to this many.
constexpr std::size_t rows_a_line = 100;

class JsonForm final : public Form {
public:
    explicit JsonForm(std::ostream& out) : out_(out) {}

    void begin(const SessionSummary& session) override;
    void opened(const RecordedEvent& event) override;
    void decided(const RecordedEvent& event, std::span<const ShownParameter> parameters) override;
    void shows(const RecordedEvent& event) override;
    void ended(const RecordedEvent& event) override;
    void other(const RecordedEvent& event) override;
    void end() override;

    void columns(std::span<const ShownColumn> columns) override;
    void row(std::span<const ShownValue> values) override;
    void completed(std::string_view summary) override;
    void message(const ShownMessage& message) override;
    void stream(Bytes bytes) override;
    void aside(std::string_view text) override;

private:
    void write(const Json& object);
    // An event's line: time since the line before, code and its number or its command's.
    Json line(std::int64_t time_ms, const char* code, std::uint32_t number);
    Json line(const char* code) { return line(shown_ms_, code, shown_); }
    void flush_rows();

    std::ostream& out_;
    std::int64_t last_ms_ = 0;
    std::int64_t shown_ms_ = 0;
    std::uint32_t shown_ = 0;
    Json rows_ = Json::array();
    std::uint64_t first_row_ = 0;
};

// ASCII only: what is not UTF-8 becomes U+FFFD, and no control character is left for a terminal.
void JsonForm::write(const Json& object)
{
    out_ << object.dump(-1, ' ', true, Json::error_handler_t::replace) << '\n';
}

Json JsonForm::line(std::int64_t time_ms, const char* code, std::uint32_t number)
{
    const std::int64_t since = time_ms - last_ms_;
    last_ms_ = time_ms;
    Json object{{"dt", since}, {"code", code}};
    if (number != 0)
        object["n"] = number;
    return object;
}

void JsonForm::begin(const SessionSummary& session)
{
    last_ms_ = session.started_ms;
    Json header{{"sqlt", 1},
                {"proto", session.protocol},
                {"session", to_string(session.id)},
                {"started", moment_text(session.started_ms)},
                {"actor", session.user},
                {"connection", session.connection},
                {"gateway", session.gateway},
                {"status", name_of(session.status)},
                {"commands", session.commands},
                {"denied", session.denied},
                {"held", session.held},
                {"rows", session.rows},
                {"masked", session.masked_values}};
    if (session.ended_ms)
        header["ended"] = moment_text(*session.ended_ms);
    write(header);
}

void JsonForm::opened(const RecordedEvent& event)
{
    Json object = line(event.time_ms, "o", event.number);
    auto opening = Json::parse(event.text, nullptr, false);
    if (opening.is_object())
        object["opened"] = std::move(opening);
    object["policy"] = event.policy;
    if (event.erased)
        object["erased"] = true;
    write(object);
}

void JsonForm::decided(const RecordedEvent& event, std::span<const ShownParameter> parameters)
{
    flush_rows();
    const char* code = "q";
    if (event.decision == Decision::denied)
        code = "b";
    else if (event.decision == Decision::held)
        code = "h";
    Json object = line(event.time_ms, code, event.number);
    if (event.erased)
        object["erased"] = true;
    else
        object["sql"] = event.text;
    if (!parameters.empty()) {
        Json list = Json::array();
        for (const ShownParameter& parameter : parameters) {
            Json one = Json::object();
            if (!parameter.type.empty())
                one["t"] = parameter.type;
            if (parameter.left_out)
                one["left_out"] = *parameter.left_out;
            else
                one["v"] = parameter.value ? Json(*parameter.value) : Json(nullptr);
            list.push_back(std::move(one));
        }
        object["params"] = std::move(list);
    }
    object["class"] = event.classes;
    object["decision"] = name_of(event.decision);
    object["rule"] = event.rule;
    write(object);
}

void JsonForm::shows(const RecordedEvent& event)
{
    if (shown_ != event.command) {
        flush_rows();
        first_row_ = 0;
    }
    shown_ = event.command;
    shown_ms_ = event.time_ms;
}

void JsonForm::columns(std::span<const ShownColumn> columns)
{
    flush_rows();
    first_row_ = 0;
    Json list = Json::array();
    for (const ShownColumn& column : columns) {
        Json one{{"name", column.label}};
        if (!column.type.empty())
            one["type"] = column.type;
        list.push_back(std::move(one));
    }
    Json object = line("c");
    object["cols"] = std::move(list);
    write(object);
}

void JsonForm::row(std::span<const ShownValue> values)
{
    Json one = Json::array();
    for (const ShownValue& value : values)
        one.push_back(value ? Json(*value) : Json(nullptr));
    rows_.push_back(std::move(one));
    if (rows_.size() >= rows_a_line)
        flush_rows();
}

void JsonForm::flush_rows()
{
    if (rows_.empty())
        return;
    const std::size_t count = rows_.size();
    Json object = line("d");
    object["from"] = first_row_;
    object["rows"] = std::exchange(rows_, Json::array());
    write(object);
    first_row_ += count;
}

void JsonForm::completed(std::string_view summary)
{
    flush_rows();
    first_row_ = 0;
    Json object = line("r");
    object["tag"] = std::string(summary);
    write(object);
}

void JsonForm::message(const ShownMessage& message)
{
    flush_rows();
    const bool notice =
        message.severity != "ERROR" && message.severity != "FATAL" && message.severity != "PANIC";
    Json object = line(notice ? "n" : "e");
    object["severity"] = message.severity;
    object["sqlstate"] = message.code;
    object["message"] = message.text;
    if (!message.detail.empty())
        object["detail"] = message.detail;
    if (!message.hint.empty())
        object["hint"] = message.hint;
    write(object);
}

void JsonForm::stream(Bytes bytes)
{
    flush_rows();
    Json object = line("y");
    object["data"] = std::string(text_of(bytes));
    write(object);
}

void JsonForm::aside(std::string_view text)
{
    flush_rows();
    Json object = line("m");
    object["text"] = std::string(text);
    write(object);
}

void JsonForm::ended(const RecordedEvent& event)
{
    flush_rows();
    Json object = line(event.time_ms, "z", event.command);
    object["tag"] = event.text;
    object["ok"] = event.succeeded;
    object["rows"] = event.rows;
    object["masked"] = event.masked_values;
    object["bytes"] = event.bytes;
    object["ms"] = static_cast<double>(event.duration_us) / 1000;
    if (event.bytes_left_out > 0) {
        object["truncated"] = true;
        object["left_out"] = event.bytes_left_out;
    }
    if (event.digest)
        object["digest"] = "sha256:" + to_hex(*event.digest);
    if (event.erased)
        object["erased"] = true;
    write(object);
    out_.flush();
}

void JsonForm::other(const RecordedEvent& event)
{
    flush_rows();
    switch (event.kind) {
    case EventKind::input_sent: {
        Json object = line(event.time_ms, "i", event.command);
        if (event.erased)
            object["erased"] = true;
        else
            object["data"] = event.payload;
        write(object);
        break;
    }
    case EventKind::cancel_requested: write(line(event.time_ms, "k", 0)); break;
    case EventKind::session_closed:
    case EventKind::session_aborted: {
        Json object = line(event.time_ms, "x", event.number);
        object["reason"] = event.kind == EventKind::session_aborted ? "gateway lost" : event.text;
        write(object);
        break;
    }
    default: {
        Json object = line(event.time_ms, "m", event.number);
        object["text"] = name_of(event.kind);
        write(object);
    }
    }
    out_.flush();
}

void JsonForm::end()
{
    flush_rows();
    out_.flush();
}

}  // namespace

std::unique_ptr<Form> json_form(std::ostream& out)
{
    return std::make_unique<JsonForm>(out);
}

}  // namespace sallyport
