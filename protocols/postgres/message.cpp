#include "protocols/postgres/message.h"

#include <algorithm>

#include "protocols/postgres/frame.h"

namespace sallyport::postgres {

MessageWriter& MessageWriter::begin(char type)
{
    start_ = into_.size();
    into_ += type;
    into_.append(4, '\0');
    return *this;
}

MessageWriter& MessageWriter::u8(std::uint8_t value)
{
    into_ += static_cast<char>(value);
    return *this;
}

MessageWriter& MessageWriter::u16(std::uint16_t value)
{
    std::byte octets[2];
    write_u16(octets, value);
    return bytes(octets);
}

MessageWriter& MessageWriter::u32(std::uint32_t value)
{
    std::byte octets[4];
    write_u32(octets, value);
    return bytes(octets);
}

MessageWriter& MessageWriter::text(std::string_view value)
{
    into_ += value;
    into_ += '\0';
    return *this;
}

MessageWriter& MessageWriter::bytes(Bytes value)
{
    into_ += text_of(value);
    return *this;
}

void MessageWriter::end()
{
    const std::size_t length = into_.size() - start_ - 1;
    write_u32(std::as_writable_bytes(std::span(into_)).data() + start_ + 1,
              static_cast<std::uint32_t>(length));
}

std::string_view Diagnostic::field(char tag) const
{
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [tag](const auto& each) { return each.first == tag; });
    return found == fields.end() ? std::string_view{} : std::string_view(found->second);
}

void Diagnostic::set(char tag, std::string value)
{
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [tag](const auto& each) { return each.first == tag; });
    if (found == fields.end())
        fields.emplace_back(tag, std::move(value));
    else
        found->second = std::move(value);
}

Result<Diagnostic> read_diagnostic(Bytes body)
{
    BodyReader reader(body);
    Diagnostic diagnostic;
    for (;;) {
        const auto tag = static_cast<char>(reader.u8());
        if (reader.failed())
            return failure(Fault::malformed, "error or notice message without its end");
        if (tag == '\0')
            break;
        const std::string_view value = reader.text();
        if (reader.failed())
            return failure(Fault::malformed, "error or notice field without its end");
        diagnostic.fields.emplace_back(tag, value);
    }
    if (!reader.rest().empty())
        return failure(Fault::malformed, "bytes behind the end of an error or notice message");
    return diagnostic;
}

std::string write_diagnostic(char type, const Diagnostic& diagnostic)
{
    std::string message;
    MessageWriter writer(message);
    writer.begin(type);
    for (const auto& [tag, value] : diagnostic.fields) {
        // A zero byte inside a value would end the field and forge the next one.
        const std::string_view shown = std::string_view(value).substr(0, value.find('\0'));
        writer.u8(static_cast<std::uint8_t>(tag)).text(shown);
    }
    writer.u8(0);
    writer.end();
    return message;
}

std::string error_message(std::string_view severity, std::string_view sqlstate,
                          std::string_view message, std::string_view detail, std::string_view hint)
{
    Diagnostic diagnostic;
    // 'V' is 'S' untranslated; servers since 9.6 send both and drivers read either.
    for (const auto& [tag, value] :
         {std::pair('S', severity), std::pair('V', severity), std::pair('C', sqlstate),
          std::pair('M', message), std::pair('D', detail), std::pair('H', hint)}) {
        if (!value.empty())
            diagnostic.fields.emplace_back(tag, value);
    }
    return write_diagnostic('E', diagnostic);
}

std::string printable(std::string_view words)
{
    constexpr std::size_t most = 400;
    std::string text(words.substr(0, most));
    std::replace_if(
        text.begin(), text.end(),
        [](char each) { return static_cast<unsigned char>(each) < 0x20 || each == 0x7f; }, ' ');
    while (text.ends_with(' '))
        text.pop_back();
    return text;
}

std::string in_quotes(std::string_view words)
{
    std::string text = "\"";
    for (const char each : printable(words)) {
        if (each == '"' || each == '\\')
            text += '\\';
        text += each;
    }
    return text + '"';
}

}  // namespace sallyport::postgres
