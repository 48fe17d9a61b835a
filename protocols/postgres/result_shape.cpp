#include "protocols/postgres/result_shape.h"

#include <algorithm>

#include "protocols/postgres/masked_value.h"
#include "protocols/postgres/message.h"

namespace sallyport::postgres {

namespace {

// Longer descriptions are traced anew each time.
constexpr std::size_t kept_description_limit = std::size_t{4} << 10;

}  // namespace

std::shared_ptr<const ResultShape> ResultShapes::find(
    Bytes row_description, const std::shared_ptr<const Resolution>& names,
    const std::shared_ptr<const Lineage>& lineage, bool untraced) const
{
    for (const Kept& kept : kept_)
        if (kept.shape && kept.names == names && kept.lineage == lineage &&
            kept.untraced == untraced && kept.row_description == text_of(row_description))
            return kept.shape;
    return nullptr;
}

void ResultShapes::keep(Bytes row_description, std::shared_ptr<const Resolution> names,
                        std::shared_ptr<const Lineage> lineage, bool untraced,
                        std::shared_ptr<const ResultShape> shape)
{
    if (row_description.size() > kept_description_limit)
        return;
    kept_.at(oldest_) = {std::string(text_of(row_description)), std::move(names),
                         std::move(lineage), untraced, std::move(shape)};
    oldest_ = (oldest_ + 1) % kept_.size();
}

bool ResultShape::passes() const
{
    return plan.hides_nothing() &&
           (net.empty() || std::ranges::none_of(fields, [](const FieldShape& field) {
                return is_looked_at(field.type);
            }));
}

Result<std::vector<FieldShape>> read_row_description(Bytes body)
{
    BodyReader reader(body);
    const std::uint16_t count = reader.u16();
    std::vector<FieldShape> fields;
    fields.reserve(count);
    for (std::uint16_t i = 0; i < count && !reader.failed(); ++i) {
        FieldShape field;
        field.label = reader.text();
        field.relation = reader.u32();
        field.attribute = static_cast<std::int16_t>(reader.u16());
        field.type = reader.u32();
        reader.u16();  // size
        reader.u32();  // modifier
        field.binary = reader.u16() == 1;
        fields.push_back(std::move(field));
    }
    if (reader.failed())
        return failure(Fault::malformed, "the target sent a RowDescription that ends too early");
    return fields;
}

Result<std::size_t> mask_row(Bytes body, const ResultShape& shape, std::string& into)
{
    BodyReader reader(body);
    const std::uint16_t count = reader.u16();
    if (shape.plan.announced() && count != shape.plan.columns())
        return failure(Fault::malformed,
                       "the target sent a row of " + std::to_string(count) + " values where " +
                           std::to_string(shape.plan.columns()) + " were announced");
    std::size_t masked = 0;
    MessageWriter writer(into);
    writer.begin('D').u16(count);
    for (std::uint16_t i = 0; i < count; ++i) {
        const std::uint32_t length = reader.u32();
        if (length == 0xffffffffU) {
            writer.u32(length);
            continue;
        }
        const Bytes value = reader.bytes(length);
        if (reader.failed())
            break;
        const MaskAction* action = shape.plan.action(i);
        if (action == nullptr) {
            auto detected = Detected::nothing;
            std::string seen;
            const FieldShape& field = shape.fields[i];
            if (!shape.net.empty() && is_looked_at(field.type))
                detected =
                    detect_in_value(shape.net, field.type, field.binary, text_of(value), seen);
            masked += detected == Detected::nothing ? 0 : 1;
            if (detected == Detected::nothing)
                writer.u32(length).bytes(value);
            else if (detected == Detected::null)
                writer.u32(0xffffffffU);
            else
                writer.u32(static_cast<std::uint32_t>(seen.size())).bytes(bytes_of(seen));
            continue;
        }
        ++masked;
        const bool known = i < shape.fields.size() && shape.plan.key() != nullptr;
        const auto hidden = known ? masked_value(*action, *shape.plan.key(), shape.fields[i].type,
                                                 shape.fields[i].binary, text_of(value))
                                  : std::nullopt;
        if (!hidden)
            writer.u32(0xffffffffU);
        else
            writer.u32(static_cast<std::uint32_t>(hidden->size())).bytes(bytes_of(*hidden));
    }
    if (reader.failed() || !reader.rest().empty())
        return failure(Fault::malformed, "the target sent a row whose lengths do not add up");
    writer.end();
    return masked;
}

}  // namespace sallyport::postgres
