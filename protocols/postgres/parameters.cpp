#include "protocols/postgres/parameters.h"

#include <algorithm>

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
    bind.formats = reader.bytes(std::size_t{2} * reader.u16());
    bind.parameters = reader.u16();
    const Bytes from = reader.rest();
    for (std::uint16_t left = bind.parameters; left > 0 && !reader.failed(); --left) {
        const std::uint32_t length = reader.u32();
        if (length != null_length)
            reader.bytes(length);
    }
    bind.values = from.first(from.size() - reader.rest().size());
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
    if (bind.parameters == 0)
        return recorded;
    constexpr std::size_t around_a_value = 10;  // type, format and length
    recorded.reserve(std::min(
        recorded_limit, 2 + std::size_t{around_a_value} * bind.parameters + bind.values.size()));
    append_u16(recorded, bind.parameters);
    BodyReader values(bind.values);
    const std::size_t formats = bind.formats.size() / 2;
    for (std::size_t i = 0; i < bind.parameters; ++i) {
        append_u32(recorded, i < types.size() ? types[i] : 0);
        const std::size_t which = formats == 1 ? 0 : i;
        append_u16(recorded,
                   which < formats ? read_u16(bind.formats.subspan(2 * which)) : std::uint16_t{0});
        const std::uint32_t length = values.u32();
        if (length == null_length) {
            append_u32(recorded, null_length);
            continue;
        }
        const Bytes value = values.bytes(length);
        if (hide || recorded.size() + value.size() > recorded_limit) {
            append_u32(recorded, left_out_length);
            append_u32(recorded, 0);
            append_u32(recorded, length);
        } else {
            append_u32(recorded, length);
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
