#include "protocols/postgres/copy_rewriter.h"

#include <algorithm>
#include <utility>

#include "protocols/postgres/frame.h"
#include "protocols/postgres/masked_value.h"
#include "protocols/postgres/message.h"

namespace sallyport::postgres {

namespace {

constexpr std::string_view binary_signature("PGCOPY\n\377\r\n\0", 11);
constexpr std::uint32_t text_type = 25;

// The form COPY gives characters that would end a field or a row (src/backend/commands/copyto.c,
// CopyAttributeOutText).
void append_escaped(std::string& into, std::string_view text, char delimiter)
{
    for (const char c : text) {
        switch (c) {
        case '\b': into += "\\b"; break;
        case '\f': into += "\\f"; break;
        case '\n': into += "\\n"; break;
        case '\r': into += "\\r"; break;
        case '\t': into += "\\t"; break;
        case '\v': into += "\\v"; break;
        default:
            if (c == '\\' || c == delimiter)
                into += '\\';
            into += c;
        }
    }
}

// Takes back what append_escaped() did. Octal and hexadecimal forms are for input only: the server
// never writes them.
std::string unescaped(std::string_view field)
{
    std::string text;
    for (std::size_t i = 0; i < field.size(); ++i) {
        if (field[i] != '\\' || i + 1 == field.size()) {
            text += field[i];
            continue;
        }
        switch (const char c = field[++i]) {
        case 'b': text += '\b'; break;
        case 'f': text += '\f'; break;
        case 'n': text += '\n'; break;
        case 'r': text += '\r'; break;
        case 't': text += '\t'; break;
        case 'v': text += '\v'; break;
        default: text += c;
        }
    }
    return text;
}

void append_quoted(std::string& into, std::string_view text, const CopyTarget& form)
{
    into += form.quote;
    for (const char c : text) {
        if (c == form.quote || c == form.escape)
            into += form.escape;
        into += c;
    }
    into += form.quote;
}

Error malformed(std::string_view what)
{
    return Error{Fault::malformed, "the target sent COPY data " + std::string(what)};
}

}  // namespace

CopyRewriter::CopyRewriter(CopyTarget form, MaskPlan plan, std::vector<std::uint32_t> types,
                           SecondNet net)
    : form_(std::move(form)), plan_(std::move(plan)), types_(std::move(types)), net_(net)
{
}

Result<std::string> CopyRewriter::rewrite(Bytes body, std::size_t& masked)
{
    switch (form_.format) {
    case CopyTarget::Format::binary: return rewrite_binary(body, masked);
    case CopyTarget::Format::csv: return rewrite_csv(text_of(body), masked);
    case CopyTarget::Format::text: return rewrite_text(text_of(body), masked);
    }
    return tl::unexpected(malformed("in an unknown format"));
}

std::optional<CopyRewriter::Seen> CopyRewriter::seen(std::size_t column, std::string_view value,
                                                     bool binary) const
{
    const std::uint32_t type = column < types_.size() ? types_[column] : binary ? 0 : text_type;
    const MaskAction* action = plan_.action(column);
    if (action == nullptr) {
        if (net_.empty() || !is_looked_at(type))
            return std::nullopt;
        Seen found{false, {}};
        const Detected detected = detect_in_value(net_, type, binary, value, found.text);
        if (detected == Detected::nothing)
            return std::nullopt;
        found.null = detected == Detected::null;
        return found;
    }
    if (plan_.key() == nullptr)
        return Seen{binary, "[masked]"};
    auto hidden = masked_value(*action, *plan_.key(), type, binary, value);
    if (!hidden)
        return Seen{true, {}};
    return Seen{false, std::move(*hidden)};
}

Result<std::string> CopyRewriter::rewrite_binary(Bytes body, std::size_t& masked)
{
    BodyReader reader(body);
    std::string out;
    if (!std::exchange(header_passed_, true)) {
        const Bytes signature = reader.bytes(binary_signature.size());
        reader.u32();  // flags
        reader.bytes(reader.u32());
        if (reader.failed() || text_of(signature) != binary_signature)
            return tl::unexpected(malformed("without the binary form's header"));
        out += text_of(body.first(body.size() - reader.rest().size()));
    }
    const auto put_u16 = [&out](std::uint16_t value) {
        std::byte raw[2];
        write_u16(raw, value);
        out += text_of(raw);
    };
    const auto put_u32 = [&out](std::uint32_t value) {
        std::byte raw[4];
        write_u32(raw, value);
        out += text_of(raw);
    };
    while (!reader.rest().empty()) {
        const std::uint16_t count = reader.u16();
        put_u16(count);
        if (count == 0xffff)  // the trailer
            break;
        if (plan_.announced() && count != plan_.columns())
            return tl::unexpected(malformed("with an unexpected number of columns"));
        for (std::uint16_t i = 0; i < count; ++i) {
            const std::uint32_t length = reader.u32();
            const Bytes value = length == 0xffffffffU ? Bytes() : reader.bytes(length);
            if (reader.failed())
                return tl::unexpected(malformed("that ends inside a row"));
            const auto field = length == 0xffffffffU ? std::nullopt : seen(i, text_of(value), true);
            if (!field) {
                put_u32(length);
                out += text_of(value);
                continue;
            }
            ++masked;
            put_u32(field->null ? 0xffffffffU : static_cast<std::uint32_t>(field->text.size()));
            if (!field->null)
                out += field->text;
        }
    }
    if (reader.failed())
        return tl::unexpected(malformed("that ends inside a row"));
    return out;
}

Result<std::string> CopyRewriter::rewrite_text(std::string_view rows, std::size_t& masked)
{
    std::string out;
    out.reserve(rows.size());
    while (!rows.empty()) {
        // A newline inside a value is written as \n, so a real one ends the row.
        const std::size_t end = rows.find('\n');
        if (end == std::string_view::npos)
            return tl::unexpected(malformed("that ends inside a row"));
        std::string_view row = rows.substr(0, end);
        rows.remove_prefix(end + 1);
        if (form_.header && !std::exchange(header_passed_, true)) {
            out += row;
            out += '\n';
            continue;
        }
        std::size_t column = 0;
        for (bool last = false; !last; ++column) {
            std::size_t at = 0;
            while (at < row.size() && row[at] != form_.delimiter)
                at += row[at] == '\\' ? 2 : 1;
            at = std::min(at, row.size());
            last = at == row.size();
            const std::string_view field = row.substr(0, at);
            const bool looked_at = plan_.action(column) != nullptr || !net_.empty();
            const auto shown = field == form_.null || !looked_at
                                   ? std::nullopt
                                   : seen(column, unescaped(field), false);
            masked += shown ? 1 : 0;
            if (!shown)
                out += field;
            else if (shown->null)
                out += form_.null;
            else
                append_escaped(out, shown->text, form_.delimiter);
            out += last ? '\n' : form_.delimiter;
            row.remove_prefix(last ? at : at + 1);
        }
        // A table without columns gives empty rows: one empty field, none announced.
        if (plan_.announced() && column != plan_.columns() &&
            !(plan_.columns() == 0 && column == 1))
            return tl::unexpected(malformed("with an unexpected number of columns"));
    }
    return out;
}

Result<std::string> CopyRewriter::rewrite_csv(std::string_view rows, std::size_t& masked)
{
    std::string out;
    out.reserve(rows.size());
    std::size_t column = 0;
    bool header = form_.header && !std::exchange(header_passed_, true);
    while (!rows.empty()) {
        std::string text;
        bool quoted = false;
        std::size_t at = 0;
        bool inside = false;
        for (; at < rows.size(); ++at) {
            const char c = rows[at];
            if (inside) {
                if (c == form_.escape && at + 1 < rows.size() &&
                    (rows[at + 1] == form_.quote || rows[at + 1] == form_.escape))
                    text += rows[++at];
                else if (c == form_.quote)
                    inside = false;
                else
                    text += c;
            } else if (c == form_.quote) {
                inside = quoted = true;
            } else if (c == form_.delimiter || c == '\n') {
                break;
            } else {
                text += c;
            }
        }
        if (at == rows.size())
            return tl::unexpected(malformed("that ends inside a row"));
        const bool null = !quoted && text == form_.null;
        const auto shown = header || null ? std::nullopt : seen(column, text, false);
        masked += shown ? 1 : 0;
        if (!shown)
            out += rows.substr(0, at);
        else if (shown->null)
            out += form_.null;
        else
            append_quoted(out, shown->text, form_);
        out += rows[at];
        ++column;
        if (rows[at] == '\n') {
            if (!header && plan_.announced() && column != plan_.columns() &&
                !(plan_.columns() == 0 && column == 1))
                return tl::unexpected(malformed("with an unexpected number of columns"));
            column = 0;
            header = false;
        }
        rows.remove_prefix(at + 1);
    }
    return out;
}

}  // namespace sallyport::postgres
