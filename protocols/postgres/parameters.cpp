#include "protocols/postgres/parameters.h"

#include "protocols/postgres/frame.h"
#include "protocols/postgres/message.h"

namespace sallyport::postgres {

namespace {

constexpr std::size_t recorded_limit = std::size_t{64} << 10;
constexpr std::uint32_t null_length = 0xffffffffU;      // -1
constexpr std::uint32_t left_out_length = 0xfffffffeU;  // -2

void append_u16(std::string& into, std::uint16_t value)
{
    std::byte raw[2];
    write_u16(raw, value);
    into += text_of(raw);
}

void append_u32(std::string& into, std::uint32_t value)
{
    std::byte raw[4];
    write_u32(raw, value);
    into += text_of(raw);
}

}  // namespace

Result<BindMessage> read_bind(Bytes body)
{
    BodyReader reader(body);
    BindMessage bind;
    bind.portal = reader.text();
    bind.statement = reader.text();
    for (std::uint16_t left = reader.u16(); left > 0 && !reader.failed(); --left)
        bind.formats.push_back(reader.u16());
    for (std::uint16_t left = reader.u16(); left > 0 && !reader.failed(); --left) {
        const std::uint32_t length = reader.u32();
        bind.nulls.push_back(length == null_length);
        bind.values.push_back(length == null_length ? Bytes() : reader.bytes(length));
    }
    for (std::uint16_t left = reader.u16(); left > 0 && !reader.failed(); --left)
        bind.result_formats.push_back(reader.u16());
    if (reader.failed() || !reader.rest().empty())
        return failure(Fault::malformed, "a Bind message whose lengths do not add up");
    return bind;
}

std::string recorded_parameters(const BindMessage& bind, const std::vector<std::uint32_t>& types,
                                bool hide)
{
    std::string recorded;
    if (bind.values.empty())
        return recorded;
    append_u16(recorded, static_cast<std::uint16_t>(bind.values.size()));
    for (std::size_t i = 0; i < bind.values.size(); ++i) {
        append_u32(recorded, i < types.size() ? types[i] : 0);
        const std::uint16_t format = bind.formats.empty()       ? std::uint16_t{0}
                                     : bind.formats.size() == 1 ? bind.formats[0]
                                     : i < bind.formats.size()  ? bind.formats[i]
                                                                : std::uint16_t{0};
        append_u16(recorded, format);
        const Bytes value = bind.values[i];
        if (bind.nulls[i]) {
            append_u32(recorded, null_length);
        } else if (hide || recorded.size() + value.size() > recorded_limit) {
            append_u32(recorded, left_out_length);
            append_u32(recorded, 0);
            append_u32(recorded, static_cast<std::uint32_t>(value.size()));
        } else {
            append_u32(recorded, static_cast<std::uint32_t>(value.size()));
            recorded += text_of(value);
        }
    }
    return recorded;
}

std::string with_formats(std::string row_description, const std::vector<std::uint16_t>& formats)
{
    if (formats.empty() || row_description.size() < header_size + 2)
        return row_description;
    auto* const raw = reinterpret_cast<std::byte*>(row_description.data());
    BodyReader reader(bytes_of(row_description).subspan(header_size));
    const std::uint16_t count = reader.u16();
    for (std::uint16_t i = 0; i < count; ++i) {
        reader.text();
        reader.bytes(16);  // relation, attribute, type, size, modifier
        const std::size_t at = row_description.size() - reader.rest().size();
        reader.u16();
        if (reader.failed())
            break;
        const std::size_t which = formats.size() == 1 ? 0 : i;
        if (which < formats.size())
            write_u16(raw + at, formats[which]);
    }
    return row_description;
}

}  // namespace sallyport::postgres
