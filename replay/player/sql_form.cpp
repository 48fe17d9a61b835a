// A session as a script of the statements that were executed.

#include <fmt/format.h>
#include <string>

#include "replay/player/form.h"
#include "replay/player/inert_text.h"
#include "replay/player/times.h"

namespace sallyport {

namespace {

class SqlForm final : public Form {
public:
    SqlForm(std::ostream& out, bool inert_statements) : out_(out), inert_(inert_statements) {}

    void begin(const SessionSummary& session) override
    {
        comment(fmt::format("session {}, {} on {}, {}", to_string(session.id), session.user,
                            session.connection, moment_text(session.started_ms)));
    }
    void opened(const RecordedEvent&) override {}
    void decided(const RecordedEvent& event, std::span<const ShownParameter> parameters) override;
    void shows(const RecordedEvent&) override {}
    void ended(const RecordedEvent& event) override;
    void other(const RecordedEvent& event) override;
    void end() override { out_.flush(); }

    // Results are not part of the script.
    void columns(std::span<const ShownColumn>) override {}
    void row(std::span<const ShownValue>) override {}
    void completed(std::string_view) override {}
    void message(const ShownMessage& message) override
    {
        comment(message.severity + ": " + message.text);
    }
    void stream(Bytes) override {}
    void aside(std::string_view) override {}

private:
    // Every line of it, whatever its line ends are.
    void comment(std::string_view text);
    void statement(std::string_view text);

    std::ostream& out_;
    const bool inert_;
};

void SqlForm::comment(std::string_view text)
{
    const std::string lines = inert_lines(text);
    std::string_view left = lines;
    while (true) {
        const std::size_t end = left.find('\n');
        const std::string_view line = left.substr(0, end);
        out_ << (line.empty() ? "--" : "-- ") << line << '\n';
        if (end == std::string_view::npos)
            return;
        left.remove_prefix(end + 1);
    }
}

void SqlForm::statement(std::string_view text)
{
    const std::size_t end = text.find_last_not_of(" \t\r\n");
    text = text.substr(0, end == std::string_view::npos ? 0 : end + 1);
    const std::string written = inert_ ? inert_lines(text) : std::string(text);
    out_ << written;
    // On a line of its own where the statement's last line may end in a comment.
    const std::size_t last_line = text.rfind('\n');
    const bool may_be_comment =
        text.substr(last_line == std::string_view::npos ? 0 : last_line).find("--") !=
        std::string_view::npos;
    if (may_be_comment)
        out_ << "\n;";
    else if (!text.ends_with(';'))
        out_ << ';';
    out_ << '\n';
}

void SqlForm::decided(const RecordedEvent& event, std::span<const ShownParameter> parameters)
{
    out_ << '\n';
    std::string line =
        fmt::format("{} #{} {}", moment_text(event.time_ms), event.number, name_of(event.decision));
    if (!event.classes.empty())
        line += ", " + event.classes;
    if (!event.rule.empty())
        line += ", rule " + event.rule;
    comment(line);
    std::size_t number = 0;
    for (const ShownParameter& parameter : parameters) {
        std::string text = fmt::format("${} = ", ++number);
        if (parameter.left_out)
            text += fmt::format("({} bytes, not recorded)", *parameter.left_out);
        else
            text += parameter.value ? *parameter.value : "NULL";
        if (!parameter.type.empty())
            text += " (" + parameter.type + ")";
        comment(text);
    }
    if (event.erased) {
        comment("(text erased)");
    } else if (event.decision == Decision::allowed) {
        statement(event.text);
    } else {
        comment("not executed:");
        comment(event.text);
    }
}

void SqlForm::ended(const RecordedEvent& event)
{
    comment(fmt::format("#{} {}{}, {} rows, {} masked values, {}", event.command,
                        event.succeeded ? "" : "failed: ", event.text, event.rows,
                        event.masked_values, duration_text(event.duration_us)));
    out_.flush();
}

void SqlForm::other(const RecordedEvent& event)
{
    if (event.kind == EventKind::input_sent) {
        comment(fmt::format("#{} was sent {} bytes of input", event.command, event.payload.size()));
        return;
    }
    out_ << '\n';
    if (event.kind == EventKind::session_closed)
        comment(fmt::format("{} session closed: {}", moment_text(event.time_ms), event.text));
    else
        comment(fmt::format("{} {}", moment_text(event.time_ms), name_of(event.kind)));
}

}  // namespace

std::unique_ptr<Form> sql_form(std::ostream& out, bool inert)
{
    return std::make_unique<SqlForm>(out, inert);
}

}  // namespace sallyport
