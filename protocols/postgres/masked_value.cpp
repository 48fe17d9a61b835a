#include "protocols/postgres/masked_value.h"

namespace sallyport::postgres {

namespace {

// OIDs of src/include/catalog/pg_type.dat; fixed since these types exist.
enum : std::uint32_t {
    name_type = 19,
    text_type = 25,
    json_type = 114,
    xml_type = 142,
    unknown_type = 705,
    bpchar_type = 1042,
    varchar_type = 1043,
    jsonb_type = 3802,
};

std::string json_string(std::string_view text)
{
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            quoted += '\\';
        // Control characters cannot stand in a JSON string; a mask does not need them.
        quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return quoted + '"';
}

}  // namespace

std::optional<std::string> masked_value(const MaskAction& action, const MaskKey& key,
                                        std::uint32_t type, bool binary, std::string_view value)
{
    switch (type) {
    case name_type:
    case text_type:
    case unknown_type:
    case bpchar_type:
    case varchar_type: return masked_text(action, key, value);
    case xml_type: {
        // Keeping a part of a document would not leave a document.
        if (action.kind == MaskAction::Kind::keep_first ||
            action.kind == MaskAction::Kind::keep_last)
            return masked_text(MaskAction{}, key, value);
        return masked_text(action, key, value);
    }
    case json_type:
    case jsonb_type: {
        const bool versioned = type == jsonb_type && binary;  // a version byte, then the text
        auto text = masked_text(action, key, versioned && !value.empty() ? value.substr(1) : value);
        if (!text)
            return std::nullopt;
        return (versioned ? "\x01" : "") + json_string(*text);
    }
    default: return std::nullopt;
    }
}

}  // namespace sallyport::postgres
