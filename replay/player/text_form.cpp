// A session as text: every line that is not indented is the player's own, so that nothing recorded
// can pass for a verdict.

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "gateway/digest/digest.h"
#include "replay/player/form.h"
#include "replay/player/grid.h"
#include "replay/player/inert_text.h"
#include "replay/player/times.h"

namespace sallyport {

namespace {

constexpr std::string_view margin = "    ";

// What is kept of one table before it is written; recordings have a cap, but a value may be written
// in many more characters than it was recorded in.
constexpr std::size_t most_values = 2'000'000;

std::string counted(std::uint64_t count, std::string_view one, std::string_view many)
{
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

class TextForm final : public Form {
public:
    explicit TextForm(std::ostream& out) : out_(out) {}

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
    void heading(const RecordedEvent& event, std::string_view text);
    void indented(std::string_view text);
    void flush_grid();
    void flush_stream();
    void flush();
    // Says whose output follows where it is not the command last spoken of.
    void speak_of(std::uint32_t command);

    std::ostream& out_;
    std::int64_t started_ms_ = 0;
    std::int64_t time_ms_ = 0;
    std::uint32_t command_ = 0;  // last spoken of
    std::uint32_t shown_ = 0;    // whose output comes in
    std::optional<Grid> grid_;
    std::size_t values_ = 0;
    std::uint64_t rows_not_shown_ = 0;
    std::string stream_;
    std::string last_summary_;
};

void TextForm::begin(const SessionSummary& session)
{
    started_ms_ = session.started_ms;
    out_ << "session    " << to_string(session.id) << '\n'
         << "user       " << inert(session.user) << '\n'
         << "connection " << inert(session.connection) << " (" << inert(session.protocol) << ")\n"
         << "gateway    " << inert(session.gateway) << '\n'
         << "started    " << moment_text(session.started_ms) << '\n'
         << "status     " << name_of(session.status) << '\n'
         << "commands   " << session.commands << ", " << session.denied << " denied, "
         << session.held << " held\n"
         << "rows       " << session.rows << ", "
         << counted(session.masked_values, "masked value", "masked values") << '\n';
}

void TextForm::heading(const RecordedEvent& event, std::string_view text)
{
    flush();
    out_ << "\n[" << clock_text(event.time_ms - started_ms_) << "] " << text << '\n';
}

void TextForm::indented(std::string_view text)
{
    const std::string lines = inert_lines(text);
    std::string_view left = lines;
    while (true) {
        const std::size_t end = left.find('\n');
        const std::string_view line = left.substr(0, end);
        if (!line.empty())
            out_ << margin << line;
        out_ << '\n';
        if (end == std::string_view::npos || end + 1 == left.size())
            return;
        left.remove_prefix(end + 1);
    }
}

void TextForm::opened(const RecordedEvent& event)
{
    heading(event, "session opened" + (event.erased ? std::string(" (details erased)") : ""));
    const auto opening = nlohmann::json::parse(event.text, nullptr, false);
    if (opening.is_object()) {
        const auto line = [&](const char* key, const char* label) {
            const auto found = opening.find(key);
            if (found == opening.end() || found->is_null())
                return;
            std::string value;
            if (found->is_string())
                value = found->get<std::string>();
            else
                value = found->dump(-1, ' ', true);
            if (!value.empty())
                indented(fmt::format("{:<9} {}", label, inert(value)));
        };
        line("groups", "groups");
        line("proof", "login");
        line("peer", "from");
        line("tls", "tls");
        line("client", "client");
        line("target", "target");
        line("database", "database");
    }
    indented(fmt::format("{:<9} {}", "policy", inert(event.policy)));
}

void TextForm::decided(const RecordedEvent& event, std::span<const ShownParameter> parameters)
{
    std::string line = fmt::format("#{} {}", event.number, name_of(event.decision));
    if (!event.classes.empty())
        line += ", " + inert(event.classes);
    if (!event.rule.empty())
        line += ", rule " + inert(event.rule);
    if (event.erased)
        line += " (text erased)";
    heading(event, line);
    command_ = event.number;
    last_summary_.clear();
    if (!event.erased)
        indented(event.text);
    std::size_t number = 0;
    for (const ShownParameter& parameter : parameters) {
        std::string text = fmt::format("${} = ", ++number);
        if (parameter.left_out)
            text += fmt::format("({} bytes, not recorded)", *parameter.left_out);
        else
            text += parameter.value ? inert(*parameter.value) : "NULL";
        if (!parameter.type.empty())
            text += " (" + parameter.type + ")";
        indented(text);
    }
}

void TextForm::speak_of(std::uint32_t command)
{
    if (command == command_)
        return;
    command_ = command;
    out_ << "\n[" << clock_text(time_ms_ - started_ms_) << "] "
         << (command == 0 ? std::string("without being asked")
                          : fmt::format("#{} answered", command))
         << '\n';
}

void TextForm::shows(const RecordedEvent& event)
{
    if (shown_ != event.command)
        flush();
    shown_ = event.command;
    time_ms_ = event.time_ms;
}

void TextForm::columns(std::span<const ShownColumn> columns)
{
    flush();
    grid_.emplace(columns);
}

void TextForm::row(std::span<const ShownValue> values)
{
    flush_stream();
    if (!grid_ || (grid_->columns() != values.size())) {
        flush_grid();
        grid_.emplace(values.size());
    }
    values_ += values.size() + 1;
    if (values_ > most_values)
        ++rows_not_shown_;
    else
        grid_->add(values);
}

void TextForm::flush_grid()
{
    if (!grid_)
        return;
    speak_of(shown_);
    out_ << '\n';
    grid_->write(out_, margin);
    if (rows_not_shown_ > 0)
        out_ << margin << '(' << counted(rows_not_shown_, "more row", "more rows")
             << " recorded: see --format json)\n";
    grid_.reset();
    values_ = 0;
    rows_not_shown_ = 0;
}

void TextForm::flush_stream()
{
    if (stream_.empty())
        return;
    speak_of(shown_);
    out_ << '\n';
    indented(stream_);
    stream_.clear();
}

void TextForm::flush()
{
    flush_grid();
    flush_stream();
}

void TextForm::completed(std::string_view summary)
{
    flush();
    speak_of(shown_);
    last_summary_ = summary;
    out_ << '\n';
    indented(inert(summary));
}

void TextForm::message(const ShownMessage& message)
{
    flush();
    speak_of(shown_);
    std::string text = inert(message.severity) + ":  " + inert_lines(message.text);
    if (!message.code.empty())
        text += " (" + inert(message.code) + ")";
    if (!message.detail.empty())
        text += "\nDETAIL:  " + inert_lines(message.detail);
    if (!message.hint.empty())
        text += "\nHINT:  " + inert_lines(message.hint);
    out_ << '\n';
    indented(text);
}

void TextForm::stream(Bytes bytes)
{
    flush_grid();
    stream_ += text_of(bytes);
    if (stream_.size() > (std::size_t{1} << 20))
        flush_stream();
}

void TextForm::aside(std::string_view text)
{
    flush();
    speak_of(shown_);
    indented("(" + inert(text) + ")");
}

void TextForm::ended(const RecordedEvent& event)
{
    flush();
    speak_of(event.command);
    std::string line;
    const auto add = [&line](const std::string& text) {
        line += (line.empty() ? "" : ", ") + text;
    };
    // Its own closing word has usually been shown already.
    if (event.text != last_summary_)
        add(inert(event.text));
    if (!event.succeeded && event.text == last_summary_)
        add("failed");
    if (event.masked_values > 0)
        add(counted(event.masked_values, "masked value", "masked values"));
    if (event.succeeded || event.duration_us > 0)  // what was refused has run for no time
        add(duration_text(event.duration_us));
    if (event.bytes_left_out > 0) {
        std::string left_out = fmt::format("{} bytes not recorded", event.bytes_left_out);
        if (event.digest)
            left_out += " (sha256:" + to_hex(*event.digest) + ")";
        add(left_out);
    }
    if (event.erased)
        add("output erased");
    out_ << margin << '[' << line << "]\n";
    last_summary_.clear();
}

void TextForm::other(const RecordedEvent& event)
{
    switch (event.kind) {
    case EventKind::input_sent:
        if (command_ != event.command) {
            command_ = event.command;
            heading(event, fmt::format("#{} input", event.command));
        } else {
            flush();
        }
        if (event.erased)
            indented("(input erased)");
        else
            indented(event.payload);
        break;
    case EventKind::cancel_requested: heading(event, "cancel requested"); break;
    case EventKind::session_closed: heading(event, "session closed: " + inert(event.text)); break;
    case EventKind::session_aborted:
        heading(event, "session lost: the gateway died; recorded by its next start");
        break;
    default: heading(event, inert(name_of(event.kind))); break;
    }
    out_.flush();
}

void TextForm::end()
{
    flush();
    out_.flush();
}

}  // namespace

std::unique_ptr<Form> text_form(std::ostream& out)
{
    return std::make_unique<TextForm>(out);
}

}  // namespace sallyport
