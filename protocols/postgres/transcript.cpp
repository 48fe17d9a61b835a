#include "protocols/postgres/transcript.h"

#include <fmt/format.h>
#include <optional>
#include <string>
#include <vector>

#include "protocols/postgres/frame.h"
#include "protocols/postgres/message.h"
#include "protocols/postgres/result_shape.h"
#include "protocols/postgres/value_text.h"

namespace sallyport::postgres {

namespace {

constexpr std::uint32_t null_length = 0xffffffffU;      // -1
constexpr std::uint32_t left_out_length = 0xfffffffeU;  // -2

class PostgresTranscript final : public Transcript {
public:
    std::vector<ShownParameter> parameters(Bytes payload) override;
    void shown(std::uint32_t command, Bytes payload, TranscriptViewer& viewer) override;
    void ended(std::uint32_t command, TranscriptViewer& viewer) override;

private:
    // Gives what is left of the bytes, the beginning of a message; nothing where they are none.
    std::optional<Bytes> show_messages(Bytes bytes, TranscriptViewer& viewer);
    void show(const Frame& frame, TranscriptViewer& viewer);
    void show_columns(Bytes body, TranscriptViewer& viewer);
    void show_row(Bytes body, TranscriptViewer& viewer);
    void turn_to(std::uint32_t command, TranscriptViewer& viewer);

    std::uint32_t command_ = 0;
    bool lost_ = false;  // the rest of this command cannot be cut into messages
    std::string begun_;  // a message of this command that is not yet complete
    std::vector<FieldShape> fields_;
    bool described_ = false;
};

std::vector<ShownParameter> PostgresTranscript::parameters(Bytes payload)
{
    std::vector<ShownParameter> parameters;
    BodyReader reader(payload);
    for (std::uint16_t left = payload.empty() ? std::uint16_t{0} : reader.u16();
         left > 0 && !reader.failed(); --left) {
        const std::uint32_t type = reader.u32();
        const bool binary = reader.u16() == 1;
        const std::uint32_t length = reader.u32();
        ShownParameter parameter{.type = std::string(type_name(type))};
        if (length == left_out_length) {
            const std::uint64_t high = reader.u32();
            parameter.left_out = high << 32 | reader.u32();
        } else if (length != null_length) {
            parameter.value = value_text(type, binary, reader.bytes(length));
        }
        if (!reader.failed())
            parameters.push_back(std::move(parameter));
    }
    return parameters;
}

void PostgresTranscript::turn_to(std::uint32_t command, TranscriptViewer& viewer)
{
    if (command == command_)
        return;
    ended(command_, viewer);
    command_ = command;
}

void PostgresTranscript::shown(std::uint32_t command, Bytes payload, TranscriptViewer& viewer)
{
    if (payload.empty())
        return;
    if (command == 0) {
        // Comes between two messages of a command and is whole.
        if (const auto rest = show_messages(payload, viewer); rest && !rest->empty())
            viewer.aside("a message that was not recorded to its end");
        return;
    }
    turn_to(command, viewer);
    if (lost_)
        return;
    begun_ += text_of(payload);
    const auto rest = show_messages(bytes_of(begun_), viewer);
    if (rest)
        begun_.erase(0, begun_.size() - rest->size());
    if (!rest || begun_.size() > transcript_message_limit) {
        lost_ = true;
        begun_.clear();
    }
}

void PostgresTranscript::ended(std::uint32_t command, TranscriptViewer& viewer)
{
    if (command != command_)
        return;
    if (!begun_.empty())
        viewer.aside(fmt::format("a message of which {} bytes were recorded", begun_.size()));
    begun_.clear();
    fields_.clear();
    described_ = false;
    lost_ = false;
    command_ = 0;
}

std::optional<Bytes> PostgresTranscript::show_messages(Bytes bytes, TranscriptViewer& viewer)
{
    while (!bytes.empty()) {
        const auto frame = next_frame(bytes, transcript_message_limit);
        if (!frame) {
            viewer.aside("bytes that are no PostgreSQL message");
            return std::nullopt;
        }
        if (!*frame)
            return bytes;
        show(**frame, viewer);
        bytes = bytes.subspan((*frame)->whole.size());
    }
    return bytes;
}

void PostgresTranscript::show(const Frame& frame, TranscriptViewer& viewer)
{
    BodyReader reader(frame.body);
    switch (frame.type) {
    case 'T': show_columns(frame.body, viewer); break;
    case 'D': show_row(frame.body, viewer); break;
    case 'C':
        viewer.completed(reader.text());
        described_ = false;
        break;
    case 'E':
    case 'N': {
        const auto diagnostic = read_diagnostic(frame.body);
        if (!diagnostic) {
            viewer.aside("an error or notice that cannot be read");
            break;
        }
        std::string_view severity = diagnostic->field('V');
        if (severity.empty())
            severity = diagnostic->field('S');
        viewer.message({.severity = std::string(severity),
                        .code = std::string(diagnostic->field('C')),
                        .text = std::string(diagnostic->field('M')),
                        .detail = std::string(diagnostic->field('D')),
                        .hint = std::string(diagnostic->field('H'))});
        break;
    }
    case 'd': viewer.stream(frame.body); break;
    case 'A': {
        reader.u32();  // the notifying server process
        const std::string_view channel = reader.text();
        const std::string_view payload = reader.text();
        viewer.aside(fmt::format("notification on {}: {}", channel, payload));
        break;
    }
    case 'S': {
        const std::string_view name = reader.text();
        viewer.aside(fmt::format("{} is now {}", name, reader.text()));
        break;
    }
    case 'V': {
        const std::uint32_t length = reader.u32();
        viewer.aside(length == null_length
                         ? std::string("function result: null")
                         : "function result: " + value_text(0, true, reader.bytes(length)));
        break;
    }
    case 'I': viewer.completed("empty"); break;
    case 's': viewer.completed("suspended"); break;
    // The protocol's own bookkeeping, with nothing a person saw.
    case '1':
    case '2':
    case '3':
    case 'n':
    case 't':
    case 'Z':
    case 'G':
    case 'H':
    case 'c': break;
    default: viewer.aside(fmt::format("a message of unknown type {:#04x}", frame.type)); break;
    }
}

void PostgresTranscript::show_columns(Bytes body, TranscriptViewer& viewer)
{
    constexpr std::size_t least_field_size = 19;
    const bool possible =
        body.size() >= 2 && (body.size() - 2) / least_field_size >= read_u16(body);
    auto fields = read_row_description(possible ? body : Bytes());
    if (!fields) {
        viewer.aside("a description of columns that cannot be read");
        return;
    }
    fields_ = std::move(*fields);
    described_ = true;
    std::vector<ShownColumn> columns;
    columns.reserve(fields_.size());
    for (const FieldShape& field : fields_)
        columns.push_back({.label = field.label,
                           .type = std::string(type_name(field.type)),
                           .number = is_number(field.type)});
    viewer.columns(columns);
}

void PostgresTranscript::show_row(Bytes body, TranscriptViewer& viewer)
{
    BodyReader reader(body);
    const std::uint16_t count = reader.u16();
    const bool known = described_ && count == fields_.size();
    std::vector<ShownValue> values;
    for (std::uint16_t i = 0; i < count && !reader.failed(); ++i) {
        const std::uint32_t length = reader.u32();
        if (length == null_length) {
            values.emplace_back();
            continue;
        }
        const Bytes value = reader.bytes(length);
        // Without a description the format is not known either: text where it looks like text.
        values.emplace_back(known ? value_text(fields_[i].type, fields_[i].binary, value)
                                  : value_text(0, true, value));
    }
    if (reader.failed() || !reader.rest().empty())
        viewer.aside("a row that cannot be read");
    else
        viewer.row(values);
}

}  // namespace

std::unique_ptr<Transcript> transcribe()
{
    return std::make_unique<PostgresTranscript>();
}

}  // namespace sallyport::postgres
